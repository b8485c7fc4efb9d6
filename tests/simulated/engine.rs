//! What makes a workflow go on: it writes the next state of a step, of a deploy and of the workflow itself, and lets time
//! go by.

use std::rc::Rc;

use fastrand::Rng;
use serde_json::Value;

use super::generation::Generation;
use super::world::*;

/// Nothing more happens by itself.
pub struct Ended;
pub type Going<T = ()> = Result<T, Ended>;

/// What makes a workflow go on. It only ever goes forward in time.
pub struct Engine<'e> {
    pub dice: &'e mut Rng,
    pub generation: Generation,
    pub component_type: &'static str,
    pub now: Time,
    pub flow: Flow,
    pub deploys: Vec<Deploy>,
    /// The deploy whose health is being verified.
    pub unverified: Option<usize>,
    /// Which workflow it is, and how many deploys there were before.
    pub number: (usize, usize),
    pub build: usize,
    pub commit: usize,
    pub pace: f64,
    pub finished: bool,
    /// What is written beside the word stays there beside the next.
    pub sticky: Rc<Vec<(&'static str, Value)>>,
}

impl Engine<'_> {
    pub fn create(&mut self, is_other: bool, kind: &'static str) -> usize {
        let (flow, before) = self.number;
        self.deploys.push(Deploy {
            id: id("dpl", before + self.deploys.len() + 1),
            build: id("bld", if is_other { 9 } else { self.build }),
            commit: format!("{:040x}", self.commit),
            kind,
            flow,
            is_other,
            created: self.now,
            words: vec![(self.now, "", "")],
            fates: vec![(self.now, Fate::Going)],
        });
        self.deploys.len() - 1
    }

    pub fn step(&mut self, name: &str, target_type: &'static str, group: i64, idx: i64) -> usize {
        let states = vec![(self.now, StepState { word: "pending", ..StepState::default() })];
        let step = Step { name: name.into(), target_type, group, retry: 0, idx, created: self.now, states };
        self.flow.steps.push(step);
        self.flow.steps.len() - 1
    }

    /// The next state of a step: as it is, with another word.
    pub fn set(&mut self, step: usize, word: &'static str) -> &mut StepState {
        let states = &mut self.flow.steps[step].states;
        let state = states.last().map(|(_, state)| state.clone()).unwrap_or_default();
        states.push((self.now, StepState { word, ..state }));
        &mut states.last_mut().expect("it was pushed").1
    }

    pub fn word(&self, step: usize) -> &'static str {
        self.flow.steps[step].states.last().map_or("", |(_, state)| state.word)
    }

    pub fn begin(&mut self, step: usize) {
        self.set(step, "in-progress");
        self.head("in-progress", "executing step");
    }

    pub fn end_step(&mut self, step: usize, word: &'static str) -> Going {
        let is_2026 = self.generation.is_2026();
        let state = self.set(step, word);
        if is_2026 {
            state.directive = "continue";
        }
        self.between();
        Ok(())
    }

    pub fn between(&mut self) {
        self.head(self.generation.between_steps(), "finished executing step");
        self.blink();
    }

    pub fn say(&mut self, deploy: usize, word: &'static str, description: &'static str) {
        self.deploys[deploy].words.push((self.now, word, description));
    }

    pub fn fate(&mut self, deploy: usize, fate: Fate) {
        self.deploys[deploy].fates.push((self.now, fate));
    }

    pub fn stand(&mut self, stand: Stand) {
        self.flow.stands.push((self.now, stand));
    }

    pub fn head(&mut self, word: &'static str, description: &'static str) {
        let head = Head { word, description, finished: self.finished, metadata: Rc::clone(&self.sticky) };
        self.flow.heads.push((self.now, head));
    }

    pub fn mark(&mut self, name: &'static str, value: impl Into<Value>) {
        let marks = Rc::make_mut(&mut self.sticky);
        marks.retain(|(other, _)| *other != name);
        marks.push((name, value.into()));
    }

    /// A phase of work.
    pub fn wait(&mut self) {
        let span = self.pace * 1000.0 * 10_f64.powf(self.dice.f64() * 1.6 - 1.0);
        self.now += 20 + span as Time;
    }

    /// What is next to nothing.
    pub fn blink(&mut self) {
        self.now += self.dice.i64(20..900);
    }
}
