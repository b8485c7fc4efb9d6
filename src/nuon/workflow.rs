//! What is read from a workflow: whether it goes on, has ended, or waits for a person. Pure.
//!
//! A deploy's own status does not tell: `pending-approval` is written after every plan, approved or not, and a deploy
//! stays queued for ever when its workflow has died.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::object::Object;
use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::id::{self, DeployId, Id, InstallComponentId, WorkflowId};
use crate::nuon::reason;

/// The parts of a workflow that decide.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct Workflow {
    #[serde(default, deserialize_with = "id::optional")]
    pub id: Option<WorkflowId>,
    pub owner_id: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub status: Option<Object<StepStatus>>,
    pub finished: Option<bool>,
    pub updated_at: Option<String>,
    pub approval_option: Option<String>,
    pub plan_only: Option<bool>,
    pub app_branch_runs: Option<Vec<Object<RunOf>>>,
    pub steps: Option<Vec<Object<WorkflowStep>>>,
}

/// The run of an app branch that a workflow carries out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct RunOf {
    pub id: Option<String>,
    #[serde(default, deserialize_with = "id::optional")]
    pub workflow_id: Option<WorkflowId>,
}

/// A step of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct WorkflowStep {
    pub id: Option<String>,
    pub name: Option<String>,
    pub status: Option<Object<StepStatus>>,
    pub retried: Option<bool>,
    pub group_idx: Option<i64>,
    pub step_target_type: Option<String>,
    pub step_target_id: Option<String>,
    pub result_directive: Option<String>,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub approval: Option<Object<Approval>>,
}

/// The status of a workflow or a step.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct StepStatus {
    pub status: Option<String>,
    pub status_human_description: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub composite_error: Option<Value>,
}

/// The approval of a step.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct Approval {
    pub response: Option<Value>,
}

/// Where a workflow is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It goes on; the words say with what.
    Running(String),
    /// A person must act: approve a step, or take up a workflow that is parked. The words say what.
    Waiting(String),
    /// It is parked after a failed step until a person retries or skips it.
    Parked(String),
    /// It is over and well.
    Succeeded,
    /// It is over and not well; the words say how.
    Failed(String),
    /// It seems to have died, as while its steps were generated: its word says so, and nothing else does. The words are the
    /// server's.
    Dead(String),
}

/// Whether the workflow still verifies the health of a deploy that is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// There is none, or it has ended well.
    Done,
    /// A step still has to end, or may be tried again; the words say which.
    Open(String),
    /// The list of steps is not whole, or older than the deploy, and has none that would be open.
    Unlisted,
    /// The newest has failed for good; the words say which and how.
    Failed(String),
}

impl Verification {
    /// What still has to be done, or what failed, in words.
    pub fn told(&self) -> &str {
        match self {
            Verification::Done => "waiting for its workflow",
            Verification::Unlisted => "its workflow has not all of its steps yet",
            Verification::Open(step) | Verification::Failed(step) => step,
        }
    }
}

impl Stage {
    /// Where the workflow is, in words.
    pub fn told(&self) -> String {
        match self {
            Stage::Running(what) | Stage::Waiting(what) => what.clone(),
            Stage::Parked(what) => format!("{what}; a person can retry it"),
            Stage::Succeeded => "its workflow has ended (success)".into(),
            Stage::Failed(how) => format!("its workflow has ended ({how})"),
            Stage::Dead(words) if words.is_empty() => "its workflow has died".into(),
            Stage::Dead(words) => format!("its workflow has died ({words})"),
        }
    }
}

impl StepStatus {
    /// What its metadata has under this name.
    fn noted(&self, name: &str) -> Option<&Value> {
        self.metadata.as_ref()?.get(name)
    }

    fn is_marked(&self, name: &str) -> bool {
        matches!(self.noted(name), Some(Value::Bool(true)))
    }

    fn word(&self) -> &str {
        self.status.as_deref().unwrap_or_default()
    }

    /// Why it is so, in the server's words, the most telling first: the error as it is composed for people, the checks of a
    /// verification that failed, and what the metadata and the description say.
    pub fn words(&self) -> Vec<String> {
        let mut words = reason::composite(self.composite_error.as_ref().unwrap_or(&Value::Null));
        words.extend(reason::checks(self.noted("checks").unwrap_or(&Value::Null)));
        let texts = [self.noted("err_message"), self.noted("reason")].map(|text| text.and_then(Value::as_str));
        let texts = texts.into_iter().chain([self.status_human_description.as_deref()]).flatten();
        words.extend(texts.filter(|words| !words.is_empty()).map(Into::into));
        words
    }
}

/// The words of steps that have ended.
const ENDED: [&str; 15] = [
    "success",
    "approved",
    "auto-skipped",
    "user-skipped",
    "discarded",
    "no-drift",
    "drifted",
    "warning",
    "error",
    "cancelled",
    "not-attempted",
    "approval-denied",
    "approval-expired",
    "approval-retry",
    "noop",
];

/// Whether a step with this word still has something before it.
pub fn is_open(word: &str) -> bool {
    let waits = ["pending", "queued", "generating", "approval-awaiting", "awaiting-user-run", "failed-pending-retry"];
    is_at_work(word) || waits.contains(&word)
}

/// Whether a step with this word is at work.
pub fn is_at_work(word: &str) -> bool {
    matches!(word, "in-progress" | "checking-plan" | "planning" | "applying" | "retrying")
}

fn word(progress: Option<&Object<StepStatus>>) -> &str {
    progress.map(|progress| progress.word()).unwrap_or_default()
}

impl WorkflowStep {
    /// Its status.
    pub fn word(&self) -> &str {
        word(self.status.as_ref())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("without a name")
    }

    /// How long it took, or has taken until `now`; the server's clock says when it began.
    pub fn took(&self, now: Option<Timestamp>) -> Option<Duration> {
        // What has not happened yet is in the year 1.
        let at = |time: &Option<String>| time.as_deref()?.parse::<Timestamp>().ok().filter(|at| at.as_second() > 0);
        let began = at(&self.started_at)?;
        Duration::try_from(at(&self.finished_at).or(now)?.duration_since(began)).ok()
    }

    /// The deploy that it makes, once there is one.
    pub fn deploy(&self) -> Option<&str> {
        let is_of_one = |id: &&str| self.is_to_deploy() || id.starts_with("dpl");
        self.step_target_id.as_deref().filter(|id| !id.is_empty()).filter(is_of_one)
    }

    /// Whether it makes a deploy.
    fn is_to_deploy(&self) -> bool {
        self.step_target_type.as_deref() == Some("install_deploys")
    }

    /// What its word means.
    pub fn class(&self) -> Class {
        match self.word() {
            "success" | "approved" | "no-drift" | "drifted" | "warning" => Class::Success,
            "auto-skipped" | "user-skipped" | "discarded" | "approval-retry" => Class::NothingToDo,
            _ if self.failed() => Class::Failure,
            _ if self.is_retried() || matches!(self.word(), "error" | "cancelled" | "not-attempted") => Class::Replaced,
            _ => Class::Running,
        }
    }

    /// Whether its approval was answered.
    fn is_answered(&self) -> bool {
        let response = self.approval.as_ref().and_then(|approval| approval.response.as_ref());
        response.is_some_and(|response| !response.is_null())
    }

    fn marked(&self, name: &str) -> bool {
        self.status.as_ref().is_some_and(|status| status.is_marked(name))
    }

    /// The server leaves out what is 0.
    fn group(&self) -> i64 {
        self.group_idx.unwrap_or_default()
    }

    /// Whether it verifies the health of a component.
    fn is_verification(&self) -> bool {
        self.step_target_type.as_deref() == Some("install_components")
    }

    /// Whether it verifies a deploy that is made in these groups: its target is the component of the install, or, as long
    /// as it has none, the group is the same.
    fn verifies(&self, groups: &[i64], install_component: Option<&InstallComponentId>) -> bool {
        self.is_verification()
            && match (self.step_target_id.as_deref().unwrap_or_default(), install_component) {
                ("", _) => groups.contains(&self.group()),
                // Where it is not known which component this is, it can be this one.
                (_, None) => true,
                (target, Some(known)) => target == &**known,
            }
    }

    /// What the server does after it: its own directive, or, as for a plan that was superseded, that of its status.
    fn directive(&self) -> &str {
        let noted = self.status.as_ref().and_then(|status| status.noted("directive")).and_then(Value::as_str);
        self.result_directive.as_deref().filter(|directive| !directive.is_empty()).or(noted).unwrap_or_default()
    }

    /// Whether another step goes on in its place: each generation of the server marks that in its own way.
    fn is_retried(&self) -> bool {
        let is_marked = self.retried == Some(true) || self.marked("auto_retried");
        is_marked || matches!(self.directive(), "retry" | "retry-group")
    }

    /// Whether it failed for good. What the workflow does not mind is forgiven.
    pub fn failed(&self) -> bool {
        let failed = ["error", "cancelled", "approval-denied", "approval-expired", "not-attempted"];
        let is_ignored = self.marked("skipped_on_failure") || matches!(self.directive(), "continue" | "skip-group");
        failed.contains(&self.word()) && !self.is_retried() && !is_ignored
    }

    /// Why it failed, in the server's words, the most telling first.
    pub fn words(&self) -> Vec<String> {
        self.status.as_ref().map(|status| status.words()).unwrap_or_default()
    }

    /// What it does, in words: which retry it is, and, of a verification, what is not healthy yet.
    fn told(&self) -> String {
        let status = self.status.as_ref().filter(|_| self.marked("is_retry"));
        let number = status.and_then(|status| status.noted("retry_idx"));
        let retry = number.and_then(Value::as_u64).map_or_else(String::new, |number| format!(" (retry {number})"));
        let about = Some(self.description()).filter(|about| self.is_verification() && !about.is_empty());
        let about = about.map_or_else(String::new, |about| format!(": {about}"));
        format!("step \"{}\" is {}{retry}{about}", self.name(), self.word())
    }

    /// What it is about now, in the server's words.
    fn description(&self) -> &str {
        self.status.as_ref().and_then(|status| status.status_human_description.as_deref()).unwrap_or_default()
    }
}

impl Workflow {
    /// Its steps.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &WorkflowStep> {
        self.steps.iter().flatten().map(|step| &step.0)
    }

    /// The installs that it says it belongs to: there should be one.
    pub fn installs(&self) -> impl Iterator<Item = &str> {
        let noted = self.metadata.as_ref().and_then(|metadata| metadata.get("install_id")).and_then(Value::as_str);
        noted.into_iter().chain(self.owner_id.as_deref()).filter(|install| install.starts_with("inl"))
    }

    /// The id of the branch run that it carries out; `asked` is that id or its own.
    pub fn run(&self, asked: &str) -> Option<String> {
        let ids =
            || self.app_branch_runs.iter().flatten().filter_map(|run| Some((run.id.as_deref()?, &run.workflow_id)));
        let is_own = |workflow: &Option<WorkflowId>| workflow.is_some() && *workflow == self.id;
        let own: Vec<&str> =
            ids().filter(|(_, workflow)| is_own(workflow) || workflow.is_none()).map(|(id, _)| id).collect();
        match own.as_slice() {
            _ if ids().any(|(id, _)| id == asked) => Some(asked.to_owned()),
            [only] if self.id.as_deref() == Some(asked) => Some((*only).to_owned()),
            _ => None,
        }
    }

    /// Whether servers of spring 2026 have parked it: the mark stays for ever, so it counts only beside its word and while
    /// the workflow is not finished.
    fn awaits_retry(&self) -> bool {
        let Some(status) = &self.status else { return false };
        let says_so = status.status_human_description.as_deref() == Some("workflow failed, awaiting retry");
        status.is_marked("awaiting_retry") && (self.finished != Some(true) || says_so)
    }

    /// When the server last changed it.
    pub fn changed(&self) -> Option<Timestamp> {
        self.updated_at.as_deref()?.parse().ok()
    }

    /// Whether it was over before this deploy of it was made: a person made it go on since, and a replica that lags behind
    /// has not heard of that.
    pub fn was_over_before(&self, deploy: &Deploy) -> bool {
        let is_older = self.changed().zip(deploy.created()).is_some_and(|(changed, made)| changed < made);
        is_older && self.id == deploy.workflow && !matches!(self.stage(), Stage::Running(_) | Stage::Waiting(_))
    }

    /// Its own word, and whether it is finished: while both stay, it has not changed.
    pub fn end(&self) -> (String, bool) {
        (word(self.status.as_ref()).into(), self.finished == Some(true))
    }

    /// Where it is. `finished` alone is not the end, since it is written before the last status and stays through a
    /// retry; nor is `success` alone, which some servers write after each step. A cancelled one is never `finished`.
    pub fn stage(&self) -> Stage {
        let own = word(self.status.as_ref());
        // Of a step that another goes on for, the word can stay as it was.
        let own_steps = || self.steps().filter(|step| !step.is_retried());
        let moving = own_steps().find(|step| is_at_work(step.word()));
        let open = own_steps().find(|step| is_open(step.word()));
        let told = || {
            let told = self.status.as_ref().and_then(|status| status.status_human_description.as_deref());
            told.filter(|words| !words.is_empty()).map_or_else(String::new, |words| format!(": {words}"))
        };
        let asks =
            |step: &&WorkflowStep| step.word() == "approval-awaiting" && !step.is_answered() && !self.approves_all();
        let finished = self.finished == Some(true);
        match own {
            "cancelled" => Stage::Failed(format!("cancelled{}", told())),
            "error" if self.awaits_retry() => Stage::Parked(format!("the workflow is parked{}", told())),
            "error" if finished && moving.is_none() => Stage::Failed(format!("error{}", told())),
            "error" if !finished => Stage::Dead(told().trim_start_matches(": ").into()),
            "success" if finished && open.is_none() => Stage::Succeeded,
            "failed-pending-retry" => Stage::Parked(format!("the workflow is parked{}", told())),
            _ if own_steps().any(|step| asks(&step)) => {
                let step = own_steps().find(asks).map(WorkflowStep::name).unwrap_or_default();
                Stage::Waiting(format!("step \"{step}\" is waiting for approval"))
            }
            // Its own word lags behind an answer.
            "approval-awaiting" if !self.is_answered() => Stage::Waiting("the workflow is waiting for approval".into()),
            _ => Stage::Running(match moving.or(open) {
                Some(step) if step.word() == "pending" => format!("step \"{}\" is next", step.name()),
                Some(step) if step.word() == "approval-awaiting" => format!("step \"{}\" was answered", step.name()),
                Some(step) => step.told(),
                None if matches!(own, "" | "pending" | "queued") => "queued behind another workflow".into(),
                None => format!("the workflow is {own}"),
            }),
        }
    }

    /// Whether what it asked a person for was answered, or is answered by itself.
    fn is_answered(&self) -> bool {
        let newest = self.steps().rfind(|step| step.approval.is_some());
        self.approves_all() || newest.is_some_and(WorkflowStep::is_answered)
    }

    /// Whether nobody has to approve: the server answers by itself, a little later.
    fn approves_all(&self) -> bool {
        self.approval_option.as_deref() == Some("approve-all")
    }

    /// The deploys that its steps have made, in the order of the steps.
    pub fn deploys(&self) -> Vec<DeployId> {
        let ids = self.steps().filter_map(|step| DeployId::new(step.deploy()?));
        let mut all: Vec<DeployId> = Vec::new();
        for id in ids {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        all
    }

    /// Whether it has not begun.
    pub fn is_queued(&self) -> bool {
        matches!(word(self.status.as_ref()), "" | "pending" | "queued") && self.finished != Some(true)
    }

    /// Whether a step of `deploy` is at work.
    pub fn is_working_on(&self, deploy: &str) -> bool {
        self.steps().any(|step| step.step_target_id.as_deref() == Some(deploy) && step.word() == "in-progress")
    }

    /// A step that was to make a deploy, has ended, and names none, though there was something to do and no other step
    /// went on for it.
    pub fn undeployed(&self) -> Option<&WorkflowStep> {
        let all = || self.steps().filter(|step| step.is_to_deploy());
        let had_nothing_to_do = |step: &&WorkflowStep| step.word() == "auto-skipped";
        let idle: Vec<i64> = all().filter(had_nothing_to_do).map(WorkflowStep::group).collect();
        // What belongs to a plan without changes was not done, either.
        let is_idle = |step: &WorkflowStep| idle.contains(&step.group()) && step.word() != "error";
        let is_excused = |step: &WorkflowStep| step.word() == "discarded" || step.is_retried() || is_idle(step);
        all().find(|step| step.deploy().is_none() && !is_excused(step))
    }

    /// A step whose word nobody knows, or that has none.
    pub fn strange(&self) -> Option<&WorkflowStep> {
        let is_known = |word: &str| ENDED.contains(&word) || is_open(word);
        self.steps().find(|step| !is_known(step.word()) && !step.is_retried())
    }

    /// Whether the newest step of `deploy` went well: then so did the deploy, whatever an older answer says.
    pub fn has_done(&self, deploy: &str) -> bool {
        self.steps().rfind(|step| step.deploy() == Some(deploy)).is_some_and(|step| step.word() == "success")
    }

    /// Whether a step of `deploy` failed for good.
    pub fn has_failed_step(&self, deploy: &str) -> bool {
        self.steps().any(|step| step.deploy() == Some(deploy) && step.failed())
    }

    /// Whether the server has said that the step that failed `deploy` stops the workflow.
    pub fn has_stopped(&self, deploy: &str) -> bool {
        let newest = self.steps().rfind(|step| step.step_target_id.as_deref() == Some(deploy));
        newest.is_some_and(|step| step.word() == "error" && step.directive() == "stop")
    }

    /// The words of all steps that make or verify `deploy`: while they stay, so does the deploy.
    pub fn words_about(&self, deploy: &str, install_component: Option<&InstallComponentId>) -> Vec<String> {
        let groups = self.groups_of(deploy);
        let own = |step: &&WorkflowStep| step.step_target_id.as_deref() == Some(deploy);
        let about = self.steps().filter(|step| own(step) || step.verifies(&groups, install_component));
        about.map(|step| step.word().to_owned()).collect()
    }

    /// Whether another deploy is made in a group of this one, and after it, which is how a retry looks.
    pub fn goes_on_after(&self, deploy: &str) -> bool {
        let groups = self.groups_of(deploy);
        let is_own = |step: &WorkflowStep| step.deploy() == Some(deploy);
        let later = self.steps().rev().take_while(|step| !is_own(step));
        !groups.is_empty() && later.filter(|step| groups.contains(&step.group())).any(|step| step.deploy().is_some())
    }

    fn groups_of(&self, deploy: &str) -> Vec<i64> {
        let own = self.steps().filter(|step| step.step_target_id.as_deref() == Some(deploy));
        own.map(WorkflowStep::group).collect()
    }

    /// Whether the health of `deploy` is still verified. Servers of 2026 take the success of a deploy back when its
    /// verification fails.
    pub fn verification(&self, deploy: &str, install_component: Option<&InstallComponentId>) -> Verification {
        let groups = self.groups_of(deploy);
        let has_ended = |step: &&WorkflowStep| {
            let words = ["success", "auto-skipped", "user-skipped", "error", "cancelled", "discarded"];
            words.contains(&step.word()) || step.failed()
        };
        let told = |step: &WorkflowStep, what: &str| {
            let words = Some(step.description()).filter(|words| !words.is_empty());
            let words = words.map_or_else(String::new, |words| format!(": {words}"));
            format!("step \"{}\" {what}{words}", step.name())
        };
        let all = || self.steps().filter(|step| step.verifies(&groups, install_component));
        if let Some(step) = all().find(|step| !has_ended(step)) {
            return Verification::Open(told(step, &format!("is {}", step.word())));
        }
        match all().next_back() {
            Some(newest) if !matches!(newest.word(), "success" | "auto-skipped") => {
                let words = told(newest, &format!("ended as {}", newest.word()));
                // While its workflow goes on, and has not said otherwise, it may be tried again.
                let may_go_on = newest.is_retried() || newest.word() == "error" && newest.directive().is_empty();
                if may_go_on { Verification::Open(words) } else { Verification::Failed(words) }
            }
            // An answer that does not name the deploy is older than that, unless the workflow is over.
            _ if !self.is_whole() || groups.is_empty() && self.stage() != Stage::Succeeded => Verification::Unlisted,
            _ => Verification::Done,
        }
    }

    /// Whether its list of steps is whole: servers of 2026 add steps while it runs, and say when they are done with that.
    fn is_whole(&self) -> bool {
        let Some(status) = &self.status else { return true };
        let is_final = matches!(status.word(), "success" | "error" | "cancelled");
        let tells = ["eager_steps_loaded", "all_steps_loaded"].iter().any(|name| status.noted(name).is_some());
        !tells || status.is_marked("all_steps_loaded") || self.finished == Some(true) && is_final
    }

    /// The step that failed `deploy`, or else any that failed for good.
    pub fn culprit(&self, deploy: &str) -> Option<&WorkflowStep> {
        let failed = |step: &&WorkflowStep| step.failed() && step.word() != "not-attempted";
        let own = self.steps().rev().filter(failed).find(|step| step.step_target_id.as_deref() == Some(deploy));
        // A verification stands in the group of the deploy that it verifies.
        let groups = self.groups_of(deploy);
        let verifies = |step: &&WorkflowStep| step.is_verification() && groups.contains(&step.group());
        let verification = || self.steps().rev().filter(failed).find(verifies);
        let any = || self.steps().filter(failed).find(|step| step.word() == "error");
        own.or_else(verification).or_else(any).or_else(|| self.steps().find(failed))
    }
}

/// One row of the table of workflow words.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// The server's word; `""` stands for any other.
    pub workflow: &'static str,
    /// What else it says: whether it is finished, and marks of its metadata, which count only beside that word.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub with: &'static str,
    /// What that comes to.
    pub means: &'static str,
}

const fn row(workflow: &'static str, with: &'static str, means: &'static str) -> Row {
    Row { workflow, with, means }
}

/// When a workflow is over, read from the top. Steps that are at work or still to come keep one open that says it is over.
pub const TABLE: &[Row] = &[
    row("success", "finished", "over, well"),
    row("cancelled", "", "over, failed"),
    row("failed-pending-retry", "", "parked: failed, and a person can retry it"),
    row("error", "awaiting_retry, not finished", "parked: failed, and a person can retry it"),
    row("error", "finished", "over, failed"),
    row("error", "neither", "dead: failed, if a second look shows the same"),
    row("approval-awaiting", "", "a person must approve"),
    row("", "finished", "goes on: finished is written before the last word, and stays through a retry"),
    row("", "", "goes on, also success while it is not finished; a step that is approval-awaiting asks for a person"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_says_what_is_done() {
        for row in TABLE {
            let word = if row.workflow.is_empty() { "in-progress" } else { row.workflow };
            let workflow = json!({"id": "inw1", "finished": row.with == "finished",
                "status": {"status": word, "metadata": {"awaiting_retry": row.with.starts_with("awaiting_retry")}}});
            let workflow: Workflow = serde_json::from_value(workflow).expect("a workflow");
            let means = match workflow.stage() {
                Stage::Running(_) => "goes on",
                Stage::Waiting(_) => "a person",
                Stage::Parked(_) => "parked",
                Stage::Succeeded => "over, well",
                Stage::Failed(_) => "over, failed",
                Stage::Dead(_) => "dead",
            };
            assert!(row.means.starts_with(means), "{row:?} {means}");
        }
    }

    #[test]
    fn where_a_workflow_is() {
        let stage = |status: &str, finished: bool, steps: &[&str]| {
            let steps: Vec<Value> = steps
                .iter()
                .map(|step| {
                    let (word, approval) = step
                        .split_once('+')
                        .map_or((*step, json!(null)), |(word, _)| (word, json!({"response": {"type": "approve"}})));
                    json!({"name": "s", "status": {"status": word}, "approval": approval})
                })
                .collect();
            let workflow = json!({"id": "inw1", "status": {"status": status}, "finished": finished, "steps": steps});
            let workflow: Workflow = serde_json::from_value(workflow).expect("a workflow");
            format!("{:?}", workflow.stage())
        };
        let cases: &[(&str, bool, &[&str], &str)] = &[
            ("pending", false, &[], "Running(\"queued behind another workflow\")"),
            ("in-progress", false, &["success", "in-progress"], "Running(\"step \\\"s\\\" is in-progress\")"),
            ("success", false, &["success", "pending"], "Running(\"step \\\"s\\\" is next\")"),
            ("success", true, &["success", "pending"], "Running(\"step \\\"s\\\" is next\")"),
            ("success", true, &["success", "in-progress"], "Running(\"step \\\"s\\\" is in-progress\")"),
            ("success", true, &["success", "approved", "error"], "Succeeded"),
            ("in-progress", true, &["error"], "Running(\"the workflow is in-progress\")"),
            ("error", true, &["error", "not-attempted"], "Failed(\"error\")"),
            ("error", true, &["error", "in-progress"], "Running(\"step \\\"s\\\" is in-progress\")"),
            ("error", false, &["error"], "Dead(\"\")"),
            ("cancelled", false, &["approval-awaiting", "pending"], "Failed(\"cancelled\")"),
            ("in-progress", false, &["approval-awaiting"], "Waiting(\"step \\\"s\\\" is waiting for approval\")"),
            ("in-progress", false, &["approval-awaiting+"], "Running(\"step \\\"s\\\" was answered\")"),
            ("failed-pending-retry", false, &["error"], "Parked(\"the workflow is parked\")"),
        ];
        for (status, finished, steps, want) in cases {
            assert_eq!(stage(status, *finished, steps), *want, "{status} {finished} {steps:?}");
        }
    }
}
