//! The tests that a run is, by names that stay the same from run to run: one for the deploy and one for each assertion.
//! Test reports and attestations tell them alike. Pure.

use super::result::{MemberSeen, Report, Verdict};
use crate::base::outcome::{Ending, Outcome};
use crate::judge::assertion::{Check, Enforcement, Truth};
use crate::nuon::deploy;
use crate::text::format;

/// How many characters of a name are shown.
const NAME: usize = 200;

/// One test case and how it ended.
pub struct Case {
    /// What it is about.
    pub class: Class,
    /// What it is called: it holds neither times nor values, so that the next run calls it so, too.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// How it ended.
    pub end: End,
}

/// What a test case is about. Reporters look for a file of this name, and no file should have it.
#[derive(Clone, Copy)]
pub enum Class {
    /// A deploy, or the run.
    Deploy,
    /// An assertion.
    Assertion,
}

impl Class {
    /// The class name that test reports use.
    pub fn name(self) -> &'static str {
        match self {
            Class::Deploy => "Deploy gate: deploys",
            Class::Assertion => "Deploy gate: assertions",
        }
    }
}

/// How a test case ended.
pub enum End {
    /// With what there is to be said.
    Passed(String),
    /// It did not pass, and did not have to; with why.
    Warning(Vec<String>),
    /// The answer is no.
    Failure {
        /// The reason, as a type.
        kind: &'static str,
        /// Why.
        lines: Vec<String>,
    },
    /// There is no answer.
    Error {
        /// The reason, as a type.
        kind: &'static str,
        /// Why.
        lines: Vec<String>,
    },
    /// It was not tried; with why.
    Skipped(Vec<String>),
}

impl End {
    /// In a run that passed nothing has failed: what did not pass did not have to.
    fn tolerate(&mut self) {
        if let End::Failure { lines, .. } | End::Error { lines, .. } = self {
            *self = End::Warning(std::mem::take(lines));
        }
    }
}

/// Every test that a run is. Of one that passed none has failed.
pub fn cases(report: &Report) -> Vec<Case> {
    let mut cases = all(report);
    if report.ending == Ending::Passed {
        cases.iter_mut().for_each(|case| case.end.tolerate());
    }
    cases
}

/// Of many targets: a case for the run, then those of each target under its name.
fn all(report: &Report) -> Vec<Case> {
    let whole = |name: &str, of_assertions: &[Ending]| Case {
        class: Class::Deploy,
        name: name.into(),
        seconds: report.seconds(),
        end: end(report.ending, of_assertions, &report.message, report.targets.iter().take(1)),
    };
    let Some(only) = report.only() else {
        // Whatever kept them from it.
        let mut cases = vec![whole("as many targets pass as have to", &[])];
        for verdict in &report.targets {
            let target = format!("{} / {}: ", verdict.install, verdict.component);
            let end = end(verdict.ending, &OF_ASSERTIONS, &verdict.message, [verdict].into_iter());
            let name = format::cut(&format!("{target}{}", succeeds(verdict)), NAME);
            cases.push(Case { class: Class::Deploy, name, seconds: 0.0, end });
            cases.extend(assertions(&target, verdict));
        }
        return cases;
    };
    let first = std::iter::once(whole(succeeds(only), &OF_ASSERTIONS));
    first.chain(only.deploys.iter().map(member)).chain(assertions("", only)).collect()
}

/// What is tested of a target. Where a teardown was expected, and went well, nothing is deployed.
fn succeeds(verdict: &Verdict) -> &'static str {
    let is_teardown = verdict.deploy.as_ref().is_some_and(|deploy| deploy.kind == "teardown");
    match &verdict.workflow {
        Some(_) => "the workflow and its deploys succeed",
        None if is_teardown && verdict.is_pass() => "the teardown succeeds",
        None => "the deploy succeeds",
    }
}

/// A deploy of a workflow that is gated as a whole.
fn member(member: &MemberSeen) -> Case {
    let deploy = &member.deploy;
    let lines = vec![format!("deploy {} is {}: {}", deploy.id, deploy.status, deploy.status_description)];
    let end = match (member.ended_well, deploy.class) {
        (true, _) => End::Passed(String::new()),
        (false, deploy::Class::Running) => End::Skipped(lines),
        (false, _) => End::Failure { kind: "DeployFailed", lines },
    };
    let name = format::cut(&format!("the deploy of {} succeeds", member.name()), NAME);
    Case { class: Class::Deploy, name, seconds: 0.0, end }
}

fn assertions(target: &str, verdict: &Verdict) -> impl Iterator<Item = Case> {
    verdict.assertions.iter().enumerate().map(move |(index, check)| {
        let name = format::cut(&format!("{target}#{} {}", index + 1, check.title()), NAME);
        Case { class: Class::Assertion, name, seconds: 0.0, end: assertion(check) }
    })
}

/// What the assertions alone decided, which is no fault of the deploy.
const OF_ASSERTIONS: [Ending; 2] = [Ending::AssertionFalse, Ending::AssertionVacuous];

fn end<'r>(ending: Ending, of_assertions: &[Ending], message: &str, of: impl Iterator<Item = &'r Verdict>) -> End {
    let mut lines = vec![message.to_owned()];
    for failure in of.filter_map(|verdict| verdict.failure.as_ref()) {
        lines.extend((!failure.step.is_empty()).then(|| format!("failed step: {}", failure.step)));
        lines.extend(failure.told());
        lines.extend(failure.log.iter().map(|line| format!("log: {line}")));
    }
    match (ending, ending.outcome()) {
        (_, Outcome::Passed) => End::Passed(message.into()),
        (ending, _) if of_assertions.contains(&ending) => End::Passed(String::new()),
        (Ending::NotAwaited, _) => End::Skipped(vec![format!("not awaited: {message}")]),
        (_, Outcome::Failed) => End::Failure { kind: "DeployFailed", lines },
        (_, Outcome::TimedOut) => End::Failure { kind: "TimedOut", lines },
        (_, Outcome::Superseded) => End::Failure { kind: "Superseded", lines },
        (_, Outcome::ApprovalRequired) => End::Failure { kind: "ApprovalRequired", lines },
        (_, Outcome::Interrupted) => End::Error { kind: "Interrupted", lines },
        (_, Outcome::Undecided) => End::Error { kind: "Undecided", lines },
    }
}

fn assertion(check: &Check) -> End {
    let lines = vec![format!("{} {}", check.title(), check.told())];
    match check.outcome {
        Truth::True => End::Passed(String::new()),
        Truth::False | Truth::Vacuous if check.enforcement == Enforcement::Advisory => End::Warning(lines),
        Truth::False => End::Failure { kind: "AssertionFalse", lines },
        Truth::Vacuous => End::Error { kind: "AssertionVacuous", lines },
        Truth::NotEvaluated => End::Skipped(vec!["not evaluated".into()]),
    }
}
