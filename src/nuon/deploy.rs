//! What is read from each answer, and what a status word means: the one table of statuses.
//!
//! The words and their meaning follow the server's source, not its published enum, which lacks half of them.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::object::Object;
use crate::nuon::id::{self, BuildId, ComponentId, DeployId, InstallComponentId, InstallId, WorkflowId};

/// A deploy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deploy {
    id: DeployId,
    /// Its workflow, under either of the two names that there are for it.
    pub workflow: Option<WorkflowId>,
    /// Shared by all who remember it.
    answer: Arc<Answer>,
}

/// The parts of a deploy document that every look needs. Everything else is skipped unread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Answer {
    /// Absent in the zero document that older servers answer before the first deploy.
    #[serde(default, deserialize_with = "id::optional")]
    pub id: Option<DeployId>,
    /// Id of the org.
    #[serde(default)]
    pub org_id: Option<String>,
    /// Id of the build.
    #[serde(default, deserialize_with = "id::optional")]
    pub build_id: Option<BuildId>,
    /// Id of the workflow that the deploy belongs to.
    #[serde(default, deserialize_with = "id::optional")]
    pub install_workflow_id: Option<WorkflowId>,
    /// The newer name of the same id.
    #[serde(default, deserialize_with = "id::optional")]
    pub workflow_id: Option<WorkflowId>,
    /// Often empty on `deploys/latest`.
    #[serde(default, deserialize_with = "id::optional")]
    pub install_id: Option<InstallId>,
    /// Absent on `deploys/latest`.
    #[serde(default, deserialize_with = "id::optional")]
    pub component_id: Option<ComponentId>,
    /// Absent on `deploys/latest`.
    #[serde(default)]
    pub component_name: Option<String>,
    /// Id of the component of the install, which every answer has.
    #[serde(default, deserialize_with = "id::optional")]
    pub install_component_id: Option<InstallComponentId>,
    /// `apply`, `sync-image` or `teardown`.
    #[serde(default)]
    pub install_deploy_type: Option<String>,
    /// Whether it only plans, so that nothing is deployed.
    #[serde(default)]
    pub plan_only: Option<bool>,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// The build that was deployed.
    #[serde(default)]
    pub component_build: Option<Object<Build>>,
    /// The status that decides. Absent until the first transition.
    #[serde(default)]
    pub status_v2: Option<Object<Status>>,
}

/// `component_build`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Build {
    #[serde(default)]
    #[allow(missing_docs)]
    pub vcs_connection_commit: Option<Object<Commit>>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub git_ref: Option<String>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub component_config_connection: Option<Object<ConfigConnection>>,
}

/// `component_build.component_config_connection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct ConfigConnection {
    /// The kind of the component: `helm_chart`, `terraform_module`, …; `unknown` on many servers.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// `component_build.vcs_connection_commit`: only builds from a connected repository have one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Commit {
    #[serde(default)]
    #[allow(missing_docs)]
    pub sha: Option<String>,
}

/// `status_v2`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Status {
    /// The word; see [`TABLE`].
    #[serde(default)]
    pub status: Option<String>,
    /// Words for people.
    #[serde(default)]
    pub status_human_description: Option<String>,
}

impl Answer {
    /// The deploy that was answered, if there is one.
    ///
    /// # Errors
    /// Why it cannot be told which workflow it belongs to.
    pub fn deploy(mut self) -> Result<Option<Deploy>, &'static str> {
        let workflow = match (self.install_workflow_id.take(), self.workflow_id.take()) {
            (Some(one), Some(other)) if one != other => return Err("the deploy names two workflows"),
            (one, other) => one.or(other),
        };
        Ok(self.id.take().map(|id| Deploy { id, workflow, answer: Arc::new(self) }))
    }

    /// `status_v2.status`, or `""` where it is absent.
    pub fn word(&self) -> &str {
        self.status_v2.as_ref().and_then(|v2| v2.status.as_deref()).unwrap_or_default()
    }

    /// `status_v2.status_human_description`, or `""`.
    pub fn description(&self) -> &str {
        self.status_v2.as_ref().and_then(|v2| v2.status_human_description.as_deref()).unwrap_or_default()
    }

    /// The commit of the build, or `""`.
    pub fn commit(&self) -> &str {
        let commit = self.component_build.as_ref().and_then(|build| build.vcs_connection_commit.as_ref());
        commit.and_then(|commit| commit.sha.as_deref()).unwrap_or_default()
    }

    /// When the server made it.
    pub fn created(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.parse().ok()
    }

    /// When the server last changed it.
    pub fn changed(&self) -> Option<Timestamp> {
        [&self.updated_at, &self.created_at].into_iter().flatten().find_map(|time| time.parse().ok())
    }

    /// How long ago the server last changed it.
    pub fn age(&self, now: Option<Timestamp>) -> Option<Duration> {
        Duration::try_from(now?.duration_since(self.changed()?)).ok()
    }

    /// Whether it shows a kind of component whose health the server never verifies: all but Helm charts and Kubernetes
    /// manifests.
    pub fn has_no_health_gate(&self) -> bool {
        let build = self.component_build.as_ref();
        let kind = build.and_then(|build| build.component_config_connection.as_ref()?.kind.as_deref());
        matches!(kind, Some("terraform_module" | "docker_build" | "external_image" | "job" | "pulumi"))
    }

    /// Whether it shows that it is of the component that was asked for, whose place in the install this is. (An answer that
    /// names another component was refused when it was read.)
    pub fn is_shown_to_be_of(&self, known: Option<&InstallComponentId>) -> bool {
        self.component_id.is_some() || known.is_some() && self.install_component_id.as_ref() == known
    }

    /// Whether its workflow may go on with it, or with another in its place, though its word has this class.
    pub fn may_be_retried(&self, class: Class) -> bool {
        let may_leave = class == Class::Failure && matches!(self.word(), "error" | "noop");
        may_leave || matches!(class, Class::Replaced | Class::Parked)
    }

    /// Whether this deploy takes the component away.
    pub fn is_teardown(&self) -> bool {
        self.install_deploy_type.as_deref() == Some("teardown")
    }
}

impl Deref for Deploy {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.answer
    }
}

impl Deploy {
    /// Its id.
    pub fn id(&self) -> &DeployId {
        &self.id
    }

    /// Whether the server made it before `other`, as far as it says.
    pub fn is_older_than(&self, other: &Deploy) -> bool {
        self.created().zip(other.created()).is_some_and(|(mine, other)| mine < other)
    }

    /// Whether another deploy of the same component, to the same end, was made after it.
    pub fn goes_before(&self, other: &Deploy) -> bool {
        let same_component =
            self.component_id.as_ref().zip(other.component_id.as_ref()).is_some_and(|(own, other)| own == other);
        let of_install = self.install_component_id.as_ref().zip(other.install_component_id.as_ref());
        let is_same = same_component || of_install.is_some_and(|(own, other)| own == other);
        is_same && self.is_teardown() == other.is_teardown() && self.is_older_than(other)
    }

    /// Whether it is another deploy of the same workflow, which is how a retry looks.
    pub fn retries(&self, other: &Deploy) -> bool {
        self.id != other.id && self.workflow.is_some() && self.workflow == other.workflow
    }
}

/// What a status word means to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Terminal: what was asked for.
    Success,
    /// Terminal, passes: the plan had no changes.
    NothingToDo,
    /// Terminal: it failed.
    Failure,
    /// Another deploy, or the same one, goes on in the same workflow.
    Replaced,
    /// A failure that a person can retry.
    Parked,
    /// Goes on.
    Running,
    /// Not in the table: never a pass.
    Unknown,
}

impl Class {
    /// The class as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Class::Success => "success",
            Class::NothingToDo => "nothing-to-do",
            Class::Failure => "failure",
            Class::Replaced => "replaced",
            Class::Parked => "parked",
            Class::Running => "running",
            Class::Unknown => "unknown",
        }
    }

    /// What the gate does at such a status.
    pub fn effect(self) -> &'static str {
        match self {
            Class::Success => "terminal, passes if every assertion holds",
            Class::NothingToDo => "terminal, passes if every assertion holds: the install already is as wanted",
            Class::Failure => "terminal, fails",
            Class::Replaced => "keeps watching: the work goes on in the same workflow",
            Class::Parked => "fails: a person can retry it, and the answer of this run is known",
            Class::Running => "keeps watching",
            Class::Unknown => "keeps watching, warns; at the deadline times out",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row<'w> {
    /// The server's word. `""` stands for an absent or empty `status_v2`.
    pub status: &'w str,
    /// Its class with `--expect apply`.
    pub class: Class,
    /// What else there is to know.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub note: &'static str,
}

const fn row(status: &'static str, class: Class, note: &'static str) -> Row<'static> {
    Row { status, class, note }
}

/// Every status word the gate knows. Any other is [`Class::Unknown`].
pub const TABLE: &[Row<'static>] = &[
    row("active", Class::Success, "with --expect teardown: keeps watching"),
    row("auto-skipped", Class::NothingToDo, ""),
    row("no-drift", Class::NothingToDo, ""),
    row("error", Class::Failure, ""),
    row("noop", Class::Failure, "the build cannot be deployed; not \"no changes\""),
    row("cancelled", Class::Failure, ""),
    row("approval-denied", Class::Failure, ""),
    row("approval-expired", Class::Failure, ""),
    row("not-attempted", Class::Failure, ""),
    row("user-skipped", Class::Failure, ""),
    row("drift-detected", Class::Failure, ""),
    row("drifted", Class::Failure, ""),
    row("expired", Class::Failure, ""),
    row("health-failed", Class::Failure, ""),
    row("inactive", Class::Failure, "with --expect teardown: success on a deploy of type teardown"),
    row("retried", Class::Replaced, ""),
    row("discarded", Class::Replaced, ""),
    row("outdated", Class::Replaced, ""),
    row("failed-pending-retry", Class::Parked, ""),
    row("queued", Class::Running, ""),
    row("pending", Class::Running, ""),
    row("planning", Class::Running, ""),
    row("syncing", Class::Running, ""),
    row("executing", Class::Running, ""),
    row("pending-approval", Class::Running, "written after every plan, approved or not"),
    row("approval-awaiting", Class::Running, ""),
    row("awaiting-user-run", Class::Running, ""),
    row("in-progress", Class::Running, ""),
    row("checking-plan", Class::Running, ""),
    row("building", Class::Running, ""),
    row("applying", Class::Running, ""),
    row("provisioning", Class::Running, ""),
    row("deleting", Class::Running, ""),
    row("retrying", Class::Running, ""),
    row("approval-retry", Class::Running, ""),
    row("", Class::Running, "status_v2 absent or empty: a deploy that has not begun"),
    row("approved", Class::Running, ""),
    row("generating", Class::Running, ""),
    row("unknown", Class::Unknown, "and every word that is not listed"),
];

/// The row of a word.
pub fn row_of(word: &str) -> Row<'_> {
    let known = TABLE.iter().find(|row| row.status == word).copied();
    known.unwrap_or(Row { status: word, class: Class::Unknown, note: "--status WORD=CLASS would say what it means" })
}

/// What counts as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Expect {
    /// The component is deployed.
    #[default]
    Apply,
    /// The component is removed.
    Teardown,
}

/// `--status WORD=CLASS`: one row of the table, read otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The server's word.
    pub status: String,
    /// Success, failure or running.
    pub class: Class,
}

impl std::str::FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "it should be WORD=CLASS with CLASS one of success, failure, running; for example noop=success";
        let (status, class) = text.split_once('=').ok_or(wanted)?;
        let status = status.trim();
        if status.is_empty() || status.contains(char::is_whitespace) {
            return Err(format!("\"{status}\" is not a status word; {wanted}"));
        }
        if let Some(row) = TABLE.iter().find(|row| row.status == status && row.class != Class::Unknown)
            && status != "noop"
        {
            return Err(format!(
                "\"{status}\" is known to be {}; only noop and unknown statuses can be overridden",
                row.class.name()
            ));
        }
        let class = match class.trim() {
            "success" => Class::Success,
            "failure" => Class::Failure,
            "running" => Class::Running,
            other => return Err(format!("\"{other}\" is not a class; {wanted}")),
        };
        Ok(Self { status: status.into(), class })
    }
}

/// What the status of a deploy means: the user's overrides first, then the table, then what is expected.
pub fn class(deploy: &Answer, expect: Expect, overrides: &[Override]) -> Class {
    let word = deploy.word();
    // The last one wins, as with every flag of every tool.
    let overridden = overrides.iter().rev().find(|row| row.status == word).map(|row| row.class);
    let known = || TABLE.iter().find(|row| row.status == word).map_or(Class::Unknown, |row| row.class);
    let class = overridden.unwrap_or_else(known);
    let good = matches!(class, Class::Success | Class::NothingToDo);
    match expect {
        Expect::Teardown if word == "inactive" && deploy.is_teardown() => Class::Success,
        // A deploy that put the component there is not the teardown that was asked for: it may still come.
        Expect::Teardown if word == "active" || (good && !deploy.is_teardown()) => Class::Running,
        // Nor is a teardown the deploy that was asked for, however well it went.
        Expect::Apply if good && deploy.is_teardown() => Class::Failure,
        _ => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nuon::id::Id;

    fn deploy(word: &str, kind: &str) -> Answer {
        Answer {
            install_deploy_type: Some(kind.into()),
            status_v2: Some(Object(Status { status: Some(word.into()), ..Status::default() })),
            ..Answer::default()
        }
    }

    #[test]
    fn only_these_words_pass() {
        let passing = |kind, expect| {
            TABLE
                .iter()
                .map(|row| row.status)
                .chain(["success", "Active", "active ", "warning"])
                .filter(|word| {
                    let class = class(&deploy(word, kind), expect, &[]);
                    matches!(class, Class::Success | Class::NothingToDo)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(passing("apply", Expect::Apply), ["active", "auto-skipped", "no-drift"]);
        assert_eq!(passing("sync-image", Expect::Apply), ["active", "auto-skipped", "no-drift"]);
        assert_eq!(passing("teardown", Expect::Apply), [""; 0]);
        assert_eq!(passing("teardown", Expect::Teardown), ["auto-skipped", "no-drift", "inactive"]);
        assert_eq!(passing("apply", Expect::Teardown), [""; 0]);
    }

    #[test]
    fn the_table_names_each_word_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(!TABLE[..index].iter().any(|other| other.status == row.status), "{}", row.status);
        }
    }

    #[test]
    fn an_override_reads_one_row_otherwise() {
        "unknown=success".parse::<Override>().expect("a word that says nothing");
        let overrides = ["noop=failure".parse().expect("parses"), "noop=success".parse().expect("parses")];
        assert_eq!(class(&deploy("noop", "apply"), Expect::Apply, &overrides), Class::Success);
        assert_eq!(class(&deploy("error", "apply"), Expect::Apply, &overrides), Class::Failure);
        for bad in
            ["noop", "noop=passed", "=success", "a b=success", "error=success", "active=failure", "queued=running"]
        {
            bad.parse::<Override>().expect_err(bad);
        }
    }

    #[test]
    fn older_is_made_before() {
        let made = |at: &str| {
            let answer = Answer { id: DeployId::new("dpl1"), created_at: Some(at.into()), ..Answer::default() };
            answer.deploy().expect("one workflow").expect("a deploy")
        };
        let (one, other) = (made("2026-01-14T16:00:00Z"), made("2026-01-14T16:00:00.000001Z"));
        assert!(one.is_older_than(&other) && !other.is_older_than(&one) && !one.is_older_than(&one));
        assert!(!made("").is_older_than(&one) && !one.is_older_than(&made("")));
    }
}
