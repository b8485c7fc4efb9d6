//! What the user asked of the watch.

use std::time::Duration;

use jiff::Timestamp;

use crate::nuon::branch_run::BranchRun;
use crate::nuon::deploy::{Expect, Override};
use crate::watch::pin::Pins;

/// What the user asked of the watch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What is gated.
    pub scope: Scope,
    /// Which deploy, or workflow, is meant.
    pub pins: Pins,
    /// When the run began, by the calendar.
    pub began: Option<Timestamp>,
    /// What success is.
    pub expect: Expect,
    /// Rows of the status table that are read otherwise.
    pub overrides: Vec<Override>,
    /// What a newer deploy does to the one that is watched, if the user said so.
    pub on_superseded: Option<OnSuperseded>,
    /// What the need for a person does.
    pub on_approval: OnApproval,
    /// What must have ended.
    pub until: Until,
    /// Whether something is asserted about the workflow, which then must have ended.
    pub workflow_is_judged: bool,
    /// Whether anything is asked of the document at all.
    pub document_is_needed: bool,
    /// When the run ends at the latest, since its start.
    pub timeout: Duration,
    /// How long the deploy may take to show up at all, since the start.
    pub appear_timeout: Duration,
}

impl Rules {
    /// What a newer deploy does: one that nobody else's can be taken for is watched to its end.
    pub fn on_superseded(&self) -> OnSuperseded {
        let unsaid = if self.pins.identify() { OnSuperseded::Finish } else { OnSuperseded::Follow };
        self.on_superseded.unwrap_or(unsaid)
    }
}

/// What is gated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// A deploy of a component.
    #[default]
    Deploy,
    /// A workflow as a whole.
    Workflow,
    /// A branch run itself; what it updates is gated beside it.
    Run(BranchRun),
}

/// What to do when a newer deploy replaces the one being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnSuperseded {
    /// Watch mine to its end, by its id.
    Finish,
    /// Stop, with exit code 5.
    Stop,
    /// Watch the newer one; what it replaced must succeed, too.
    Follow,
}

/// What to do when a person must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OnApproval {
    /// Keep waiting.
    #[default]
    Wait,
    /// Stop, with exit code 4.
    Stop,
}

/// How far the deploy must have got before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Until {
    /// At its first success status, before its health is verified.
    Applied,
    /// When its workflow has verified its health, if it does so.
    #[default]
    Deploy,
    /// When its whole workflow has finished, which must succeed.
    Workflow,
}
