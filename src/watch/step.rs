//! What the watch does, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::outcome::Ending;
use crate::judge::document::Parts;
use crate::nuon::branch_run::BranchRun;
use crate::nuon::deploy::Class;
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::Look;

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The latest deploy.
    Latest,
    /// The deploy of this id.
    Deploy(DeployId),
    /// The deploy of this id, of whichever component of the install.
    DeployOfInstall(DeployId),
    /// The workflow of this id.
    Workflow(WorkflowId),
    /// The deploys of the component, the newest first: those that were made at this time or later, or else the newest of
    /// them.
    Deploys(Option<Timestamp>),
    /// The workflow of a branch run.
    Run(BranchRun),
    /// The installs that the run of this id updates.
    Updated(BranchRun, String),
    /// The install.
    Install,
    /// Where this workflow stands in its queue, which is told and decides nothing.
    Queue(WorkflowId),
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Wait, then step again without a look.
    Wait(Duration),
    /// Look at this.
    Ask(Ask),
    /// The deploy has settled well: judge its document.
    Judge(Box<Parts>),
    /// It is over.
    End(Ending, String),
}

/// Something that happened, for whoever watches the watch.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The workflow of the deploy was read.
    Workflow(Arc<Look>),
    /// The deploy or its status is another.
    Changed(Change),
    /// There is nothing to watch yet; the words are new.
    Absent(String),
    /// No usable answer; the words are new.
    Missed(String),
    /// A person must act; said once for each thing to do.
    Person(String),
    /// Something that the user should know, said once.
    Warning(String),
    /// Something that helps to understand what follows.
    Note(String),
}

/// A step of a workflow has another word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepChange {
    /// Since the start of the run.
    pub at: Duration,
    /// The step's name.
    pub name: String,
    /// Id of the deploy that it makes, or `""`.
    pub deploy: String,
    /// The server's word.
    pub status: String,
    /// What it means.
    pub class: Class,
}

/// A point of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Since the start of the run.
    pub at: Duration,
    /// Id of the deploy.
    pub deploy: DeployId,
    /// The server's word, `""` where `status_v2` is absent.
    pub status: String,
    /// What it means to the gate.
    pub class: Class,
    /// The server's words for people.
    pub description: String,
}
