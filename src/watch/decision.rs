//! The decision: one table over what is known and what was asked for. Pure.

use crate::nuon::evidence::{Course, Standing};
use crate::watch::rules::{OnApproval, Rules, Until};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look again later.
    Wait,
    /// The deploy is as wanted: complete its document.
    Complete,
    /// It failed.
    DeployFailed,
    /// The workflow failed, before the deploy or after it.
    WorkflowFailed,
    /// The workflow is over without such a deploy.
    NeverAppeared,
    /// The workflow is over, and well, and the deploy is not.
    LeftBehind,
    /// The workflow is over, and nobody knows what the word of the deploy means.
    UnknownStatus,
    /// A person must act, and the gate is not to wait for that.
    ApprovalRequired,
}

/// How sure the gate has to be. A deploy and its workflow are read at different moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// One sight is enough.
    AtOnce,
    /// A later sight has to say the same.
    SeenTwice,
    /// The same, and for a minute.
    ForAMinute,
}

/// What is asked of the deploy and its workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What the need for a person does.
    pub on_approval: OnApproval,
    /// Whether the workflow must have ended.
    pub workflow_must_end: bool,
    /// Whether it must have ended well.
    pub workflow_must_succeed: bool,
}

impl Asked {
    /// What the user asked for.
    pub fn by(rules: &Rules) -> Self {
        Self {
            on_approval: rules.on_approval,
            workflow_must_end: rules.until == Until::Workflow
                || rules.workflow_is_judged && rules.until != Until::Applied,
            workflow_must_succeed: rules.until == Until::Workflow,
        }
    }
}

/// The table.
pub fn decide(standing: Standing, course: Course, asked: Asked) -> (Decision, Sure) {
    use Decision::{
        ApprovalRequired, Complete, DeployFailed, LeftBehind, NeverAppeared, UnknownStatus, Wait, WorkflowFailed,
    };
    use Sure::{AtOnce, ForAMinute, SeenTwice};

    let person = |stopped| if asked.on_approval == OnApproval::Stop { stopped } else { Wait };
    match (standing, course) {
        // What seems to have died is as bad as what ended badly, if it is seen twice.
        (standing, Course::Dead) => match decide(standing, Course::Bad, asked).0 {
            Complete => (Complete, AtOnce),
            bad => (bad, SeenTwice),
        },
        (Standing::Sought | Standing::Open | Standing::Unreadable | Standing::Bad, Course::Open) => (Wait, AtOnce),
        (Standing::Sought | Standing::Open | Standing::Unreadable, Course::NeedsPerson) => {
            (person(ApprovalRequired), AtOnce)
        }
        (Standing::Sought, Course::Good) => (NeverAppeared, SeenTwice),
        (Standing::Sought, Course::Bad) => (WorkflowFailed, SeenTwice),
        (Standing::Open, Course::Good) => (LeftBehind, ForAMinute),
        (Standing::Open, Course::Bad) => (DeployFailed, SeenTwice),
        (Standing::Unreadable, Course::Good | Course::Bad) => (UnknownStatus, SeenTwice),
        // Pipelines forgive that a person must approve, but not a failure.
        (Standing::Bad, Course::NeedsPerson) => (person(DeployFailed), AtOnce),
        (Standing::Bad, Course::Good | Course::Bad) => (DeployFailed, AtOnce),
        (Standing::Unverified | Standing::Good, Course::Bad) if asked.workflow_must_succeed => (WorkflowFailed, AtOnce),
        (Standing::Unverified, Course::Good | Course::Bad) => (DeployFailed, AtOnce),
        (Standing::Unverified, Course::Open) => (Wait, AtOnce),
        (Standing::Unverified, Course::NeedsPerson) => (person(ApprovalRequired), AtOnce),
        (Standing::Good, Course::Open) if asked.workflow_must_end => (Wait, AtOnce),
        (Standing::Good, Course::NeedsPerson) if asked.workflow_must_end => (person(ApprovalRequired), AtOnce),
        (Standing::Good, Course::Open | Course::NeedsPerson | Course::Good | Course::Bad) => (Complete, AtOnce),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row for each thing that is known of the deploy, a column for each of its workflow: open, needs a person, good, bad.
    #[test]
    fn the_table_is_the_specification() {
        let row = |standing, on_approval, workflow_must_end, workflow_must_succeed| {
            let asked = Asked { on_approval, workflow_must_end, workflow_must_succeed };
            [Course::Open, Course::NeedsPerson, Course::Good, Course::Bad]
                .map(|course| format!("{:?}", decide(standing, course, asked).0))
        };
        let waiting = [
            (Standing::Sought, ["Wait", "Wait", "NeverAppeared", "WorkflowFailed"]),
            (Standing::Open, ["Wait", "Wait", "LeftBehind", "DeployFailed"]),
            (Standing::Unreadable, ["Wait", "Wait", "UnknownStatus", "UnknownStatus"]),
            (Standing::Bad, ["Wait", "Wait", "DeployFailed", "DeployFailed"]),
            (Standing::Unverified, ["Wait", "Wait", "DeployFailed", "DeployFailed"]),
            (Standing::Good, ["Complete", "Complete", "Complete", "Complete"]),
        ];
        for (standing, want) in waiting {
            assert_eq!(row(standing, OnApproval::Wait, false, false), want, "{standing:?}");
        }
        let stopping = [
            (Standing::Sought, "ApprovalRequired"),
            (Standing::Open, "ApprovalRequired"),
            (Standing::Unreadable, "ApprovalRequired"),
            (Standing::Bad, "DeployFailed"),
            (Standing::Unverified, "ApprovalRequired"),
            (Standing::Good, "Complete"),
        ];
        for (standing, want) in stopping {
            assert_eq!(row(standing, OnApproval::Stop, false, false)[1], want, "{standing:?}");
        }
        let end = ["Wait", "Wait", "Complete", "Complete"];
        assert_eq!(row(Standing::Good, OnApproval::Wait, true, false), end, "--require no-failed-steps");
        let succeed = ["Wait", "ApprovalRequired", "Complete", "WorkflowFailed"];
        assert_eq!(row(Standing::Good, OnApproval::Stop, true, true), succeed, "--until workflow");
        assert_eq!(row(Standing::Unverified, OnApproval::Wait, true, true)[3], "WorkflowFailed");
    }

    #[test]
    fn a_workflow_that_seems_to_have_died_is_seen_twice() {
        let asked = Asked { on_approval: OnApproval::Wait, workflow_must_end: false, workflow_must_succeed: false };
        for standing in [Standing::Sought, Standing::Open, Standing::Unreadable, Standing::Bad, Standing::Unverified] {
            let (decision, sure) = decide(standing, Course::Dead, asked);
            assert_eq!((decision, sure), (decide(standing, Course::Bad, asked).0, Sure::SeenTwice), "{standing:?}");
        }
        assert_eq!(decide(Standing::Good, Course::Dead, asked), (Decision::Complete, Sure::AtOnce));
    }

    /// Nothing but a success that nothing takes back is ever completed.
    #[test]
    fn only_what_is_good_is_completed() {
        for standing in [Standing::Sought, Standing::Open, Standing::Unreadable, Standing::Bad, Standing::Unverified] {
            for course in [Course::Open, Course::NeedsPerson, Course::Good, Course::Bad, Course::Dead] {
                for on_approval in [OnApproval::Wait, OnApproval::Stop] {
                    for must in [(false, false), (true, false), (true, true)] {
                        let asked = Asked { on_approval, workflow_must_end: must.0, workflow_must_succeed: must.1 };
                        assert_ne!(decide(standing, course, asked).0, Decision::Complete, "{standing:?} {course:?}");
                    }
                }
            }
        }
    }
}
