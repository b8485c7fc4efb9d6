//! The state machine of one watch: a function of (time, look). It does not sleep, ask or print.
//!
//! *Latest* is a moving word, so the watch first seeks the deploy that is meant, then stays with it: through a retry in
//! its workflow, through a newer deploy that takes its place, until it has settled and its document is whole.

pub mod pin;
pub mod schedule;

use std::time::Duration;

use jiff::Timestamp;

use crate::base::outcome::Ending;
use crate::judge::document::Parts;
use crate::nuon::deploy::{self, Class, Deploy, Expect, Override};
use crate::nuon::look::{Look, Miss, Whole};
use crate::nuon::workflow::{Stage, Verification, Workflow};
use crate::text::format;
use crate::watch::pin::Pins;
use crate::watch::schedule::Schedule;

/// How often the workflow is looked at while the status of the deploy stays the same.
const BESIDE: Duration = Duration::from_secs(60);
/// How long a workflow that a deploy names may not be there: replicas lag.
const LAG: Duration = Duration::from_secs(30);
/// What is said of a failure at which the workflow is parked.
const A_PERSON_CAN: &str = "; a person can retry it";
/// How long what is asked for beside a deploy that has settled may keep failing before the gate goes on without it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the user asked of the watch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which deploy is meant.
    pub pins: Pins,
    /// When the run began, by the calendar.
    pub began: Option<Timestamp>,
    /// What success is.
    pub expect: Expect,
    /// Rows of the status table that are read otherwise.
    pub overrides: Vec<Override>,
    /// What a newer deploy does to the one that is watched, if the user said so.
    pub on_superseded: Option<OnSuperseded>,
    /// What the need for a person does.
    pub on_approval: OnApproval,
    /// What must have ended.
    pub until: Until,
    /// Whether something is asserted about the workflow, which then must have ended.
    pub workflow_is_judged: bool,
    /// Whether anything is asked of the document at all.
    pub document_is_needed: bool,
    /// When the run ends at the latest, since its start.
    pub timeout: Duration,
    /// How long the deploy may take to show up at all, since the start.
    pub appear_timeout: Duration,
}

impl Rules {
    /// What a newer deploy does: one that nobody else's can be taken for is watched to its end.
    fn on_superseded(&self) -> OnSuperseded {
        let unsaid = if self.pins.identify() { OnSuperseded::Finish } else { OnSuperseded::Follow };
        self.on_superseded.unwrap_or(unsaid)
    }
}

/// What to do when a newer deploy replaces the one being watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnSuperseded {
    /// Watch mine to its end, by its id.
    Finish,
    /// Stop, with exit code 5.
    Stop,
    /// Watch the newer one; what it replaced must succeed, too.
    Follow,
}

/// What to do when a person must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OnApproval {
    /// Keep waiting.
    #[default]
    Wait,
    /// Stop, with exit code 4.
    Stop,
}

/// How far the deploy must have got before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Until {
    /// At its first success status, before its health is verified.
    Applied,
    /// When its workflow has verified its health, if it does so.
    #[default]
    Deploy,
    /// When its whole workflow has finished, which must succeed.
    Workflow,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The latest deploy.
    Latest,
    /// The deploy of this id.
    Deploy(String),
    /// The workflow of this id.
    Workflow(String),
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Wait, then step again without a look.
    Wait(Duration),
    /// Look at this.
    Ask(Ask),
    /// The deploy has settled well: judge its document.
    Judge(Box<Parts>),
    /// It is over.
    End(Ending, String),
}

/// Something that happened, for whoever watches the watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The deploy or its status is another.
    Changed(Change),
    /// There is nothing to watch yet; the words are new.
    Absent(String),
    /// No usable answer; the words are new.
    Missed(String),
    /// A person must act; said once for each thing to do.
    Person(String),
    /// Something that the user should know, said once.
    Warning(String),
    /// Something that helps to understand what follows.
    Note(String),
}

/// A point of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Since the start of the run.
    pub at: Duration,
    /// Id of the deploy.
    pub deploy: String,
    /// The server's word, `""` where `status_v2` is absent.
    pub status: String,
    /// What it means to the gate.
    pub class: Class,
    /// The server's words for people.
    pub description: String,
}

/// What the next look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Where the deploy is.
    Deploy,
    /// The deploy that `--deploy` names, since the latest is another.
    Named,
    /// The deploy that `--after` names: what is older than it is not meant either.
    Baseline,
    /// A deploy that was left for a newer one, before that may pass.
    Left,
    /// And its workflow.
    LeftWorkflow,
    /// Whether a deploy that is watched by its id goes on as another, which is the latest.
    Retry,
    /// What goes on beside a deploy that has not settled.
    Beside,
    /// Whether a failure is final.
    Finality,
    /// The deploy by its id, for its document.
    Detail,
    /// The whole workflow, for the document.
    Whole,
}

/// Whether the workflow can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readable {
    Yes,
    /// It could not be, but may be again.
    NotNow,
    /// The server has refused it.
    Never,
}

/// A deploy that was left for a newer one.
struct LeftBehind {
    id: String,
    workflow: String,
    /// Whether it was seen to have succeeded, so that only its workflow can take that back.
    has_succeeded: bool,
    /// Whether it was not there when it was asked for; the second time it plays no part.
    is_absent: bool,
    /// Whether it was seen to go on.
    goes_on: bool,
}

/// One watch, from the first look to its ending.
pub struct Watch {
    rules: Rules,
    schedule: Schedule,
    goal: Goal,
    /// The deploy that is meant, once it was seen.
    mine: Option<(Deploy, Class)>,
    /// Whether it is no longer the latest, so that it is watched by its id.
    by_id: bool,
    /// The component of the install, as the latest deploy names it: an answer about another one is none.
    install_component: String,
    superseded_by: Option<String>,
    /// The deploy that `--after` names, once it was seen.
    baseline: Option<Box<Deploy>>,
    /// Whether there was no such deploy when it was asked for; the second time ends the run.
    baseline_is_absent: bool,
    /// The deploys that were left for a newer one and may still fail, the oldest first.
    left: Vec<LeftBehind>,
    /// The deploy that was left last.
    followed: Option<String>,
    /// What was last seen at the latest in place of mine, and what that look came to.
    other: Option<(Deploy, Whole)>,
    latest: Miss,
    absent: Option<String>,
    missed: Option<String>,
    /// What the first look that was answered said: whether the deploy was already over.
    preexisting: Option<bool>,
    looks: u32,
    /// Until when the server wants to be left alone.
    not_before: Duration,
    /// When the workflow was last looked at, and where it was.
    beside_at: Option<Duration>,
    stage: Option<Stage>,
    readable: Readable,
    /// Since when the workflow is seen to have ended while the deploy has not; a later look decides.
    orphaned: Option<Duration>,
    /// Since when what is asked for beside a deploy that has settled keeps failing.
    failing_since: Option<Duration>,
    /// Since when the workflow of a success is not there.
    absent_since: Option<Duration>,
    /// Since when the deploy itself cannot be looked at.
    lost_since: Option<Duration>,
    /// Whether the deploy waits for its workflow only.
    only_workflow: bool,
    parts: Parts,
    timeline: Vec<Change>,
    events: Vec<Event>,
}

impl Watch {
    /// A watch that has not looked yet.
    pub fn new(rules: Rules, schedule: Schedule) -> Self {
        Self {
            rules,
            schedule,
            goal: Goal::Deploy,
            mine: None,
            by_id: false,
            install_component: String::new(),
            superseded_by: None,
            baseline: None,
            baseline_is_absent: false,
            left: Vec::new(),
            followed: None,
            other: None,
            latest: Miss::default(),
            absent: None,
            missed: None,
            preexisting: None,
            looks: 0,
            not_before: Duration::ZERO,
            beside_at: None,
            stage: None,
            readable: Readable::Yes,
            orphaned: None,
            failing_since: None,
            absent_since: None,
            lost_since: None,
            only_workflow: false,
            parts: Parts::default(),
            timeline: Vec::new(),
            events: Vec::new(),
        }
    }

    /// What the user asked of it.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The deploy as last seen.
    pub fn deploy(&self) -> Option<&(Deploy, Class)> {
        self.mine.as_ref()
    }

    /// Whether the deploy was already over at the first look.
    pub fn preexisting(&self) -> bool {
        self.preexisting == Some(true) && self.mine.is_some()
    }

    /// The deploy that took the place of the one being watched.
    pub fn superseded_by(&self) -> Option<&str> {
        self.superseded_by.as_deref()
    }

    /// The deploy in whose place the one that is watched was taken, with `--on-superseded follow`.
    pub fn followed(&self) -> Option<&str> {
        self.followed.as_deref()
    }

    /// How many looks at deploys there have been.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// Every change that was seen, in order.
    pub fn timeline(&self) -> &[Change] {
        &self.timeline
    }

    /// What has happened since this was last asked.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What is known, in a sentence.
    pub fn so_far(&self) -> String {
        let Some((deploy, class)) = &self.mine else {
            return match &self.other {
                Some((other, _)) => format!("the deploy you asked for has not appeared; the latest is {}", other.id()),
                None => "no deploy seen yet".into(),
            };
        };
        let nothing = if *class == Class::NothingToDo { ": nothing to do" } else { "" };
        let read_as = self.read_as(deploy.word());
        let waits = match &self.stage {
            Some(Stage::Running(what) | Stage::Waiting(what) | Stage::Parked(what))
                if !is_over(*class) || self.only_workflow =>
            {
                format!(", {what}")
            }
            _ => String::new(),
        };
        let left = match self.left.first() {
            Some(left) if left.goes_on => format!(", deploy {}, which it replaced, is still running", left.id),
            _ => String::new(),
        };
        format!("deploy {} is {}{read_as}{nothing}{waits}{left}", deploy.id(), spoken(deploy.word()))
    }

    /// Where the user told the gate to read the server otherwise, the verdict says so.
    fn read_as(&self, word: &str) -> String {
        let by_user = self.rules.overrides.iter().rev().find(|row| row.status == word);
        let by_user = by_user.map(|row| format!(" (read as {}: --status)", row.class.name()));
        let is_applied = self.rules.until == Until::Applied;
        let applied = is_applied.then(|| " (its health is not verified: --until applied)".to_owned());
        let is_good = self.mine.as_ref().is_some_and(|(_, class)| *class == Class::Success);
        by_user.into_iter().chain(applied.filter(|_| is_good)).collect()
    }

    /// The move at `now`, given what came of the look that was asked for, if one was.
    pub fn step(&mut self, now: Duration, look: Option<Look>) -> Step {
        let Some(look) = look else { return self.ask(self.goal) };
        let look = self.only_what_was_asked_for(look);
        // Whatever was looked at: it is one server that wants to be left alone.
        self.not_before = self.not_before.max(now.saturating_add(look.retry_after().unwrap_or_default()));
        match self.goal {
            Goal::Deploy => {
                self.looks += 1;
                self.be_patient_while_lost(now, &look);
                match look {
                    Look::Refused(ending, why) => Step::End(ending, why),
                    Look::Seen(deploy, bytes) => self.seen(now, *deploy, bytes),
                    Look::Absent(miss) if self.mine.is_none() => {
                        self.preexisting.get_or_insert(false);
                        self.other = None;
                        self.seek(now, miss)
                    }
                    Look::Absent(miss) | Look::Missed(miss) => self.missed(now, miss),
                    Look::Workflow(..) => self.missed(now, strange()),
                }
            }
            Goal::Named => self.named(now, look),
            Goal::Baseline => self.baseline(now, look),
            Goal::Left => self.left(now, look),
            Goal::LeftWorkflow => self.workflow_of_left(now, look),
            Goal::Retry => match look {
                Look::Seen(deploy, bytes) if self.is_retry(&deploy) => {
                    self.by_id = false;
                    self.superseded_by = None;
                    self.follow_retry(now, *deploy, bytes)
                }
                Look::Refused(ending, why) => Step::End(ending, why),
                Look::Missed(miss) if self.is_patient(now) => self.missed(now, miss),
                _ => self.go_on(now),
            },
            Goal::Beside => self.beside(now, look),
            Goal::Finality => self.finality(now, look),
            Goal::Detail => self.detail(now, look),
            Goal::Whole => self.whole(now, look),
        }
    }

    /// An answer that is about something else is none: about another deploy than was asked for by its id, or about another
    /// component, since an older path of the server answers with any deploy of the install.
    fn only_what_was_asked_for(&mut self, look: Look) -> Look {
        let Look::Seen(deploy, bytes) = look else { return look };
        let known = self.install_component.as_str();
        let why = match self.ask_of(self.goal) {
            Ask::Deploy(id) if !deploy.is_shown_to_be_of(known) => {
                format!("the answer about deploy {id} does not show that it is of this component")
            }
            Ask::Latest
                if !known.is_empty()
                    && !deploy.install_component().is_empty()
                    && deploy.install_component() != known =>
            {
                format!("deploy {} is of another component of the install", deploy.id())
            }
            Ask::Latest if known.is_empty() => {
                self.install_component = deploy.install_component().into();
                return Look::Seen(deploy, bytes);
            }
            _ => return Look::Seen(deploy, bytes),
        };
        Look::Missed(Miss { foreign: true, ..Miss::new(why) })
    }

    fn ask(&mut self, goal: Goal) -> Step {
        self.goal = goal;
        Step::Ask(self.ask_of(goal))
    }

    fn ask_of(&self, goal: Goal) -> Ask {
        let mine = || self.mine_id().to_owned();
        match goal {
            Goal::Deploy if self.by_id => Ask::Deploy(mine()),
            Goal::Deploy | Goal::Retry => Ask::Latest,
            Goal::Named => Ask::Deploy(self.rules.pins.deploy.clone().unwrap_or_default()),
            Goal::Baseline => Ask::Deploy(self.rules.pins.baseline().unwrap_or_default().into()),
            Goal::Left => Ask::Deploy(self.left.first().map(|left| left.id.clone()).unwrap_or_default()),
            Goal::Detail => Ask::Deploy(mine()),
            Goal::LeftWorkflow => {
                Ask::Workflow(self.left.first().map(|left| left.workflow.clone()).unwrap_or_default())
            }
            Goal::Beside | Goal::Finality | Goal::Whole => Ask::Workflow(self.workflow()),
        }
    }

    /// The workflow of my deploy, or the one that is pinned; `""` if neither is known.
    /// The id of the deploy that is watched, or `""`.
    fn mine_id(&self) -> &str {
        self.mine.as_ref().map_or("", |(deploy, _)| deploy.id())
    }

    /// Its status, or `""`.
    fn mine_word(&self) -> &str {
        self.mine.as_ref().map_or("", |(deploy, _)| deploy.word())
    }

    fn workflow(&self) -> String {
        let own = self.mine.as_ref().map(|(deploy, _)| deploy.workflow().to_owned());
        own.or_else(|| self.rules.pins.workflow.clone()).unwrap_or_default()
    }

    fn is_meant(&self, deploy: &Deploy) -> bool {
        let is_of_kind = self.rules.expect == Expect::Apply || deploy.is_teardown();
        is_of_kind && self.rules.pins.hold(deploy) && !self.was_before(deploy)
    }

    /// What is meant, in words.
    fn meant(&self) -> String {
        let pins = self.rules.pins.to_string();
        let kind = (self.rules.expect == Expect::Teardown).then(|| "a teardown".to_owned());
        kind.into_iter().chain(Some(pins).filter(|pins| !pins.is_empty())).collect::<Vec<_>>().join(", ")
    }

    /// Whether it is not shown that this deploy was made after the one that `--after` names.
    fn was_before(&self, deploy: &Deploy) -> bool {
        self.rules.pins.baseline().is_some() && !self.baseline.as_ref().is_some_and(|base| base.is_older_than(deploy))
    }

    /// Whether it is still to be found out when the deploy that `--after` names was made.
    fn baseline_is_unknown(&self) -> bool {
        self.rules.pins.baseline().is_some() && self.baseline.is_none()
    }

    /// Whether this is a retry of mine.
    fn is_retry(&self, deploy: &Deploy) -> bool {
        let retries = |(mine, _): &(Deploy, Class)| deploy.retries(mine) && !deploy.is_older_than(mine);
        self.mine.as_ref().is_some_and(retries) && !self.was_before(deploy) && self.rules.pins.hold_for_retry(deploy)
    }

    fn follow_retry(&mut self, now: Duration, retry: Deploy, bytes: Whole) -> Step {
        let mine = self.mine_id();
        self.events.push(Event::Note(format!("deploy {mine} is retried as {}", retry.id())));
        self.take(now, retry, bytes)
    }

    fn seen(&mut self, now: Duration, deploy: Deploy, bytes: Whole) -> Step {
        let over = is_over(self.class(&deploy));
        self.preexisting.get_or_insert(over);
        if self.rules.pins.baseline() == Some(deploy.id()) {
            self.baseline = Some(Box::new(deploy.clone()));
        }
        let Some((mine, _)) = &self.mine else {
            if self.baseline_is_unknown() {
                self.other = Some((deploy, bytes));
                return self.ask(Goal::Baseline);
            }
            if self.is_meant(&deploy) {
                return self.take(now, deploy, bytes);
            }
            self.preexisting = Some(false);
            let why = format!("the latest deploy is {}, not the one you asked for ({})", deploy.id(), self.meant());
            self.other = Some((deploy, bytes));
            return self.seek(now, Miss::new(why));
        };
        if mine.id() == deploy.id() {
            return self.take(now, deploy, bytes);
        }
        let why = format!("the answer is about deploy {}, not {}", deploy.id(), mine.id());
        if self.by_id || deploy.is_older_than(mine) || self.was_before(&deploy) {
            // A replica that lags behind still has the deploy before.
            return self.missed(now, Miss::new(why));
        }
        if self.is_retry(&deploy) {
            return self.follow_retry(now, deploy, bytes);
        }
        self.superseded_by = Some(deploy.id().into());
        let note = format!("deploy {} replaces {}", deploy.id(), mine.id());
        match self.rules.on_superseded() {
            OnSuperseded::Stop => Step::End(Ending::Superseded, note),
            OnSuperseded::Follow if self.is_meant(&deploy) && mine.is_older_than(&deploy) => {
                self.events.push(Event::Note(format!("{note} and is watched from now on")));
                let (id, workflow) = (mine.id().to_owned(), mine.workflow().to_owned());
                self.followed = Some(id.clone());
                // Had it been over for good, the run would have been, too.
                self.left.push(LeftBehind { id, workflow, has_succeeded: false, is_absent: false, goes_on: false });
                (self.superseded_by, self.preexisting) = (None, Some(false));
                self.take(now, deploy, bytes)
            }
            OnSuperseded::Finish | OnSuperseded::Follow => {
                self.events.push(Event::Note(format!("{note}; still watching {}", mine.id())));
                self.by_id = true;
                self.ask(Goal::Deploy)
            }
        }
    }

    /// The deploy that `--deploy` names. The latest, which was seen just before, is another.
    fn named(&mut self, now: Duration, look: Look) -> Step {
        match look {
            Look::Seen(deploy, bytes) if self.is_meant(&deploy) => {
                let other = self.other.take();
                let newer = other.filter(|(other, _)| !other.is_older_than(&deploy) && !self.was_before(other));
                match newer {
                    Some((newer, bytes)) if !is_over(self.class(&deploy)) => {
                        self.note(now, *deploy);
                        self.seen(now, newer, bytes)
                    }
                    // What it came to is known, whatever has come since.
                    newer => {
                        self.by_id = true;
                        self.superseded_by = newer.map(|(newer, _)| newer.id().into());
                        self.take(now, *deploy, bytes)
                    }
                }
            }
            Look::Refused(ending, why) => Step::End(ending, why),
            Look::Missed(miss) if miss.foreign => self.not_yet(now, miss),
            Look::Missed(miss) => self.missed(now, miss),
            _ => {
                let miss = std::mem::take(&mut self.latest);
                self.not_yet(now, miss)
            }
        }
    }

    /// The deploy that `--after` names. *Newer than X* is true of everything when X is not known.
    fn baseline(&mut self, now: Duration, look: Look) -> Step {
        let id = self.rules.pins.baseline().unwrap_or_default();
        let told =
            |why: &str| format!("the deploy {id}, which --after (DEPLOY_GATE_AFTER) names, cannot be read: {why}");
        match look {
            Look::Seen(baseline, _) => self.baseline = Some(baseline),
            Look::Refused(ending, why) => return Step::End(ending, told(&why)),
            Look::Missed(miss) if !miss.foreign => {
                let why = told(&miss.why);
                return self.missed(now, Miss { why, ..miss });
            }
            // The first time it may only not be there yet, on a replica that lags behind.
            other => {
                let why = told(&why(other));
                if std::mem::replace(&mut self.baseline_is_absent, true) {
                    return Step::End(Ending::NotFound, why);
                }
                return self.missed(now, Miss::new(why));
            }
        }
        match self.other.take() {
            Some((deploy, bytes)) => self.seen(now, deploy, bytes),
            None => self.ask(Goal::Deploy),
        }
    }

    /// A deploy that was left for the one that has succeeded: if it failed, somebody's change is not there.
    fn left(&mut self, now: Duration, look: Look) -> Step {
        let Some(left) = self.left.first_mut() else { return self.judge() };
        match look {
            Look::Seen(deploy, _) => {
                left.workflow = deploy.workflow().into();
                let class = deploy::class(&deploy, self.rules.expect, &self.rules.overrides);
                left.has_succeeded = matches!(class, Class::Success | Class::NothingToDo);
                let words = match deploy.description() {
                    "" => String::new(),
                    description => format!(": {description}"),
                };
                match class {
                    Class::Failure | Class::Parked => {
                        self.left_failed(&format!("ended as {}{words}", spoken(deploy.word())))
                    }
                    Class::NothingToDo => self.left_is_fine(),
                    Class::Success if self.rules.until == Until::Applied || left.workflow.is_empty() => {
                        self.left_is_fine()
                    }
                    _ if left.workflow.is_empty() || now < self.not_before => self.left_goes_on(now),
                    _ => self.ask(Goal::LeftWorkflow),
                }
            }
            Look::Refused(ending, why) => Step::End(ending, why),
            Look::Missed(miss) => self.missed(now, miss),
            _ if !std::mem::replace(&mut left.is_absent, true) => self.again(now),
            other => {
                let why = format!("deploy {}, which was replaced, cannot be read: {}", left.id, why(other));
                self.events.push(Event::Warning(why));
                self.left_is_fine()
            }
        }
    }

    /// The workflow of a deploy that was left: it may still verify it, or have died.
    fn workflow_of_left(&mut self, now: Duration, look: Look) -> Step {
        let Some(left) = self.left.first() else { return self.judge() };
        let workflow = match look {
            Look::Workflow(workflow, _) => workflow,
            Look::Refused(ending, why) => return Step::End(ending, why),
            Look::Missed(miss) | Look::Absent(miss) => return self.missed(now, miss),
            Look::Seen(..) => return self.missed(now, strange()),
        };
        let stage = workflow.stage();
        match workflow.verification(&left.id, &self.install_component) {
            Verification::Done if left.has_succeeded => self.left_is_fine(),
            Verification::Open(step) | Verification::Failed(step) if stage.is_over() => self.left_failed(&step),
            _ => match stage {
                Stage::Failed(how) => self.left_failed(&format!("is left behind by its workflow ({how})")),
                _ => self.left_goes_on(now),
            },
        }
    }

    fn left_is_fine(&mut self) -> Step {
        self.left.remove(0);
        self.judge()
    }

    fn left_goes_on(&mut self, now: Duration) -> Step {
        let mine = self.mine_id().to_owned();
        if let Some(left) = self.left.first_mut()
            && !std::mem::replace(&mut left.goes_on, true)
        {
            let note = format!("deploy {}, which {mine} replaced, is still running; it must succeed, too", left.id);
            self.events.push(Event::Note(note));
        }
        self.again(now)
    }

    fn left_failed(&self, how: &str) -> Step {
        let mine = self.mine_id();
        let left = self.left.first().map(|left| left.id.as_str()).unwrap_or_default();
        let why = format!("deploy {left} {how}; a later deploy, {mine}, succeeded, which does not make up for it");
        Step::End(Ending::DeployFailed, why)
    }

    fn class(&self, deploy: &Deploy) -> Class {
        deploy::class(deploy, self.rules.expect, &self.rules.overrides)
    }

    /// Takes note of where my deploy is, and decides what that calls for.
    fn take(&mut self, now: Duration, deploy: Deploy, bytes: Whole) -> Step {
        self.missed = None;
        self.only_workflow = false;
        match self.note(now, deploy) {
            Class::Success | Class::NothingToDo => {
                self.parts = Parts { seen: bytes, ..Parts::default() };
                self.ask(Goal::Detail)
            }
            _ if self.by_id && self.may_be_retried() && now >= self.not_before => self.ask(Goal::Retry),
            _ => self.go_on(now),
        }
    }

    /// Takes note of where my deploy is.
    fn note(&mut self, now: Duration, deploy: Deploy) -> Class {
        let class = self.class(&deploy);
        let last = self.timeline.last();
        if last.is_none_or(|last| last.deploy != deploy.id() || last.status != deploy.word()) {
            let change = Change {
                at: now,
                deploy: deploy.id().into(),
                status: deploy.word().into(),
                class,
                description: deploy.description().into(),
            };
            if class == Class::Unknown && !self.timeline.iter().any(|past| past.status == change.status) {
                self.events.push(Event::Warning(format!("{}, so the gate keeps waiting", unknown(deploy.word()))));
            }
            self.timeline.push(change.clone());
            self.events.push(Event::Changed(change));
            self.schedule.restart();
            (self.beside_at, self.failing_since, self.orphaned) = (None, None, None);
        }
        if self.mine.as_ref().is_none_or(|(mine, _)| mine.workflow() != deploy.workflow()) {
            (self.stage, self.readable, self.orphaned) = (None, Readable::Yes, None);
        }
        self.left.retain(|left| left.workflow.is_empty() || left.workflow != deploy.workflow());
        self.mine = Some((deploy, class));
        class
    }

    /// Whether the workflow of my deploy may go on with it, or with another in its place.
    fn may_be_retried(&self) -> bool {
        self.mine.as_ref().is_some_and(|(mine, class)| {
            let may_leave = *class == Class::Failure && matches!(mine.word(), "error" | "noop");
            !mine.workflow().is_empty() && (may_leave || matches!(class, Class::Replaced | Class::Parked))
        })
    }

    /// What a deploy that has not settled well calls for.
    fn go_on(&mut self, now: Duration) -> Step {
        let Some((deploy, class)) = &self.mine else { return self.again(now) };
        let has_workflow = !deploy.workflow().is_empty() && self.readable != Readable::Never;
        // Its workflow tells nothing of one that has settled well and is not the teardown that is awaited.
        let may_be_left_behind = !is_over(deploy::class(deploy, Expect::Apply, &self.rules.overrides));
        match class {
            Class::Failure | Class::Parked if has_workflow && self.may_be_retried() => self.ask(Goal::Finality),
            Class::Failure => self.failed(""),
            Class::Parked => self.failed(A_PERSON_CAN),
            _ => {
                let is_due = self.beside_at.is_none_or(|at| now >= at + BESIDE) || self.orphaned.is_some();
                if has_workflow && may_be_left_behind && is_due { self.ask(Goal::Beside) } else { self.again(now) }
            }
        }
    }

    fn failed(&self, more: &str) -> Step {
        let Some((deploy, _)) = &self.mine else { return Step::End(Ending::DeployFailed, more.into()) };
        let words = match deploy.description() {
            "" => String::new(),
            description => format!(": {description}"),
        };
        let verb = if is_over(self.class(deploy)) { "ended as" } else { "is left at" };
        let read_as = self.read_as(deploy.word());
        let newer = match self.superseded_by() {
            Some(newer) => format!("; {newer} has replaced it"),
            None => String::new(),
        };
        let why = format!("deploy {} {verb} {}{read_as}{words}{newer}{more}", deploy.id(), spoken(deploy.word()));
        Step::End(Ending::DeployFailed, why)
    }

    /// The workflow of a deploy that has not settled, or has not appeared.
    fn beside(&mut self, now: Duration, look: Look) -> Step {
        self.beside_at = Some(now);
        let workflow = match look {
            Look::Workflow(workflow, _) => workflow,
            other => {
                self.cannot_read(other);
                return self.again(now);
            }
        };
        let stage = self.enter(&workflow);
        let deploy = self.mine.as_ref().map(|(deploy, _)| deploy.id().to_owned());
        let (is_well, ended) = match &stage {
            Stage::Waiting(what) if self.rules.on_approval == OnApproval::Stop => {
                return approval_required(what);
            }
            Stage::Succeeded => (true, "its workflow has ended (success)".to_owned()),
            Stage::Failed(how) => (false, format!("its workflow has ended ({how})")),
            // Groups of steps run in parallel: another one may be parked.
            Stage::Parked(what) if !deploy.as_ref().is_some_and(|id| workflow.is_working_on(id)) => {
                (false, format!("{what}{A_PERSON_CAN}"))
            }
            Stage::Running(_) | Stage::Waiting(_) | Stage::Parked(_) => {
                self.orphaned = None;
                return self.again(now);
            }
        };
        // Both are read at different moments, so only a later sight counts.
        let Some(since) = self.orphaned else {
            self.orphaned = Some(now);
            return self.again(now);
        };
        let Some((_, class)) = &self.mine else {
            let ending = if is_well { Ending::NeverAppeared } else { Ending::WorkflowFailed };
            let step = workflow.culprit("").filter(|_| !is_well);
            let step = step.map_or_else(String::new, |step| format!("; step \"{}\" failed", step.name()));
            return Step::End(ending, format!("{ended} without a deploy of this component{step}"));
        };
        match class {
            Class::Unknown => Step::End(Ending::StatusUnknown, format!("{}; {ended}", self.unknown())),
            _ if !is_well => self.failed(&format!(", and {ended}")),
            _ if now < since + PATIENCE => self.again(now),
            _ => Step::End(Ending::LeftBehind, format!("{}, and {ended}", self.so_far())),
        }
    }

    /// The workflow of a deploy that failed: nobody may be about to retry it.
    fn finality(&mut self, now: Duration, look: Look) -> Step {
        self.beside_at = Some(now);
        match look {
            Look::Workflow(workflow, _) => match self.enter(&workflow) {
                Stage::Succeeded => self.failed(""),
                Stage::Failed(how) => self.failed(&format!(" (its workflow: {how})")),
                // Pipelines forgive that a person must approve, but not a failure.
                Stage::Waiting(what) if self.rules.on_approval == OnApproval::Stop => {
                    self.failed(&format!("; its retry is not approved: {what}"))
                }
                Stage::Parked(what) => self.failed(&format!("; {what}{A_PERSON_CAN}")),
                _ if now >= self.rules.timeout => self.failed(", and was not retried by the deadline"),
                _ => self.again(now),
            },
            Look::Missed(_) if self.is_patient(now) => self.again(now),
            other => {
                self.cannot_read(other);
                self.failed("")
            }
        }
    }

    /// The deploy by its id, which holds what the latest leaves out.
    fn detail(&mut self, now: Duration, look: Look) -> Step {
        let part = match look {
            Look::Seen(deploy, bytes) => {
                let same = self
                    .mine
                    .as_ref()
                    .is_some_and(|(mine, _)| mine.id() == deploy.id() && mine.word() == deploy.word());
                if !same {
                    let why = format!(
                        "the parts of the document disagree: deploy {} is {} by its id",
                        deploy.id(),
                        spoken(deploy.word())
                    );
                    return self.missed(now, Miss::new(why));
                }
                if let Some((mine, _)) = self.mine.as_mut().filter(|(mine, _)| mine.workflow().is_empty()) {
                    mine.workflow_id = deploy.workflow_id.clone();
                    mine.install_workflow_id = deploy.install_workflow_id.clone();
                }
                if self.install_component.is_empty() {
                    self.install_component = deploy.install_component().into();
                }
                Ok(bytes)
            }
            Look::Missed(miss) if miss.foreign => return self.missed(now, miss),
            Look::Missed(miss) if self.rules.document_is_needed && self.is_patient(now) => {
                return self.missed(now, miss);
            }
            other => Err(why(other)),
        };
        self.parts.deploy = Some(part);
        if now < self.not_before {
            let why = "the server asks to wait";
            let may_wait = self.rules.document_is_needed && self.is_patient(now);
            let needs_workflow = self.rules.until != Until::Applied && !self.workflow().is_empty();
            if may_wait || needs_workflow || self.rules.until == Until::Workflow {
                return self.missed(now, Miss::new(why));
            }
            return self.whole_is_unknown(Ending::Unreachable, why);
        }
        if self.workflow().is_empty() {
            return self.whole_is_unknown(Ending::NotFound, "the deploy names no workflow");
        }
        self.ask(Goal::Whole)
    }

    /// Whether the workflow must have ended before the deploy is judged.
    fn workflow_must_end(&self) -> bool {
        self.rules.until == Until::Workflow || self.rules.workflow_is_judged && self.rules.until != Until::Applied
    }

    /// Whether what keeps failing beside a deploy that has settled is to be asked for once more.
    fn is_patient(&mut self, now: Duration) -> bool {
        let since = *self.failing_since.get_or_insert(now);
        now < self.rules.timeout && now < since + PATIENCE
    }

    /// While the deploy itself cannot be looked at, patience with what is beside it does not run out.
    fn be_patient_while_lost(&mut self, now: Duration, look: &Look) {
        if matches!(look, Look::Missed(_) | Look::Absent(_)) {
            self.lost_since.get_or_insert(now);
        } else if let (Some(lost), Some(since)) = (self.lost_since.take(), &mut self.failing_since) {
            *since += now - lost;
        }
    }

    /// The workflow of a deploy that has succeeded.
    fn whole(&mut self, now: Duration, look: Look) -> Step {
        let must_end = self.workflow_must_end();
        match look {
            Look::Workflow(workflow, value) => {
                let stage = self.enter(&workflow);
                let (is_over, is_parked) = (stage.is_over(), matches!(stage, Stage::Parked(_)));
                let verification = match &self.mine {
                    Some((mine, Class::Success)) if self.rules.until != Until::Applied => {
                        workflow.verification(mine.id(), &self.install_component)
                    }
                    _ => Verification::Done,
                };
                match (stage, verification) {
                    (Stage::Failed(how) | Stage::Parked(how), _) if self.rules.until == Until::Workflow => {
                        let why = format!("{}, but its workflow has ended ({how})", self.so_far());
                        return Step::End(Ending::WorkflowFailed, why);
                    }
                    (_, Verification::Open(step) | Verification::Failed(step)) if is_over => {
                        let word = self.mine_word();
                        let id = self.mine_id();
                        let parked = if is_parked { A_PERSON_CAN } else { "" };
                        let why = format!("{step}; deploy {id} itself is {}{parked}", spoken(word));
                        return Step::End(Ending::DeployFailed, why);
                    }
                    (Stage::Waiting(what), verification)
                        if (must_end || verification != Verification::Done)
                            && self.rules.on_approval == OnApproval::Stop =>
                    {
                        return approval_required(&what);
                    }
                    (Stage::Running(_) | Stage::Waiting(_), verification)
                        if must_end || verification != Verification::Done =>
                    {
                        if !self.only_workflow {
                            let goes_on = match verification {
                                Verification::Open(step) | Verification::Failed(step) => step,
                                Verification::Done => "waiting for its workflow".into(),
                            };
                            self.events.push(Event::Note(format!("{}; {goes_on}", self.so_far())));
                        }
                        self.only_workflow = true;
                        self.missed = None;
                        return self.wait(now, self.rules.timeout);
                    }
                    _ => {}
                }
                if std::mem::take(&mut self.only_workflow) {
                    // The workflow has taken its time: the document is of one moment, so look at the deploy again.
                    return self.ask(Goal::Deploy);
                }
                self.parts.workflow = Some(Ok(value));
                self.judge()
            }
            Look::Missed(miss) if miss.foreign => self.missed(now, miss),
            Look::Missed(miss) if self.only_workflow => {
                self.miss(&miss.why);
                self.wait(now, self.rules.timeout)
            }
            Look::Missed(miss) if self.rules.until != Until::Applied => self.missed(now, miss),
            Look::Absent(miss) if self.rules.until != Until::Applied && self.may_come(now) => self.missed(now, miss),
            Look::Missed(miss) if self.rules.document_is_needed && self.is_patient(now) => self.missed(now, miss),
            Look::Refused(ending, why) => self.whole_is_unknown(ending, &why),
            Look::Missed(miss) => self.whole_is_unknown(Ending::Unreachable, &miss.why),
            other => self.whole_is_unknown(Ending::NotFound, &why(other)),
        }
    }

    /// Whether what is not there may only not be there yet: reads may lag.
    fn may_come(&mut self, now: Duration) -> bool {
        let since = *self.absent_since.get_or_insert(now);
        now < since + LAG
    }

    /// A success needs the word of its workflow, which may take it back, unless the first word of the deploy is enough.
    fn whole_is_unknown(&mut self, ending: Ending, why: &str) -> Step {
        if self.rules.until != Until::Applied && !self.workflow().is_empty() || self.rules.until == Until::Workflow {
            let hint = "where the rest of the workflow does not matter, use --until applied";
            return Step::End(ending, format!("{}, but its workflow cannot be read: {why}; {hint}", self.so_far()));
        }
        if std::mem::take(&mut self.only_workflow) {
            // What was seen before the wait for the workflow is of another moment.
            return self.ask(Goal::Deploy);
        }
        self.parts.workflow = Some(Err(why.into()));
        self.judge()
    }

    /// The document is whole. If it turns out not to be readable, the deploy is looked at again.
    fn judge(&mut self) -> Step {
        if !self.left.is_empty() {
            return self.ask(Goal::Left);
        }
        self.goal = Goal::Deploy;
        Step::Judge(Box::new(std::mem::take(&mut self.parts)))
    }

    /// Takes note of where the workflow is.
    fn enter(&mut self, workflow: &Workflow) -> Stage {
        let stage = workflow.stage();
        if self.stage.as_ref() != Some(&stage)
            && let Stage::Waiting(what) = &stage
        {
            self.events.push(Event::Person(what.clone()));
        }
        (self.failing_since, self.absent_since) = (None, None);
        self.stage = Some(stage.clone());
        stage
    }

    /// Says once that the workflow cannot be read. What was refused is not asked for again beside the deploy.
    fn cannot_read(&mut self, look: Look) {
        // One that is not there may only not be there yet.
        let may_come = matches!(look, Look::Missed(_) | Look::Absent(_));
        let readable = if may_come { Readable::NotNow } else { Readable::Never };
        let why = why(look);
        let words = format!("the workflow {} cannot be read: {why}", self.workflow());
        match (self.readable, readable) {
            (Readable::Yes, Readable::NotNow) => self.events.push(Event::Note(words)),
            (Readable::Yes | Readable::NotNow, Readable::Never) => self.events.push(Event::Warning(words)),
            _ => {}
        }
        self.readable = readable;
    }

    /// The latest deploy is not the one you asked for; the one that `--deploy` names can be asked for by its id.
    fn seek(&mut self, now: Duration, miss: Miss) -> Step {
        if self.rules.pins.deploy.is_some() && self.baseline_is_unknown() {
            return self.ask(Goal::Baseline);
        }
        if self.rules.pins.deploy.is_none() {
            return self.not_yet(now, miss);
        }
        self.latest = miss.clone();
        if now >= self.not_before {
            return self.ask(Goal::Named);
        }
        let step = self.not_yet(now, miss);
        if matches!(step, Step::Wait(_)) {
            self.goal = Goal::Named;
        }
        step
    }

    /// There is nothing to watch yet.
    fn not_yet(&mut self, now: Duration, miss: Miss) -> Step {
        if self.absent.as_ref() != Some(&miss.why) {
            self.events.push(Event::Absent(miss.why.clone()));
            self.absent = Some(miss.why.clone());
        }
        self.missed = None;
        let until = self.rules.appear_timeout.min(self.rules.timeout);
        if now >= until {
            let why = format!("{}, {} after the gate started", miss.why, format::duration(now));
            return Step::End(Ending::NeverAppeared, why);
        }
        let due = self.beside_at.is_none_or(|at| now >= at + BESIDE) || self.orphaned.is_some();
        if due && self.readable != Readable::Never && self.rules.pins.workflow.is_some() && now >= self.not_before {
            return self.ask(Goal::Beside);
        }
        self.goal = Goal::Deploy;
        self.wait(now, until)
    }

    fn miss(&mut self, why: &str) {
        if self.missed.as_deref() != Some(why) {
            self.events.push(Event::Missed(why.into()));
            self.missed = Some(why.into());
        }
    }

    fn missed(&mut self, now: Duration, miss: Miss) -> Step {
        self.miss(&miss.why);
        self.goal = Goal::Deploy;
        self.wait(now, self.rules.timeout)
    }

    /// Looks at the deploy again after a while.
    fn again(&mut self, now: Duration) -> Step {
        self.goal = Goal::Deploy;
        let until =
            if self.mine.is_some() { self.rules.timeout } else { self.rules.appear_timeout.min(self.rules.timeout) };
        self.wait(now, until)
    }

    /// Waits for the next look, which is at `until` at the latest; at the deadline, the end.
    fn wait(&mut self, now: Duration, until: Duration) -> Step {
        let left = self.rules.timeout.saturating_sub(now);
        if left.is_zero() {
            let (ending, why) = self.out_of_time();
            return Step::End(ending, why);
        }
        let floor = self.not_before.saturating_sub(now);
        if floor > left {
            let (ending, why) = self.out_of_time();
            // Whether there is a deploy is not known either.
            let ending = if ending == Ending::NeverAppeared { Ending::Unreachable } else { ending };
            let why = format!(
                "the server asks to wait {} (Retry-After), which is past the deadline; {why}",
                format::duration(floor)
            );
            return Step::End(ending, why);
        }
        Step::Wait(self.schedule.next_wait().min(until.saturating_sub(now)).max(floor))
    }

    fn unknown(&self) -> String {
        unknown(self.mine_word())
    }

    fn out_of_time(&self) -> (Ending, String) {
        let so_far = self.so_far();
        if let Some(missed) = &self.missed {
            let last = if self.mine.is_some() { format!("; when last seen, {so_far}") } else { String::new() };
            return (Ending::Unreachable, format!("no usable answer at the last look: {missed}{last}"));
        }
        let class = self.mine.as_ref().map(|(_, class)| *class);
        match (class, &self.stage) {
            (_, Some(Stage::Waiting(_))) => (Ending::AwaitingApproval, so_far),
            (Some(Class::Unknown), _) => (Ending::UnknownStatus, self.unknown()),
            (Some(_), _) => (Ending::StillRunning, so_far),
            (None, _) => (Ending::NeverAppeared, self.absent.clone().unwrap_or(so_far)),
        }
    }
}

/// Whether a deploy of this class has settled.
pub fn is_over(class: Class) -> bool {
    matches!(class, Class::Success | Class::NothingToDo | Class::Failure)
}

/// Why a look brought nothing.
pub fn why(look: Look) -> String {
    match look {
        Look::Absent(miss) | Look::Missed(miss) => miss.why,
        Look::Refused(_, why) => why,
        Look::Seen(..) | Look::Workflow(..) => strange().why,
    }
}

fn strange() -> Miss {
    Miss::new("the answer is to another question")
}

/// Nobody has approved, and the user does not want to wait for that.
fn approval_required(what: &str) -> Step {
    Step::End(Ending::ApprovalRequired, format!("{what}; stopped because of --on-approval stop"))
}

/// A status word as it is said: an absent one has a name too.
pub fn spoken(word: &str) -> String {
    match word {
        "" => "queued".into(),
        word => format!("\"{word}\""),
    }
}

fn unknown(word: &str) -> String {
    format!("the status \"{word}\" is unknown to the gate; --status '{word}=CLASS' would say what it means")
}
