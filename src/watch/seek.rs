//! Seeking: the deploy that is meant has not been seen.

use std::time::Duration;

use crate::base::outcome::Ending;
use crate::nuon::deploy::Deploy;
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::{Look, Miss, Whole};
use crate::text::format;
use crate::watch::decision::{Decision, decide};
use crate::watch::machine::{Baseline, Move, Watch};
use crate::watch::state::{By, Readable, Seek, Seeking, State, Tracked};
use crate::watch::step::{Event, Step};
use crate::watch::words::{approval_required, is_over, strange, why};

impl Watch {
    pub(super) fn seek(&mut self, mut seeking: Seeking, now: Duration, look: Look) -> Move {
        match std::mem::take(&mut seeking.next) {
            Seek::Latest => {
                self.looks += 1;
                match look {
                    Look::Refused(ending, why) => (State::Seeking(seeking), Step::End(ending, why)),
                    Look::Seen(deploy, whole) => self.found(seeking, now, *deploy, whole),
                    Look::Absent(miss) => {
                        self.preexisting.get_or_insert(false);
                        seeking.other = None;
                        self.not_this_one(seeking, now, miss)
                    }
                    Look::Missed(miss) => self.missed(State::Seeking(seeking), now, &miss),
                    Look::Workflow(..) => self.missed(State::Seeking(seeking), now, &strange()),
                }
            }
            Seek::Named(_, latest) => self.named(seeking, now, look, latest),
            Seek::Baseline(id) => self.baseline(seeking, now, look, &id),
            Seek::Workflow(id) => self.pinned_workflow(seeking, now, look, &id),
        }
    }

    /// The latest deploy, or the one that was named: is it mine?
    fn found(&mut self, mut seeking: Seeking, now: Duration, deploy: Deploy, whole: Whole) -> Move {
        self.sight(&deploy);
        if let Some(id) = self.unknown_baseline() {
            let seeking = Seeking { next: Seek::Baseline(id), other: Some((deploy, whole)), ..seeking };
            return self.ask(State::Seeking(seeking));
        }
        if self.is_meant(&deploy) {
            return self.take_first(deploy, By::Latest, now, whole);
        }
        self.preexisting = Some(false);
        let why = format!("the latest deploy is {}, not the one you asked for ({})", deploy.id(), self.meant());
        seeking.other = Some((deploy, whole));
        self.not_this_one(seeking, now, Miss::new(why))
    }

    /// The deploy that `--after` names, while it is still to be found out when it was made.
    fn unknown_baseline(&self) -> Option<DeployId> {
        self.rules.pins.baseline().filter(|_| matches!(self.baseline, Baseline::Unknown { .. })).cloned()
    }

    /// The latest deploy is not the one you asked for; the one that `--deploy` names can be asked for by its id.
    fn not_this_one(&mut self, mut seeking: Seeking, now: Duration, miss: Miss) -> Move {
        let Some(named) = self.rules.pins.deploy.clone() else { return self.not_yet(seeking, now, &miss) };
        if let Some(id) = self.unknown_baseline() {
            seeking.next = Seek::Baseline(id);
            return self.ask(State::Seeking(seeking));
        }
        if now >= self.not_before {
            seeking.next = Seek::Named(named, miss);
            return self.ask(State::Seeking(seeking));
        }
        let (state, step) = self.not_yet(seeking, now, &miss);
        match (state, &step) {
            (State::Seeking(seeking), Step::Wait(_)) => {
                (State::Seeking(Seeking { next: Seek::Named(named, miss), ..seeking }), step)
            }
            (state, _) => (state, step),
        }
    }

    /// The deploy that `--deploy` names. The latest, which was seen just before, is another.
    fn named(&mut self, mut seeking: Seeking, now: Duration, look: Look, latest: Miss) -> Move {
        match look {
            Look::Seen(deploy, whole) if self.is_meant(&deploy) => {
                let other = seeking.other.take();
                let newer = other.filter(|(other, _)| !other.is_older_than(&deploy) && !self.was_before(other));
                let class = self.class(&deploy);
                match newer {
                    Some((newer, whole_of_newer)) if !is_over(class) => {
                        self.note(now, &deploy, class);
                        let mine = Tracked::new(*deploy, class, By::Latest);
                        self.seen(mine, now, newer, whole_of_newer)
                    }
                    // What it came to is known, whatever has come since.
                    newer => {
                        let by = By::Id(newer.map(|(newer, _)| newer.id().clone()));
                        self.take_first(*deploy, by, now, whole)
                    }
                }
            }
            Look::Refused(ending, why) => (State::Seeking(seeking), Step::End(ending, why)),
            Look::Missed(miss) if miss.foreign => self.not_yet(seeking, now, &miss),
            Look::Missed(miss) => self.missed(State::Seeking(seeking), now, &miss),
            _ => self.not_yet(seeking, now, &latest),
        }
    }

    /// The deploy that `--after` names. *Newer than X* is true of everything when X is not known.
    fn baseline(&mut self, mut seeking: Seeking, now: Duration, look: Look, id: &DeployId) -> Move {
        let told =
            |why: &str| format!("the deploy {id}, which --after (DEPLOY_GATE_AFTER) names, cannot be read: {why}");
        match look {
            Look::Seen(baseline, _) => self.baseline = Baseline::Known(baseline),
            Look::Refused(ending, why) => return (State::Seeking(seeking), Step::End(ending, told(&why))),
            Look::Missed(miss) if !miss.foreign => {
                let why = told(&miss.why);
                return self.missed(State::Seeking(seeking), now, &Miss { why, ..miss });
            }
            // The first time it may only not be there yet, on a replica that lags behind.
            other => {
                let why = told(&why(other));
                if let Baseline::Unknown { is_absent: true } = self.baseline {
                    return (State::Seeking(seeking), Step::End(Ending::NotFound, why));
                }
                self.baseline = Baseline::Unknown { is_absent: true };
                return self.missed(State::Seeking(seeking), now, &Miss::new(why));
            }
        }
        match seeking.other.take() {
            Some((deploy, whole)) => self.found(seeking, now, deploy, whole),
            None => self.ask(State::Seeking(seeking)),
        }
    }

    /// The workflow that is pinned, while there is no deploy of it.
    fn pinned_workflow(&mut self, mut seeking: Seeking, now: Duration, look: Look, id: &WorkflowId) -> Move {
        seeking.workflow.at = Some(now);
        let workflow = match look {
            Look::Workflow(workflow, _) => workflow,
            other => {
                self.cannot_read(&mut seeking.workflow, id, other);
                return self.again(State::Seeking(seeking), now);
            }
        };
        let stage = self.enter(&mut seeking.workflow, &workflow);
        let (decision, sure) = decide(Standing::Sought, Course::of(&stage), self.asked);
        if decision == Decision::Wait {
            seeking.workflow.over_since = None;
        } else if !seeking.workflow.confirms(sure, now) {
            return self.again(State::Seeking(seeking), now);
        }
        let ended = format!("{} without a deploy of this component", stage.told());
        let (ending, why) = match decision {
            Decision::ApprovalRequired => (Ending::ApprovalRequired, approval_required(&stage)),
            Decision::NeverAppeared => (Ending::NeverAppeared, ended),
            Decision::WorkflowFailed => {
                let step = workflow.culprit("");
                let step = step.map_or_else(String::new, |step| format!("; step \"{}\" failed", step.name()));
                (Ending::WorkflowFailed, format!("{ended}{step}"))
            }
            Decision::Wait
            | Decision::Complete
            | Decision::DeployFailed
            | Decision::LeftBehind
            | Decision::UnknownStatus => return self.again(State::Seeking(seeking), now),
        };
        (State::Seeking(seeking), Step::End(ending, why))
    }

    /// There is nothing to watch yet.
    fn not_yet(&mut self, mut seeking: Seeking, now: Duration, miss: &Miss) -> Move {
        if self.log.absent.as_ref() != Some(&miss.why) {
            self.log.events.push(Event::Absent(miss.why.clone()));
            self.log.absent = Some(miss.why.clone());
        }
        self.log.missed = None;
        let until = self.rules.appear_timeout.min(self.rules.timeout);
        if now >= until {
            let why = format!("{}, {} after the gate started", miss.why, format::duration(now));
            return (State::Seeking(seeking), Step::End(Ending::NeverAppeared, why));
        }
        let is_readable = seeking.workflow.readable != Readable::Never;
        if let Some(workflow) = self.rules.pins.workflow()
            && Self::is_due(&seeking.workflow, now)
            && is_readable
            && now >= self.not_before
        {
            seeking.next = Seek::Workflow(workflow.clone());
            return self.ask(State::Seeking(seeking));
        }
        seeking.next = Seek::Latest;
        self.wait(State::Seeking(seeking), now, until)
    }
}
