//! Every state of the watch: breadth first over every sequence of answers that the [`model`] knows, for every combination
//! of the flags that decide, until the deadline. What is checked in each state is in [`promises`].
//!
//! The machine is the real one, and each answer is read by the code that reads the server's. What is abstracted away:
//! - Time: looks are [`STEP`] apart, which is longer than the gate waits, and the last of a few is at the deadline.
//! - Answers: of each kind there is one. That a deploy and a workflow of any words come to what one of these comes to is
//!   held by a property test (`tests/states.rs`).
//! - A workflow does not say when it was changed, and is never so large that looks are spared; there are no branch runs, and
//!   no workflow is gated as a whole.

#![allow(clippy::disallowed_methods, reason = "it counts cores")]

pub mod model;
pub mod promises;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use deploy_gate::nuon::deploy::Expect;
use deploy_gate::nuon::evidence::{Course, Standing};
use deploy_gate::watch::Watch;
use deploy_gate::watch::pin::{After, Pins, WorkflowPin};
use deploy_gate::watch::rules::{OnApproval, OnSuperseded, Rules, Scope, Until};
use deploy_gate::watch::schedule::Schedule;
use deploy_gate::watch::step::{Ask, Step};
use model::{Menu, Says, Theme, Which};
use promises::Past;

/// How far looks are apart.
pub const STEP: Duration = Duration::from_secs(30);
/// How long the gate waits between looks.
const INTERVAL: Duration = Duration::from_secs(25);

/// Which deploy is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pin {
    None,
    Workflow,
    Deploy,
    Build,
    After,
}

/// The flags that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub pin: Pin,
    pub until: Until,
    pub on_approval: OnApproval,
    pub on_superseded: Option<OnSuperseded>,
    /// Whether a deploy says which workflow it is of; no flag, but it decides as one.
    pub names_workflow: bool,
}

impl Flags {
    /// Every combination that means something of its own in a theme.
    pub fn of(theme: &Theme) -> Vec<Self> {
        let mut all = Vec::new();
        for pin in [Pin::None, Pin::Workflow, Pin::Deploy, Pin::Build, Pin::After] {
            let (on_approval, on_superseded, names_workflow) = (OnApproval::Wait, None, theme.names_workflow);
            let plain = Self { pin, until: Until::Deploy, on_approval, on_superseded, names_workflow };
            for until in [Until::Applied, Until::Deploy, Until::Workflow] {
                all.push(Self { until, ..plain });
                if theme.name == "people" {
                    all.push(Self { until, on_approval: OnApproval::Stop, ..plain });
                }
            }
            if theme.name == "other deploys" {
                let policies = [OnSuperseded::Finish, OnSuperseded::Stop, OnSuperseded::Follow];
                all.extend(policies.map(|policy| Self { on_superseded: Some(policy), ..plain }));
            }
        }
        all
    }

    /// The last of so many looks is at the deadline.
    fn rules(self, looks: u32) -> Rules {
        let timeout = STEP * (looks - 1);
        let pins = Pins::default();
        let pins = match self.pin {
            Pin::None => pins,
            Pin::Workflow => Pins { workflow: Some(WorkflowPin::Id(Which::Mine.flow())), ..pins },
            Pin::Deploy => Pins { deploy: Some(Which::Mine.id()), ..pins },
            Pin::Build => Pins { build: Some(Which::Mine.build()), ..pins },
            Pin::After => Pins { after: Some(After::Time(model::BEGAN.parse().expect("a time"))), ..pins },
        };
        Rules {
            scope: Scope::Deploy,
            pins,
            began: model::BEGAN.parse().ok(),
            expect: Expect::Apply,
            overrides: Vec::new(),
            on_superseded: self.on_superseded,
            on_approval: self.on_approval,
            until: self.until,
            workflow_is_judged: false,
            document_is_needed: false,
            timeout,
            appear_timeout: timeout.saturating_sub(STEP),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// States in which the gate waits for its next look.
    pub states: usize,
    /// Answers that were given.
    pub transitions: usize,
    /// Looks, at most.
    pub depth: usize,
    /// What was decided on.
    pub rows: BTreeSet<String>,
    /// How the run ended, and how often.
    pub ends: HashMap<String, usize>,
    /// Promises that were broken, with the answers that led there.
    pub broken: Vec<String>,
}

impl Found {
    pub fn join(&mut self, other: Self) {
        self.states += other.states;
        self.transitions += other.transitions;
        self.depth = self.depth.max(other.depth);
        self.rows.extend(other.rows);
        self.broken.extend(other.broken);
        other.ends.into_iter().for_each(|(end, count)| *self.ends.entry(end).or_default() += count);
    }
}

/// A watch that waits for its next look, and what of its past is needed to judge it.
#[derive(Clone)]
struct State {
    watch: Watch,
    past: Past,
    now: Duration,
    /// What was answered to come here.
    story: Arc<Story>,
}

/// What is asked and answered in a look.
pub type Trail = Vec<(Ask, Says)>;

/// The looks that led to a state.
#[derive(Default)]
struct Story {
    before: Option<Arc<Story>>,
    now: Duration,
    trail: Trail,
}

impl Story {
    fn told(&self) -> String {
        let before = self.before.as_ref().map(|before| before.told()).unwrap_or_default();
        let answers = self.trail.iter().map(|(ask, says)| format!("\n      {ask:?}: {says:?}")).collect::<String>();
        format!("{before}\n  at {:?}{answers}", self.now)
    }
}

/// Every state that these flags lead to.
pub fn explore(flags: Flags, menu: &Menu, looks: u32) -> Found {
    let start = State {
        watch: Watch::new(flags.rules(looks), Schedule::new(INTERVAL, INTERVAL, 1)),
        past: Past::default(),
        now: Duration::ZERO,
        story: Arc::default(),
    };
    let (mut found, mut seen, mut frontier) = (Found::default(), HashSet::new(), vec![start]);
    while !frontier.is_empty() {
        found.depth += 1;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = frontier.len().div_ceil(threads);
        let parts: Vec<(Found, HashMap<u128, State>)> = std::thread::scope(|scope| {
            let running: Vec<_> =
                frontier.chunks(share).map(|states| scope.spawn(move || expand(states, flags, menu))).collect();
            running.into_iter().map(|part| part.join().expect("no panic")).collect()
        });
        frontier.clear();
        for (part, states) in parts {
            found.join(part);
            for (key, state) in states {
                if seen.insert(key) {
                    found.states += 1;
                    frontier.push(state);
                }
            }
        }
    }
    found
}

/// Every look that can follow these states.
fn expand(states: &[State], flags: Flags, menu: &Menu) -> (Found, HashMap<u128, State>) {
    let (mut found, mut next) = (Found::default(), HashMap::new());
    for state in states {
        let mut watch = state.watch.clone();
        let step = watch.step(state.now, None);
        let mut open: Vec<(Watch, Step, Trail)> = vec![(watch, step, Vec::new())];
        while let Some((mut watch, step, trail)) = open.pop() {
            if let Some((standing, course)) = watch.decided_on() {
                found.rows.insert(row(standing, course));
            }
            if let Step::Ask(ask) = step {
                let answers = menu.answers(&ask);
                assert!(!answers.is_empty(), "nothing answers {ask:?}: {}", state.story.told());
                for answer in answers {
                    let mut watch = watch.clone();
                    let step = watch.step(state.now, Some(answer.look.clone()));
                    let mut trail = trail.clone();
                    trail.push((ask.clone(), answer.says));
                    found.transitions += 1;
                    open.push((watch, step, trail));
                }
                continue;
            }
            let look = promises::Look { flags, now: state.now, past: &state.past, trail: &trail, watch: &watch };
            if let Some(promise) = look.broken(&step) {
                let events = format!("{:?}", watch.clone().events());
                found.broken.push(format!("{promise}\n{flags:?}\n{events}{}", story(state, trail.clone()).told()));
            }
            match step {
                Step::Wait(wait) => {
                    let past = look.past();
                    let _ = watch.events();
                    // The last wait is cut.
                    let now = (state.now + STEP.max(wait)).min(watch.rules().timeout.max(state.now + wait));
                    let state = State { story: story(state, trail), watch, past, now };
                    next.entry(key(&state)).or_insert(state);
                }
                step => *found.ends.entry(ended(&step)).or_default() += 1,
            }
        }
    }
    (found, next)
}

fn story(state: &State, trail: Trail) -> Arc<Story> {
    Arc::new(Story { before: Some(Arc::clone(&state.story)), now: state.now, trail })
}

fn ended(step: &Step) -> String {
    match step {
        Step::Judge(_) => "judged".into(),
        Step::End(ending, _) => format!("{ending:?}"),
        Step::Wait(_) | Step::Ask(_) => "goes on".into(),
    }
}

pub fn row(standing: Standing, course: Course) -> String {
    format!("{standing:?} {course:?}")
}

/// What a state is told from others by.
fn key(state: &State) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, state.now, &state.past).hash(&mut hasher);
        state.watch.hash(&mut hasher);
        hasher.finish()
    };
    u128::from(half(0)) << 64 | u128::from(half(1))
}
