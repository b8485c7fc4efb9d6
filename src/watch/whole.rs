//! A workflow as what is gated: it has to end well, and every deploy in it as well.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::base::outcome::Ending;
use crate::judge::document::{Parts, WorkflowParts};
use crate::nuon::cause::cause;
use crate::nuon::deploy::{self, Class, Deploy, Expect};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::{Look, Miss, Whole};
use crate::nuon::workflow::{Stage, Workflow, WorkflowStep};
use crate::watch::decision::{self, Decision, Sure};
use crate::watch::machine::{Go, Move, Watch};
use crate::watch::memory::{By, LAG, Member, Tracked};
use crate::watch::step::Ask;
use crate::watch::words::{approval_required, is_over, spoken, why};

/// A deploy that could not be read, and what there was in its place.
type Unread = (DeployId, Arc<Look>);

impl Watch {
    /// Goes through a look at a workflow that is gated as a whole.
    pub(super) fn whole(&mut self, id: &WorkflowId) -> Go<Infallible> {
        let look = self.pinned(id)?;
        let (workflow, whole) = match &*look {
            Look::Workflow(workflow, whole) => (workflow, whole),
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let stage = self.enter(workflow, whole.size());
        self.memory.preexisting.get_or_insert(matches!(stage, Stage::Succeeded | Stage::Failed(_)));
        self.note_steps(workflow);
        self.memory.named = workflow.deploys().len();
        if let Some(over) = self.unfit(id, workflow, &stage) {
            return ControlFlow::Break(over);
        }
        let (seen, unread) = self.read_members(id, workflow, &stage)?;
        let is_shown =
            workflow.installs().next().is_some() || seen.iter().any(|(member, _)| member.deploy.install_id.is_some());
        if stage == Stage::Succeeded && unread.is_empty() && !is_shown {
            let why = format!(
                "nothing shows that workflow {id} is of this install; a run of an app branch is gated by --branch-run"
            );
            return ControlFlow::Break(Move::End(Ending::NotFound, why));
        }
        let course = Course::of(&stage);
        let worst = seen.iter().map(|(member, _)| member).min_by_key(|member| severity(member.standing)).cloned();
        let standing = match worst.as_ref().map(|worst| worst.standing) {
            None if workflow.steps().next().is_none() => Standing::Sought,
            None => Standing::Good,
            // What a workflow has left undone when it failed is not what failed.
            Some(Standing::Open | Standing::Unreadable) if matches!(course, Course::Bad | Course::Dead) => {
                Standing::Sought
            }
            Some(standing) => standing,
        };
        if let Some((deploy, look)) = unread.first() {
            let is_bad =
                matches!(standing, Standing::Bad | Standing::Failed) || matches!(course, Course::Bad | Course::Dead);
            let is_good = course == Course::Good;
            // It may be what makes up for one that failed.
            let is_awaited = is_bad && !matches!(**look, Look::Refused(..)) && !self.is_out_of_patience();
            if is_awaited || is_good && !is_bad {
                return ControlFlow::Break(self.unread_member(deploy, look));
            }
        }
        self.decided_on = Some((standing, course));
        let (decision, sure) = decision::decide(standing, course, self.asked);
        let is_sure = self.is_confirmed(decision, sure);
        match (if is_sure { decision } else { Decision::Wait }, worst) {
            (Decision::Complete, _) => {
                if let Some((plan, _)) = seen.iter().find(|(member, _)| member.deploy.plan_only == Some(true)) {
                    let why = format!("{}, but only plans, so that nothing is deployed", told_of(plan));
                    return ControlFlow::Break(Move::End(Ending::WorkflowFailed, why));
                }
                let deploys = seen.into_iter().map(|(_, whole)| whole).collect();
                self.complete_whole(whole.clone(), deploys)
            }
            (Decision::Wait, worst) => {
                if decision == Decision::Wait {
                    self.memory.unconfirmed = None;
                }
                let open = worst.filter(|worst| course == Course::Good && worst.standing != Standing::Good);
                let told = open.map_or_else(String::new, |open| format!("{}; ", told_of(&open)));
                self.memory.note_ahead(told + &stage.told());
                ControlFlow::Break(self.again())
            }
            (decision, worst) => ControlFlow::Break(self.end_whole(decision, workflow, &stage, worst)),
        }
    }

    /// Whether a decision about a workflow is sure. Answers may come from a replica that lags behind, so that a failure is
    /// seen twice; at the deadline there is no other look.
    pub(super) fn is_confirmed(&mut self, decision: Decision, sure: Sure) -> bool {
        let is_failure =
            matches!(decision, Decision::DeployFailed | Decision::WorkflowFailed | Decision::NeverAppeared);
        let (sure, is_last) = match sure {
            Sure::AtOnce if is_failure => (Sure::SeenTwice, self.now >= self.rules.timeout),
            sure => (sure, false),
        };
        self.memory.confirms(None, decision, sure, self.now) || is_last
    }

    /// What the workflow alone says against a pass, whatever its deploys are.
    fn unfit(&mut self, id: &WorkflowId, workflow: &Workflow, stage: &Stage) -> Option<Move> {
        if workflow.plan_only == Some(true) {
            let why = format!("workflow {id} only plans, so that nothing is deployed: {}", stage.told());
            return Some(Move::End(Ending::WorkflowFailed, why));
        }
        if *stage != Stage::Succeeded {
            return None;
        }
        if let Some(step) = workflow.undeployed() {
            return Some(self.without_record(step));
        }
        let step = workflow.strange()?;
        let word = if step.word().is_empty() { "without a status".into() } else { spoken(step.word()) };
        let why = format!("step \"{}\" is {word}, which the gate does not know; {}", step.name(), stage.told());
        Some(Move::End(Ending::StatusUnknown, why))
    }

    /// Reads every deploy of the workflow, once it is over, and before that those of which a step failed. Of each component
    /// counts what was made last: what it retried has been made up for.
    fn read_members(
        &mut self,
        id: &WorkflowId,
        workflow: &Workflow,
        stage: &Stage,
    ) -> Go<(Vec<(Member, Whole)>, Vec<Unread>)> {
        let is_over = !matches!(stage, Stage::Running(_) | Stage::Waiting(_));
        // Then another may go on for one that failed.
        let is_due = is_over || workflow.deploys().iter().any(|deploy| workflow.has_failed_step(deploy));
        let (mut seen, mut unread) = (Vec::<(Member, Whole)>::new(), Vec::new());
        let after = self.after(&Ask::Workflow(id.clone()));
        // All of them are asked for before one is read.
        let mut looks = Vec::new();
        for deploy in workflow.deploys().into_iter().filter(|_| is_due) {
            looks.push((deploy.clone(), self.ask_from(after, Ask::DeployOfInstall(deploy))?));
        }
        for (deploy, look) in looks {
            let (deploy, whole) = match &*look {
                Look::Seen(deploy, _) if deploy.workflow.as_ref().is_some_and(|of| of != id) => {
                    let why = format!("it is of another workflow, {}", deploy.workflow.as_deref().unwrap_or_default());
                    unread.push((deploy.id().clone(), Arc::new(Look::Another(Miss::new(why)))));
                    continue;
                }
                Look::Seen(deploy, whole) => (deploy, whole),
                _ => {
                    unread.push((deploy, look));
                    continue;
                }
            };
            self.memory.absent_members.remove(&**deploy.id());
            let member = self.member(workflow, deploy);
            if matches!(member.standing, Standing::Bad | Standing::Failed) && is_over && workflow.has_done(deploy.id())
            {
                let why = format!("it is {}, though its newest step went well", spoken(deploy.word()));
                unread.push((deploy.id().clone(), Arc::new(Look::Missed(Miss::new(why)))));
            }
            if !seen.iter().any(|(other, _)| deploy.goes_before(&other.deploy)) {
                seen.retain(|(other, _)| !other.deploy.goes_before(deploy));
                seen.push((member, whole.clone()));
            }
        }
        if is_over || !seen.is_empty() {
            self.memory.members = seen.iter().map(|(member, _)| member.clone()).collect();
        }
        ControlFlow::Continue((seen, unread))
    }

    fn member(&self, workflow: &Workflow, deploy: &Deploy) -> Member {
        let expect = if deploy.is_teardown() { Expect::Teardown } else { Expect::Apply };
        let class = deploy::class(deploy, expect, &self.rules.overrides);
        let verification = workflow.verification(deploy.id(), deploy.install_component_id.as_ref());
        let standing = Standing::of(deploy, class, Some((workflow, &verification)));
        let told = match standing {
            Standing::Good => String::new(),
            _ if class == Class::Success => verification.told().to_owned(),
            _ => cause(deploy.description()),
        };
        Member { deploy: deploy.clone(), class, standing, told }
    }

    /// The workflow has ended well, and a step that was to make a deploy names none.
    fn without_record(&mut self, step: &WorkflowStep) -> Move {
        let told = format!("step \"{}\" ended as {} and names no deploy", step.name(), step.word());
        if step.class() == Class::Success {
            return self.absent_member(step.name(), told);
        }
        Move::End(Ending::DeployFailed, told)
    }

    /// A deploy of the workflow is not there; replicas lag.
    fn absent_member(&mut self, which: &str, told: String) -> Move {
        let since = *self.memory.absent_members.entry(which.into()).or_insert(self.now);
        if self.now >= since + LAG { Move::End(Ending::NotFound, told) } else { self.missed(&Miss::new(told)) }
    }

    /// The workflow has ended well, and one of its deploys cannot be read.
    fn unread_member(&mut self, id: &DeployId, look: &Look) -> Move {
        let told = format!("deploy {id} of the workflow cannot be read: {}", why(look));
        match look {
            Look::Refused(ending, _) => Move::End(*ending, told),
            Look::Absent(_) | Look::Another(_) => self.absent_member(id, told),
            Look::Missed(miss) => self.missed(&Miss { why: told, ..miss.clone() }),
            other => self.unanswered(other),
        }
    }

    fn complete_whole(&mut self, workflow: Whole, deploys: Vec<Whole>) -> Go<Infallible> {
        self.memory.unconfirmed = None;
        let look = self.ask(Ask::Install)?;
        let install = match &*look {
            Look::Install(whole) => whole.clone(),
            Look::Absent(_) => {
                let over = self.again();
                let over = self.install(over)?;
                return ControlFlow::Break(over);
            }
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let parts = WorkflowParts { workflow, deploys, install };
        ControlFlow::Break(Move::Judge(Box::new(Parts::Workflow(parts))))
    }

    /// How a run ends that is no pass.
    fn end_whole(&mut self, decision: Decision, workflow: &Workflow, stage: &Stage, worst: Option<Member>) -> Move {
        let step = workflow.culprit("").map_or_else(String::new, |step| {
            let words = step.words().first().map_or_else(String::new, |words| format!(": {}", cause(words)));
            format!("; step \"{}\" failed{words}", step.name())
        });
        let ended = format!("{}{step}", stage.told());
        let Some(worst) = worst else {
            return match decision {
                Decision::ApprovalRequired => Move::End(Ending::ApprovalRequired, approval_required(stage)),
                Decision::NeverAppeared => {
                    Move::End(Ending::NeverAppeared, format!("{}, without a single step", stage.told()))
                }
                _ => Move::End(Ending::WorkflowFailed, ended),
            };
        };
        let deploy = &worst.deploy;
        let about = told_of(&worst);
        let others =
            self.memory.members.iter().filter(|member| matches!(member.standing, Standing::Bad | Standing::Failed));
        let others = match others.count() {
            0 | 1 => String::new(),
            count => format!(" ({count} deploys failed)"),
        };
        let (ending, told) = match decision {
            Decision::ApprovalRequired => (Ending::ApprovalRequired, approval_required(stage)),
            Decision::DeployFailed => (Ending::DeployFailed, format!("{about}{others}; {}", stage.told())),
            Decision::UnknownStatus => {
                (Ending::StatusUnknown, format!("{about}, which is unknown to the gate; {}", stage.told()))
            }
            Decision::LeftBehind => (Ending::LeftBehind, format!("{about}, and {}", stage.told())),
            Decision::WorkflowFailed
            | Decision::NeverAppeared
            | Decision::Wait
            | Decision::Complete
            | Decision::WorkflowUnread => (Ending::WorkflowFailed, ended),
        };
        if ending == Ending::DeployFailed {
            // Whoever asks why is told about this one.
            let mut mine =
                Tracked::new(deploy.clone(), worst.class, Ask::DeployOfInstall(deploy.id().clone()), By::Id(None));
            mine.deploy.workflow = workflow.id.clone();
            self.memory.mine = Some(mine);
        }
        Move::End(ending, told)
    }
}

/// What has become of a deploy.
fn told_of(member: &Member) -> String {
    let deploy = &member.deploy;
    let name = deploy.component_name.as_deref().map_or_else(String::new, |name| format!(" of \"{name}\""));
    let verb = if is_over(member.class) { "ended as" } else { "is" };
    let words = if member.told.is_empty() { String::new() } else { format!(": {}", member.told) };
    format!("deploy {}{name} {verb} {}{words}", deploy.id(), spoken(deploy.word()))
}

/// The worst of several decides.
fn severity(standing: Standing) -> u8 {
    match standing {
        Standing::Failed => 0,
        Standing::Bad => 1,
        Standing::Unverified => 2,
        Standing::Unlisted => 3,
        Standing::Unreadable => 4,
        Standing::Sought | Standing::Open => 5,
        Standing::Good => 6,
    }
}
