//! The decision: one table over what is known and what was asked for. Pure.

use crate::nuon::evidence::{Course, Standing};
use crate::watch::rules::{OnApproval, Rules, Scope, Until};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Its workflow is needed, and cannot be read.
    WorkflowUnread,
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
    /// Whether a success counts only with the word of its workflow.
    pub workflow_must_tell: bool,
    /// Whether the workflow must have ended.
    pub workflow_must_end: bool,
    /// Whether it must have ended well.
    pub workflow_must_succeed: bool,
}

impl Asked {
    /// What the user asked for.
    pub fn by(rules: &Rules) -> Self {
        let until = if rules.scope == Scope::Deploy { rules.until } else { Until::Workflow };
        Self {
            on_approval: rules.on_approval,
            workflow_must_tell: until != Until::Applied,
            workflow_must_end: until == Until::Workflow || rules.workflow_is_judged && until != Until::Applied,
            workflow_must_succeed: until == Until::Workflow,
        }
    }
}

/// The table.
pub fn decide(standing: Standing, course: Course, asked: Asked) -> (Decision, Sure) {
    use Course as C;
    use Decision::{
        ApprovalRequired, Complete, DeployFailed, LeftBehind, NeverAppeared, UnknownStatus, Wait, WorkflowFailed,
        WorkflowUnread,
    };
    use Standing as S;
    use Sure::{AtOnce, ForAMinute, SeenTwice};

    let person = |stopped| if asked.on_approval == OnApproval::Stop { stopped } else { Wait };
    let unread = |otherwise| if asked.workflow_must_tell { WorkflowUnread } else { otherwise };
    match (standing, course) {
        (S::Failed, _) => (DeployFailed, AtOnce),
        // What seems to have died is as bad as what ended badly, if it is seen twice.
        (standing, C::Dead) => match decide(standing, C::Bad, asked).0 {
            Complete => (Complete, AtOnce),
            bad => (bad, SeenTwice),
        },
        (S::Sought | S::Open | S::Unreadable | S::Bad | S::Unverified | S::Unlisted, C::Open) => (Wait, AtOnce),
        (S::Sought | S::Open | S::Unreadable | S::Unverified | S::Unlisted, C::NeedsPerson) => {
            (person(ApprovalRequired), AtOnce)
        }
        (S::Sought | S::Open | S::Unreadable | S::Unverified | S::Unlisted, C::None) => (Wait, AtOnce),
        (S::Sought, C::Unread) => (WorkflowUnread, AtOnce),
        (S::Open | S::Unreadable | S::Unverified | S::Unlisted, C::Unread) => (unread(Wait), AtOnce),
        (S::Sought, C::Good) => (NeverAppeared, AtOnce),
        (S::Sought, C::Bad) => (WorkflowFailed, SeenTwice),
        (S::Open, C::Good) => (LeftBehind, ForAMinute),
        (S::Open, C::Bad) => (DeployFailed, SeenTwice),
        (S::Unreadable, C::Good | C::Bad) => (UnknownStatus, SeenTwice),
        // Pipelines forgive that a person must approve, but not a failure.
        (S::Bad, C::NeedsPerson) => (person(DeployFailed), AtOnce),
        (S::Bad, C::Good | C::Bad | C::None | C::Unread) => (DeployFailed, AtOnce),
        (S::Unverified | S::Unlisted | S::Good, C::Bad) if asked.workflow_must_succeed => (WorkflowFailed, AtOnce),
        // Its head and its steps may be of different moments.
        (S::Unverified | S::Unlisted, C::Good | C::Bad) => (DeployFailed, SeenTwice),
        (S::Good, C::Open) if asked.workflow_must_end => (Wait, AtOnce),
        (S::Good, C::NeedsPerson) if asked.workflow_must_end => (person(ApprovalRequired), AtOnce),
        (S::Good, C::None) if asked.workflow_must_succeed => (WorkflowUnread, AtOnce),
        (S::Good, C::Unread) => (unread(Complete), AtOnce),
        (S::Good, C::Open | C::NeedsPerson | C::Good | C::Bad | C::None) => (Complete, AtOnce),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for a person, and for no more than the deploy's last word.
    const ASKED: Asked = Asked {
        on_approval: OnApproval::Wait,
        workflow_must_tell: true,
        workflow_must_end: false,
        workflow_must_succeed: false,
    };
    const STANDINGS: [Standing; 8] = Standing::ALL;
    const COURSES: [Course; 7] = Course::ALL;

    fn row(standing: Standing, asked: Asked) -> [String; 6] {
        let [open, person, good, bad, none, unread, _] = COURSES;
        [open, person, good, bad, none, unread].map(|course| format!("{:?}", decide(standing, course, asked).0))
    }

    /// A row for each thing that is known of the deploy, a column for each of its workflow: open, needs a person, good, bad,
    /// none, unread.
    #[test]
    fn the_table_is_the_specification() {
        let unread = "WorkflowUnread";
        let failed = "DeployFailed";
        let waiting = [
            (Standing::Sought, ["Wait", "Wait", "NeverAppeared", "WorkflowFailed", "Wait", unread]),
            (Standing::Open, ["Wait", "Wait", "LeftBehind", failed, "Wait", unread]),
            (Standing::Unreadable, ["Wait", "Wait", "UnknownStatus", "UnknownStatus", "Wait", unread]),
            (Standing::Bad, ["Wait", "Wait", failed, failed, failed, failed]),
            (Standing::Failed, [failed; 6]),
            (Standing::Unverified, ["Wait", "Wait", failed, failed, "Wait", unread]),
            (Standing::Unlisted, ["Wait", "Wait", failed, failed, "Wait", unread]),
            (Standing::Good, ["Complete", "Complete", "Complete", "Complete", "Complete", unread]),
        ];
        for (standing, want) in waiting {
            assert_eq!(row(standing, ASKED), want, "{standing:?}");
        }
        let stop = Asked { on_approval: OnApproval::Stop, ..ASKED };
        for standing in STANDINGS {
            let want = match standing {
                Standing::Bad | Standing::Failed => failed,
                Standing::Good => "Complete",
                _ => "ApprovalRequired",
            };
            assert_eq!(row(standing, stop)[1], want, "{standing:?}");
        }
        let end = Asked { workflow_must_end: true, ..ASKED };
        assert_eq!(row(Standing::Good, end), ["Wait", "Wait", "Complete", "Complete", "Complete", unread]);
        let succeed = Asked { workflow_must_succeed: true, ..Asked { workflow_must_end: true, ..stop } };
        let want = ["Wait", "ApprovalRequired", "Complete", "WorkflowFailed", unread, unread];
        assert_eq!(row(Standing::Good, succeed), want, "--until workflow");
        assert_eq!(row(Standing::Unverified, succeed)[3], "WorkflowFailed");
        let applied = Asked { workflow_must_tell: false, ..ASKED };
        assert_eq!(row(Standing::Good, applied), ["Complete"; 6], "--until applied");
        assert_eq!(row(Standing::Open, applied)[5], "Wait");
    }

    #[test]
    fn a_workflow_that_seems_to_have_died_is_seen_twice() {
        for standing in STANDINGS.into_iter().filter(|it| !matches!(it, Standing::Failed | Standing::Good)) {
            let (decision, sure) = decide(standing, Course::Dead, ASKED);
            assert_eq!((decision, sure), (decide(standing, Course::Bad, ASKED).0, Sure::SeenTwice), "{standing:?}");
        }
        assert_eq!(decide(Standing::Good, Course::Dead, ASKED), (Decision::Complete, Sure::AtOnce));
        assert_eq!(decide(Standing::Failed, Course::Dead, ASKED), (Decision::DeployFailed, Sure::AtOnce));
    }

    /// Nothing but a success that nothing takes back is ever completed.
    #[test]
    fn only_what_is_good_is_completed() {
        for standing in STANDINGS.into_iter().filter(|standing| *standing != Standing::Good) {
            for course in COURSES {
                for bits in 0..16_u8 {
                    let is = |bit: u8| bits & 1 << bit != 0;
                    let asked = Asked {
                        on_approval: if is(0) { OnApproval::Stop } else { OnApproval::Wait },
                        workflow_must_tell: is(1),
                        workflow_must_end: is(2),
                        workflow_must_succeed: is(3),
                    };
                    assert_ne!(decide(standing, course, asked).0, Decision::Complete, "{standing:?} {course:?}");
                }
            }
        }
    }
}
