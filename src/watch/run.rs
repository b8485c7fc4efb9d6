//! A run of an app branch: its own workflow has to end well, and it tells which workflows of installs are to be gated.

use std::convert::Infallible;
use std::ops::ControlFlow;

use crate::base::outcome::Ending;
use crate::nuon::branch_run::BranchRun;
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::look::Look;
use crate::nuon::workflow::Stage;
use crate::watch::decision::{self, Decision};
use crate::watch::machine::{Go, Move, Watch};
use crate::watch::step::Ask;
use crate::watch::words::{approval_required, failed_step};

impl Watch {
    /// Goes through a look at a run. Once it is over, the installs are read after that was seen.
    pub(super) fn branch_run(&mut self, run: &BranchRun) -> Go<Infallible> {
        let ask = Ask::Run(run.clone());
        let look = self.ask(ask.clone())?;
        let (workflow, id) = match &*look {
            Look::Run(workflow, id) => (workflow, id),
            Look::Absent(miss) => return ControlFlow::Break(self.absent_workflow(miss)),
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let stage = self.enter(workflow, 0);
        self.note_steps(workflow);
        if workflow.plan_only == Some(true) {
            let why = format!("{run} only plans, so that nothing is deployed: {}", stage.told());
            return ControlFlow::Break(Move::End(Ending::WorkflowFailed, why));
        }
        let list = self.ask_after(&ask, Ask::Updated(run.clone(), id.clone()))?;
        match &*list {
            Look::Updated(updated) => self.memory.updated.clone_from(updated),
            // A run that failed has failed whatever it was to update.
            _ if matches!(stage, Stage::Failed(_) | Stage::Parked(_) | Stage::Dead(_)) => {}
            other => return ControlFlow::Break(self.unanswered(other)),
        }
        let (decision, sure) = decision::decide(Standing::Good, Course::of(&stage), self.asked);
        let is_sure = self.is_confirmed(decision, sure);
        ControlFlow::Break(match if is_sure { decision } else { Decision::Wait } {
            Decision::Complete => Move::End(Ending::Passed, format!("{run} has ended (success)")),
            Decision::ApprovalRequired => Move::End(Ending::ApprovalRequired, approval_required(&stage)),
            Decision::Wait => {
                self.memory.note_ahead(stage.told());
                self.again()
            }
            _ => Move::End(Ending::WorkflowFailed, format!("{run}: {}{}", stage.told(), failed_step(workflow))),
        })
    }
}
