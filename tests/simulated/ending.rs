//! How a workflow stops, parks, is cancelled and ends, and what a person does about it then.

use super::engine::{Ended, Engine, Going};
use super::generation::Generation;
use super::world::{Fate, Stand, Time};

impl Engine<'_> {
    /// A step has failed for good: the workflow is over, or waits for a person. It goes on only if one acts.
    pub fn stop(&mut self, step: usize) -> Going {
        self.blink();
        if self.generation.is_2026() && self.dice.u8(0..5) > 0 {
            self.park(step);
        } else {
            self.give_up(step);
        }
        self.settle();
        self.flow.stands.push((self.now, Stand::Failed));
        if self.dice.u8(0..3) > 0 {
            return Err(Ended);
        }
        self.now += (self.pace * 1000.0) as Time * self.dice.i64(5..60);
        self.flow.persons.push(self.now);
        self.flow.stands.push((self.now, Stand::Going));
        // Later servers leave it finished.
        self.finished &= self.generation.is_2026();
        if !self.generation.is_2026() {
            self.set(step, self.word(step)).retried = true;
            self.head("retrying", "");
            self.blink();
        }
        self.resume(step);
        self.head("in-progress", "executing step");
        self.blink();
        Ok(())
    }

    fn park(&mut self, step: usize) {
        self.set(step, self.word(step)).directive = "await-retry";
        for (name, value) in self.generation.park_marks() {
            self.mark(name, value);
        }
        if self.generation == Generation::Summer && self.dice.u8(0..8) == 0 {
            self.mark("awaiting_retry", true);
            self.finished = true;
            self.head("error", "workflow failed, awaiting retry");
        } else {
            self.head(self.generation.parked(), "step failed, awaiting retry or skip");
        }
    }

    /// It is over, and not well.
    pub fn give_up(&mut self, step: usize) {
        if self.generation.is_2026() {
            self.set(step, self.word(step)).directive = "stop";
        }
        self.abandon(step);
        self.finished = true;
        self.head("in-progress", "executing step");
        self.blink();
        let (description, marks) = self.generation.stopped();
        for (name, value) in marks {
            self.mark(name, value);
        }
        self.head("error", description);
    }

    /// What was not begun will not be.
    fn abandon(&mut self, but: usize) {
        for step in 0..self.flow.steps.len() {
            if step != but && self.word(step) == "pending" {
                self.set(step, "not-attempted");
            }
        }
    }

    /// A person retries: what was given up is to be done again.
    fn resume(&mut self, step: usize) {
        let state = self.set(step, "discarded");
        state.retried = true;
        for step in 0..self.flow.steps.len() {
            if self.word(step) == "not-attempted" {
                self.set(step, "pending");
            }
        }
    }

    /// A person cancels it.
    pub fn cancel(&mut self, step: usize, deploy: usize) -> Going {
        self.say(deploy, "cancelled", "");
        self.set(step, "cancelled");
        self.abandon(step);
        self.finished = self.generation.is_2026();
        self.head("cancelled", "");
        self.end(Stand::Failed)
    }

    /// All is said.
    pub fn end(&mut self, stand: Stand) -> Going {
        self.settle();
        self.flow.stands.push((self.now, stand));
        Err(Ended)
    }

    /// The workflow goes on with no deploy any more.
    fn settle(&mut self) {
        for (number, deploy) in self.deploys.iter_mut().enumerate() {
            if deploy.fates.last().is_some_and(|(_, fate)| *fate == Fate::Going) {
                deploy.fates.push((self.now, Fate::Settled { verified: self.unverified != Some(number) }));
            }
        }
    }
}
