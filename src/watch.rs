//! The state machine of one watch: a function of (time, look). It does not sleep, ask or print.

use std::time::Duration;

use crate::deploy::{self, Class, Deploy, Expect, Override};
use crate::look::{Look, Miss};
use crate::schedule::Schedule;
use crate::text;
use crate::verdict::Ending;

/// What the user asked of the watch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What success is.
    pub expect: Expect,
    /// Rows of the status table that are read otherwise.
    pub overrides: Vec<Override>,
    /// When the run ends at the latest, since its start.
    pub timeout: Duration,
    /// How long a deploy may take to show up at all, since the start.
    pub appear_timeout: Duration,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Wait, then step again without a look.
    Wait(Duration),
    /// Look at the latest deploy.
    Look,
    /// The deploy is in success: judge the document that these bytes hold.
    Judge(Vec<u8>),
    /// It is over.
    End(Ending, String),
}

/// Something that happened, for whoever watches the watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The deploy or its status is another.
    Changed(Change),
    /// There is no deploy yet; the words are new.
    Absent(String),
    /// No usable answer; the words are new.
    Missed(String),
    /// Something that the user should know, said once.
    Warning(String),
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

/// One watch, from the first look to its ending.
pub struct Watch {
    rules: Rules,
    schedule: Schedule,
    seen: Option<(Deploy, Class)>,
    missed: Option<String>,
    /// What the first look that was answered said: whether the deploy was already over.
    preexisting: Option<bool>,
    looks: u32,
    timeline: Vec<Change>,
    events: Vec<Event>,
}

impl Watch {
    /// A watch that has not looked yet.
    pub fn new(rules: Rules, schedule: Schedule) -> Self {
        Self {
            rules,
            schedule,
            seen: None,
            missed: None,
            preexisting: None,
            looks: 0,
            timeline: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The deploy as last seen.
    pub fn deploy(&self) -> Option<&(Deploy, Class)> {
        self.seen.as_ref()
    }

    /// Whether the deploy was already over at the first look.
    pub fn preexisting(&self) -> bool {
        self.preexisting == Some(true)
    }

    /// How many looks there have been.
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

    /// The move at `now`, given what came of the look that was asked for, if one was.
    pub fn step(&mut self, now: Duration, look: Option<Look>) -> Step {
        let Some(look) = look else { return Step::Look };
        self.looks += 1;
        match look {
            Look::Refused(ending, why) => Step::End(ending, why),
            Look::Seen(deploy, bytes) => self.seen(now, *deploy, bytes),
            Look::Absent(miss) if self.seen.is_none() => self.absent(now, miss),
            Look::Absent(miss) | Look::Missed(miss) => self.missed(now, miss),
        }
    }

    fn seen(&mut self, now: Duration, deploy: Deploy, bytes: Vec<u8>) -> Step {
        let class = deploy::class(&deploy, self.rules.expect, &self.rules.overrides);
        let changed =
            self.timeline.last().is_none_or(|last| last.deploy != deploy.id() || last.status != deploy.word());
        if changed {
            self.schedule.restart();
            let change = Change {
                at: now,
                deploy: deploy.id().into(),
                status: deploy.word().into(),
                class,
                description: deploy.description().into(),
            };
            if class == Class::Unknown && !self.timeline.iter().any(|past| past.status == change.status) {
                self.events.push(Event::Warning(format!("{}, so the gate keeps watching", unknown(deploy.word()))));
            }
            self.timeline.push(change.clone());
            self.events.push(Event::Changed(change));
        }
        self.missed = None;
        let word = deploy.word().to_owned();
        let id = deploy.id().to_owned();
        let words = match deploy.description() {
            "" => String::new(),
            description => format!(": {description}"),
        };
        self.seen = Some((deploy, class));
        let over = matches!(class, Class::Success | Class::NothingToDo | Class::Failure);
        self.preexisting.get_or_insert(over);
        match class {
            Class::Success | Class::NothingToDo => Step::Judge(bytes),
            Class::Failure => Step::End(Ending::DeployFailed, format!("deploy {id} ended as \"{word}\"{words}")),
            Class::Replaced | Class::Parked | Class::Running | Class::Unknown => {
                self.wait(now, None, self.rules.timeout)
            }
        }
    }

    fn absent(&mut self, now: Duration, miss: Miss) -> Step {
        self.preexisting.get_or_insert(false);
        if self.missed.as_ref() != Some(&miss.why) {
            self.events.push(Event::Absent(miss.why.clone()));
            self.missed = Some(miss.why.clone());
        }
        let until = self.rules.appear_timeout.min(self.rules.timeout);
        if now >= until {
            let why = format!("{}, {} after the start", miss.why, text::duration(now));
            return Step::End(Ending::NeverAppeared, why);
        }
        self.wait(now, miss.retry_after, until)
    }

    fn missed(&mut self, now: Duration, miss: Miss) -> Step {
        if self.missed.as_ref() != Some(&miss.why) {
            self.events.push(Event::Missed(miss.why.clone()));
            self.missed = Some(miss.why);
        }
        self.wait(now, miss.retry_after, self.rules.timeout)
    }

    /// Waits for the next look, which is at `until` at the latest; at the deadline, the end.
    fn wait(&mut self, now: Duration, floor: Option<Duration>, until: Duration) -> Step {
        let left = self.rules.timeout.saturating_sub(now);
        if left.is_zero() {
            let (ending, why) = self.out_of_time();
            return Step::End(ending, why);
        }
        let floor = floor.unwrap_or_default();
        if floor > left {
            let (ending, why) = self.out_of_time();
            let why = format!(
                "the server asks not to be asked again for {}, which is beyond the deadline; {why}",
                text::duration(floor)
            );
            return Step::End(ending, why);
        }
        let wait = self.schedule.next_wait().min(until.saturating_sub(now)).max(floor);
        Step::Wait(wait)
    }

    fn out_of_time(&self) -> (Ending, String) {
        if let Some(missed) = &self.missed {
            return (Ending::Unreachable, format!("no usable answer at the last look: {missed}{}", self.last_known()));
        }
        match &self.seen {
            Some((deploy, Class::Unknown)) => (Ending::UnknownStatus, unknown(deploy.word())),
            Some((deploy, Class::Parked)) => {
                (Ending::AwaitingApproval, format!("deploy {} waits for a person: \"{}\"", deploy.id(), deploy.word()))
            }
            Some((deploy, class)) => (
                Ending::StillRunning,
                format!("deploy {} is still {} ({})", deploy.id(), spoken(deploy.word()), class.name()),
            ),
            None => (Ending::Unreachable, "no usable answer".into()),
        }
    }

    fn last_known(&self) -> String {
        self.seen.as_ref().map_or_else(String::new, |(deploy, _)| {
            format!("; deploy {} was last seen {}", deploy.id(), spoken(deploy.word()))
        })
    }
}

/// A status word as it is said: an absent one has a name too.
pub fn spoken(word: &str) -> String {
    match word {
        "" => "queued (no status_v2 yet)".into(),
        word => format!("\"{word}\""),
    }
}

fn unknown(word: &str) -> String {
    format!("the status \"{word}\" is unknown to the gate; --status '{word}=CLASS' would say what it means")
}
