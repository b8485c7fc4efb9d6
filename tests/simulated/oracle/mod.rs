//! What may come of a run, judged twice: by the truth of its world, and by what was asked and answered. Written from the
//! promise, not from the gate: it knows nothing of the gate's code but the words of its report.

mod endings;
mod meaning;
mod prompt;
mod transcript;
mod truth;

use std::time::Duration;

use serde_json::Value;

use super::Run;
use super::network::{Asked, Kind};
use super::world::{Deploy, Time, World};

pub use meaning::workflow_row;

/// Every way a run can end here: exit code, outcome, reason.
pub const OUTCOMES: [(u8, &str, &str); 23] = [
    (0, "passed", ""),
    (1, "failed", "deploy-failed"),
    (1, "failed", "workflow-failed"),
    (1, "failed", "assertion-false"),
    (1, "failed", "assertion-vacuous"),
    (3, "undecided", "ambiguous"),
    (3, "undecided", "unauthorized"),
    (3, "undecided", "forbidden"),
    (3, "undecided", "not-found"),
    (3, "undecided", "never-appeared"),
    (3, "undecided", "bad-answer"),
    (3, "undecided", "engines-disagree"),
    (3, "undecided", "left-behind"),
    (3, "undecided", "unknown-status"),
    (4, "approval-required", ""),
    (5, "superseded", ""),
    (124, "timed-out", "still-running"),
    (124, "timed-out", "awaiting-approval"),
    (124, "timed-out", "unknown-status"),
    (124, "timed-out", "unreachable"),
    (129, "interrupted", ""),
    (130, "interrupted", ""),
    (143, "interrupted", ""),
];

/// Every kind of answer.
pub const KINDS: [&str; 20] = [
    "document",
    "page",
    "absent",
    "no route",
    "foreign",
    "interrupted",
    "unauthorized",
    "forbidden",
    "bad-answer",
    "503",
    "reset",
    "name",
    "cut off",
    "html",
    "empty",
    "a list",
    "twice",
    "status is a list",
    "206",
    "retry-after",
];

/// The name of a kind, for counting.
pub fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Document(_) => "document",
        Kind::Page(..) => "page",
        Kind::Absent => "absent",
        Kind::NoRoute => "no route",
        Kind::Foreign => "foreign",
        Kind::Interrupted => "interrupted",
        Kind::Refused(what) | Kind::Trouble(what) => what,
    }
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Latest,
    Deploy,
    /// The deploys of the component.
    List,
    Workflow,
    Steps,
    Install,
    /// What only explains: the dashboard, a log.
    Other,
}

fn about(asked: &Asked) -> About {
    match asked.path.split('?').next().unwrap_or_default() {
        path if path.ends_with("/deploys/latest") => About::Latest,
        path if path.ends_with("/deploys") => About::List,
        path if path.contains("/deploys/") => About::Deploy,
        path if path.starts_with("/v1/workflows/") && path.ends_with("/steps") => About::Steps,
        path if path.starts_with("/v1/workflows/") => About::Workflow,
        path if path.starts_with("/v1/installs/") && path.matches('/').count() == 3 => About::Install,
        _ => About::Other,
    }
}

fn document(asked: &Asked) -> Option<&Value> {
    match &asked.kind {
        Kind::Document(value) => Some(value),
        _ => None,
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn millis(time: Duration) -> Time {
    Time::try_from(time.as_millis()).unwrap_or(Time::MAX)
}

/// Every promise that the run broke.
pub fn violations(run: &Run) -> Vec<String> {
    if run.gate.is_refused() {
        return refusal_violations(run.code, run.transcript.is_empty());
    }
    let begin = transcript::last_look(&run.transcript).map_or(run.ended, |look| run.transcript[look].at);
    let mut oracle = Oracle::new(run, millis(begin), millis(run.ended));
    oracle.judge();
    oracle.wrong
}

/// Every promise that a run broke whose assertions are refused: it is misuse, and nothing is asked.
pub fn refusal_violations(code: u8, asked_nothing: bool) -> Vec<String> {
    let wrong = [
        (code != 2).then(|| format!("an assertion is to be refused, and the exit code is {code}")),
        (!asked_nothing).then(|| "an assertion is to be refused, and something was asked".to_owned()),
    ];
    wrong.into_iter().flatten().collect()
}

/// How far back what one of many targets was judged by may be: its requests wait for those of others.
const SHARED_LOOK: Time = 60_000;

/// Every promise that a pass or a failure of one of many targets broke: what the others do is no matter here.
pub fn verdict_violations(run: &Run) -> Vec<String> {
    let end = millis(run.transcript.last().map_or(run.ended, |last| last.until));
    let mut oracle = Oracle::new(run, (end - SHARED_LOOK).max(0), end);
    match (text(&run.report, "outcome"), text(&run.report, "reason")) {
        ("passed", _) | ("failed", "assertion-false" | "assertion-vacuous") => oracle.is_good(),
        ("failed", "workflow-failed") => oracle.workflow_failed(),
        ("failed", _) => oracle.deploy_failed(),
        _ => {}
    }
    oracle.wrong
}

/// Every promise of promptness that one of many targets broke.
pub fn prompt_violations(run: &Run) -> Vec<String> {
    let end = millis(run.ended);
    let mut oracle = Oracle::new(run, (end - SHARED_LOOK).max(0), end);
    oracle.is_prompt();
    oracle.wrong
}

struct Oracle<'r> {
    run: &'r Run,
    world: &'r World,
    /// The deploy that the report is about.
    deploy: Option<&'r Deploy>,
    /// From when to when the answers that decided can be.
    window: (Time, Time),
    /// When something changed within that, its begin and its end.
    moments: Vec<Time>,
    wrong: Vec<String>,
}

impl<'r> Oracle<'r> {
    fn new(run: &'r Run, begin: Time, end: Time) -> Self {
        let world = &*run.world;
        let begin = begin - millis(world.lag);
        let deploy = world.deploy(text(&run.report["targets"][0]["deploy"], "id"));
        let moments = moments(world, begin, end);
        Self { run, world, deploy, window: (begin, end), moments, wrong: Vec::new() }
    }

    fn must(&mut self, truth: bool, what: impl Into<String>) {
        if !truth {
            self.wrong.push(what.into());
        }
    }

    /// Whether something was so at a moment that the end can be judged by.
    fn sometime(&self, holds: impl Fn(Time) -> bool) -> bool {
        self.moments.iter().any(|at| holds(*at))
    }

    fn has_trouble(&self) -> bool {
        self.world.trouble > 0.0
    }

    fn judge(&mut self) {
        let report = &self.run.report;
        let ended = (self.run.code, text(report, "outcome"), text(report, "reason"));
        self.must(OUTCOMES.contains(&ended), format!("there is no such ending: {ended:?}"));
        self.reports_agree();
        self.time_is_kept();
        match (ended.1, ended.2) {
            ("passed", _) => {
                self.is_good();
                self.assertions_are(&[]);
            }
            ("failed", "assertion-false" | "assertion-vacuous") => {
                self.is_good();
                self.assertions_are(&[ended.2]);
            }
            ("failed", "workflow-failed") => self.workflow_failed(),
            ("failed", _) => self.deploy_failed(),
            ("timed-out", reason) => self.timed_out(reason),
            ("undecided", reason) => self.undecided(reason),
            ("superseded", _) => self.superseded(),
            ("approval-required", _) => self.approval_required(),
            _ => self.interrupted(),
        }
        self.is_told_that_the_install_is_gone(ended);
        self.is_prompt();
    }

    fn reports_agree(&mut self) {
        let run = self.run;
        let outcome = text(&run.report, "outcome").to_owned();
        self.must(run.report["exit_code"] == run.code, "the report has another exit code");
        self.must(run.report["targets"][0]["outcome"] == *outcome, "the target has another outcome");
        self.must(run.out.starts_with(&outcome), "the verdict begins with another outcome");
        self.must(run.out.contains(&format!("exit code {}\n", run.code)), "the verdict has another exit code");
        for (format, text) in &run.reports {
            let agrees = match *format {
                "junit" => {
                    text.contains(r#"failures="0" errors="0""#) == (run.code == 0) && text.ends_with("</testsuites>\n")
                }
                "markdown" => text.contains(&format!(" Deploy gate: {outcome}")),
                "github" => text.contains("outcome<<") && text.contains(&format!("\n{outcome}\n")),
                "dotenv" => text.contains(&format!("GATE_OUTCOME={outcome}\n")),
                "dir" => *text == outcome,
                _ => text.starts_with("{\"deploy-gate\":["),
            };
            self.must(agrees, format!("the report {format} tells another story"));
        }
    }
}

/// When something changed in a world, within a time, with its begin and its end.
fn moments(world: &World, begin: Time, end: Time) -> Vec<Time> {
    let deploys = world.deploys.iter().flat_map(|deploy| {
        let words = deploy.words.iter().map(|(at, ..)| *at);
        words.chain(deploy.fates.iter().map(|(at, _)| *at)).chain([deploy.created])
    });
    let flows = world.flows.iter().flat_map(|flow| {
        let stands = flow.stands.iter().map(|(at, _)| *at);
        stands.chain(flow.heads.iter().map(|(at, _)| *at))
    });
    let mut all: Vec<Time> = deploys.chain(flows).filter(|at| (begin..=end).contains(at)).collect();
    all.extend([begin, end]);
    all.sort_unstable();
    all.dedup();
    all
}
