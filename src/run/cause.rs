//! Why a deploy failed, in the server's own words: asked for once it has.

use std::sync::Arc;
use std::time::Duration;

use crate::base::outcome::{Ending, Outcome};
use crate::judge::document::Document;
use crate::nuon::failure::{self, Failure};
use crate::nuon::look::{self, Look};
use crate::nuon::target::segment;
use crate::nuon::workflow::Workflow;
use crate::run::gate::Gate;
use crate::run::session::Session;
use crate::watch::rules::Scope;
use crate::watch::step::Ask;

/// How long all may take whose answers only explain.
pub const EXPLAINING: Duration = Duration::from_secs(5);

impl Gate {
    /// Asks, once and briefly, for what a later step or a person will want to know.
    pub fn explain(&mut self, ending: Ending, session: &mut Session<'_, '_>) {
        let deploy = self.watch.deploy();
        let workflow = deploy.and_then(|deploy| deploy.workflow.clone());
        let workflow = workflow.or_else(|| self.watch.rules().pins.workflow().cloned());
        let id = deploy.map(|deploy| deploy.id().clone());
        if matches!(ending.outcome(), Outcome::Interrupted | Outcome::Undecided) || ending == Ending::Unreachable {
            return;
        }
        session.explain_until(Some(session.clock.now() + EXPLAINING));
        if matches!(ending, Ending::DeployFailed | Ending::WorkflowFailed) {
            let ask = match self.watch.rules().scope {
                Scope::Deploy => Ask::Deploy,
                Scope::Workflow | Scope::Run(_) => Ask::DeployOfInstall,
            };
            let detail = match id.clone().map(|id| session.look(&ask(id), &self.target)) {
                Some(Ok(Look::Seen(_, whole))) => {
                    whole.read().ok().and_then(|value| Document::of(value).ok()).map(Arc::new)
                }
                _ => None,
            };
            let workflow = workflow.map(|id| session.look(&Ask::Workflow(id), &self.target));
            let workflow: Option<Box<Workflow>> = match workflow {
                Some(Ok(Look::Workflow(workflow, _))) if workflow.steps().next().is_some() => Some(workflow),
                _ => None,
            };
            let deploy = detail.as_ref().map(|document| document.value());
            self.failure = Failure::new(id.as_deref().unwrap_or_default(), deploy, workflow.as_deref());
            if let Some(stream) = deploy.and_then(failure::log_stream).filter(|_| self.config.log_lines > 0) {
                let answer = session.get(&format!("/v1/log-streams/{}/logs?order=desc", segment(stream)));
                let records = look::json(answer, session.clock.utc()).unwrap_or_default();
                self.failure.log = failure::log_lines(&records, self.config.log_lines);
            }
            self.document = detail;
        }
        self.find_dashboard(session);
    }
}
