//! Test results, in the dialect that GitLab, Jenkins and the actions for GitHub all read. Pure.
//!
//! GitLab shows the text of an element and not its `message`, so both have it. Names hold neither times nor values:
//! they are how a test is found again in the next run.

use super::result::{MemberSeen, Report, Verdict};
use crate::base::outcome::{Ending, Outcome};
use crate::judge::assertion::{Check, Enforcement, Truth};
use crate::nuon::deploy;
use crate::text::escape::xml;
use crate::text::format;

/// How many characters of a name are shown.
const NAME: usize = 200;

/// One test case and how it ended.
struct Case {
    class: Class,
    name: String,
    seconds: f64,
    end: End,
}

/// What a test case is about. Reporters look for a file of this name, and no file should have it.
#[derive(Clone, Copy)]
enum Class {
    Deploy,
    Assertion,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Deploy => "Deploy gate: deploys",
            Class::Assertion => "Deploy gate: assertions",
        }
    }
}

enum End {
    /// With what there is to be said.
    Passed(String),
    Failure {
        kind: &'static str,
        lines: Vec<String>,
    },
    Error {
        kind: &'static str,
        lines: Vec<String>,
    },
    /// With why.
    Skipped(Vec<String>),
}

impl End {
    /// In a run that passed nothing has failed: what did not pass did not have to.
    fn tolerate(&mut self) {
        if let End::Failure { lines, .. } | End::Error { lines, .. } = self {
            *self = End::Skipped(std::mem::take(lines));
        }
    }
}

/// Renders one suite: a case for the deploy and one for each assertion.
pub fn render(report: &Report) -> String {
    let mut cases: Vec<Case> = cases(report);
    if report.ending == Ending::Passed {
        cases.iter_mut().for_each(|case| case.end.tolerate());
    }
    let count = |wanted: fn(&End) -> bool| cases.iter().filter(|case| wanted(&case.end)).count();
    // The whole of all suites has no count of what was skipped, by the schema of Jenkins.
    let numbers = format!(
        r#"tests="{}" failures="{}" errors="{}" time="{:.3}""#,
        cases.len(),
        count(|end| matches!(end, End::Failure { .. })),
        count(|end| matches!(end, End::Error { .. })),
        seconds(report),
    );
    let skipped = count(|end| matches!(end, End::Skipped(_)));
    let started = report.started_at.as_ref().map_or_else(String::new, |time| format!(r#" timestamp="{}""#, xml(time)));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"deploy-gate\" {numbers}>\n  <testsuite name=\"deploy-gate\" {numbers} skipped=\"{skipped}\"{started}>\n"
    );
    cases.iter().for_each(|case| text.push_str(&self::case(case)));
    text + "  </testsuite>\n</testsuites>\n"
}

fn seconds(report: &Report) -> f64 {
    std::time::Duration::from_millis(report.duration_ms).as_secs_f64()
}

/// Of many targets: a case for the run, then those of each target under its name.
fn cases(report: &Report) -> Vec<Case> {
    let whole = |name: &str, of_assertions: &[Ending]| Case {
        class: Class::Deploy,
        name: name.into(),
        seconds: seconds(report),
        end: end(report.ending, of_assertions, &report.message, report.targets.iter().take(1)),
    };
    let Some(only) = report.only() else {
        // Whatever kept them from it.
        let mut cases = vec![whole("as many targets pass as have to", &[])];
        for verdict in &report.targets {
            let target = format!("{} / {}: ", verdict.install, verdict.component);
            let end = end(verdict.ending, &OF_ASSERTIONS, &verdict.message, [verdict].into_iter());
            let name = format::cut(&format!("{target}the deploy succeeds"), NAME);
            cases.push(Case { class: Class::Deploy, name, seconds: 0.0, end });
            cases.extend(assertions(&target, verdict));
        }
        return cases;
    };
    let name = if only.workflow.is_some() { "the workflow and its deploys succeed" } else { "the deploy succeeds" };
    let first = std::iter::once(whole(name, &OF_ASSERTIONS));
    first.chain(only.deploys.iter().map(member)).chain(assertions("", only)).collect()
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
        Truth::False | Truth::Vacuous if check.enforcement == Enforcement::Advisory => End::Skipped(lines),
        Truth::False => End::Failure { kind: "AssertionFalse", lines },
        Truth::Vacuous => End::Error { kind: "AssertionVacuous", lines },
        Truth::NotEvaluated => End::Skipped(vec!["not evaluated".into()]),
    }
}

fn case(case: &Case) -> String {
    let open = format!(
        r#"    <testcase classname="{}" name="{}" time="{:.3}""#,
        case.class.name(),
        xml(&case.name),
        case.seconds
    );
    let (element, kind, lines) = match &case.end {
        End::Passed(said) if said.is_empty() => return format!("{open}/>\n"),
        End::Passed(said) => {
            return format!("{open}>\n      <system-out>{}</system-out>\n    </testcase>\n", xml(said));
        }
        // The schema of Jenkins has no text in it.
        End::Skipped(lines) => {
            let why = xml(&lines.join("; "));
            return format!("{open}>\n      <skipped message=\"{why}\"/>\n    </testcase>\n");
        }
        End::Failure { kind, lines } => ("failure", kind, lines),
        End::Error { kind, lines } => ("error", kind, lines),
    };
    let text: Vec<String> = lines.iter().map(|line| xml(line)).collect();
    format!(
        "{open}>\n      <{element} type=\"{kind}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
        text[0],
        text.join("\n")
    )
}
