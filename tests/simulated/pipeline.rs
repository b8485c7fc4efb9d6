//! What a pipeline triggers, and how its workflow goes on, step by step. How one component is deployed within it is in
//! `component.rs`, how it stops in `ending.rs`.

use std::rc::Rc;

use fastrand::Rng;

use super::component::Unit;
use super::engine::{Engine, Going};
use super::world::*;

/// What was triggered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The component alone.
    Deploy,
    /// Several components in one workflow.
    DeployAll,
    Teardown,
    /// An image, which is only copied.
    Image,
    /// A plan, and no deploy.
    Plan,
    /// Something that never deploys the component.
    Elsewhere,
    /// A workflow that fails before it reaches the component.
    Fails,
    /// A workflow whose steps cannot be generated.
    Ungenerated,
}

impl What {
    pub const ALL: [Self; 8] = [
        Self::Deploy,
        Self::DeployAll,
        Self::Teardown,
        Self::Image,
        Self::Plan,
        Self::Elsewhere,
        Self::Fails,
        Self::Ungenerated,
    ];

    pub fn random(is_mine: bool, dice: &mut Rng) -> Self {
        match dice.u8(0..if is_mine { 24 } else { 16 }) {
            0 | 1 => Self::Teardown,
            2 => Self::Image,
            3 => Self::Plan,
            4 => Self::Elsewhere,
            5 => Self::Fails,
            6 => Self::Ungenerated,
            7..12 => Self::DeployAll,
            _ => Self::Deploy,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::DeployAll => "deploy-all",
            Self::Teardown => "teardown",
            Self::Image => "image",
            Self::Plan => "plan only",
            Self::Elsewhere => "elsewhere",
            Self::Fails => "fails before",
            Self::Ungenerated => "not generated",
        }
    }
}

/// Somebody triggers something: all that comes of it.
pub fn trigger(world: &mut World, what: What, at: Time, pace: f64, dice: &mut Rng) {
    let number = world.flows.len();
    let flow = Flow {
        id: id("inw", number + 1),
        what,
        approve_all: dice.u8(0..3) > 0,
        created: at,
        heads: Vec::new(),
        steps: Vec::new(),
        hidden: (0, 0),
        stands: vec![(at, Stand::Going)],
        persons: Vec::new(),
        is_never_whole: dice.u8(0..40) == 0,
    };
    let mut engine = Engine {
        generation: world.generation,
        component_type: world.component_type,
        now: at,
        flow,
        deploys: Vec::new(),
        unverified: None,
        number: (number, world.deploys.len()),
        build: dice.usize(1..=3),
        commit: dice.choice([0xabc, 0xabc, number + 1]).unwrap_or(1),
        pace,
        finished: false,
        sticky: Rc::default(),
        dice,
    };
    // Where it ends is in what it left.
    let _ = engine.run();
    world.flows.push(engine.flow);
    world.deploys.extend(engine.deploys);
}

impl Engine<'_> {
    fn run(&mut self) -> Going {
        let what = self.flow.what;
        let kind = if what == What::Image && !self.flow.approve_all { "sync-image" } else { "apply" };
        let row = matches!(what, What::Deploy | What::Image | What::Plan | What::Ungenerated)
            .then(|| self.create(false, kind));
        // Rarely one claims to be finished all the time.
        self.finished = self.generation.is_2026() && self.dice.u8(0..60) == 0;
        self.head("pending", "");
        self.queue(row)?;
        self.head("in-progress", "generating steps for workflow");
        self.wait();
        if what == What::Ungenerated {
            // The row of the deploy is there, and nobody will ever come to it.
            self.head("error", "error while generating steps");
            return self.end(Stand::Failed);
        }
        let system = [("generate install state", "install_states"), ("runner healthy", "runners")];
        let system: Vec<usize> =
            (1..).zip(system).map(|(group, (name, target))| self.step(name, target, group, 0)).collect();
        let mut units = Vec::new();
        let is_2026 = self.generation.is_2026();
        if is_2026 {
            self.mark("eager_steps_loaded", true);
            self.head("in-progress", "generated initial step groups, executing");
        } else {
            units = self.units(row);
        }
        self.system(system[0], false)?;
        self.system(system[1], what == What::Fails)?;
        if is_2026 {
            units = self.units(row);
            if !self.flow.is_never_whole {
                self.mark("all_steps_loaded", true);
            }
            self.head("in-progress", "all steps generated");
        }
        let action = (self.dice.u8(0..4) == 0).then(|| self.step("notify", "install_action_workflow_runs", 9, 0));
        for unit in units {
            self.unit(unit)?;
        }
        if let Some(action) = action {
            self.action(action)?;
        }
        self.finish()
    }

    /// Behind another workflow, maybe for long; maybe it never gets its turn.
    fn queue(&mut self, row: Option<usize>) -> Going {
        self.blink();
        if self.dice.u8(0..3) == 0 {
            self.wait();
        }
        if self.dice.u8(0..40) == 0 {
            self.finished = self.generation.is_2026();
            self.head("cancelled", "");
            if let (Some(row), true) = (row, self.generation.is_2026()) {
                self.say(row, "cancelled", "");
            }
            return self.end(Stand::Failed);
        }
        Ok(())
    }

    /// What is to be deployed, in its order.
    fn units(&mut self, row: Option<usize>) -> Vec<Unit> {
        let before = self.dice.bool();
        let after = self.dice.bool();
        let mut whose = match self.flow.what {
            What::DeployAll => vec![(true, before), (false, true), (true, after)],
            What::Deploy => vec![(false, true), (true, after && before)],
            What::Elsewhere => vec![(true, before)],
            _ => vec![(false, true)],
        };
        whose.retain(|(_, is_there)| *is_there);
        let units = (3..).zip(whose);
        units.map(|(group, (is_other, _))| self.plan_unit(is_other, group, row.filter(|_| !is_other))).collect()
    }

    /// A step that is no component's.
    fn system(&mut self, step: usize, mut fails: bool) -> Going {
        loop {
            self.begin(step);
            self.wait();
            if !fails {
                return self.end_step(step, "success");
            }
            self.set(step, "error");
            self.stop(step)?;
            fails = false;
        }
    }

    /// An action after the deploys: it may fail, and only that.
    fn action(&mut self, step: usize) -> Going {
        let fails = self.dice.u8(0..4) == 0;
        if !fails || !self.generation.is_2026() || self.dice.bool() {
            return self.system(step, fails);
        }
        self.begin(step);
        self.wait();
        let state = self.set(step, "error");
        state.directive = "continue";
        state.metadata.push(("skipped_on_failure", true.into()));
        self.between();
        Ok(())
    }

    /// It is finished first, and then it is a success.
    fn finish(&mut self) -> Going {
        self.finished = true;
        self.head(self.generation.between_steps(), "finished executing step");
        if self.generation.is_2026() {
            self.blink();
        }
        self.head("success", "successfully executed workflow");
        self.end(Stand::Well)
    }
}
