//! What may come of a run, judged from what was asked and answered. Written from the promise, not from the gate: it
//! knows nothing of the gate's code but the words of its report.

mod endings;
mod meaning;

use std::time::Duration;

use serde_json::Value;

use super::Run;
use super::world::{Asked, Kind};

/// Every way a run can end here: exit code, outcome, reason.
pub const OUTCOMES: [(u8, &str, &str); 22] = [
    (0, "passed", ""),
    (1, "failed", "deploy-failed"),
    (1, "failed", "workflow-failed"),
    (1, "failed", "assertion-false"),
    (1, "failed", "assertion-vacuous"),
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
pub const KINDS: [&str; 18] = [
    "document",
    "absent",
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
        Kind::Absent => "absent",
        Kind::Foreign => "foreign",
        Kind::Interrupted => "interrupted",
        Kind::Refused(what) | Kind::Trouble(what) => what,
    }
}

/// What a status means: the table of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Good,
    Bad,
    /// Bad, but its workflow may retry it.
    Maybe,
    Parked,
    Open,
    Unknown,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Latest,
    Deploy,
    Workflow,
    Steps,
    /// What only explains: the dashboard, a log.
    Other,
}

fn about(asked: &Asked) -> About {
    match asked.path.split('?').next().unwrap_or_default() {
        path if path.ends_with("/deploys/latest") => About::Latest,
        path if path.contains("/deploys/") => About::Deploy,
        path if path.starts_with("/v1/workflows/") && path.ends_with("/steps") => About::Steps,
        path if path.starts_with("/v1/workflows/") => About::Workflow,
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

fn word(deploy: &Value) -> &str {
    text(&deploy["status_v2"], "status")
}

fn workflow_of(deploy: &Value) -> &str {
    let names = ["install_workflow_id", "workflow_id"];
    names.iter().map(|name| text(deploy, name)).find(|id| !id.is_empty()).unwrap_or_default()
}

/// Every promise that the run broke.
pub fn violations(run: &Run) -> Vec<String> {
    let mut oracle = Oracle { run, baseline: None, wrong: Vec::new() };
    oracle.baseline = oracle.baseline();
    oracle.judge()
}

/// Every promise that a pass or a failure of one of many targets broke: what the others do is no matter here.
pub fn verdict_violations(run: &Run) -> Vec<String> {
    let mut oracle = Oracle { run, baseline: None, wrong: Vec::new() };
    oracle.baseline = oracle.baseline();
    match (text(&run.report, "outcome"), text(&run.report, "reason")) {
        ("passed", _) => oracle.passed(&[]),
        ("failed", reason @ ("assertion-false" | "assertion-vacuous")) => oracle.passed(&[reason]),
        ("failed", "workflow-failed") => oracle.workflow_failed(),
        ("failed", _) => oracle.deploy_failed(),
        _ => {}
    }
    oracle.wrong
}

struct Oracle<'r> {
    run: &'r Run,
    /// When the deploy that `--after` names was made, if any answer told.
    baseline: Option<String>,
    wrong: Vec<String>,
}

impl Oracle<'_> {
    fn must(&mut self, truth: bool, what: impl Into<String>) {
        if !truth {
            self.wrong.push(what.into());
        }
    }

    fn judge(mut self) -> Vec<String> {
        let report = &self.run.report;
        let ended = (self.run.code, text(report, "outcome"), text(report, "reason"));
        self.must(OUTCOMES.contains(&ended), format!("there is no such ending: {ended:?}"));
        self.reports_agree();
        self.time_is_kept();
        match (ended.1, ended.2) {
            ("passed", _) => self.passed(&[]),
            ("failed", "assertion-false" | "assertion-vacuous") => self.passed(&[ended.2]),
            ("failed", "workflow-failed") => self.workflow_failed(),
            ("failed", _) => self.deploy_failed(),
            ("timed-out", reason) => self.timed_out(reason),
            ("undecided", reason) => self.undecided(reason),
            ("superseded", _) => self.superseded(),
            ("approval-required", _) => self.approval_required(),
            _ => self.interrupted(),
        }
        self.ends_at_the_first_look_that_decides(ended);
        self.wrong
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

    /// The requests that decide: those that only explain come after all others.
    fn deciding(&self) -> &[Asked] {
        let asked = &self.run.transcript;
        let outcome = text(&self.run.report, "reason");
        let mut end = asked.len();
        while end > 0 && about(&asked[end - 1]) == About::Other {
            end -= 1;
        }
        if outcome == "deploy-failed" {
            // The deploy by its id and its workflow are asked for once more, for the reasons.
            while end > 0 && matches!(about(&asked[end - 1]), About::Workflow | About::Steps) && self.explains(end - 1)
            {
                end -= 1;
            }
        }
        &asked[..end]
    }

    fn explains(&self, index: usize) -> bool {
        // An explanation follows a look at the deploy by its id that nothing was waited for.
        let asked = &self.run.transcript;
        let before = asked[..index].iter().rev().find(|asked| !matches!(about(asked), About::Workflow | About::Steps));
        before.is_some_and(|before| about(before) == About::Deploy)
    }

    fn time_is_kept(&mut self) {
        let run = self.run;
        let (timeout, gate) = (run.gate.timeout, &run.gate);
        let slack = Duration::from_secs(2);
        let explaining = Duration::from_secs(20);
        self.must(run.ended <= timeout + slack + explaining, format!("it ended at {:?}", run.ended));
        let late = self
            .deciding()
            .iter()
            .find(|asked| asked.at > timeout + slack && about(asked) == About::Latest)
            .map(|asked| asked.at);
        self.must(late.is_none(), format!("a look after the deadline, at {late:?}"));
        let waits = run.ended.as_secs_f64() / (gate.interval.as_secs_f64() * 0.79);
        let most = 60.0 + 12.0 * waits;
        self.must(
            (run.transcript.len() as f64) < most,
            format!("{} requests are more than {most}", run.transcript.len()),
        );
        // Within a look the gate goes on; before the next look it waits.
        let mut floor = Duration::ZERO;
        let mut broken = None;
        for asked in self.deciding() {
            if about(asked) == About::Latest && asked.at < floor && broken.is_none() {
                broken = Some((asked.at, floor));
            }
            floor = floor.max(asked.retry_after.map_or(Duration::ZERO, |after| asked.until + after));
        }
        self.must(broken.is_none(), format!("Retry-After is not kept: {broken:?}"));
    }
}

/// Whether a workflow is over and not well, or parked.
fn has_failed(workflow: &Value) -> bool {
    match text(&workflow["status"], "status") {
        "cancelled" | "failed-pending-retry" => true,
        "error" => workflow["finished"] == true,
        _ => false,
    }
}

/// Whether nothing of a workflow still verifies a deploy, as far as its steps are there.
fn is_verified(workflow: &Value, deploy: &Value) -> bool {
    let steps = workflow["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |step: &Value| text(&step["status"], "status").to_owned();
    let own: Vec<&Value> = steps.iter().filter(|step| step["step_target_id"] == deploy["id"]).collect();
    let verifies = |step: &&Value| {
        let is_beside = || own.iter().any(|own| own["group_idx"].is_i64() && own["group_idx"] == step["group_idx"]);
        step["step_target_type"] == "install_components"
            && match text(step, "step_target_id") {
                "" => is_beside(),
                id => id == text(deploy, "install_component_id"),
            }
    };
    let all: Vec<String> = steps.iter().filter(verifies).map(word).collect();
    let metadata = &workflow["status"]["metadata"];
    let is_whole =
        workflow["finished"] == true || metadata["all_steps_loaded"] == true || metadata["eager_steps_loaded"] != true;
    let is_open = |word: &String| matches!(word.as_str(), "" | "pending" | "in-progress");
    let is_well = all.last().is_none_or(|last| matches!(last.as_str(), "success" | "auto-skipped"));
    is_whole && is_well && !all.iter().any(is_open)
}

/// The document as the contract says: gaps are filled, nothing is overwritten, and a plan is a plan if anything says so.
fn assemble(seen: Value, detail: Option<Value>, workflow: Option<Result<Value, ()>>) -> Value {
    let mut whole = seen;
    let is_plan = |value: &Value| value["plan_only"] == true;
    let planned = is_plan(&whole)
        || detail.as_ref().is_some_and(is_plan)
        || workflow.as_ref().is_some_and(|workflow| workflow.as_ref().is_ok_and(is_plan));
    for (name, value) in detail.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if whole.get(name).is_none_or(|there| there == "") && value != "" {
            whole[name] = value.clone();
        }
    }
    match workflow {
        Some(Ok(workflow)) => whole["workflow"] = workflow,
        None | Some(Err(())) => {
            whole.as_object_mut().map(|members| members.remove("plan_only"));
        }
    }
    if planned {
        whole["plan_only"] = true.into();
    }
    whole
}
