//! The truth: what happens on a server, from before a run to long after it. Each deploy, step and workflow has its own
//! line of states in time, and beside it what those states really come to, as the server that makes them knows it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;

use super::generation::Generation;
use super::pipeline::{self, What};
use super::server;

pub const INSTALL: &str = "inl00000000000000000000001";
/// When each run begins: 2026-01-14T17:00:00Z.
pub const EPOCH: i64 = 1_768_410_000;
pub const INSTALL_COMPONENT: &str = "inc00000000000000000000001";
pub const COMPONENT: &str = "cmp00000000000000000000001";
/// Another component of the same install.
pub const OTHER_INSTALL_COMPONENT: &str = "inc00000000000000000000002";
pub const OTHER_COMPONENT: &str = "cmp00000000000000000000002";

/// Milliseconds since the run began; what was before it is negative.
pub type Time = i64;

/// What has happened to a deploy, as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server, or somebody who has to approve, will do more about it.
    Going,
    /// Another deploy of its workflow goes on in its place.
    Replaced,
    /// Its word is its last, unless a person acts. Whether nothing that verifies it is unfinished or went wrong.
    Settled { verified: bool },
}

/// Where a workflow stands, as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    Going,
    /// Until a person approves or denies.
    Asks,
    Well,
    /// Over, dead or parked: nothing goes on unless a person acts.
    Failed,
}

pub struct Deploy {
    pub id: String,
    pub build: String,
    pub commit: String,
    pub kind: &'static str,
    /// Which workflow it is of.
    pub flow: usize,
    /// Whether it is of the other component.
    pub is_other: bool,
    pub created: Time,
    /// When each word came, with its description.
    pub words: Vec<(Time, &'static str, &'static str)>,
    pub fates: Vec<(Time, Fate)>,
}

/// A state of a step.
#[derive(Clone, Debug, Default)]
pub struct StepState {
    pub word: &'static str,
    pub target: String,
    pub directive: &'static str,
    pub retried: bool,
    pub approval: Approval,
    pub metadata: Vec<(&'static str, Value)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    #[default]
    None,
    Open,
    Answered(&'static str),
}

pub struct Step {
    pub name: String,
    pub target_type: &'static str,
    pub group: i64,
    pub retry: i64,
    /// Where it stands in its group.
    pub idx: i64,
    pub created: Time,
    pub states: Vec<(Time, StepState)>,
}

/// A state of a workflow, but for its steps.
#[derive(Clone, Debug)]
pub struct Head {
    pub word: &'static str,
    pub description: &'static str,
    pub finished: bool,
    pub metadata: Rc<Vec<(&'static str, Value)>>,
}

/// A workflow, and who triggered it for what.
pub struct Flow {
    pub id: String,
    pub what: What,
    pub approve_all: bool,
    pub created: Time,
    pub heads: Vec<(Time, Head)>,
    pub steps: Vec<Step>,
    /// From when to when the list of steps is shown empty.
    pub hidden: (Time, Time),
    pub stands: Vec<(Time, Stand)>,
    /// When a person made it go on after its end.
    pub persons: Vec<Time>,
    /// Whether it never says that its list of steps is whole.
    pub is_never_whole: bool,
}

/// Which workflows can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    All,
    /// None: the token's grant does not reach them.
    NoWorkflows,
    /// The organisation is another: neither workflows nor the install are there, and deploys are.
    OtherOrganisation,
}

pub struct World {
    pub generation: Generation,
    /// The oldest first.
    pub deploys: Vec<Deploy>,
    pub flows: Vec<Flow>,
    /// When the install was forgotten; from then on nothing moves.
    pub gone: Option<Time>,
    pub rights: Rights,
    pub embeds_steps: bool,
    /// Whether deploys are known by the component's path as well.
    pub has_component_route: bool,
    /// Whether a zero document stands for no deploy.
    pub zero_document: bool,
    /// What kind of component it is.
    pub component_type: &'static str,
    /// What its deploys put out.
    pub outputs: Value,
    /// How likely a request goes wrong.
    pub trouble: f64,
    pub lag: Duration,
    pub ids: Ids,
    pub answers: RefCell<HashMap<(usize, usize), Rc<Value>>>,
}

/// What a user can know before the run: the last of each is what the user triggered.
#[derive(Clone, Default)]
pub struct Ids {
    pub builds: Vec<String>,
    pub deploys: Vec<String>,
    pub workflows: Vec<String>,
    pub commits: Vec<String>,
    /// When the user triggered it.
    pub triggered: Time,
    /// The newest deploy at that time.
    pub before: Option<String>,
    /// Whether what was triggered only plans.
    pub is_plan: bool,
    pub is_teardown: bool,
}

pub fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:023}")
}

/// A time as the server writes it, here always of one length.
pub fn stamp(at: Time) -> String {
    let time = Timestamp::from_millisecond(EPOCH * 1000 + at).expect("a time of our days");
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// What holds at a moment, of a line of states.
pub fn holds<T>(line: &[(Time, T)], at: Time) -> Option<&T> {
    line.iter().rev().find(|(from, _)| *from <= at).map(|(_, state)| state)
}

impl World {
    pub fn random(dice: &mut Rng) -> Self {
        let generation = Generation::random(dice);
        Self::of_generation(generation, dice)
    }

    pub fn of_generation(generation: Generation, dice: &mut Rng) -> Self {
        let is_2026 = generation.is_2026();
        let mut world = Self {
            generation,
            deploys: Vec::new(),
            flows: Vec::new(),
            gone: None,
            rights: match dice.u8(0..60) {
                0 => Rights::NoWorkflows,
                1 => Rights::OtherOrganisation,
                _ => Rights::All,
            },
            embeds_steps: dice.u8(0..4) > 0,
            has_component_route: is_2026 || dice.bool(),
            zero_document: !is_2026 && dice.bool(),
            component_type: dice.choice(["helm_chart", "helm_chart", "terraform_module"]).unwrap_or("helm_chart"),
            outputs: server::outputs(dice),
            trouble: dice.choice([0.0, 0.0, 0.0, 0.03, 0.2, 0.6]).unwrap_or(0.0),
            lag: Duration::ZERO,
            ids: Ids::default(),
            answers: RefCell::default(),
        };
        if world.trouble > 0.0 && dice.u8(0..3) == 0 {
            world.lag = Duration::from_millis(dice.u64(100..30_000));
        }
        if dice.u8(0..25) == 0 {
            world.gone = Some(if dice.bool() { -1000 - dice.i64(0..2) } else { dice.i64(0..200_000) });
        }
        world.trigger_all(dice);
        world
    }

    /// Some pipelines of other people, and mine among them.
    fn trigger_all(&mut self, dice: &mut Rng) {
        let others = dice.choice([0, 0, 1, 1, 1, 2, 3]).unwrap_or(0);
        let count = others + usize::from(dice.u8(0..30) > 0);
        let has_mine = count > others;
        let mine = dice.usize(0..=others);
        let mut pace = 10_f64.powf(dice.f64() * 2.0 - 0.5);
        for number in 0..count {
            let is_mine = has_mine && number == mine;
            if dice.u8(0..4) == 0 {
                pace = 10_f64.powf(dice.f64() * 2.0 - 0.5);
            }
            let what = What::random(is_mine, dice);
            // Much of it begins before the run, and some of that is over before it.
            let reach = (pace * 1000.0) as i64 * 8;
            let at = match dice.u8(0..6) {
                0 | 1 => -dice.i64(0..=reach),
                2 => -dice.i64(0..=8) * reach - 1000,
                3 => -dice.i64(0..3000),
                _ if is_mine => dice.i64(0..=20_000),
                _ => dice.i64(0..=reach),
            };
            pipeline::trigger(self, what, at, pace, dice);
        }
        self.put_in_order();
        if has_mine {
            self.know(mine);
        }
    }

    /// Sorts the deploys, no two of which are made at once.
    fn put_in_order(&mut self) {
        self.deploys.sort_by_key(|deploy| deploy.created);
        for next in 1..self.deploys.len() {
            let least = self.deploys[next - 1].created + 1;
            let deploy = &mut self.deploys[next];
            if deploy.created < least {
                deploy.created = least;
                deploy.words[0].0 = least;
                deploy.fates[0].0 = least;
            }
        }
    }

    /// What the user knows, mine last.
    fn know(&mut self, mine: usize) {
        let triggered = self.flows[mine].created;
        let mut ids = Ids { triggered, ..Ids::default() };
        let (own, others): (Vec<&Deploy>, Vec<&Deploy>) =
            self.deploys.iter().filter(|deploy| !deploy.is_other).partition(|deploy| deploy.flow == mine);
        // Of those of mine, the first is what a trigger answers.
        for deploy in others.iter().chain(own.first()) {
            ids.deploys.push(deploy.id.clone());
            ids.builds.push(deploy.build.clone());
            ids.commits.push(deploy.commit.clone());
        }
        ids.before = others
            .iter()
            .rev()
            .find(|deploy| deploy.created <= triggered && self.flows[deploy.flow].what != What::Plan)
            .map(|deploy| deploy.id.clone());
        let foreign = self.flows.iter().enumerate().filter(|(number, _)| *number != mine);
        ids.workflows = foreign.map(|(_, flow)| flow.id.clone()).chain([self.flows[mine].id.clone()]).collect();
        ids.is_plan = self.flows[mine].what == What::Plan;
        ids.is_teardown = self.flows[mine].what == What::Teardown;
        self.ids = ids;
    }

    /// The moment that an answer at a moment is of.
    pub fn moment(&self, at: Time) -> Time {
        self.gone.map_or(at, |gone| at.min(gone))
    }

    /// The newest deploy of the component, none that only plans.
    pub fn latest(&self, at: Time) -> Option<&Deploy> {
        self.listed(at).next()
    }

    /// The deploys of the component, none that only plans, the newest first.
    pub fn listed(&self, at: Time) -> impl Iterator<Item = &Deploy> {
        self.deploys.iter().rev().filter(move |deploy| {
            !deploy.is_other && deploy.created <= at && self.flows[deploy.flow].what != What::Plan
        })
    }

    /// The newest deploy of the component in a workflow.
    pub fn newest(&self, flow: usize, at: Time) -> Option<&Deploy> {
        self.deploys.iter().rev().find(|deploy| deploy.flow == flow && !deploy.is_other && deploy.created <= at)
    }

    pub fn deploy(&self, id: &str) -> Option<&Deploy> {
        self.deploys.iter().find(|deploy| deploy.id == id)
    }

    pub fn flow(&self, id: &str) -> Option<usize> {
        self.flows.iter().position(|flow| flow.id == id)
    }
}

impl Deploy {
    pub fn word(&self, at: Time) -> &'static str {
        self.words.iter().rev().find(|(from, ..)| *from <= at).map_or("", |(_, word, _)| word)
    }

    pub fn fate(&self, at: Time) -> Fate {
        holds(&self.fates, at).copied().unwrap_or(Fate::Going)
    }
}

impl Flow {
    pub fn stand(&self, at: Time) -> Stand {
        holds(&self.stands, at).copied().unwrap_or(Stand::Going)
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let World { generation, trouble, lag, gone, rights, component_type, .. } = self;
        writeln!(f, "  {generation:?} {component_type} {rights:?} trouble {trouble} lag {lag:?} gone {gone:?}")?;
        for flow in &self.flows {
            let Flow { id, what, approve_all, stands, persons, hidden, is_never_whole, .. } = flow;
            writeln!(f, "  {id} {what:?} approve-all {approve_all} never whole {is_never_whole} hidden {hidden:?}")?;
            writeln!(f, "    {stands:?} persons {persons:?}")?;
        }
        for deploy in &self.deploys {
            let Deploy { id, build, kind, flow, is_other, created, fates, .. } = deploy;
            writeln!(f, "  {id} {created} of flow {} {build} {kind} other {is_other} {fates:?}", flow + 1)?;
            let words: Vec<_> = deploy.words.iter().map(|(at, word, _)| format!("{at} {word:?}")).collect();
            writeln!(f, "    {}", words.join(", "))?;
        }
        Ok(())
    }
}
