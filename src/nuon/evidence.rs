//! What the words of a deploy and its workflow come to. The rest of the program decides on this and knows no word. Pure.

use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::workflow::{Stage, Verification, Workflow};

/// What is known of the deploy that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It has not been seen.
    Sought,
    /// It goes on, or another goes on in its place.
    Open,
    /// Its word says nothing to the gate.
    Unreadable,
    /// It failed, and its workflow may still retry it.
    Bad,
    /// It succeeded, and something may still take that back.
    Unverified,
    /// It succeeded, or had nothing to do, and nothing is left to be verified.
    Good,
}

/// What is known of its workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Course {
    /// It goes on.
    Open,
    /// A person must act.
    NeedsPerson,
    /// It is over, and well.
    Good,
    /// It is over or parked, and not well.
    Bad,
    /// It seems to have died.
    Dead,
}

impl Standing {
    /// That of a deploy that has not succeeded, or has not been seen.
    pub fn of(class: Option<Class>) -> Self {
        match class {
            None => Self::Sought,
            Some(Class::Unknown) => Self::Unreadable,
            Some(Class::Failure | Class::Parked) => Self::Bad,
            Some(Class::Running | Class::Replaced | Class::Success | Class::NothingToDo) => Self::Open,
        }
    }

    /// That of a deploy that has succeeded.
    pub fn of_success(verification: &Verification) -> Self {
        match verification {
            Verification::Done => Self::Good,
            Verification::Open(_) | Verification::Failed(_) => Self::Unverified,
        }
    }
}

impl Course {
    /// That of a workflow, seen with a deploy that is looked for or has settled.
    pub fn of(stage: &Stage) -> Self {
        match stage {
            Stage::Running(_) => Self::Open,
            Stage::Waiting(_) => Self::NeedsPerson,
            Stage::Succeeded => Self::Good,
            Stage::Failed(_) | Stage::Parked(_) => Self::Bad,
            Stage::Dead(_) => Self::Dead,
        }
    }

    /// That of a workflow for a deploy that has not settled. Groups of steps run in parallel: while a step of this deploy
    /// is at work, another one may be parked.
    pub fn beside(workflow: &Workflow, stage: &Stage, deploy: Option<&Deploy>) -> Self {
        match stage {
            Stage::Parked(_) if deploy.is_some_and(|deploy| workflow.is_working_on(deploy.id())) => Self::Open,
            stage => Self::of(stage),
        }
    }
}
