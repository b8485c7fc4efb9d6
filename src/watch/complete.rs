//! The deploy has succeeded: the rest of its document is read, and whatever may take the success back is asked for.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::outcome::Ending;
use crate::judge::document::{DeployParts, Parts};
use crate::nuon::deploy::Deploy;
use crate::nuon::id::DeployId;
use crate::nuon::look::{Look, Miss};
use crate::watch::decision::Decision;
use crate::watch::machine::{Go, Move, Watch};
use crate::watch::memory::{By, Tracked};
use crate::watch::pin::After;
use crate::watch::settle::Evidence;
use crate::watch::step::{Ask, Event};
use crate::watch::words::{is_over, spoken, why};

/// What was over for longer than this when the run began is left as it was: nothing verifies a deploy for so long.
const LONGEST_VERIFICATION: Duration = Duration::from_secs(2 * 3600);

/// What has become of a deploy that is not mine.
enum Other {
    /// It ended well, or plays no part.
    Fine,
    /// It failed; the words say how.
    Failed(String),
    /// Its workflow is over, and nobody knows what it came to; the words say more.
    Unclear(Ending, String),
    /// It goes on.
    GoesOn,
    /// It is not there; the words say why.
    Gone(String),
}

impl Watch {
    /// The deploy is as wanted.
    pub(super) fn complete(&mut self, mut mine: Tracked, evidence: Evidence) -> Go<Infallible> {
        (self.memory.unconfirmed, self.memory.awaits_workflow) = (None, false);
        self.none_is_later(&mine, &evidence)?;
        if evidence.workflow.is_err()
            && let Some(retry) = self.unseen_retry(&mine)?
        {
            return self.settle(retry);
        }
        // It is read once more after its workflow.
        let ask = Ask::Deploy(mine.deploy.id().clone());
        let detail = match &mine.deploy.workflow {
            Some(id) => self.ask_after(&Ask::Workflow(id.clone()), ask.clone())?,
            None => self.ask(ask.clone())?,
        };
        let part = match &*detail {
            // It was not looked at in this look, since its steps had stayed as they were.
            Look::Seen(deploy, _) if deploy.word() != mine.deploy.word() && mine.seen == ask => {
                let mut deploy = (**deploy).clone();
                deploy.workflow = deploy.workflow.or_else(|| mine.deploy.workflow.clone());
                let mine = self.take(mine, deploy, ask);
                return self.settle(mine);
            }
            Look::Seen(deploy, _) if deploy.word() != mine.deploy.word() => {
                let word = spoken(deploy.word());
                let why = format!("the parts of the document disagree: deploy {} is {word} by its id", deploy.id());
                return ControlFlow::Break(self.missed(&Miss::new(why)));
            }
            Look::Seen(deploy, _) if mine.deploy.workflow.is_none() && deploy.workflow.is_some() => {
                // The latest does not name it.
                mine.deploy.workflow.clone_from(&deploy.workflow);
                self.memory.mine = Some(mine.clone());
                return self.settle(mine);
            }
            Look::Seen(_, whole) => Ok(whole.clone()),
            Look::Missed(miss) if miss.foreign || self.rules.document_is_needed => {
                return ControlFlow::Break(self.missed(miss));
            }
            other => Err(why(other)),
        };
        self.left_are_fine(&mine)?;
        self.others_are_fine(&mine)?;
        let seen = self.ask(mine.seen.clone())?;
        let (seen, deploy) = match (&*seen, part) {
            (_, Ok(whole)) if mine.seen == ask => (whole, None),
            (Look::Seen(_, whole), part) => (whole.clone(), Some(part)),
            // It was not looked at in this look.
            (_, Ok(whole)) => (whole, None),
            (_, Err(why)) => return ControlFlow::Break(self.missed(&Miss::new(why))),
        };
        let workflow = match evidence.workflow {
            Ok(look) => match &*look {
                Look::Workflow(_, whole) => Some(Ok(whole.clone())),
                _ => None,
            },
            Err((_, why)) => Some(Err(why)),
        };
        let is_latest = mine.seen == Ask::Latest;
        let parts = DeployParts { seen, is_latest, deploy, workflow };
        ControlFlow::Break(Move::Judge(Box::new(Parts::Deploy(parts))))
    }

    /// A deploy that was found among those of its workflow is the newest only if none that a later step has made is unread.
    fn none_is_later(&mut self, mine: &Tracked, evidence: &Evidence) -> Go<()> {
        let is_found_there = self.rules.pins.workflow().is_some() || mine.by != By::Latest;
        let Ok(look) = &evidence.workflow else { return ControlFlow::Continue(()) };
        if let (true, Look::Workflow(workflow, _)) = (is_found_there, &**look)
            && let Some(unread) = self.newest(workflow)?.unread
        {
            return ControlFlow::Break(self.unanswered(&unread));
        }
        ControlFlow::Continue(())
    }

    /// A newer deploy of the same workflow, where that cannot be read and the latest is of another: the list shows it.
    fn unseen_retry(&mut self, mine: &Tracked) -> Go<Option<Tracked>> {
        if mine.by == By::Latest || mine.deploy.workflow.is_none() {
            return ControlFlow::Continue(None);
        }
        let list = self.ask(Ask::Deploys(mine.deploy.created()))?;
        let told = |why: &str| {
            format!(
                "neither its workflow nor the deploys of the component can be read, so that a retry may be unseen: {why}"
            )
        };
        let listed = match &*list {
            Look::Deploys(listed) => listed,
            Look::Refused(ending, why) => return ControlFlow::Break(Move::End(*ending, told(why))),
            // A list is there: something on the way says otherwise.
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let is_newer = |other: &Deploy| other.retries(&mine.deploy) && mine.deploy.is_older_than(other);
        let is_one = |other: &&Deploy| is_newer(other) && self.is_meant_as_retry(other);
        let Some(newest) = listed.iter().find(is_one) else { return ControlFlow::Continue(None) };
        let ask = Ask::Deploy(newest.id().clone());
        let look = self.ask(ask.clone())?;
        let Look::Seen(retry, _) = &*look else { return ControlFlow::Break(self.unanswered(&look)) };
        let mut retry = (**retry).clone();
        retry.workflow.clone_from(&mine.deploy.workflow);
        ControlFlow::Continue(Some(self.follow_retry(mine.clone(), retry, ask)))
    }

    /// A deploy that was left for mine: if it failed, somebody's change is not there.
    fn left_are_fine(&mut self, mine: &Tracked) -> Go<()> {
        for left in self.memory.left.clone() {
            let (id, newer) = (left.id, mine.deploy.id());
            match self.other(&id)? {
                Other::Fine => self.memory.left.retain(|left| left.id != id),
                Other::Failed(how) => {
                    let why =
                        format!("deploy {id} {how}; a later deploy, {newer}, succeeded, which does not make up for it");
                    return ControlFlow::Break(Move::End(Ending::DeployFailed, why));
                }
                Other::Unclear(ending, how) => {
                    let why = format!("deploy {id}, which {newer} replaced, {how}");
                    return ControlFlow::Break(Move::End(ending, why));
                }
                Other::GoesOn => {
                    if !left.goes_on {
                        let note =
                            format!("deploy {id}, which {newer} replaced, is still running; it must succeed, too");
                        self.memory.log.events.push(Event::Note(note));
                    }
                    self.memory.left.iter_mut().filter(|left| left.id == id).for_each(|left| left.goes_on = true);
                    return ControlFlow::Break(self.again());
                }
                Other::Gone(why) if left.is_absent => {
                    let why = format!("deploy {id}, which was replaced, cannot be read: {why}");
                    self.memory.log.events.push(Event::Warning(why));
                    self.memory.left.retain(|left| left.id != id);
                }
                Other::Gone(_) => {
                    self.memory.left.iter_mut().filter(|left| left.id == id).for_each(|left| left.is_absent = true);
                    return ControlFlow::Break(self.again());
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Pins that only narrow down can mean somebody else's deploy: others that match them must have ended well, too.
    fn others_are_fine(&mut self, mine: &Tracked) -> Go<()> {
        let pins = &self.rules.pins;
        if !pins.any() || pins.identify() {
            return ControlFlow::Continue(());
        }
        let floor = match &pins.after {
            Some(After::Time(time)) => Some(*time),
            Some(After::Deploy(_)) => self.baseline.as_ref().and_then(|baseline| baseline.created()),
            Some(After::None) => Some(Timestamp::MIN),
            None => None,
        };
        let list = self.ask(Ask::Deploys(floor))?;
        let listed = match &*list {
            Look::Deploys(listed) => listed,
            Look::Missed(miss) => return ControlFlow::Break(self.missed(miss)),
            other => {
                let why = format!(
                    "the deploys of the component cannot be listed, so that another one may be the one you meant: {}; \
                     pin yours with --workflow",
                    why(other)
                );
                return ControlFlow::Break(Move::End(Ending::Ambiguous, why));
            }
        };
        let mut failed = Vec::new();
        let mut goes_on = None;
        for other in self.beside(mine, listed, floor.is_none()) {
            match self.other(&other)? {
                Other::Fine => {}
                Other::Failed(_) | Other::Unclear(..) if floor.is_none() && self.was_over_before_the_run(&other)? => {}
                Other::Failed(how) | Other::Unclear(_, how) => failed.push((other, how)),
                Other::GoesOn => goes_on = Some(other),
                Other::Gone(why) => return ControlFlow::Break(self.missed(&Miss::new(why))),
            }
        }
        let id = mine.deploy.id();
        if !failed.is_empty() {
            let name = |id: &DeployId| {
                let workflow =
                    listed.iter().find(|deploy| deploy.id() == id).and_then(|deploy| deploy.workflow.clone());
                workflow.map_or_else(String::new, |workflow| format!(" of workflow {workflow}"))
            };
            let told: Vec<String> =
                failed.iter().map(|(other, how)| format!("deploy {other}{} {how}", name(other))).collect();
            let why = format!(
                "deploy {id}{} succeeded, but others that match the pins did not: {}; pin yours with --workflow",
                name(id),
                told.join("; ")
            );
            return ControlFlow::Break(Move::End(Ending::Ambiguous, why));
        }
        if let Some(other) = goes_on {
            self.memory
                .note_ahead(format!("deploy {other} matches the pins, too, and goes on; it must succeed as well"));
            return ControlFlow::Break(self.again());
        }
        ControlFlow::Continue(())
    }

    /// The deploys that match the pins as mine does, the newest of each other workflow.
    fn beside(&self, mine: &Tracked, listed: &[Deploy], without_old: bool) -> Vec<DeployId> {
        let is_old = |deploy: &Deploy| {
            let age = deploy.age(self.rules.began);
            age.is_some_and(|age| age > LONGEST_VERIFICATION) && is_over(self.class(deploy))
        };
        let mut workflows = vec![mine.deploy.workflow.as_ref()];
        let mut others = Vec::new();
        for deploy in listed.iter().filter(|deploy| self.is_meant(deploy) && deploy.id() != mine.deploy.id()) {
            let is_seen = deploy.workflow.is_some() && workflows.contains(&deploy.workflow.as_ref());
            let is_left = self.memory.left.iter().any(|left| left.id == *deploy.id());
            workflows.push(deploy.workflow.as_ref());
            if !(is_seen || is_left || without_old && is_old(deploy)) {
                others.push(deploy.id().clone());
            }
        }
        others
    }

    /// Whether a deploy, and its workflow, were last changed before the run began.
    fn was_over_before_the_run(&mut self, id: &DeployId) -> Go<bool> {
        let look = self.ask(Ask::Deploy(id.clone()))?;
        let Look::Seen(deploy, _) = &*look else { return ControlFlow::Continue(false) };
        let is_before =
            |changed: Option<Timestamp>| changed.zip(self.rules.began).is_some_and(|(changed, began)| changed < began);
        let is_over = match &deploy.workflow {
            None => true,
            Some(workflow) => match &*self.ask(Ask::Workflow(workflow.clone()))? {
                Look::Workflow(workflow, _) => is_before(workflow.changed()),
                _ => false,
            },
        };
        ControlFlow::Continue(is_over && is_before(deploy.changed()))
    }

    /// What has become of a deploy that is not mine, or of the retry that went on in its place.
    fn other(&mut self, id: &DeployId) -> Go<Other> {
        let look = self.ask(Ask::Deploy(id.clone()))?;
        let deploy = match &*look {
            Look::Seen(deploy, _) => deploy,
            Look::Absent(miss) | Look::Another(miss) => return ControlFlow::Continue(Other::Gone(miss.why.clone())),
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let (decision, how) = self.decide_about(deploy)?;
        if !matches!(decision, Decision::Complete | Decision::Wait)
            && let Some(workflow) = &deploy.workflow
            && let Look::Workflow(workflow, _) = &*self.ask(Ask::Workflow(workflow.clone()))?
        {
            let newest = self.newest(workflow)?;
            if let Some(miss) = newest.missed() {
                return ControlFlow::Break(self.missed(miss));
            }
            if let Some(newest) = newest.id.filter(|newest| newest != id) {
                return self.other(&newest);
            }
        }
        ControlFlow::Continue(match decision {
            Decision::Complete => Other::Fine,
            Decision::DeployFailed => Other::Failed(how),
            Decision::UnknownStatus => Other::Unclear(Ending::StatusUnknown, how),
            Decision::LeftBehind => Other::Unclear(Ending::LeftBehind, how),
            _ => Other::GoesOn,
        })
    }
}
