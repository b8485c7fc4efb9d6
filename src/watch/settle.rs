//! What a deploy and its workflow come to: their evidence, the decision, and what ends a run.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::base::outcome::Ending;
use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::WorkflowId;
use crate::nuon::look::Look;
use crate::nuon::workflow::{Stage, Verification, Workflow};
use crate::watch::decision::{self, Asked, Decision, Sure};
use crate::watch::machine::{Go, Move, Watch};
use crate::watch::memory::{By, Failing, LAG, PATIENCE, Tracked};
use crate::watch::rules::{OnApproval, OnSuperseded, Until};
use crate::watch::step::{Ask, Event};
use crate::watch::words::{self, A_PERSON_CAN, approval_required, described, is_over, spoken, why};

/// A workflow whose answer is larger than this is not looked at with each look.
const LARGE: usize = 256 * 1024;
/// With every how many looks it is.
const SELDOM: u32 = 4;

/// What is known of a deploy and its workflow.
pub(super) struct Evidence {
    pub(super) standing: Standing,
    pub(super) course: Course,
    /// Where the workflow is, if it was read in this look.
    pub(super) stage: Option<Stage>,
    /// Whether it still verifies the deploy.
    pub(super) verification: Verification,
    /// The answer about the workflow, or why there is none.
    pub(super) workflow: Result<Arc<Look>, (Ending, String)>,
}

impl Evidence {
    /// What is known of a deploy without its workflow.
    fn without(standing: Standing, course: Course, ending: Ending, why: &str) -> Self {
        Self { standing, course, stage: None, verification: Verification::Done, workflow: Err((ending, why.into())) }
    }
}

impl Watch {
    /// Decides about the deploy that is meant, and does what that calls for.
    pub(super) fn settle(&mut self, mine: Tracked) -> Go<Infallible> {
        let evidence = self.evidence(&mine)?;
        if self.rules.pins.workflow().is_none()
            && let Ok(look) = &evidence.workflow
            && let Look::Workflow(workflow, _) = &**look
            && (mine.by != By::Latest || workflow.goes_on_after(mine.deploy.id()))
            && let Some(retry) = self.successor(&mine, workflow)?
        {
            return self.settle(retry);
        }
        self.decided_on = Some((evidence.standing, evidence.course));
        match self.decide(&mine.deploy, evidence.standing, evidence.course, self.asked) {
            Decision::Wait => ControlFlow::Break(self.go_on(&mine, &evidence)),
            Decision::Complete => self.complete(mine, evidence),
            Decision::ApprovalRequired => {
                let why = evidence.stage.as_ref().map(approval_required).unwrap_or_default();
                ControlFlow::Break(Move::End(Ending::ApprovalRequired, why))
            }
            decision => {
                if let Some(mine) = self.as_it_is_now(&mine, &evidence)? {
                    return self.settle(mine);
                }
                if self.may_be_yesterdays(&mine.deploy) {
                    return ControlFlow::Break(self.is_yesterdays(&mine.deploy));
                }
                let mine = self.superseded(mine)?;
                ControlFlow::Break(self.end(decision, &mine, &evidence))
            }
        }
    }

    /// What is known of a deploy that was just seen, and of its workflow.
    fn evidence(&mut self, mine: &Tracked) -> Go<Evidence> {
        let alone = match Standing::of(&mine.deploy, mine.class, None) {
            Standing::Failed if self.may_be_followed(mine) => Standing::Bad,
            alone => alone,
        };
        let Some(id) = mine.deploy.workflow.clone() else {
            return ControlFlow::Continue(Evidence::without(
                alone,
                Course::None,
                Ending::NotFound,
                "the deploy names no workflow",
            ));
        };
        if alone == Standing::Failed {
            return ControlFlow::Continue(Evidence::without(alone, Course::None, Ending::NotFound, ""));
        }
        if let Some((ending, why)) = self.memory.workflow.refused.clone() {
            return self.unread(mine, alone, ending, &why);
        }
        if self.is_passed_over(mine) {
            self.memory.workflow.passed_over += 1;
            return ControlFlow::Continue(Evidence::without(alone, Course::Open, Ending::Unreachable, ""));
        }
        let look = self.ask(Ask::Workflow(id.clone()))?;
        match &*look {
            Look::Workflow(workflow, whole) => {
                let stage = self.enter(workflow, whole.size());
                let verification = self.verification(workflow, &mine.deploy);
                let standing = match Standing::of(&mine.deploy, mine.class, Some((workflow, &verification))) {
                    Standing::Failed if self.may_be_followed(mine) => Standing::Bad,
                    standing => standing,
                };
                let course = Course::beside(workflow, &stage, standing, &mine.deploy);
                let (stage, workflow) = (Some(stage), Ok(Arc::clone(&look)));
                ControlFlow::Continue(Evidence { standing, course, stage, verification, workflow })
            }
            Look::Refused(ending, why) => {
                self.refuse(&id, *ending, why);
                self.unread(mine, alone, *ending, why)
            }
            Look::Absent(miss) => {
                // In an earlier look: one answer is one, however often this look comes back to it.
                let is_again = self.memory.workflow.absent.is_some_and(|since| since < self.now);
                let since = *self.memory.workflow.absent.get_or_insert(self.now);
                if alone == Standing::Bad && is_again {
                    // Its failure needs it no more. What is retried may.
                    self.tell_unread(&id, &miss.why, !self.memory.workflow.is_told);
                    return self.unread(mine, alone, Ending::NotFound, &miss.why);
                }
                if self.now >= since + LAG {
                    self.refuse(&id, Ending::NotFound, &miss.why);
                    return self.unread(mine, alone, Ending::NotFound, &miss.why);
                }
                self.lost(mine, alone, &id, &look)
            }
            _ => {
                let sight = &mut self.memory.workflow;
                let failing = Failing::again(sight.failing, self.now, !self.memory.log.was_missed);
                sight.failing = Some(failing);
                if alone == Standing::Bad && failing.is_enough() {
                    let why = why(&look);
                    self.tell_unread(&id, &why, true);
                    return ControlFlow::Continue(Evidence::without(alone, Course::Unread, Ending::Unreachable, &why));
                }
                self.lost(mine, alone, &id, &look)
            }
        }
    }

    /// Whether another deploy of the same workflow may come, though this one has ended: that a component is taken away may
    /// be but the first thing that the workflow does.
    fn may_be_followed(&self, mine: &Tracked) -> bool {
        self.rules.pins.workflow().is_some() && mine.deploy.is_teardown() && mine.deploy.word() == "inactive"
    }

    /// Whether the workflow is too large to be looked at with each look.
    fn is_passed_over(&self, mine: &Tracked) -> bool {
        let sight = &self.memory.workflow;
        let is_news = self.memory.changed == self.now || is_over(mine.class);
        let is_asked = self.rules.pins.workflow().is_some();
        sight.size > LARGE && sight.passed_over + 1 < SELDOM && !is_news && !is_asked && self.now < self.rules.timeout
    }

    /// A workflow that cannot be read now, but may be again.
    fn lost(&mut self, mine: &Tracked, standing: Standing, id: &WorkflowId, look: &Look) -> Go<Evidence> {
        let why = why(look);
        let is_needed = self.asked.workflow_must_tell || self.rules.document_is_needed;
        if standing == Standing::Good && (is_needed || self.asked.workflow_must_end) {
            return ControlFlow::Break(self.unanswered(look));
        }
        if !is_over(mine.class) {
            self.tell_unread(id, &why, false);
        }
        let course = if standing == Standing::Good { Course::None } else { Course::Open };
        ControlFlow::Continue(Evidence::without(standing, course, Ending::Unreachable, &why))
    }

    /// A workflow that is refused. Kinds of components without a health gate do not need it.
    fn unread(&mut self, mine: &Tracked, standing: Standing, ending: Ending, why: &str) -> Go<Evidence> {
        let is_needed = self.asked.workflow_must_tell && !matches!(standing, Standing::Bad | Standing::Failed);
        // A token that is refused is refused everywhere.
        if is_needed && ending != Ending::Unauthorized && !self.asked.workflow_must_succeed {
            let look = self.ask(Ask::Deploy(mine.deploy.id().clone()))?;
            if matches!(&*look, Look::Seen(deploy, _) if deploy.has_no_health_gate()) {
                return ControlFlow::Continue(Evidence::without(standing, Course::None, ending, why));
            }
        }
        ControlFlow::Continue(Evidence::without(standing, Course::Unread, ending, why))
    }

    fn refuse(&mut self, id: &WorkflowId, ending: Ending, why: &str) {
        self.tell_unread(id, why, true);
        self.memory.workflow.refused = Some((ending, why.into()));
    }

    /// Says once that the workflow cannot be read.
    fn tell_unread(&mut self, id: &WorkflowId, why: &str, is_final: bool) {
        let words = format!("the workflow {id} cannot be read: {why}");
        match (self.memory.workflow.is_told, is_final) {
            (_, true) if self.memory.workflow.refused.is_none() => {
                self.memory.log.events.push(Event::Warning(words));
            }
            (false, false) => self.memory.log.events.push(Event::Note(words)),
            _ => {}
        }
        self.memory.workflow.is_told = true;
    }

    /// Takes note of where a workflow is.
    pub(super) fn enter(&mut self, workflow: &Workflow, size: usize) -> Stage {
        let stage = workflow.stage();
        let sight = &mut self.memory.workflow;
        let word = workflow.end();
        if sight.stage.is_some() && sight.word != word {
            (self.memory.changed, sight.has_changed) = (self.now, true);
        }
        if sight.stage.as_ref() != Some(&stage)
            && let Stage::Waiting(what) = &stage
        {
            self.memory.log.events.push(Event::Person(what.clone()));
        }
        (sight.stage, sight.word, sight.size) = (Some(stage.clone()), word, size);
        (sight.passed_over, sight.absent, sight.failing, sight.is_told) = (0, None, None, false);
        sight.is_plan = workflow.plan_only == Some(true);
        sight.queued = workflow.id.clone().filter(|_| workflow.is_queued());
        stage
    }

    fn verification(&self, workflow: &Workflow, deploy: &Deploy) -> Verification {
        if self.rules.until == Until::Applied {
            return Verification::Done;
        }
        let component = deploy.install_component_id.as_ref().or(self.install_component.as_ref());
        workflow.verification(deploy.id(), component)
    }

    /// The deploy is not over, or its workflow is not: the run goes on.
    fn go_on(&mut self, mine: &Tracked, evidence: &Evidence) -> Move {
        self.memory.unconfirmed = None;
        if let (OnSuperseded::Stop, Some(newer)) = (self.rules.on_superseded(), mine.superseded_by()) {
            return Move::End(Ending::Superseded, format!("deploy {newer} replaces {}", mine.deploy.id()));
        }
        if is_over(mine.class) && evidence.standing != Standing::Bad {
            self.memory.awaits_workflow = false;
            let told = self.told_of(mine);
            self.memory.awaits_workflow = true;
            self.memory.note_ahead(format!("{told}; {}", evidence.verification.told()));
        }
        self.again()
    }

    /// Before a run ends badly, its deploy is asked for by its id: the latest may come from a replica that lags behind, and
    /// another deploy of the same workflow may have gone on. What that shows, if it is anything else.
    fn as_it_is_now(&mut self, mine: &Tracked, evidence: &Evidence) -> Go<Option<Tracked>> {
        let is_final = evidence.standing == Standing::Failed && !mine.may_be_retried();
        let Ok(look) = &evidence.workflow else { return ControlFlow::Continue(None) };
        let (Look::Workflow(workflow, _), Some(id), false) = (&**look, &mine.deploy.workflow, is_final) else {
            return ControlFlow::Continue(None);
        };
        let ask = Ask::Deploy(mine.deploy.id().clone());
        let look = self.ask_after(&Ask::Workflow(id.clone()), ask.clone())?;
        match &*look {
            Look::Seen(deploy, _) if deploy.word() != mine.deploy.word() => {
                let mut deploy = (**deploy).clone();
                deploy.workflow.get_or_insert(id.clone());
                return ControlFlow::Continue(Some(self.take(mine.clone(), deploy, ask)));
            }
            Look::Missed(miss) if !self.is_out_of_patience() => return ControlFlow::Break(self.missed(miss)),
            _ => {}
        }
        if mine.by != By::Latest {
            return ControlFlow::Continue(None);
        }
        self.successor(mine, workflow)
    }

    /// Whether what a failure still needs has been asked for in vain for long enough.
    pub(super) fn is_out_of_patience(&mut self) -> bool {
        let since = *self.memory.unconfirmed.get_or_insert(self.now);
        self.now >= self.rules.timeout || self.now >= since + PATIENCE
    }

    /// How a run ends that is no pass.
    fn end(&self, decision: Decision, mine: &Tracked, evidence: &Evidence) -> Move {
        let told = self.told_of(mine);
        let stage = evidence.stage.as_ref().map(Stage::told).unwrap_or_default();
        match decision {
            Decision::DeployFailed => self.failed(mine, evidence),
            Decision::WorkflowFailed => Move::End(Ending::WorkflowFailed, format!("{told}, but {stage}")),
            Decision::UnknownStatus => {
                let unknown = words::unknown(mine.deploy.word());
                Move::End(Ending::StatusUnknown, format!("{unknown}; {stage}"))
            }
            Decision::WorkflowUnread => match &evidence.workflow {
                Err((ending, why)) => Move::End(*ending, format!("{told}, but {}", self.unread_workflow(why))),
                Ok(_) => self.again(),
            },
            Decision::LeftBehind
            | Decision::NeverAppeared
            | Decision::Wait
            | Decision::Complete
            | Decision::ApprovalRequired => Move::End(Ending::LeftBehind, format!("{told}, and {stage}")),
        }
    }

    pub(super) fn unread_workflow(&self, why: &str) -> String {
        format!(
            "its workflow cannot be read: {why}; where the rest of the workflow does not matter, use --until applied"
        )
    }

    fn failed(&self, mine: &Tracked, evidence: &Evidence) -> Move {
        let deploy = &mine.deploy;
        let (id, word) = (deploy.id(), spoken(deploy.word()));
        let stage = evidence.stage.as_ref();
        if mine.class == Class::Success {
            let parked = if matches!(stage, Some(Stage::Parked(_))) { A_PERSON_CAN } else { "" };
            let step = evidence.verification.told();
            return Move::End(Ending::DeployFailed, format!("{step}; deploy {id} itself is {word}{parked}"));
        }
        let is_over = is_over(mine.class);
        let more = match stage {
            None if mine.class == Class::Parked => A_PERSON_CAN.into(),
            None | Some(Stage::Running(_)) => String::new(),
            Some(Stage::Succeeded) if is_over => String::new(),
            Some(Stage::Failed(how)) if is_over => format!(" (its workflow: {how})"),
            Some(Stage::Waiting(what)) => format!("; its retry is not approved: {what}"),
            Some(stage) if is_over => format!("; {}", stage.told()),
            Some(stage) => format!(", and {}", stage.told()),
        };
        let plan = if self.memory.workflow.is_plan { " (a plan: nothing was deployed)" } else { "" };
        let verb = if is_over { "ended as" } else { "is left at" };
        let newer = mine.superseded_by().map_or_else(String::new, |newer| format!("; {newer} has replaced it"));
        let (read_as, words) = (self.read_as(deploy.word(), Some(mine.class)), described(deploy));
        Move::End(Ending::DeployFailed, format!("deploy {id} {verb} {word}{read_as}{plan}{words}{newer}{more}"))
    }

    /// The decision about a deploy that is not mine, and its words.
    pub(super) fn decide_about(&mut self, deploy: &Deploy) -> Go<(Decision, String)> {
        let class = self.class(deploy);
        let ended = format!("ended as {}{}", spoken(deploy.word()), described(deploy));
        let alone = Standing::of(deploy, class, None);
        let tells_itself = alone == Standing::Failed
            || alone == Standing::Good && (class == Class::NothingToDo || !self.asked.workflow_must_tell);
        let (standing, course, told) = match deploy.workflow.as_ref().filter(|_| !tells_itself) {
            None => (alone, Course::None, ended),
            Some(id) => {
                let look = self.ask(Ask::Workflow(id.clone()))?;
                let workflow = match &*look {
                    Look::Workflow(workflow, _) => workflow,
                    other => return ControlFlow::Break(self.unanswered(other)),
                };
                let (stage, verification) = (workflow.stage(), self.verification(workflow, deploy));
                let standing = Standing::of(deploy, class, Some((workflow, &verification)));
                let course = Course::beside(workflow, &stage, standing, deploy);
                let told = match (standing, class) {
                    (Standing::Open, _) => format!("is left behind: {}", stage.told()),
                    (Standing::Unreadable, _) => format!("is {}, and {}", spoken(deploy.word()), stage.told()),
                    (_, Class::Success) => format!("is not verified: {}", verification.told()),
                    _ => ended,
                };
                (standing, course, told)
            }
        };
        let asked = Asked {
            on_approval: OnApproval::Wait,
            workflow_must_end: false,
            workflow_must_succeed: false,
            ..self.asked
        };
        ControlFlow::Continue((self.decide(deploy, standing, course, asked), told))
    }

    /// What the table says of a deploy, once that is sure.
    fn decide(&mut self, deploy: &Deploy, standing: Standing, course: Course, asked: Asked) -> Decision {
        let (decision, sure) = decision::decide(standing, course, asked);
        let is_old = |look: &Look| matches!(look, Look::Workflow(workflow, _) if workflow.was_over_before(deploy));
        // A deploy that failed for good needs no workflow.
        let is_unsure = standing != Standing::Failed && self.answers.iter().any(|(_, look)| is_old(look));
        let sure = if is_unsure { Sure::ForAMinute } else { sure };
        let is_sure = self.memory.confirms(Some(deploy.id().clone()), decision, sure, self.now);
        if is_sure { decision } else { Decision::Wait }
    }
}
