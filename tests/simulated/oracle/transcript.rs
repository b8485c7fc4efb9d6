//! What was asked and answered: when the gate may ask, how much, and what the judged document was put together from. No
//! word here is about the order of the requests within a look.

use std::time::Duration;

use serde_json::Value;

use super::{About, Oracle, about, document, text};
use crate::simulated::assertions::{Expression, Truth, Unread};
use crate::simulated::network::{Asked, Kind};

/// Where each look begins: within one, nothing is waited for.
fn looks(asked: &[Asked]) -> Vec<usize> {
    (0..asked.len()).filter(|index| *index == 0 || asked[*index].at > asked[*index - 1].until).collect()
}

/// Where the last look begins.
pub(super) fn last_look(asked: &[Asked]) -> Option<usize> {
    looks(asked).last().copied()
}

/// How many requests a look may have, and how many the last one, which explains as well.
const REQUESTS: (usize, usize) = (24, 40);

impl Oracle<'_> {
    pub(super) fn time_is_kept(&mut self) {
        let run = self.run;
        let (asked, gate) = (&run.transcript, &run.gate);
        let begins = looks(asked);
        let slack = Duration::from_secs(2);
        let slowest = Duration::from_millis(if self.has_trouble() { 30_000 } else { 300 });
        self.must(run.ended <= gate.timeout + slack + slowest * 30, format!("it ended at {:?}", run.ended));
        let late = begins.iter().map(|begin| asked[*begin].at).find(|at| *at > gate.timeout + slack);
        self.must(late.is_none(), format!("a look after the deadline, at {late:?}"));
        let most = 10.0 + run.ended.as_secs_f64() / (gate.interval.as_secs_f64() * 0.79);
        self.must((begins.len() as f64) < most, format!("{} looks are more than {most}", begins.len()));
        let ends = begins.iter().skip(1).copied().chain([asked.len()]);
        let lengths: Vec<usize> = begins.iter().zip(ends).map(|(begin, end)| end - begin).collect();
        // Where it cannot wait, two looks are as one.
        let is_apart = gate.interval >= Duration::from_secs(2);
        let too_many = lengths.iter().rev().skip(1).any(|length| *length > REQUESTS.0 && is_apart)
            || lengths.last().is_some_and(|length| *length > REQUESTS.1);
        self.must(!too_many, format!("looks of {lengths:?} requests"));
        self.retry_after_is_kept(&begins);
    }

    /// Within a look the gate goes on; before the next it waits.
    fn retry_after_is_kept(&mut self, begins: &[usize]) {
        let mut floor = Duration::ZERO;
        let mut broken = None;
        for (index, asked) in self.run.transcript.iter().enumerate() {
            if begins.contains(&index) && asked.at < floor && broken.is_none() {
                broken = Some((asked.at, floor));
            }
            floor = floor.max(asked.retry_after.map_or(Duration::ZERO, |after| asked.until + after));
        }
        self.must(broken.is_none(), format!("Retry-After is not kept: {broken:?}"));
    }

    /// The assertions are about the document as it was put together from the last answers.
    pub(super) fn assertions_are(&mut self, failed_by: &[&str]) {
        let reported: Vec<&str> = self.run.report["targets"][0]["assertions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|check| text(check, "outcome"))
            .collect();
        let (roots, details, workflows) = (self.roots(), self.details(), self.workflows());
        let mut wrong = vec!["no answer showed the deploy".to_owned()];
        for (root, detail) in roots.iter().flat_map(|root| details.iter().map(move |detail| (root, detail))) {
            for workflow in &workflows {
                match self.fits(root, *detail, workflow.as_ref(), failed_by, &reported) {
                    Ok(()) => return,
                    Err(why) => wrong = vec![why],
                }
            }
        }
        self.wrong.extend(wrong);
    }

    fn fits(
        &self,
        root: &Value,
        detail: Option<&Value>,
        workflow: Option<&Value>,
        failed_by: &[&str],
        reported: &[&str],
    ) -> Result<(), String> {
        let unread = match (detail, workflow) {
            (None, _) => Unread::Anything,
            (_, None) => Unread::Workflow,
            _ => Unread::Nothing,
        };
        let whole = assemble(root.clone(), detail, workflow);
        // That preset alone may forgive what the server went on after.
        let forgiving = workflow.cloned().map(forgiven);
        let forgiving = assemble(root.clone(), detail, forgiving.as_ref());
        let mut said = String::new();
        for presets in [&whole, &forgiving] {
            let about = |assertion: &Expression| match assertion {
                Expression::NoFailedSteps => assertion.judge(presets, unread),
                other => other.judge(&whole, unread),
            };
            let truths: Vec<Truth> = self.run.gate.assertions.iter().map(about).collect();
            let want: &[&str] = if truths.contains(&Truth::False) {
                &["assertion-false"]
            } else if truths.contains(&Truth::Vacuous) {
                &["assertion-vacuous"]
            } else {
                &[]
            };
            let names = truths.iter().map(|truth| match truth {
                Truth::True => "true",
                Truth::False => "false",
                Truth::Vacuous => "vacuous",
            });
            if want == failed_by && names.eq(reported.iter().copied()) {
                return Ok(());
            }
            said = format!("the assertions are {truths:?} and not {reported:?} about {whole}");
        }
        Err(said)
    }

    fn judged(&self) -> &str {
        text(&self.run.report["targets"][0]["deploy"], "id")
    }

    /// Answers that can be the root: the last that showed the deploy as it is in the report.
    fn roots(&self) -> Vec<&Value> {
        let shows = |asked: &&Asked| {
            let deploy = document(asked);
            deploy.is_some_and(|deploy| {
                text(deploy, "id") == self.judged() && text(&deploy["status_v2"], "status") == self.reported_word()
            })
        };
        let last = |what: About| {
            let mut asked = self.run.transcript.iter().rev().filter(|asked| about(asked) == what);
            asked.find(shows).and_then(document)
        };
        [About::Latest, About::Deploy].into_iter().filter_map(last).collect()
    }

    /// The deploy by its id, and nothing where it may not have been read.
    fn details(&self) -> Vec<Option<&Value>> {
        let of_it = |asked: &&Asked| about(asked) == About::Deploy && asked.path.ends_with(self.judged());
        let asked: Vec<&Asked> = self.run.transcript.iter().filter(of_it).collect();
        let last = asked.iter().rev().find_map(|asked| document(asked));
        let is_sure = asked.last().is_some_and(|asked| document(asked).is_some());
        if is_sure { vec![last] } else { vec![None, last] }
    }

    /// Its workflow with its steps, and nothing where it may not have been read.
    fn workflows(&self) -> Vec<Option<Value>> {
        let own = text(&self.run.report["targets"][0]["deploy"], "workflow_id");
        let asked = &self.run.transcript;
        let is_own = |index: &usize| about(&asked[*index]) == About::Workflow && asked[*index].path.ends_with(own);
        let all: Vec<usize> = (0..asked.len()).filter(is_own).collect();
        let whole: Vec<Option<Value>> = all.iter().map(|index| whole_workflow(asked, *index)).collect();
        let last = whole.iter().rev().find(|whole| whole.is_some()).cloned().flatten();
        let is_sure = whole.last().is_some_and(Option::is_some);
        if is_sure { vec![last] } else { vec![None, last] }
    }
}

/// The same where a step's failure counts for nothing if the server goes on after it.
fn forgiven(mut workflow: Value) -> Value {
    for step in workflow["steps"].as_array_mut().into_iter().flatten() {
        let directive = text(step, "result_directive");
        if ["retry", "retry-group", "continue", "skip-group"].contains(&directive)
            && step["status"]["status"] == "error"
        {
            step["retried"] = true.into();
        }
    }
    workflow
}

/// A workflow with its steps, which may be in pages of their own behind it.
fn whole_workflow(asked: &[Asked], index: usize) -> Option<Value> {
    let mut whole = document(&asked[index])?.clone();
    let path = format!("{}/steps", asked[index].path);
    // An empty list is asked for once more.
    let is_asked = asked.get(index + 1).is_some_and(|next| next.path.split('?').next() == Some(path.as_str()));
    if whole["steps"].is_array() && !is_asked {
        return Some(whole);
    }
    let own = asked[index + 1..].iter().filter(|asked| asked.path.split('?').next() == Some(path.as_str()));
    let mut steps = Vec::new();
    for asked in own {
        let Kind::Page(page, has_more) = &asked.kind else { return None };
        steps.extend(page.as_array().into_iter().flatten().cloned());
        if !has_more {
            whole["steps"] = steps.into();
            return Some(whole);
        }
    }
    None
}

/// The document as the contract says: gaps are filled, nothing is overwritten, and a plan is a plan if anything says so.
fn assemble(seen: Value, detail: Option<&Value>, workflow: Option<&Value>) -> Value {
    let mut whole = seen;
    let is_plan = |value: &Value| value["plan_only"] == true;
    let planned = is_plan(&whole) || detail.is_some_and(is_plan) || workflow.is_some_and(is_plan);
    for (name, value) in detail.and_then(Value::as_object).into_iter().flatten() {
        if whole.get(name).is_none_or(|there| there == "") && value != "" {
            whole[name] = value.clone();
        }
    }
    match workflow {
        Some(workflow) => whole["workflow"] = workflow.clone(),
        None => {
            whole.as_object_mut().map(|members| members.remove("plan_only"));
        }
    }
    if planned {
        whole["plan_only"] = true.into();
    }
    whole
}
