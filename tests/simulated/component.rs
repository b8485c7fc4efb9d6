//! How one component is deployed within a workflow: planned, applied, verified, and all that goes wrong with it. Who
//! approves it is in `approval.rs`, who retries it in `retry.rs`.

use serde_json::json;

use super::engine::{Engine, Going};
use super::generation::{PASSING, STRANGE_ENDS};
use super::pipeline::What;
use super::world::{Approval, Fate, INSTALL_COMPONENT, OTHER_INSTALL_COMPONENT};

/// One component, and the steps that deploy it.
pub struct Unit {
    pub is_other: bool,
    pub group: i64,
    pub plan: usize,
    pub apply: usize,
    pub verify: Option<usize>,
    pub deploy: Option<usize>,
    /// The deploy that the next one takes the place of.
    pub replaced: Option<usize>,
    /// How many times the server has retried by itself.
    pub retries: i64,
    pub group_retry: i64,
}

/// What comes after a phase.
pub enum Next {
    On,
    Again,
    Done,
}

/// What comes of a plan.
enum Planned {
    Changes,
    NoChanges,
    Error,
    NoBuild,
    Superseded,
    Cancelled,
}

impl Engine<'_> {
    pub fn plan_unit(&mut self, is_other: bool, group: i64, deploy: Option<usize>) -> Unit {
        let is_image = self.flow.what == What::Image;
        let name = if is_other { "db" } else { "api" };
        let first = if is_image { "sync" } else { "sync and plan" };
        let plan = self.step(&format!("{first} {name}"), "install_deploys", group, 0);
        let apply = if is_image { plan } else { self.step(&format!("apply {name}"), "install_deploys", group, 1) };
        let has_gate = self.generation.is_2026() && self.component_type == "helm_chart" && !is_image;
        let has_gate = has_gate && !matches!(self.flow.what, What::Teardown | What::Plan);
        let is_verified = has_gate && self.dice.u8(0..5) > 1;
        let verify = is_verified.then(|| self.step(&format!("verify health {name}"), "install_components", group, 2));
        let (replaced, retries, group_retry) = (None, 0, 0);
        Unit { is_other, group, plan, apply, verify, deploy, replaced, retries, group_retry }
    }

    pub fn unit(&mut self, mut unit: Unit) -> Going {
        loop {
            match self.plan(&mut unit)? {
                Next::On => {}
                Next::Again => continue,
                Next::Done => return Ok(()),
            }
            match self.apply(&mut unit)? {
                Next::On => return self.verify(&mut unit),
                Next::Again => {}
                Next::Done => return Ok(()),
            }
        }
    }

    fn plan(&mut self, unit: &mut Unit) -> Going<Next> {
        self.begin(unit.plan);
        self.blink();
        let planned = self.planned();
        let deploy = self.row(unit);
        if matches!(planned, Planned::NoBuild) {
            self.wait();
            // Its step never names it.
            let (word, why) = if self.generation.is_2026() {
                ("error", "component build failed")
            } else {
                ("noop", "build is not deployable")
            };
            return self.fail(unit, unit.plan, word, why);
        }
        self.blink();
        self.set(unit.plan, "in-progress").target = self.deploys[deploy].id.clone();
        self.words(deploy, &["planning", "syncing"]);
        if self.flow.what == What::Image {
            return Ok(Next::On);
        }
        self.words(deploy, &["planning", "executing"]);
        if self.dice.u8(0..3) == 0 {
            let word = self.dice.choice(PASSING).unwrap_or("executing");
            self.words(deploy, &[word]);
        }
        match planned {
            Planned::Error => return self.fail(unit, unit.plan, "error", "unable to deploy"),
            Planned::Cancelled => return self.cancel(unit.plan, deploy).map(|()| Next::Done),
            _ if self.flow.what == What::Plan => return self.drift(unit, deploy, matches!(planned, Planned::Changes)),
            _ => {}
        }
        self.say(deploy, "pending-approval", "pending-approval");
        self.set(unit.plan, "in-progress").approval = Approval::Open;
        self.blink();
        match planned {
            Planned::NoChanges => self.skip(unit, deploy).map(|()| Next::Done),
            Planned::Superseded => Ok(self.supersede(unit)),
            _ => self.approve(unit, deploy),
        }
    }

    fn planned(&mut self) -> Planned {
        match self.dice.u8(0..24) {
            0 | 1 => Planned::Error,
            2 => Planned::NoBuild,
            3 | 4 => Planned::NoChanges,
            5 => Planned::Cancelled,
            6 if self.generation.is_2026() => Planned::Superseded,
            _ => Planned::Changes,
        }
    }

    /// The deploy of this attempt, which the server may make only now.
    pub fn row(&mut self, unit: &mut Unit) -> usize {
        if let Some(deploy) = unit.deploy {
            return deploy;
        }
        let kind = if self.flow.what == What::Teardown && !unit.is_other { "teardown" } else { "apply" };
        let deploy = self.create(unit.is_other, kind);
        if let Some(old) = unit.replaced.take() {
            self.fate(old, Fate::Replaced);
        }
        unit.deploy = Some(deploy);
        deploy
    }

    fn words(&mut self, deploy: usize, words: &[&'static str]) {
        for word in words {
            self.say(deploy, word, "at work");
            self.wait();
        }
    }

    /// A plan and no deploy.
    fn drift(&mut self, unit: &mut Unit, deploy: usize, has_drifted: bool) -> Going<Next> {
        if !has_drifted {
            self.say(deploy, "pending-approval", "pending-approval");
            self.blink();
        }
        self.say(deploy, if has_drifted { "drifted" } else { "no-drift" }, "");
        self.fate(deploy, Fate::Settled { verified: true });
        self.set(unit.plan, "approved").metadata.extend([("plan_only", json!(true)), ("no_op", json!(!has_drifted))]);
        self.blink();
        self.end_step(unit.apply, "success")?;
        Ok(Next::Done)
    }

    /// Nothing has changed, so nothing is done.
    fn skip(&mut self, unit: &mut Unit, deploy: usize) -> Going {
        self.say(deploy, "auto-skipped", "");
        self.fate(deploy, Fate::Settled { verified: true });
        for step in [Some(unit.plan), Some(unit.apply), unit.verify].into_iter().flatten() {
            self.set(step, "auto-skipped");
        }
        self.blink();
        Ok(())
    }

    /// The plan is out of date: another deploy plans anew, and this one stays as it is for ever.
    fn supersede(&mut self, unit: &mut Unit) -> Next {
        let state = self.set(unit.plan, "error");
        state.directive = "retry";
        state.metadata.extend([("check_label_superseded", json!("true")), ("directive", json!("retry"))]);
        self.head("in-progress", "Plan superseded, auto-retrying");
        self.blink();
        self.clone_plan(unit);
        (unit.replaced, unit.deploy) = (unit.deploy, None);
        Next::Again
    }

    fn apply(&mut self, unit: &mut Unit) -> Going<Next> {
        let deploy = unit.deploy.expect("it was planned");
        if unit.apply != unit.plan {
            self.begin(unit.apply);
            self.say(deploy, "planning", "at work");
            self.blink();
            self.set(unit.apply, "in-progress").target = self.deploys[deploy].id.clone();
            let from = self.now;
            self.words(deploy, &[self.generation.applying()]);
            if self.dice.u8(0..40) == 0 {
                // For a while the list of steps is not there.
                self.flow.hidden = (from, self.now);
            }
        }
        match self.dice.u8(0..24) {
            0 | 1 => return self.fail(unit, unit.apply, "error", "unable to deploy"),
            2 => return self.cancel(unit.apply, deploy).map(|()| Next::Done),
            3 | 4 => return self.end_strangely(unit, deploy),
            _ => {}
        }
        let is_teardown = self.deploys[deploy].kind == "teardown";
        let (word, why) = if is_teardown { ("inactive", "successfully torn down") } else { ("active", "finished") };
        self.say(deploy, word, why);
        if unit.verify.is_none() {
            self.fate(deploy, Fate::Settled { verified: true });
        } else {
            self.unverified = Some(deploy);
        }
        self.blink();
        self.end_step(unit.apply, "success")?;
        Ok(Next::On)
    }

    /// With a word that mostly is not there.
    fn end_strangely(&mut self, unit: &mut Unit, deploy: usize) -> Going<Next> {
        let word = self.dice.choice(STRANGE_ENDS).unwrap_or("unknown");
        self.say(deploy, word, "");
        let is_failure =
            !matches!(word, "no-drift" | "warming-up" | "unknown" | "success" | "warning" | "outdated" | "building");
        if is_failure || (word != "no-drift" && self.dice.bool()) {
            self.fate(deploy, Fate::Settled { verified: true });
            self.blink();
            self.set(unit.apply, "error");
            self.stop(unit.apply)?;
            self.person_retries(unit);
            return Ok(Next::Again);
        }
        if word == "no-drift" {
            self.fate(deploy, Fate::Settled { verified: true });
        }
        self.blink();
        self.end_step(unit.apply, "success")?;
        if let Some(verify) = unit.verify {
            self.end_step(verify, "success")?;
        }
        Ok(Next::Done)
    }

    /// Its health is watched by a step of its own, which may be wrong about it three times.
    fn verify(&mut self, unit: &mut Unit) -> Going {
        let (Some(mut step), Some(deploy)) = (unit.verify, unit.deploy) else { return Ok(()) };
        let component = if unit.is_other { OTHER_INSTALL_COMPONENT } else { INSTALL_COMPONENT };
        let mut checks = 0;
        loop {
            self.begin(step);
            self.blink();
            self.set(step, "in-progress").target = component.into();
            self.wait();
            if self.dice.u8(0..4) > 0 {
                self.say(deploy, "active", "health verified");
                self.blink();
                self.unverified = None;
                self.fate(deploy, Fate::Settled { verified: true });
                return self.end_step(step, "success");
            }
            self.say(deploy, "error", "component is unhealthy");
            self.blink();
            self.set(step, "error");
            if checks < 3 && self.dice.u8(0..4) > 0 {
                checks += 1;
                step = self.check_again(unit, step, deploy, checks);
            } else {
                self.fate(deploy, Fate::Settled { verified: false });
                self.stop(step)?;
                // Only the check is retried.
                checks = 0;
                self.fate(deploy, Fate::Going);
                step = self.clone_verify(unit, step);
            }
        }
    }

    fn check_again(&mut self, unit: &Unit, step: usize, deploy: usize, checks: i64) -> usize {
        let marks = self.generation.retry_marks(checks);
        let states = &mut self.flow.steps[step].states;
        let state = &mut states.last_mut().expect("it was begun").1;
        state.directive = "retry";
        state.metadata.extend(marks);
        self.blink();
        let clone = self.clone_verify(unit, step);
        self.wait();
        if self.dice.bool() {
            self.say(deploy, "active", "finished");
        }
        clone
    }

    fn clone_verify(&mut self, unit: &Unit, step: usize) -> usize {
        let name = self.flow.steps[step].name.clone();
        let clone = self.step(&name, "install_components", unit.group, 2);
        self.flow.steps[clone].retry = unit.group_retry;
        clone
    }
}
