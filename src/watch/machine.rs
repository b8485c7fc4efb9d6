//! One watch, from the first look to its ending: what all looks share.
//!
//! A look asks for several things, one after the other. What a look does is written down once, as if all answers were there
//! already ([`Watch::settle`] and what it calls): where an answer is missing, it stops and says what to ask for. When the
//! answer has come, the look is gone through again, from the beginning and from what was known before it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::outcome::Ending;
use crate::judge::document::Parts;
use crate::nuon::branch_run::Updated;
use crate::nuon::deploy::{self, Class, Deploy};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::{DeployId, InstallComponentId, WorkflowId};
use crate::nuon::look::{Look, Miss};
use crate::nuon::workflow::{Stage, Workflow};
use crate::text::format;
use crate::watch::decision::Asked;
use crate::watch::memory::{Member, Memory, Tracked};
use crate::watch::rules::{Rules, Scope};
use crate::watch::schedule::Schedule;
use crate::watch::step::{Ask, Change, Event, Step, StepChange};
use crate::watch::words;

/// How often it is asked where a workflow stands in its queue.
const QUEUE: Duration = Duration::from_secs(60);
/// How long an install is believed to be there, and nothing may change before it is asked for again.
const INSTALL: Duration = Duration::from_secs(60);

/// How long the last look at a whole workflow may take.
const LAST_LOOK: Duration = Duration::from_secs(30);
/// How long after the deadline one may go on that began before.
const OVERSHOOT: Duration = Duration::from_secs(2);

/// One watch, from the first look to its ending.
#[derive(Clone)]
pub struct Watch {
    pub(super) rules: Rules,
    pub(super) asked: Asked,
    schedule: Schedule,
    /// What is known.
    pub(super) memory: Memory,
    /// What was known when this look began.
    before: Memory,
    /// What was answered in this look, in order.
    pub(super) answers: Vec<(Ask, Arc<Look>)>,
    /// What was asked for and is not answered yet.
    pending: Option<Ask>,
    pub(super) now: Duration,
    /// When this look began.
    began: Duration,
    /// Until when the server wants to be left alone.
    not_before: Duration,
    looks: u32,
    /// The component of the install, as an answer has named it: an answer about another one is none.
    pub(super) install_component: Option<InstallComponentId>,
    /// The deploy that `--after` names, once it was seen.
    pub(super) baseline: Option<Deploy>,
    /// When each workflow was last changed, as far as was seen.
    changed: BTreeMap<WorkflowId, Timestamp>,
    /// The deploys of workflows that were asked for by their ids.
    pub(super) known: BTreeMap<DeployId, Known>,
    /// What was decided on last.
    pub(super) decided_on: Option<(Standing, Course)>,
    events: Vec<Event>,
}

/// What is known of a deploy that a step names.
#[derive(Clone, Hash)]
pub(super) enum Known {
    /// It is of this component, and was made then.
    Mine(Option<Timestamp>),
    /// It is of another component.
    Another,
}

/// How a look goes on or ends.
#[derive(Debug)]
pub(super) enum Move {
    /// An answer is missing.
    Ask(Ask),
    /// Look again, at this time at the latest.
    Wait(Duration),
    /// The deploy is as wanted.
    Judge(Box<Parts>),
    /// The run is over.
    End(Ending, String),
}

/// A part of a look, which goes on with a value, or not.
pub(super) type Go<T> = ControlFlow<Move, T>;

impl Hash for Watch {
    /// What decides how it goes on, given the same answers; between two looks.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.memory, &self.changed, &self.known).hash(state);
        (&self.install_component, &self.baseline, self.not_before, self.looks == 0).hash(state);
    }
}

/// What the latest deploy shows against a success: the same deploy is something else, or its workflow has made another.
fn contradiction(mine: &Deploy, latest: &Deploy) -> Option<String> {
    let (id, word) = (latest.id(), words::spoken(latest.word()));
    if id == mine.id() && latest.word() != mine.word() {
        return Some(format!("the parts of the document disagree: deploy {id} is {word} as the latest"));
    }
    is_retry(mine, latest)
        .then(|| format!("its workflow does not name deploy {id}, which is {word} and retries {}", mine.id()))
}

/// Whether the latest deploy is another of the same workflow, made after mine.
fn is_retry(mine: &Deploy, latest: &Deploy) -> bool {
    latest.retries(mine) && !latest.is_older_than(mine)
}

impl Watch {
    /// A watch that has not looked yet.
    pub fn new(rules: Rules, schedule: Schedule) -> Self {
        let asked = Asked::by(&rules);
        let (memory, before, answers, pending, now, began, not_before, looks) = Default::default();
        let (install_component, baseline, changed, known, decided_on, events) = Default::default();
        Self {
            rules,
            asked,
            schedule,
            memory,
            before,
            answers,
            pending,
            now,
            began,
            not_before,
            looks,
            install_component,
            baseline,
            changed,
            known,
            decided_on,
            events,
        }
    }

    /// What the user asked of it.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The deploy that is watched, once it was seen.
    pub fn mine(&self) -> Option<&Tracked> {
        self.memory.mine.as_ref()
    }

    /// The deploy as last seen.
    pub fn deploy(&self) -> Option<&Deploy> {
        self.mine().map(|mine| &mine.deploy)
    }

    /// Whether the deploy was already over at the first look.
    pub fn preexisting(&self) -> bool {
        self.memory.preexisting == Some(true) && self.mine().is_some()
    }

    /// What was decided on last: what the deploy and its workflow came to.
    pub fn decided_on(&self) -> Option<(Standing, Course)> {
        self.decided_on
    }

    /// How many looks there have been.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// Every change that was seen, in order.
    pub fn timeline(&self) -> &[Change] {
        &self.memory.log.timeline
    }

    /// Every change of a step that was seen, in order, of a workflow that is gated as a whole.
    pub fn steps(&self) -> &[StepChange] {
        &self.memory.log.steps
    }

    /// The deploys of a workflow that is gated as a whole, as they were last read.
    pub fn members(&self) -> &[Member] {
        &self.memory.members
    }

    /// The installs that a branch run updates, as they were last read.
    pub fn updated(&self) -> &[Updated] {
        &self.memory.updated
    }

    /// Where the workflow was when it was last seen, and its own word.
    pub fn workflow(&self) -> Option<(&Stage, &str)> {
        self.memory.workflow.stage.as_ref().map(|stage| (stage, self.memory.workflow.word.0.as_str()))
    }

    /// What has happened since this was last asked.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The step at `now`: of a new look, or, given the answer to what was asked for, of the one that is under way.
    pub fn step(&mut self, now: Duration, answer: Option<Look>) -> Step {
        self.now = now;
        match (answer, self.pending.take()) {
            (Some(answer), Some(ask)) => self.learn(ask, answer),
            _ => self.begin(),
        }
        loop {
            match self.look() {
                Move::Ask(ask) if self.is_to_wait() => {
                    self.learn(ask, Look::Missed(Miss::new("the server asks to wait")));
                }
                Move::Ask(ask) if self.is_too_late() => {
                    self.learn(ask, Look::Missed(Miss::new("the deadline has passed")));
                }
                over => return self.conclude(over),
            }
        }
    }

    /// The step at `now` of a look that nobody makes: nothing is answered, and this is why.
    pub fn step_unasked(&mut self, now: Duration, miss: &Miss) -> Step {
        self.now = now;
        self.begin();
        loop {
            match self.look() {
                Move::Ask(ask) => self.learn(ask, Look::Missed(miss.clone())),
                over => return self.conclude(over),
            }
        }
    }

    /// Whether the server has asked in this look not to be asked any more.
    fn is_to_wait(&self) -> bool {
        let asks_to_wait = |look: &Look| matches!(look, Look::Missed(miss) if miss.retry_after.is_some());
        self.answers.iter().any(|(_, look)| asks_to_wait(look))
    }

    /// Whether a look at a whole workflow, which can be long, goes on after the deadline. One that begins then has its time.
    fn is_too_late(&self) -> bool {
        let deadline = self.rules.timeout;
        let limit = if self.began >= deadline { self.began + LAST_LOOK } else { deadline + OVERSHOOT };
        self.rules.scope == Scope::Workflow && self.now > limit
    }

    fn begin(&mut self) {
        self.began = self.now;
        self.before = self.memory.clone();
        self.before.log.was_missed = std::mem::take(&mut self.before.log.is_missed);
        self.answers.clear();
        self.looks += 1;
    }

    /// The document of a deploy that was to be judged cannot be read: it is looked at again.
    pub fn unreadable(&mut self, why: &str) -> Step {
        let again = self.missed(&Miss::new(why));
        let over = self.in_time(again);
        self.conclude(over)
    }

    /// Goes through the look, with what was answered so far.
    fn look(&mut self) -> Move {
        self.memory = self.before.clone();
        let over = match self.go() {
            ControlFlow::Break(over) => over,
            ControlFlow::Continue(never) => match never {},
        };
        let over = self.in_time(over);
        match self.last_asked(over) {
            ControlFlow::Break(over) => over,
            ControlFlow::Continue(never) => match never {},
        }
    }

    fn go(&mut self) -> Go<Infallible> {
        match (self.rules.scope.clone(), self.rules.pins.workflow().cloned()) {
            (Scope::Workflow, Some(id)) => return self.whole(&id),
            (Scope::Run(run), _) => return self.branch_run(&run),
            _ => {}
        }
        let mine = self.find()?;
        self.settle(mine)
    }

    /// What is asked for before a look is over, whatever it came to.
    fn last_asked(&mut self, over: Move) -> Go<Infallible> {
        if matches!(over, Move::Ask(_)) {
            return ControlFlow::Break(over);
        }
        let over = if self.install_is_due(&over) { self.install(over)? } else { over };
        if matches!(over, Move::Wait(_)) {
            self.tell_queue()?;
        }
        let is_refused = self.answers.iter().any(|(_, look)| matches!(**look, Look::Refused(..)));
        let is_of_one = self.rules.scope == Scope::Deploy && self.rules.pins.workflow().is_some();
        if matches!(over, Move::Judge(_) | Move::End(..)) && is_of_one && !is_refused {
            // A recording tells by it which target it is of.
            let latest = self.ask(Ask::Latest)?;
            if let Some(mine) = self.memory.mine.clone() {
                let mine = self.superseded(mine)?;
                // A workflow that failed may have made a deploy that none of its steps names.
                let ended_well = matches!(self.workflow(), Some((Stage::Succeeded, _)));
                let is_over = matches!(self.workflow(), Some((Stage::Failed(_) | Stage::Parked(_), _)));
                let miss = match (&over, &*latest) {
                    // It is over or parked, and the newest of its deploys failed.
                    (Move::Judge(_), Look::Seen(latest, _))
                        if is_over && self.class(latest) == Class::Failure && is_retry(&mine.deploy, latest) =>
                    {
                        let word = words::spoken(latest.word());
                        let why = format!(
                            "deploy {} of the same workflow, which no step names, ended as {word}",
                            latest.id()
                        );
                        return ControlFlow::Break(Move::End(Ending::DeployFailed, why));
                    }
                    (Move::Judge(_), Look::Seen(latest, _)) => contradiction(&mine.deploy, latest).map(Miss::new),
                    (Move::Judge(_), Look::Missed(miss)) if !ended_well => Some(miss.clone()),
                    _ => None,
                };
                if let Some(miss) = miss {
                    let again = self.missed(&miss);
                    return ControlFlow::Break(self.in_time(again));
                }
            }
        }
        ControlFlow::Break(over)
    }

    /// The server answers the deploys of an install that is gone as if nothing were wrong, so that is asked for as well:
    /// with the first look, before a pass that comes later, and with each look while nothing changes.
    fn install_is_due(&self, over: &Move) -> bool {
        let is_new = self.looks == 1;
        let is_refused = matches!(over, Move::End(Ending::Unauthorized | Ending::Forbidden | Ending::BadAnswer, _));
        let is_old = self.before.install.at.is_none_or(|at| self.now > at + INSTALL);
        let nothing_changes = self.now >= self.memory.changed + INSTALL;
        let is_gone = self.before.install.gone.is_some();
        let is_pass = matches!(over, Move::Judge(_));
        let is_absent = self.answers.iter().any(|(ask, look)| {
            matches!(ask, Ask::Latest | Ask::Deploy(_)) && matches!(**look, Look::Absent(_)) && self.mine().is_some()
        });
        // A server that does not answer would not answer this, either.
        let is_lost = matches!(self.answers.last(), Some((ask, look)) if *ask != Ask::Install && matches!(**look, Look::Missed(_)));
        let is_lost = is_lost && !is_pass && !is_gone;
        // A branch run is of an app.
        let has_install = !matches!(self.rules.scope, Scope::Run(_));
        has_install
            && !is_refused
            && !is_lost
            && (is_new || is_gone || is_absent || is_pass && is_old || nothing_changes)
    }

    /// Asks for the install. One that the API says is not there, twice, is gone.
    pub(super) fn install(&mut self, over: Move) -> Go<Move> {
        let look = self.ask(Ask::Install)?;
        self.memory.install.at = Some(self.now);
        let (miss, before) = match &*look {
            Look::Absent(miss) => (miss, self.memory.install.gone.replace(miss.why.clone())),
            Look::Install(_) => {
                self.memory.install.gone = None;
                return ControlFlow::Continue(over);
            }
            // Whether it is there, after all, is not known.
            other if self.memory.install.gone.is_some() => (&Miss::new(words::why(other)), None),
            _ => return ControlFlow::Continue(over),
        };
        let why = format!(
            "{}; it was deleted, or --install (NUON_INSTALL_ID) or --org (NUON_ORG_ID) names another",
            miss.why
        );
        ControlFlow::Break(match (before, over) {
            (Some(_), _) => Move::End(Ending::NotFound, why),
            (None, end @ Move::End(..)) if self.now >= self.rules.timeout => end,
            (None, _) => {
                let again = self.missed(miss);
                self.in_time(again)
            }
        })
    }

    /// Tells where a workflow that has not begun stands in its queue, once a minute. Older servers do not know.
    fn tell_queue(&mut self) -> Go<()> {
        let sight = &self.memory.workflow;
        let is_due = self.before.workflow.queue_at.is_none_or(|at| self.now >= at.saturating_add(QUEUE));
        let Some(id) = sight.queued.clone().filter(|_| is_due && !self.memory.log.is_missed) else {
            return ControlFlow::Continue(());
        };
        let look = self.ask(Ask::Queue(id))?;
        // What does not answer is not asked again.
        self.memory.workflow.queue_at = Some(if let Look::Queue(..) = &*look { self.now } else { Duration::MAX });
        if let Look::Queue(position @ 1.., depth) = &*look {
            let of = if depth >= position { format!(" of {depth}") } else { String::new() };
            self.memory.note_ahead(format!("its workflow is number {position}{of} in the queue"));
        }
        ControlFlow::Continue(())
    }

    /// Takes note of an answer.
    fn learn(&mut self, ask: Ask, look: Look) {
        // Whatever was looked at: it is one server that wants to be left alone.
        self.not_before = self.not_before.max(self.now.saturating_add(look.retry_after().unwrap_or_default()));
        if let (Ask::Latest | Ask::Deploy(_), Look::Seen(deploy, _)) = (&ask, &look)
            && self.install_component.is_none()
            && (ask == Ask::Latest || deploy.component_id.is_some())
        {
            self.install_component.clone_from(&deploy.install_component_id);
        }
        let look = Arc::new(self.unless_older(look));
        if let (Ask::Latest | Ask::Deploy(_), Look::Seen(deploy, _)) = (&ask, &*self.only_of_my_component(&ask, &look))
            && self.rules.pins.baseline() == Some(deploy.id())
        {
            self.baseline = Some((**deploy).clone());
        }
        if let Look::Workflow(workflow, _) = &*look
            && self.is_of_mine(workflow)
        {
            self.events.push(Event::Workflow(Arc::clone(&look)));
        }
        self.answers.push((ask, look));
    }

    /// Whether a workflow is the one that is pinned, or that of my deploy.
    fn is_of_mine(&self, workflow: &Workflow) -> bool {
        let pinned = self.rules.pins.workflow();
        let of_mine = || self.deploy().and_then(|deploy| deploy.workflow.as_ref());
        workflow.id.is_some() && workflow.id.as_ref() == pinned.or_else(of_mine)
    }

    /// A replica that lags behind answers with a workflow as it was before: what was seen later holds.
    fn unless_older(&mut self, look: Look) -> Look {
        let (Look::Workflow(workflow, _) | Look::Run(workflow, _)) = &look else { return look };
        let Some((id, changed)) = workflow.id.clone().zip(workflow.changed()) else { return look };
        let newest = self.changed.entry(id).or_insert(changed);
        if changed < *newest {
            return Look::Missed(Miss::new("200, but the workflow is as it was before the answer before"));
        }
        *newest = changed;
        look
    }

    /// An answer about another component is none: an older path of the server answers with any deploy of the install.
    fn only_of_my_component(&self, ask: &Ask, look: &Arc<Look>) -> Arc<Look> {
        let Look::Seen(deploy, _) = &**look else { return Arc::clone(look) };
        let (known, got) = (self.install_component.as_ref(), deploy.install_component_id.as_ref());
        let is_another = known.is_some() && got.is_some() && got != known;
        Arc::new(match ask {
            Ask::Deploy(_) if is_another && deploy.component_id.is_none() => {
                Look::Another(Miss::new(format!("deploy {} is of another component of the install", deploy.id())))
            }
            Ask::Deploy(id) if !deploy.is_shown_to_be_of(known) => {
                let why = format!("the answer about deploy {id} does not show that it is of this component");
                Look::Missed(Miss { foreign: true, ..Miss::new(why) })
            }
            Ask::Latest if is_another => {
                let why = format!("deploy {} is of another component of the install", deploy.id());
                Look::Missed(Miss { foreign: true, ..Miss::new(why) })
            }
            _ => return Arc::clone(look),
        })
    }

    /// What this look was answered, or else it stops there and asks.
    pub(super) fn ask(&self, ask: Ask) -> Go<Arc<Look>> {
        self.ask_from(0, ask)
    }

    /// The same, by an answer that was given after the one to `earlier`.
    pub(super) fn ask_after(&self, earlier: &Ask, ask: Ask) -> Go<Arc<Look>> {
        self.ask_from(self.after(earlier), ask)
    }

    /// How many answers there were when this one had come.
    pub(super) fn after(&self, earlier: &Ask) -> usize {
        self.answers.iter().rposition(|(asked, _)| asked == earlier).map_or(0, |index| index + 1)
    }

    /// The same, by an answer that is not among the first ones.
    pub(super) fn ask_from(&self, index: usize, ask: Ask) -> Go<Arc<Look>> {
        let answers = self.answers.get(index..).unwrap_or_default();
        match answers.iter().find(|(asked, _)| *asked == ask) {
            Some((_, look)) => ControlFlow::Continue(self.only_of_my_component(&ask, look)),
            None => ControlFlow::Break(Move::Ask(ask)),
        }
    }

    pub(super) fn class(&self, deploy: &Deploy) -> Class {
        deploy::class(deploy, self.rules.expect, &self.rules.overrides)
    }

    /// Takes note of a change of my deploy.
    pub(super) fn note(&mut self, deploy: &Deploy, class: Class) {
        let (now, log) = (self.now, &mut self.memory.log);
        let is_same = |last: &Change| last.deploy == *deploy.id() && last.status == deploy.word();
        if log.timeline.last().is_some_and(is_same) {
            return;
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
        self.memory.has_changed |= log.timeline.last().is_some_and(|last| last.deploy == change.deploy);
        log.timeline.push(change.clone());
        log.events.push(Event::Changed(change));
        self.memory.changed = now;
    }

    /// Takes note of the steps of a workflow that begin or end.
    pub(super) fn note_steps(&mut self, workflow: &Workflow) {
        for (index, step) in workflow.steps().enumerate() {
            let id = step.id.clone().unwrap_or_else(|| format!("#{index}"));
            let word = step.word();
            let is_news = self.memory.step_words.get(&id).is_none_or(|before| before != word);
            if !is_news {
                continue;
            }
            let is_first = self.memory.step_words.insert(id, word.to_owned()).is_none();
            if is_first && matches!(word, "" | "pending" | "queued") {
                continue;
            }
            self.memory.changed = self.now;
            self.memory.log.steps.push(StepChange {
                at: self.now,
                name: step.name().into(),
                deploy: step.deploy().unwrap_or_default().into(),
                status: word.into(),
                class: step.class(),
            });
        }
    }

    /// A look that brought nothing: again, later.
    pub(super) fn missed(&mut self, miss: &Miss) -> Move {
        let log = &mut self.memory.log;
        log.is_missed = true;
        if log.missed.as_ref() != Some(&miss.why) {
            log.events.push(Event::Missed(miss.why.clone()));
            log.missed = Some(miss.why.clone());
        }
        self.again()
    }

    /// What a look comes to without the answer that it needs: the end where that is refused, else another look.
    pub(super) fn unanswered(&mut self, look: &Look) -> Move {
        match look {
            Look::Refused(ending, why) => Move::End(*ending, why.clone()),
            other => self.missed(&Miss::new(words::why(other))),
        }
    }

    /// Looks again after a while.
    pub(super) fn again(&self) -> Move {
        Move::Wait(self.rules.timeout)
    }

    /// What a look comes to: a question, the wait for the next look, which is at the deadline at the latest, or the end.
    fn conclude(&mut self, over: Move) -> Step {
        if let Move::Ask(ask) = over {
            self.pending = Some(ask.clone());
            return Step::Ask(ask);
        }
        if !self.memory.log.is_missed {
            self.memory.log.missed = None;
        }
        self.events.append(&mut self.memory.log.events);
        // Answers are large, and many watches may wait.
        (self.answers, self.before) = Default::default();
        if self.memory.changed == self.now {
            self.schedule.restart();
        }
        let until = match over {
            Move::Ask(ask) => return Step::Ask(ask),
            Move::Judge(parts) => return Step::Judge(parts),
            Move::End(ending, why) => return Step::End(ending, why),
            Move::Wait(until) => until,
        };
        let left = self.rules.timeout.saturating_sub(self.now);
        let floor = self.not_before.saturating_sub(self.now);
        if floor > left {
            let Move::End(ending, why) = self.out_of_time() else { return Step::Wait(left) };
            // Whether there is a deploy is not known either.
            let ending = if ending == Ending::NeverAppeared { Ending::Unreachable } else { ending };
            let why = format!(
                "the server asks to wait {} (Retry-After), which is past the deadline; {why}",
                format::duration(floor)
            );
            return Step::End(ending, why);
        }
        let until = until.min(self.rules.timeout);
        Step::Wait(self.schedule.next_wait().min(until.saturating_sub(self.now)).max(floor))
    }

    /// At the deadline, nothing is waited for.
    fn in_time(&self, over: Move) -> Move {
        match over {
            Move::Wait(_) if self.now >= self.rules.timeout => self.out_of_time(),
            over => over,
        }
    }

    /// The deadline has come.
    fn out_of_time(&self) -> Move {
        let (so_far, memory) = (self.so_far(), &self.memory);
        let (ending, why) = match (&memory.mine, &memory.workflow.stage) {
            _ if memory.log.is_missed => {
                let last = if memory.mine.is_some() { format!("; when last seen, {so_far}") } else { String::new() };
                let missed = memory.log.missed.as_deref().unwrap_or_default();
                (Ending::Unreachable, format!("no usable answer at the last look: {missed}{last}"))
            }
            (_, Some(Stage::Waiting(_))) => (Ending::AwaitingApproval, so_far),
            (Some(mine), _) if mine.class == Class::Unknown => {
                (Ending::UnknownStatus, words::unknown(mine.deploy.word()))
            }
            (Some(_), _) => (Ending::StillRunning, so_far),
            (None, Some(_)) => (Ending::StillRunning, so_far),
            (None, None) => (Ending::NeverAppeared, memory.log.absent.clone().unwrap_or(so_far)),
        };
        Move::End(ending, why)
    }
}
