//! What all states share: rules, time, log, and the one step.

use std::time::Duration;

use crate::base::outcome::Ending;
use crate::nuon::deploy::{self, Class, Deploy, Expect};
use crate::nuon::id::{InstallComponentId, WorkflowId};
use crate::nuon::look::{Look, Miss};
use crate::nuon::workflow::{Stage, Workflow};
use crate::text::format;
use crate::watch::decision::Asked;
use crate::watch::rules::Rules;
use crate::watch::schedule::Schedule;
use crate::watch::state::{Readable, Sight, State, Tracked};
use crate::watch::step::{Ask, Change, Event, Step};
use crate::watch::words::{self, is_over, why};

/// How often the workflow is looked at while the status of the deploy stays the same.
const BESIDE: Duration = Duration::from_secs(60);

/// One watch, from the first look to its ending.
pub struct Watch {
    pub(super) rules: Rules,
    pub(super) asked: Asked,
    pub(super) state: State,
    pub(super) schedule: Schedule,
    /// Until when the server wants to be left alone.
    pub(super) not_before: Duration,
    /// The component of the install, as the latest deploy names it: an answer about another one is none.
    pub(super) install_component: Option<InstallComponentId>,
    pub(super) baseline: Baseline,
    /// What the first look that was answered said: whether the deploy was already over.
    pub(super) preexisting: Option<bool>,
    pub(super) looks: u32,
    pub(super) log: Log,
}

/// The deploy that `--after` names.
pub(super) enum Baseline {
    /// It has not been seen. Whether it was not there when it was asked for; the second time ends the run.
    Unknown { is_absent: bool },
    /// It was seen.
    Known(Box<Deploy>),
}

/// What was seen and said.
#[derive(Default)]
pub(super) struct Log {
    pub(super) timeline: Vec<Change>,
    pub(super) events: Vec<Event>,
    /// Why there is nothing to watch, as it was last said.
    pub(super) absent: Option<String>,
    /// Why the last look brought nothing, if so.
    pub(super) missed: Option<String>,
}

/// The next state, and what to do.
pub(super) type Move = (State, Step);

impl Watch {
    /// A watch that has not looked yet.
    pub fn new(rules: Rules, schedule: Schedule) -> Self {
        let (state, not_before, install_component, preexisting, looks, log) = Default::default();
        let (asked, baseline) = (Asked::by(&rules), Baseline::Unknown { is_absent: false });
        Self { rules, asked, state, schedule, not_before, install_component, baseline, preexisting, looks, log }
    }

    /// What the user asked of it.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The deploy that is watched, once it was seen.
    pub fn mine(&self) -> Option<&Tracked> {
        self.state.mine()
    }

    /// The deploy as last seen.
    pub fn deploy(&self) -> Option<&Deploy> {
        self.mine().map(|mine| &mine.deploy)
    }

    /// Whether the deploy was already over at the first look.
    pub fn preexisting(&self) -> bool {
        self.preexisting == Some(true) && self.mine().is_some()
    }

    /// How many looks at deploys there have been.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// Every change that was seen, in order.
    pub fn timeline(&self) -> &[Change] {
        &self.log.timeline
    }

    /// What has happened since this was last asked.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.log.events)
    }

    /// The move at `now`, given what came of the look that was asked for, if one was.
    pub fn step(&mut self, now: Duration, look: Option<Look>) -> Step {
        let Some(look) = look else { return Step::Ask(self.state.ask()) };
        let look = self.only_of_my_component(look);
        // Whatever was looked at: it is one server that wants to be left alone.
        self.not_before = self.not_before.max(now.saturating_add(look.retry_after().unwrap_or_default()));
        let (state, step) = match std::mem::take(&mut self.state) {
            State::Seeking(seeking) => self.seek(seeking, now, look),
            State::Tracking(tracking) => self.track(tracking, now, look),
            State::Completing(completing) => self.complete(completing, now, look),
        };
        self.state = state;
        step
    }

    /// An answer about another component is none: an older path of the server answers with any deploy of the install.
    fn only_of_my_component(&mut self, look: Look) -> Look {
        let Look::Seen(deploy, whole) = look else { return look };
        let (known, got) = (self.install_component.as_ref(), deploy.install_component_id.as_ref());
        let why = match self.state.ask() {
            Ask::Deploy(id) if !deploy.is_shown_to_be_of(known) => {
                format!("the answer about deploy {id} does not show that it is of this component")
            }
            Ask::Latest if known.is_some() && got.is_some() && got != known => {
                format!("deploy {} is of another component of the install", deploy.id())
            }
            Ask::Latest if known.is_none() => {
                self.install_component = got.cloned();
                return Look::Seen(deploy, whole);
            }
            _ => return Look::Seen(deploy, whole),
        };
        Look::Missed(Miss { foreign: true, ..Miss::new(why) })
    }

    pub(super) fn ask(&self, state: State) -> Move {
        let ask = state.ask();
        (state, Step::Ask(ask))
    }

    pub(super) fn class(&self, deploy: &Deploy) -> Class {
        deploy::class(deploy, self.rules.expect, &self.rules.overrides)
    }

    pub(super) fn is_meant(&self, deploy: &Deploy) -> bool {
        let is_of_kind = self.rules.expect == Expect::Apply || deploy.is_teardown();
        is_of_kind && self.rules.pins.hold(deploy) && !self.was_before(deploy)
    }

    /// Whether it is not shown that this deploy was made after the one that `--after` names.
    pub(super) fn was_before(&self, deploy: &Deploy) -> bool {
        let is_after = match &self.baseline {
            Baseline::Known(baseline) => baseline.is_older_than(deploy),
            Baseline::Unknown { .. } => false,
        };
        self.rules.pins.baseline().is_some() && !is_after
    }

    /// Takes note of a deploy that was seen, whichever it is.
    pub(super) fn sight(&mut self, deploy: &Deploy) {
        self.preexisting.get_or_insert(is_over(self.class(deploy)));
        if self.rules.pins.baseline() == Some(deploy.id()) {
            self.baseline = Baseline::Known(Box::new(deploy.clone()));
        }
    }

    /// Takes note of a change of my deploy: whether there is one.
    pub(super) fn note(&mut self, now: Duration, deploy: &Deploy, class: Class) -> bool {
        let log = &mut self.log;
        let is_same = |last: &Change| last.deploy == *deploy.id() && last.status == deploy.word();
        if log.timeline.last().is_some_and(is_same) {
            return false;
        }
        let change = Change {
            at: now,
            deploy: deploy.id().clone(),
            status: deploy.word().into(),
            class,
            description: deploy.description().into(),
        };
        if class == Class::Unknown && !log.timeline.iter().any(|past| past.status == change.status) {
            log.events.push(Event::Warning(format!("{}, so the gate keeps waiting", words::unknown(deploy.word()))));
        }
        log.timeline.push(change.clone());
        log.events.push(Event::Changed(change));
        self.schedule.restart();
        true
    }

    /// Takes note of where a workflow is.
    pub(super) fn enter(&mut self, sight: &mut Sight, workflow: &Workflow) -> Stage {
        let stage = workflow.stage();
        if sight.stage.as_ref() != Some(&stage)
            && let Stage::Waiting(what) = &stage
        {
            self.log.events.push(Event::Person(what.clone()));
        }
        sight.stage = Some(stage.clone());
        stage
    }

    /// Says once that the workflow cannot be read. What was refused is not asked for again beside the deploy.
    pub(super) fn cannot_read(&mut self, sight: &mut Sight, workflow: &WorkflowId, look: Look) {
        // One that is not there may only not be there yet.
        let may_come = matches!(look, Look::Missed(_) | Look::Absent(_));
        let readable = if may_come { Readable::NotNow } else { Readable::Never };
        let words = format!("the workflow {workflow} cannot be read: {}", why(look));
        match (sight.readable, readable) {
            (Readable::Yes, Readable::NotNow) => self.log.events.push(Event::Note(words)),
            (Readable::Yes | Readable::NotNow, Readable::Never) => self.log.events.push(Event::Warning(words)),
            _ => {}
        }
        sight.readable = readable;
    }

    /// Whether the workflow is to be looked at again.
    pub(super) fn is_due(sight: &Sight, now: Duration) -> bool {
        sight.at.is_none_or(|at| now >= at + BESIDE) || sight.over_since.is_some()
    }

    pub(super) fn miss(&mut self, why: &str) {
        if self.log.missed.as_deref() != Some(why) {
            self.log.events.push(Event::Missed(why.into()));
            self.log.missed = Some(why.into());
        }
    }

    /// A look that brought nothing: the deploy is looked at again.
    pub(super) fn missed(&mut self, state: State, now: Duration, miss: &Miss) -> Move {
        self.miss(&miss.why);
        self.wait(state.at_deploy(), now, self.rules.timeout)
    }

    /// Looks at the deploy again after a while.
    pub(super) fn again(&mut self, state: State, now: Duration) -> Move {
        let timeout = self.rules.timeout;
        let until = if state.mine().is_some() { timeout } else { self.rules.appear_timeout.min(timeout) };
        self.wait(state.at_deploy(), now, until)
    }

    /// Waits for the next look, which is at `until` at the latest; at the deadline, the end.
    pub(super) fn wait(&mut self, state: State, now: Duration, until: Duration) -> Move {
        let left = self.rules.timeout.saturating_sub(now);
        let floor = self.not_before.saturating_sub(now);
        if left.is_zero() {
            let (ending, why) = self.out_of_time(&state);
            return (state, Step::End(ending, why));
        }
        if floor > left {
            let (ending, why) = self.out_of_time(&state);
            // Whether there is a deploy is not known either.
            let ending = if ending == Ending::NeverAppeared { Ending::Unreachable } else { ending };
            let why = format!(
                "the server asks to wait {} (Retry-After), which is past the deadline; {why}",
                format::duration(floor)
            );
            return (state, Step::End(ending, why));
        }
        let wait = self.schedule.next_wait().min(until.saturating_sub(now)).max(floor);
        (state, Step::Wait(wait))
    }

    fn out_of_time(&self, state: &State) -> (Ending, String) {
        let so_far = self.told(state);
        if let Some(missed) = &self.log.missed {
            let last = if state.mine().is_some() { format!("; when last seen, {so_far}") } else { String::new() };
            return (Ending::Unreachable, format!("no usable answer at the last look: {missed}{last}"));
        }
        match (state.mine(), &state.workflow().stage) {
            (_, Some(Stage::Waiting(_))) => (Ending::AwaitingApproval, so_far),
            (Some(mine), _) if mine.class == Class::Unknown => {
                (Ending::UnknownStatus, words::unknown(mine.deploy.word()))
            }
            (Some(_), _) => (Ending::StillRunning, so_far),
            (None, _) => (Ending::NeverAppeared, self.log.absent.clone().unwrap_or(so_far)),
        }
    }
}
