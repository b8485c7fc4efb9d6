//! Who approves a plan: the server by itself, a person, or nobody.

use serde_json::json;

use super::component::{Next, Unit};
use super::engine::{Ended, Engine, Going};
use super::generation::Generation;
use super::world::{Approval, Fate, Stand};

impl Engine<'_> {
    pub fn approve(&mut self, unit: &mut Unit, deploy: usize) -> Going<Next> {
        let is_2026 = self.generation.is_2026();
        if self.flow.approve_all {
            return self.approve_by_itself(unit).map(|()| Next::On);
        }
        self.set(unit.plan, "approval-awaiting").directive = if is_2026 { "await-approval" } else { "" };
        if is_2026 {
            self.mark("step_id", "iws00000000000000000000001");
            self.head("approval-awaiting", "awaiting approval");
        }
        self.stand(Stand::Asks);
        self.wait();
        self.wait();
        let answer = self.dice.u8(0..16);
        if answer < 4 {
            // Nobody ever comes.
            return Err(Ended);
        }
        self.stand(Stand::Going);
        match answer {
            4 | 5 => return self.deny(unit, deploy),
            6 if !is_2026 => return self.deny_only_this(unit, deploy),
            6 if self.generation == Generation::Summer => {
                self.set(unit.plan, "approval-expired");
                self.say(deploy, "approval-expired", "");
                self.fate(deploy, Fate::Settled { verified: true });
                self.stop(unit.plan)?;
                self.person_retries(unit);
                return Ok(Next::Again);
            }
            7 if !is_2026 => {
                // Answered with "plan again": the same deploy does.
                self.say(deploy, "discarded", "");
                self.set(unit.plan, "approval-retry").approval = Approval::Answered("retry");
                self.blink();
                self.clone_plan(unit);
                return Ok(Next::Again);
            }
            _ => {}
        }
        if !is_2026 && self.dice.bool() {
            // The answer is there before the word is, and may be the workflow's before it is the step's.
            self.set(unit.plan, "approval-awaiting").approval = Approval::Answered("approve");
            self.blink();
            self.head("approved", "approved, continuing");
            self.blink();
        }
        let state = self.set(unit.plan, "approved");
        state.approval = Approval::Answered("approve");
        state.directive = if is_2026 { "continue" } else { "" };
        self.head(if is_2026 { "in-progress" } else { "approved" }, "approved, continuing");
        self.blink();
        Ok(Next::On)
    }

    fn approve_by_itself(&mut self, unit: &Unit) -> Going {
        if self.generation.is_2026() {
            // Some write an error there, and go on.
            let is_odd = self.generation == Generation::Spring && self.dice.u8(0..20) == 0;
            let state = self.set(unit.plan, if is_odd { "error" } else { "approved" });
            state.metadata.push(("auto_approved", json!(true)));
            state.directive = "continue";
            state.approval = Approval::Answered("approve");
            self.head("in-progress", "Auto-approved (approve-all enabled)");
        } else {
            // For up to 15 seconds it looks as if somebody had to approve.
            self.set(unit.plan, "approval-awaiting");
            self.now += self.dice.i64(200..15_000);
            if self.dice.u8(0..30) == 0 {
                // A person was faster, which the server cannot bear.
                self.set(unit.plan, "approval-awaiting").approval = Approval::Answered("approve");
                self.finished = true;
                self.head("error", "error while executing steps");
                return self.end(Stand::Failed);
            }
            self.set(unit.plan, "approved").approval = Approval::Answered("approve");
            self.head("approved", "auto approved for step");
        }
        self.blink();
        Ok(())
    }

    fn deny(&mut self, unit: &Unit, deploy: usize) -> Going<Next> {
        self.set(unit.plan, "approval-denied").approval = Approval::Answered("deny");
        self.say(deploy, "approval-denied", "");
        self.fate(deploy, Fate::Settled { verified: true });
        self.give_up(unit.plan);
        self.end(Stand::Failed).map(|()| Next::Done)
    }

    /// Denied, and the workflow goes on without it.
    fn deny_only_this(&mut self, unit: &Unit, deploy: usize) -> Going<Next> {
        self.set(unit.plan, "approval-denied").approval = Approval::Answered("deny-skip-current");
        self.say(deploy, "approval-denied", "");
        self.fate(deploy, Fate::Settled { verified: true });
        self.set(unit.apply, "user-skipped");
        self.blink();
        Ok(Next::Done)
    }
}
