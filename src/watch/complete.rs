//! Completing: the deploy has succeeded. The parts of its document are read, its workflow may take the success back, and
//! so may a deploy that was left for it.

use std::time::Duration;

use crate::base::outcome::Ending;
use crate::nuon::deploy::{self, Class};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::look::{Look, Miss};
use crate::nuon::workflow::{Stage, Verification, Workflow};
use crate::watch::decision::{Decision, decide};
use crate::watch::machine::{Move, Watch};
use crate::watch::rules::Until;
use crate::watch::state::{Complete, Completing, LeftBehind, State, Track, Tracked};
use crate::watch::step::{Event, Step};
use crate::watch::words::{A_PERSON_CAN, approval_required, described, spoken, strange, why};

impl Watch {
    pub(super) fn complete(&mut self, completing: Completing, now: Duration, look: Look) -> Move {
        match completing.next {
            Complete::Detail => self.detail(completing, now, look),
            Complete::Workflow(_) => self.workflow(completing, now, look),
            Complete::Left(_) => self.left(completing, now, look),
            Complete::WorkflowOfLeft(_) => self.workflow_of_left(completing, now, look),
        }
    }

    /// The deploy by its id, which holds what the latest leaves out.
    fn detail(&mut self, mut completing: Completing, now: Duration, look: Look) -> Move {
        let mine = &mut completing.mine;
        let part = match look {
            Look::Seen(deploy, whole) => {
                if mine.deploy.id() != deploy.id() || mine.deploy.word() != deploy.word() {
                    let why = format!(
                        "the parts of the document disagree: deploy {} is {} by its id",
                        deploy.id(),
                        spoken(deploy.word())
                    );
                    return self.missed(State::Completing(completing), now, &Miss::new(why));
                }
                if mine.deploy.workflow.is_none() {
                    mine.deploy.workflow = deploy.workflow.clone();
                }
                if self.install_component.is_none() {
                    self.install_component = deploy.install_component_id.clone();
                }
                Ok(whole)
            }
            Look::Missed(miss) if miss.foreign => return self.missed(State::Completing(completing), now, &miss),
            Look::Missed(miss) if self.rules.document_is_needed && mine.patience.lasts(now, self.rules.timeout) => {
                return self.missed(State::Completing(completing), now, &miss);
            }
            other => Err(why(other)),
        };
        completing.parts.deploy = Some(part);
        let mine = &mut completing.mine;
        if now < self.not_before {
            let why = "the server asks to wait";
            let may_wait = self.rules.document_is_needed && mine.patience.lasts(now, self.rules.timeout);
            let needs_workflow = self.rules.until != Until::Applied && mine.deploy.workflow.is_some();
            if may_wait || needs_workflow || self.rules.until == Until::Workflow {
                return self.missed(State::Completing(completing), now, &Miss::new(why));
            }
            return self.workflow_is_unknown(completing, Ending::Unreachable, why);
        }
        match mine.deploy.workflow.clone() {
            None => self.workflow_is_unknown(completing, Ending::NotFound, "the deploy names no workflow"),
            Some(id) => self.ask(State::Completing(Completing { next: Complete::Workflow(id), ..completing })),
        }
    }

    /// The workflow of a deploy that has succeeded.
    fn workflow(&mut self, mut completing: Completing, now: Duration, look: Look) -> Move {
        let is_needed = self.rules.until != Until::Applied;
        let mine = &mut completing.mine;
        let (workflow, whole) = match look {
            Look::Workflow(workflow, whole) => (workflow, whole),
            Look::Missed(miss) if miss.foreign => return self.missed(State::Completing(completing), now, &miss),
            Look::Missed(miss) if mine.awaits_workflow => {
                self.miss(&miss.why);
                return self.wait(State::Completing(completing), now, self.rules.timeout);
            }
            Look::Missed(miss) if is_needed => return self.missed(State::Completing(completing), now, &miss),
            Look::Absent(miss) if is_needed && mine.patience.may_come(now) => {
                return self.missed(State::Completing(completing), now, &miss);
            }
            Look::Missed(miss) if self.rules.document_is_needed && mine.patience.lasts(now, self.rules.timeout) => {
                return self.missed(State::Completing(completing), now, &miss);
            }
            Look::Refused(ending, why) => return self.workflow_is_unknown(completing, ending, &why),
            Look::Missed(miss) => return self.workflow_is_unknown(completing, Ending::Unreachable, &miss.why),
            other => return self.workflow_is_unknown(completing, Ending::NotFound, &why(other)),
        };
        let stage = self.enter(&mut mine.workflow, &workflow);
        mine.patience.reset();
        let verification = self.verification(mine, &workflow);
        let (decision, sure) = decide(Standing::of_success(&verification), Course::of(&stage), self.asked);
        let decision = if mine.workflow.confirms(sure, now) { decision } else { Decision::Wait };
        match (decision, &stage, verification) {
            (Decision::WorkflowFailed, stage, _) => {
                let why = format!("{}, but {}", self.told_of(mine), stage.told());
                (State::Completing(completing), Step::End(Ending::WorkflowFailed, why))
            }
            (Decision::DeployFailed, _, Verification::Open(step) | Verification::Failed(step)) => {
                let parked = if matches!(stage, Stage::Parked(_)) { A_PERSON_CAN } else { "" };
                let (id, word) = (mine.deploy.id(), spoken(mine.deploy.word()));
                let why = format!("{step}; deploy {id} itself is {word}{parked}");
                (State::Completing(completing), Step::End(Ending::DeployFailed, why))
            }
            (Decision::ApprovalRequired, stage, _) => {
                let why = approval_required(stage);
                (State::Completing(completing), Step::End(Ending::ApprovalRequired, why))
            }
            (Decision::Complete, ..) if mine.awaits_workflow => {
                // The workflow has taken its time: the document is of one moment, so look at the deploy again.
                mine.awaits_workflow = false;
                self.ask(completing.mine.at(Track::Deploy))
            }
            (Decision::Complete, ..) => {
                completing.parts.workflow = Some(Ok(whole));
                self.judge(completing)
            }
            (_, _, verification) => {
                if !mine.awaits_workflow {
                    let goes_on = match verification {
                        Verification::Open(step) | Verification::Failed(step) => step,
                        Verification::Done => "waiting for its workflow".into(),
                    };
                    self.log.events.push(Event::Note(format!("{}; {goes_on}", self.told_of(mine))));
                }
                mine.awaits_workflow = true;
                self.log.missed = None;
                self.wait(State::Completing(completing), now, self.rules.timeout)
            }
        }
    }

    /// Whether the workflow still verifies the deploy.
    fn verification(&self, mine: &Tracked, workflow: &Workflow) -> Verification {
        if mine.class == Class::Success && self.rules.until != Until::Applied {
            workflow.verification(mine.deploy.id(), self.install_component.as_ref())
        } else {
            Verification::Done
        }
    }

    /// A success needs the word of its workflow, which may take it back, unless the first word of the deploy is enough.
    fn workflow_is_unknown(&mut self, mut completing: Completing, ending: Ending, why: &str) -> Move {
        let mine = &mut completing.mine;
        if self.rules.until != Until::Applied && mine.deploy.workflow.is_some() || self.rules.until == Until::Workflow {
            let hint = "where the rest of the workflow does not matter, use --until applied";
            let why = format!("{}, but its workflow cannot be read: {why}; {hint}", self.told_of(mine));
            return (State::Completing(completing), Step::End(ending, why));
        }
        if std::mem::take(&mut mine.awaits_workflow) {
            // What was seen before the wait for the workflow is of another moment.
            return self.ask(completing.mine.at(Track::Deploy));
        }
        completing.parts.workflow = Some(Err(why.into()));
        self.judge(completing)
    }

    /// The document is whole. If it turns out not to be readable, the deploy is looked at again.
    fn judge(&mut self, completing: Completing) -> Move {
        match completing.mine.left.first().map(|left| left.id.clone()) {
            None => (completing.mine.at(Track::Deploy), Step::Judge(completing.parts)),
            Some(id) => self.ask(State::Completing(Completing { next: Complete::Left(id), ..completing })),
        }
    }

    /// A deploy that was left for the one that has succeeded: if it failed, somebody's change is not there.
    fn left(&mut self, mut completing: Completing, now: Duration, look: Look) -> Move {
        let Some(left) = completing.mine.left.first_mut() else { return self.judge(completing) };
        match look {
            Look::Seen(deploy, _) => {
                left.workflow = deploy.workflow.clone();
                let class = deploy::class(&deploy, self.rules.expect, &self.rules.overrides);
                left.has_succeeded = matches!(class, Class::Success | Class::NothingToDo);
                let workflow = left.workflow.clone();
                match (class, workflow) {
                    (Class::Failure | Class::Parked, _) => {
                        let how = format!("ended as {}{}", spoken(deploy.word()), described(&deploy));
                        self.left_failed(completing, &how)
                    }
                    (Class::NothingToDo, _) => self.left_is_fine(completing),
                    (Class::Success, workflow) if self.rules.until == Until::Applied || workflow.is_none() => {
                        self.left_is_fine(completing)
                    }
                    (_, Some(workflow)) if now >= self.not_before => {
                        let next = Complete::WorkflowOfLeft(workflow);
                        self.ask(State::Completing(Completing { next, ..completing }))
                    }
                    _ => self.left_goes_on(completing, now),
                }
            }
            Look::Refused(ending, why) => (State::Completing(completing), Step::End(ending, why)),
            Look::Missed(miss) => self.missed(State::Completing(completing), now, &miss),
            _ if !std::mem::replace(&mut left.is_absent, true) => self.again(State::Completing(completing), now),
            other => {
                let why = format!("deploy {}, which was replaced, cannot be read: {}", left.id, why(other));
                self.log.events.push(Event::Warning(why));
                self.left_is_fine(completing)
            }
        }
    }

    /// The workflow of a deploy that was left: it may still verify it, or have died.
    fn workflow_of_left(&mut self, completing: Completing, now: Duration, look: Look) -> Move {
        let Some(left) = completing.mine.left.first() else { return self.judge(completing) };
        let workflow = match look {
            Look::Workflow(workflow, _) => workflow,
            Look::Refused(ending, why) => return (State::Completing(completing), Step::End(ending, why)),
            Look::Missed(miss) | Look::Absent(miss) => return self.missed(State::Completing(completing), now, &miss),
            Look::Seen(..) => return self.missed(State::Completing(completing), now, &strange()),
        };
        let stage = workflow.stage();
        match workflow.verification(&left.id, self.install_component.as_ref()) {
            Verification::Done if left.has_succeeded => self.left_is_fine(completing),
            Verification::Open(step) | Verification::Failed(step) if stage.is_over() => {
                self.left_failed(completing, &step)
            }
            _ => match &stage {
                Stage::Failed(how) => self.left_failed(completing, &format!("is left behind by its workflow ({how})")),
                // That it goes on was seen before, so this is the second sight.
                Stage::Dead(_) if left.goes_on => {
                    self.left_failed(completing, &format!("is left behind: {}", stage.told()))
                }
                _ => self.left_goes_on(completing, now),
            },
        }
    }

    fn left_is_fine(&mut self, mut completing: Completing) -> Move {
        completing.mine.left.remove(0);
        self.judge(completing)
    }

    fn left_goes_on(&mut self, mut completing: Completing, now: Duration) -> Move {
        let mine = &mut completing.mine;
        let newer = mine.deploy.id();
        if let Some(LeftBehind { id, goes_on, .. }) = mine.left.first_mut()
            && !std::mem::replace(goes_on, true)
        {
            let note = format!("deploy {id}, which {newer} replaced, is still running; it must succeed, too");
            self.log.events.push(Event::Note(note));
        }
        self.again(State::Completing(completing), now)
    }

    fn left_failed(&self, completing: Completing, how: &str) -> Move {
        let mine = completing.mine.deploy.id();
        let left = completing.mine.left.first().map_or_else(String::new, |left| left.id.to_string());
        let why = format!("deploy {left} {how}; a later deploy, {mine}, succeeded, which does not make up for it");
        (State::Completing(completing), Step::End(Ending::DeployFailed, why))
    }
}
