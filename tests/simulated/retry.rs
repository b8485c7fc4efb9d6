//! Who retries a deploy that failed: the server by itself, in the same workflow, or a person after it has stopped.

use super::component::{Next, Unit};
use super::engine::{Engine, Going};
use super::generation::Generation;
use super::pipeline::What;
use super::world::Fate;

impl Engine<'_> {
    /// The deploy has failed at a step. The server retries by itself, or stops until a person does.
    pub fn fail(&mut self, unit: &mut Unit, step: usize, word: &'static str, why: &'static str) -> Going<Next> {
        let deploy = self.row(unit);
        self.say(deploy, word, why);
        let may_retry = self.generation.is_2026() && word == "error" && unit.retries < 3;
        if may_retry && self.dice.u8(0..3) > 0 {
            unit.retries += 1;
            self.retry(unit, step, deploy);
            return Ok(Next::Again);
        }
        self.fate(deploy, Fate::Settled { verified: true });
        self.blink();
        self.set(step, "error");
        self.stop(step)?;
        self.person_retries(unit);
        Ok(Next::Again)
    }

    fn retry(&mut self, unit: &mut Unit, step: usize, deploy: usize) {
        self.blink();
        let marks = self.generation.retry_marks(unit.retries);
        let is_plan = step == unit.plan;
        let state = self.set(step, "error");
        state.directive = if is_plan { "retry" } else { "retry-group" };
        state.metadata.extend(marks);
        if self.generation.says_retried() {
            self.say(deploy, "retried", "deploy retried");
        }
        self.wait();
        if is_plan {
            self.clone_plan(unit);
            if self.generation == Generation::Spring && self.dice.bool() {
                // There, the same deploy plans again.
                return;
            }
        } else {
            self.clone_group(unit);
        }
        (unit.replaced, unit.deploy) = (Some(deploy), None);
    }

    /// All steps of the group once more.
    fn clone_group(&mut self, unit: &mut Unit) {
        unit.group_retry += 1;
        let is_only = unit.plan == unit.apply;
        let old = [Some(unit.plan), Some(unit.apply).filter(|_| !is_only), unit.verify];
        let mut clones = old.into_iter().map(|step| {
            let step = step?;
            if matches!(self.word(step), "pending" | "discarded") {
                self.set(step, "discarded").retried = true;
            }
            let (target_type, idx) = (self.flow.steps[step].target_type, self.flow.steps[step].idx);
            let name = format!("{} (retry {})", self.flow.steps[step].name, unit.group_retry);
            let clone = self.step(&name, target_type, unit.group, idx);
            self.flow.steps[clone].retry = unit.group_retry;
            Some(clone)
        });
        let [plan, apply, verify] = [(); 3].map(|()| clones.next().flatten());
        drop(clones);
        unit.plan = plan.unwrap_or(unit.plan);
        unit.apply = apply.unwrap_or(unit.plan);
        unit.verify = verify;
    }

    /// A person has made the workflow go on: the same deploy once more, or another.
    pub fn person_retries(&mut self, unit: &mut Unit) {
        let Some(deploy) = unit.deploy else { return };
        self.fate(deploy, Fate::Going);
        self.clone_group(unit);
        unit.retries = 0;
        if !self.generation.is_2026() && self.flow.what != What::DeployAll {
            return;
        }
        if self.generation.is_2026() {
            self.say(deploy, "retried", "deploy retried");
        }
        (unit.replaced, unit.deploy) = (Some(deploy), None);
    }

    pub fn clone_plan(&mut self, unit: &mut Unit) {
        let name = self.flow.steps[unit.plan].name.clone();
        let is_only = unit.apply == unit.plan;
        let retry = self.flow.steps[unit.plan].retry;
        unit.plan = self.step(&name, "install_deploys", unit.group, 0);
        self.flow.steps[unit.plan].retry = retry;
        if is_only {
            unit.apply = unit.plan;
        }
    }
}
