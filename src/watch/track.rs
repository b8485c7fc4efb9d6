//! Tracking: the deploy that is meant was seen, and has not succeeded.

use std::time::Duration;

use crate::base::outcome::Ending;
use crate::judge::document::Parts;
use crate::nuon::deploy::{self, Class, Deploy, Expect};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::WorkflowId;
use crate::nuon::look::{Look, Miss, Whole};
use crate::nuon::workflow::Stage;
use crate::watch::decision::{Decision, decide};
use crate::watch::machine::{Move, Watch};
use crate::watch::rules::OnSuperseded;
use crate::watch::state::{By, Complete, Completing, LeftBehind, Readable, State, Track, Tracked, Tracking};
use crate::watch::step::{Event, Step};
use crate::watch::words::{self, A_PERSON_CAN, approval_required, described, is_over, spoken, strange};

impl Watch {
    pub(super) fn track(&mut self, tracking: Tracking, now: Duration, look: Look) -> Move {
        let Tracking { next, mut mine } = tracking;
        match next {
            Track::Deploy => {
                self.looks += 1;
                mine.patience.note(now, matches!(look, Look::Missed(_) | Look::Absent(_)));
                match look {
                    Look::Refused(ending, why) => (mine.at(Track::Deploy), Step::End(ending, why)),
                    Look::Seen(deploy, whole) => self.seen(mine, now, *deploy, whole),
                    Look::Absent(miss) | Look::Missed(miss) => self.missed(mine.at(Track::Deploy), now, &miss),
                    Look::Workflow(..) => self.missed(mine.at(Track::Deploy), now, &strange()),
                }
            }
            Track::Retry => match look {
                Look::Seen(deploy, whole) if self.is_retry(&mine, &deploy) => {
                    mine.by = By::Latest;
                    self.follow_retry(mine, now, *deploy, whole)
                }
                Look::Refused(ending, why) => (mine.at(Track::Deploy), Step::End(ending, why)),
                Look::Missed(miss) if mine.patience.lasts(now, self.rules.timeout) => {
                    self.missed(mine.at(Track::Deploy), now, &miss)
                }
                _ => self.go_on(mine, now),
            },
            Track::Workflow(id) if Standing::of(Some(mine.class)) == Standing::Bad => {
                self.finality(mine, now, look, &id)
            }
            Track::Workflow(id) => self.beside(mine, now, look, &id),
        }
    }

    /// A deploy was seen while mine is watched.
    pub(super) fn seen(&mut self, mut mine: Tracked, now: Duration, deploy: Deploy, whole: Whole) -> Move {
        self.sight(&deploy);
        if mine.deploy.id() == deploy.id() {
            return self.take(mine, now, deploy, whole);
        }
        if mine.by != By::Latest || deploy.is_older_than(&mine.deploy) || self.was_before(&deploy) {
            // A replica that lags behind still has the deploy before.
            let why = format!("the answer is about deploy {}, not {}", deploy.id(), mine.deploy.id());
            return self.missed(mine.at(Track::Deploy), now, &Miss::new(why));
        }
        if self.is_retry(&mine, &deploy) {
            return self.follow_retry(mine, now, deploy, whole);
        }
        let note = format!("deploy {} replaces {}", deploy.id(), mine.deploy.id());
        let replaced = By::Id(Some(deploy.id().clone()));
        match self.rules.on_superseded() {
            OnSuperseded::Stop => {
                mine.by = replaced;
                (mine.at(Track::Deploy), Step::End(Ending::Superseded, note))
            }
            OnSuperseded::Follow if self.is_meant(&deploy) && mine.deploy.is_older_than(&deploy) => {
                self.log.events.push(Event::Note(format!("{note} and is watched from now on")));
                mine.followed = Some(mine.deploy.id().clone());
                mine.left.push(LeftBehind::new(&mine.deploy));
                self.preexisting = Some(false);
                self.take(mine, now, deploy, whole)
            }
            OnSuperseded::Finish | OnSuperseded::Follow => {
                self.log.events.push(Event::Note(format!("{note}; still watching {}", mine.deploy.id())));
                mine.by = replaced;
                self.ask(mine.at(Track::Deploy))
            }
        }
    }

    /// Whether this is a retry of mine.
    fn is_retry(&self, mine: &Tracked, deploy: &Deploy) -> bool {
        let retries = deploy.retries(&mine.deploy) && !deploy.is_older_than(&mine.deploy);
        retries && !self.was_before(deploy) && self.rules.pins.hold_for_retry(deploy)
    }

    fn follow_retry(&mut self, mine: Tracked, now: Duration, retry: Deploy, whole: Whole) -> Move {
        self.log.events.push(Event::Note(format!("deploy {} is retried as {}", mine.deploy.id(), retry.id())));
        self.take(mine, now, retry, whole)
    }

    /// The deploy that is meant is seen for the first time.
    pub(super) fn take_first(&mut self, deploy: Deploy, by: By, now: Duration, whole: Whole) -> Move {
        let class = self.class(&deploy);
        self.note(now, &deploy, class);
        self.taken(Tracked::new(deploy, class, by), now, whole)
    }

    /// Takes note of where my deploy is, and decides what that calls for.
    fn take(&mut self, mut mine: Tracked, now: Duration, deploy: Deploy, whole: Whole) -> Move {
        let class = self.class(&deploy);
        if self.note(now, &deploy, class) {
            (mine.workflow.at, mine.workflow.over_since, mine.patience.failing) = (None, None, None);
        }
        if mine.deploy.workflow != deploy.workflow {
            (mine.workflow.stage, mine.workflow.readable, mine.workflow.over_since) = (None, Readable::Yes, None);
        }
        mine.left.retain(|left| left.workflow.is_none() || left.workflow != deploy.workflow);
        (mine.deploy, mine.class) = (deploy, class);
        self.taken(mine, now, whole)
    }

    fn taken(&mut self, mut mine: Tracked, now: Duration, whole: Whole) -> Move {
        self.log.missed = None;
        mine.awaits_workflow = false;
        match mine.class {
            Class::Success | Class::NothingToDo => {
                let parts = Box::new(Parts { seen: whole, ..Parts::default() });
                self.ask(State::Completing(Completing { next: Complete::Detail, mine, parts }))
            }
            _ if mine.by != By::Latest && mine.may_be_retried() && now >= self.not_before => {
                self.ask(mine.at(Track::Retry))
            }
            _ => self.go_on(mine, now),
        }
    }

    /// What a deploy that has not succeeded calls for.
    fn go_on(&mut self, mine: Tracked, now: Duration) -> Move {
        let workflow = mine.deploy.workflow.clone().filter(|_| mine.workflow.readable != Readable::Never);
        // Its workflow tells nothing of one that has settled well and is not the teardown that is awaited.
        let may_be_left_behind = !is_over(deploy::class(&mine.deploy, Expect::Apply, &self.rules.overrides));
        match (mine.class, workflow) {
            (Class::Failure | Class::Parked, Some(workflow)) if mine.may_be_retried() => {
                self.ask(mine.at(Track::Workflow(workflow)))
            }
            (Class::Failure, _) => self.failed(mine, ""),
            (Class::Parked, _) => self.failed(mine, A_PERSON_CAN),
            (_, Some(workflow)) if may_be_left_behind && Self::is_due(&mine.workflow, now) => {
                self.ask(mine.at(Track::Workflow(workflow)))
            }
            _ => self.again(mine.at(Track::Deploy), now),
        }
    }

    fn failed(&self, mine: Tracked, more: &str) -> Move {
        let deploy = &mine.deploy;
        let verb = if is_over(mine.class) { "ended as" } else { "is left at" };
        let (word, words) = (deploy.word(), described(deploy));
        let newer = mine.superseded_by().map_or_else(String::new, |newer| format!("; {newer} has replaced it"));
        let read_as = self.read_as(word, Some(mine.class));
        let why = format!("deploy {} {verb} {}{read_as}{words}{newer}{more}", deploy.id(), spoken(word));
        (mine.at(Track::Deploy), Step::End(Ending::DeployFailed, why))
    }

    /// The workflow of a deploy that has not settled.
    fn beside(&mut self, mut mine: Tracked, now: Duration, look: Look, id: &WorkflowId) -> Move {
        mine.workflow.at = Some(now);
        let workflow = match look {
            Look::Workflow(workflow, _) => workflow,
            other => {
                self.cannot_read(&mut mine.workflow, id, other);
                return self.again(mine.at(Track::Deploy), now);
            }
        };
        let stage = self.enter(&mut mine.workflow, &workflow);
        mine.patience.reset();
        let course = Course::beside(&workflow, &stage, Some(&mine.deploy));
        let (decision, sure) = decide(Standing::of(Some(mine.class)), course, self.asked);
        if decision == Decision::Wait {
            mine.workflow.over_since = None;
        } else if !mine.workflow.confirms(sure, now) {
            return self.again(mine.at(Track::Deploy), now);
        }
        let (ending, why) = match decision {
            Decision::ApprovalRequired => (Ending::ApprovalRequired, approval_required(&stage)),
            Decision::UnknownStatus => {
                let unknown = words::unknown(mine.deploy.word());
                (Ending::StatusUnknown, format!("{unknown}; {}", stage.told()))
            }
            Decision::DeployFailed => return self.failed(mine, &format!(", and {}", stage.told())),
            Decision::LeftBehind => (Ending::LeftBehind, format!("{}, and {}", self.told_of(&mine), stage.told())),
            Decision::Wait | Decision::Complete | Decision::NeverAppeared | Decision::WorkflowFailed => {
                return self.again(mine.at(Track::Deploy), now);
            }
        };
        (mine.at(Track::Deploy), Step::End(ending, why))
    }

    /// The workflow of a deploy that failed: nobody may be about to retry it.
    fn finality(&mut self, mut mine: Tracked, now: Duration, look: Look, id: &WorkflowId) -> Move {
        mine.workflow.at = Some(now);
        let stage = match look {
            Look::Workflow(workflow, _) => self.enter(&mut mine.workflow, &workflow),
            Look::Missed(_) if mine.patience.lasts(now, self.rules.timeout) => {
                return self.again(mine.at(Track::Deploy), now);
            }
            other => {
                self.cannot_read(&mut mine.workflow, id, other);
                return self.failed(mine, "");
            }
        };
        mine.patience.reset();
        let (decision, sure) = decide(Standing::Bad, Course::of(&stage), self.asked);
        if decision == Decision::Wait {
            mine.workflow.over_since = None;
        } else if !mine.workflow.confirms(sure, now) && now < self.rules.timeout {
            return self.again(mine.at(Track::Deploy), now);
        }
        let more = match (decision, &stage) {
            (Decision::Wait, _) if now >= self.rules.timeout => ", and was not retried by the deadline".into(),
            (Decision::Wait, _) => return self.again(mine.at(Track::Deploy), now),
            (_, Stage::Succeeded | Stage::Running(_)) => String::new(),
            (_, Stage::Failed(how)) => format!(" (its workflow: {how})"),
            (_, Stage::Waiting(what)) => format!("; its retry is not approved: {what}"),
            (_, Stage::Parked(_) | Stage::Dead(_)) => format!("; {}", stage.told()),
        };
        self.failed(mine, &more)
    }
}
