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
    /// It failed for good.
    Failed,
    /// It succeeded, and something may still take that back.
    Unverified,
    /// It succeeded, and it is not known yet whether something will verify that.
    Unlisted,
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
    /// There is none that could tell.
    None,
    /// It cannot be read, and asking again would not change that.
    Unread,
}

impl Standing {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Sought,
        Self::Open,
        Self::Unreadable,
        Self::Bad,
        Self::Failed,
        Self::Unverified,
        Self::Unlisted,
        Self::Good,
    ];

    /// That of a deploy whose word has this class, beside its workflow as far as that could be read.
    pub fn of(deploy: &Deploy, class: Class, workflow: Option<(&Workflow, &Verification)>) -> Self {
        match class {
            Class::Unknown => Self::Unreadable,
            Class::Running | Class::Replaced => Self::Open,
            Class::Failure | Class::Parked if !deploy.may_be_retried(class) => Self::Failed,
            Class::Failure | Class::Parked => match workflow {
                Some((workflow, _)) if workflow.has_stopped(deploy.id()) => Self::Failed,
                _ => Self::Bad,
            },
            Class::NothingToDo => Self::Good,
            Class::Success => match workflow {
                None | Some((_, Verification::Done)) => Self::Good,
                Some((_, Verification::Open(_))) => Self::Unverified,
                Some((_, Verification::Unlisted)) => Self::Unlisted,
                Some((_, Verification::Failed(_))) => Self::Failed,
            },
        }
    }
}

impl Course {
    /// Each of them.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::NeedsPerson, Self::Good, Self::Bad, Self::None, Self::Unread, Self::Dead];

    /// That of a workflow whose deploy has not been seen.
    pub fn of(stage: &Stage) -> Self {
        match stage {
            Stage::Running(_) => Self::Open,
            Stage::Waiting(_) => Self::NeedsPerson,
            Stage::Succeeded => Self::Good,
            Stage::Failed(_) | Stage::Parked(_) => Self::Bad,
            Stage::Dead(_) => Self::Dead,
        }
    }

    /// That of a workflow beside a deploy which is `standing` so. Groups of steps run in parallel: while a step of the deploy
    /// is at work, another one may be parked; and while not all steps are listed, nobody can tell whether one verifies it.
    pub fn beside(workflow: &Workflow, stage: &Stage, standing: Standing, deploy: &Deploy) -> Self {
        let is_at_work = || workflow.is_working_on(deploy.id());
        match (stage, standing) {
            (Stage::Parked(_), Standing::Open | Standing::Unreadable) if is_at_work() => Self::Open,
            (Stage::Parked(_), Standing::Unlisted) => Self::Open,
            _ => Self::of(stage),
        }
    }
}
