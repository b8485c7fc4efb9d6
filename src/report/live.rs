//! The steps of a workflow, as somebody at a terminal watches them. Pure.

use jiff::Timestamp;

use crate::nuon::deploy::Class;
use crate::nuon::workflow::{Workflow, WorkflowStep, is_at_work};
use crate::text::format;
use crate::text::marks::Marks;

/// How many of the steps that have ended stay in view above the one that has not.
const BEFORE: usize = 3;
/// How many characters of a name are shown.
const NAME: usize = 48;

/// A row a step, with a mark and how long it took until now, `most` rows in all: those about the one that is next to end.
pub fn steps(workflow: &Workflow, now: Option<Timestamp>, marks: &Marks, most: usize) -> Vec<String> {
    let all: Vec<&WorkflowStep> = workflow.steps().collect();
    let next = all.iter().position(|step| step.class() == Class::Running).unwrap_or(all.len());
    let first = next.saturating_sub(BEFORE.min(most / 2)).min(all.len().saturating_sub(most));
    let shown = &all[first..all.len().min(first + most)];
    let name = |step: &WorkflowStep| format::cut(step.name(), NAME);
    let width = shown.iter().map(|step| name(step).chars().count()).max().unwrap_or_default();
    let row = |step: &&WorkflowStep| {
        let took = step.took(now).map_or_else(String::new, format::age);
        format!("{} {:<width$}  {took}", mark(step, marks), name(step)).trim_end().to_owned()
    };
    let before = (first > 0).then(|| format!("{first} before"));
    let after = all.len() - first - shown.len();
    let after = (after > 0).then(|| format!("and {after} more"));
    before.into_iter().chain(shown.iter().map(row)).chain(after).collect()
}

fn mark(step: &WorkflowStep, marks: &Marks) -> &'static str {
    match step.class() {
        Class::Success => marks.good,
        Class::Failure => marks.bad,
        Class::NothingToDo | Class::Replaced => marks.left_out,
        _ if is_at_work(step.word()) => marks.at_work,
        _ if step.word() == "approval-awaiting" => marks.odd,
        _ => marks.to_come,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(words: &[&str], most: usize) -> Vec<String> {
        let step = |(index, word): (usize, &&str)| {
            let times = json!({"begins": format!("2026-01-14T16:00:{index:02}Z"), "never": "0001-01-01T00:00:00Z"});
            let is_done = !matches!(*word, "pending" | "in-progress");
            let began = if *word == "pending" { &times["never"] } else { &times["begins"] };
            let ended = if is_done { json!("2026-01-14T16:01:00Z") } else { times["never"].clone() };
            json!({"name": format!("step {index}"), "status": {"status": word}, "started_at": began, "finished_at": ended})
        };
        let steps: Vec<_> = words.iter().enumerate().map(step).collect();
        let workflow: Workflow = serde_json::from_value(json!({"steps": steps})).expect("a workflow");
        let now = "2026-01-14T16:02:00Z".parse().ok();
        super::steps(&workflow, now, &Marks::UNICODE, most)
    }

    #[test]
    fn a_step_is_a_mark_a_name_and_a_time() {
        let words = ["success", "auto-skipped", "error", "in-progress", "approval-awaiting", "pending"];
        let want = ["✓ step 0  1m", "- step 1  59s", "✗ step 2  58s", "● step 3  1m57s", "! step 4  56s", "○ step 5"];
        assert_eq!(shown(&words, 10), want);
    }

    #[test]
    fn of_many_those_about_the_next_are_shown() {
        let many = [["success"; 8].as_slice(), &["in-progress"], &["pending"; 11]].concat();
        let rows = shown(&many, 6);
        assert_eq!(rows[0], "5 before");
        assert_eq!((rows[4].as_str(), rows[7].as_str(), rows.len()), ("● step 8   1m52s", "and 9 more", 8));
        assert_eq!(shown(&["success"; 20], 6)[0], "14 before");
        assert_eq!(shown(&[], 6), [""; 0]);
        assert_eq!(shown(&many, 1), ["8 before", "● step 8  1m52s", "and 11 more"]);
    }
}
