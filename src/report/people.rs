//! The verdict for people, on stdout. Pure.

use std::time::Duration;

use super::result::{MemberSeen, Report, Verdict, counted};
use crate::base::outcome::Outcome;
use crate::judge::assertion::{Check, Found, Truth, presets};
use crate::nuon::failure::Failure;
use crate::text::color::Paint;
use crate::text::escape;
use crate::text::format;
use crate::text::marks::Marks;

/// How many of many targets have a row of their own.
const ROWS: usize = 50;
/// How many installs or components have a row for their targets.
const GROUPS: usize = 10;
/// How many of them are told in full.
const TOLD: usize = 3;
/// How many characters of a message are in a row.
const MESSAGE: usize = 300;

/// How the verdict looks.
#[derive(Clone, Copy, Debug)]
pub struct VerdictStyle {
    /// Whether it is coloured.
    pub paint: Paint,
    /// What it begins with, where somebody watches.
    pub marks: Option<Marks>,
}

/// Renders the verdict: outcome and why, then what failed, warnings, what is true, and the facts last.
pub fn render(report: &Report, style: VerdictStyle) -> String {
    let mut lines = Vec::new();
    lines.push(format!("{}: {}", report.ending.heading(), report.message));
    let shown = if report.fleet.is_some() { rows(report, &mut lines) } else { &report.targets };
    for verdict in shown {
        let (failed, others): (Vec<&Check>, Vec<&Check>) =
            verdict.assertions.iter().partition(|check| check.has_failed());
        failed.into_iter().for_each(|check| assertion(check, &report.message, &mut lines));
        if let Some(failure) = &verdict.failure {
            why(failure, &mut lines);
        }
        lines.extend(verdict.warnings.iter().map(|why| warning(why)));
        // An advisory one that is not true is told as a warning.
        others.into_iter().filter(|check| !check.is_not_true()).for_each(|check| assertion(check, "", &mut lines));
        members(&verdict.deploys, &mut lines);
        facts(verdict, &mut lines);
    }
    let polls = report.polls();
    lines.push(format!(
        "  {polls} poll{} in {}, exit code {}",
        if polls == 1 { "" } else { "s" },
        format::duration(Duration::from_millis(report.duration_ms)),
        report.ending.code()
    ));
    let paint = style.paint;
    let mark = style.marks.map(|marks| match report.ending.outcome() {
        Outcome::Passed => paint.good(marks.good),
        Outcome::Failed => paint.bad(marks.bad),
        _ => paint.bad(marks.odd),
    });
    mark.map_or_else(String::new, |mark| mark + " ") + &painted(&lines, paint)
}

/// How many ended in each way; then a row a target that did not pass, the worst first. What failed is told in full, for
/// the first few.
fn rows<'r>(report: &'r Report, lines: &mut Vec<String>) -> &'r [Verdict] {
    let targets = report.targets.as_slice();
    if !targets.is_empty() {
        lines.push(format!("  {:<13} {}", "targets", report.counts()));
    }
    let (of, groups) = report.groups();
    let mut label = format!("by {of}");
    for (name, counts) in groups.iter().take(GROUPS) {
        lines.push(format!("  {label:<13} {counts}  {name}"));
        label.clear();
    }
    if groups.len() > GROUPS {
        lines.push(format!("  {:<13} and {} more", "", groups.len() - GROUPS));
    }
    let others = targets.iter().take_while(|verdict| !verdict.is_pass()).count();
    for verdict in &targets[..others.min(ROWS)] {
        let reason = verdict.ending.word();
        let message = format::cut(&verdict.message, MESSAGE);
        lines.push(format!("  {reason:<18} {} / {}  {message}", verdict.install, verdict.component));
    }
    if others > ROWS {
        lines.push(format!("  and {} more, which are in the JSON result", others - ROWS));
    }
    let told = targets.iter().take_while(|verdict| verdict.ending.outcome() == Outcome::Failed).count().min(TOLD);
    let warnings = report.warnings(told);
    for (words, count) in warnings.iter().take(GROUPS) {
        let of = if *count == 1 { String::new() } else { format!("{count} targets: ") };
        lines.push(warning(&format!("{of}{words}")));
    }
    if warnings.len() > GROUPS {
        lines.push(format!("  and {} more warnings, which are in the JSON result", warnings.len() - GROUPS));
    }
    &targets[..told]
}

/// The lines, defused, then coloured: the first is the verdict, the others begin with what they are.
pub fn painted(lines: &[String], paint: Paint) -> String {
    let painted = |(index, line): (usize, &String)| {
        let line = escape::line(line);
        let word: &str = if index == 0 { &line } else { line.trim_start().split("  ").next().unwrap_or_default() };
        let is = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
        let color = match index {
            0 if is(&["passed"]) => Paint::good,
            0 => Paint::bad,
            _ if word == "true" => Paint::good,
            _ if is(&["false", "vacuous", "failed step"]) => Paint::bad,
            _ if word == "warning" => Paint::odd,
            _ => return line + "\n",
        };
        let (before, after) = line.split_at(line.len() - line.trim_start().len() + word.len());
        let (blank, word) = before.split_at(before.len() - before.trim_start().len());
        format!("{blank}{}{after}\n", color(paint, word))
    };
    lines.iter().enumerate().map(painted).collect()
}

/// The line of a warning.
pub fn warning(why: &str) -> String {
    format!("  {:<13} {why}", "warning")
}

/// The lines of one assertion: one, unless it is not true. What the headline of the verdict says is not said again.
pub fn assertion(check: &Check, headline: &str, lines: &mut Vec<String>) {
    let mut say = |first: &str, words: &str| lines.push(format!("  {first:<13} {words}"));
    match check.outcome {
        Truth::True if presets::of(check).is_some() => say("true", &format!("{}: {}", check.title(), check.told())),
        Truth::True | Truth::NotEvaluated => say(check.outcome.name(), &check.title()),
        Truth::False | Truth::Vacuous if presets::of(check).is_some() => {
            say(check.outcome.name(), &format!("{}: {}", check.title(), check.told()));
        }
        Truth::False | Truth::Vacuous => {
            say(check.outcome.name(), &check.title());
            let told = check.decisive().into_iter().map(Found::told);
            told.filter(|words| !headline.contains(words)).for_each(|words| say("", &words));
        }
    }
    check.queries.iter().filter_map(|found| found.note.as_ref()).for_each(|note| say("", &format!("note: {note}")));
}

/// How many deploys of a workflow ended in each way, and a row for each that did not end well.
fn members(deploys: &[MemberSeen], lines: &mut Vec<String>) {
    if deploys.is_empty() {
        return;
    }
    lines.push(format!("  {:<13} {}", "deploys", counted(deploys.iter().map(|member| member.deploy.status.as_str()))));
    let others: Vec<&MemberSeen> = deploys.iter().filter(|member| !member.ended_well).collect();
    for member in others.iter().take(ROWS) {
        let deploy = &member.deploy;
        let words = format::cut(&deploy.status_description, MESSAGE);
        lines.push(format!("  {:<13} {}  {} {words}", deploy.status, member.name(), deploy.id));
    }
    if others.len() > ROWS {
        lines.push(format!("  and {} more, which are in the JSON result", others.len() - ROWS));
    }
}

fn why(failure: &Failure, lines: &mut Vec<String>) {
    if !failure.step.is_empty() {
        lines.push(format!("  {:<13} {}", "failed step", failure.step));
    }
    lines.extend(failure.told().iter().map(|words| format!("  {:<13} {words}", "why")));
    lines.extend(failure.log.iter().map(|line| format!("  {:<13} {line}", "log")));
}

fn facts(verdict: &Verdict, lines: &mut Vec<String>) {
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<13} {value}"));
        }
    };
    fact("install", &verdict.install);
    if let Some(workflow) = &verdict.workflow {
        fact("workflow", &workflow.id);
        fact("status", &workflow.status);
        fact("link", &verdict.url);
        return;
    }
    fact("component", &verdict.component);
    if let Some(deploy) = &verdict.deploy {
        fact("deploy", &deploy.id);
        fact("status", &deploy.status);
        fact("build", &deploy.build_id);
        fact("workflow", &deploy.workflow_id);
        fact("commit", &deploy.commit);
        fact("link", &verdict.url);
        fact("chosen by", &verdict.belief);
        fact("superseded by", &verdict.superseded_by);
    }
}
