//! Promptness: where nothing is in the way, no run goes on for long after the story of what was meant has ended.

use super::meaning::Standing;
use super::{Oracle, millis, moments};
use crate::simulated::network::Kind;
use crate::simulated::world::{Deploy, Rights, Stand, Time};

/// How likely a request may go wrong for a run to be prompt all the same.
const LITTLE_TROUBLE: f64 = 0.03;

impl Oracle<'_> {
    pub(super) fn is_prompt(&mut self) {
        let is_refused = self.run.transcript.iter().any(|asked| matches!(asked.kind, Kind::Refused(_)));
        if self.world.trouble > LITTLE_TROUBLE || self.world.rights != Rights::All || is_refused {
            return;
        }
        let end = millis(self.run.ended);
        let slack = 2 * millis(self.run.gate.max_interval) + 70_000;
        // A look that goes wrong now and then takes some more of them.
        let slack = if self.has_trouble() { slack * 4 + 300_000 + millis(self.world.lag) } else { slack };
        if let Some(gone) = self.world.gone {
            let limit = gone.max(0) + slack + 60_000;
            self.must(end <= limit, format!("it ended at {end}, and the install was gone at {gone}"));
            if end >= gone {
                return;
            }
        }
        let from = end - slack - self.extra_time(end);
        let is_overdue = from > 0 && moments(self.world, from, end).into_iter().all(|at| self.is_decided(at));
        self.must(!is_overdue, format!("it was decided before {from}, and ended at {end}"));
    }

    /// What some ends have to be sure of for longer.
    fn extra_time(&self, end: Time) -> Time {
        let gate = &self.run.gate;
        let is_left = self.deploy.is_some_and(|deploy| self.standing(deploy, end) == Standing::Left);
        let is_narrow = gate.only_narrows() && gate.after.is_none();
        (if is_left { 60_000 } else { 0 }) + (if is_narrow { millis(gate.appear_timeout) } else { 0 })
    }

    /// Whether the story of what is meant has ended.
    fn is_decided(&self, at: Time) -> bool {
        let gate = &self.run.gate;
        let Some(flow) = self.pinned_flow().or(self.deploy.map(|deploy| deploy.flow)) else { return false };
        let stand = self.stand(flow, at);
        if gate.stop_for_approval && stand == Stand::Asks && self.run.gate.workflow.is_some() {
            return true;
        }
        let is_over = matches!(stand, Stand::Well | Stand::Failed);
        let newest = self.world.newest(flow, at).filter(|newest| self.pins_hold(newest));
        let Some(newest) = newest else { return is_over && gate.workflow.is_some() };
        // Where a list of steps never is whole, nobody can tell.
        let is_sure = self.world.flows.iter().all(|flow| !flow.is_never_whole);
        let is_all_settled = gate.identifies() || is_sure && self.are_others_settled(newest, at);
        let needs_the_workflow = gate.until == Some("workflow") || gate.looks_at_the_workflow();
        let is_whole = stand == Stand::Well || !self.world.flows[flow].is_never_whole;
        is_all_settled
            && match self.standing(newest, at) {
                Standing::Well => is_whole && (is_over || !needs_the_workflow),
                Standing::Failed | Standing::Left | Standing::Strange => is_over,
                Standing::Open | Standing::Replaced => false,
            }
    }

    fn are_others_settled(&self, newest: &Deploy, at: Time) -> bool {
        let others = (0..self.world.flows.len()).filter(|flow| *flow != newest.flow);
        let mut others = others.filter_map(|flow| self.world.newest(flow, at));
        others.all(|other| {
            let is_past = other.created < newest.created && !self.pins_hold(other);
            let stand = self.stand(other.flow, at);
            is_past || (self.standing(other, at) != Standing::Open && matches!(stand, Stand::Well | Stand::Failed))
        })
    }
}
