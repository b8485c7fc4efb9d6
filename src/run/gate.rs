//! Gates one target: polls until its deploy has ended, then evaluates the assertions. It goes on in turns, each of which
//! ends where there is nothing to do but wait, so that one thread can tend many gates.

use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Signal;
use crate::base::outcome::{Ending, Outcome};
use crate::judge::assertion::{self, Check, Evaluation};
use crate::judge::document::Document;
use crate::judge::extract;
use crate::nuon::branch_run::Updated;
use crate::nuon::failure::Failure;
use crate::nuon::id::WorkflowId;
use crate::nuon::look::{Look, Miss, Unread};
use crate::nuon::target::Target;
use crate::report::result::Verdict;
use crate::run::config::GateConfig;
use crate::run::names;
use crate::run::session::Session;
use crate::run::spec::TargetSpec;
use crate::text::format;
use crate::watch::pin::After;
use crate::watch::rules::{Rules, Scope};
use crate::watch::schedule::Schedule;
use crate::watch::step::{Event, Step};
use crate::watch::{Watch, words};

/// What to do after a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Go on after a while.
    Wait(Duration),
    /// It is over.
    End(Ending, String),
}

/// The gate of one target.
pub struct Gate {
    pub(super) config: Arc<GateConfig>,
    pub(super) target: Target,
    pub(super) watch: Watch,
    /// When to ask for the ids again of what was given by name.
    pub(super) names: Schedule,
    pub(super) is_resolved: bool,
    /// Why they are not known yet, as it was last said.
    pub(super) unresolved: String,
    pub(super) document: Option<Arc<Document>>,
    pub(super) checks: Vec<Check>,
    pub(super) failure: Failure,
    /// The values of the outputs that the user wants, or why there is none.
    pub(super) extracted: Vec<Result<String, String>>,
    pub(super) warnings: Vec<String>,
    /// How many requests were made for this target.
    pub(super) requests: u32,
    /// How long the deploy had been over when that was first seen.
    pub(super) noticed_after: Option<Duration>,
}

impl Gate {
    /// A gate that has not asked yet, for the deploy that `pins` mean.
    pub fn new(spec: TargetSpec, config: &Arc<GateConfig>, seed: u64) -> Self {
        let TargetSpec { target, pins, scope } = spec;
        let (first, longest) = config.intervals;
        let schedule = || Schedule::new(first, longest, seed);
        Self {
            watch: Watch::new(Rules { pins, scope, ..config.rules.clone() }, schedule()),
            names: schedule(),
            is_resolved: false,
            unresolved: String::new(),
            checks: Vec::new(),
            target,
            config: Arc::clone(config),
            document: None,
            failure: Failure::default(),
            extracted: Vec::new(),
            warnings: config.warnings.clone(),
            requests: 0,
            noticed_after: None,
        }
    }

    /// Which target it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The workflow that it is pinned to.
    pub fn workflow(&self) -> Option<&WorkflowId> {
        self.watch.rules().pins.workflow()
    }

    /// The installs that it updates, where it is a branch run.
    pub fn updated(&self) -> &[Updated] {
        self.watch.updated()
    }

    /// What is asked of it.
    pub fn config(&self) -> &Arc<GateConfig> {
        &self.config
    }

    /// Where it is, in a word: that of the deploy, or of the workflow that is gated as a whole.
    pub fn status(&self) -> &str {
        let of_deploy = self.watch.deploy().map(|deploy| deploy.word());
        match of_deploy.or_else(|| self.watch.workflow().map(|(_, word)| word)) {
            None => "not seen yet",
            Some("") => "queued",
            Some(word) => word,
        }
    }

    /// What is known, in a sentence.
    pub fn so_far(&self) -> String {
        match self.requests {
            0 if !self.is_resolved => "not polled yet".into(),
            _ if !self.is_resolved => "names are not resolved yet".into(),
            _ => self.watch.so_far(),
        }
    }

    /// Does what is to be done now: step, and do what the step says, until there is nothing to do but wait. `instead`
    /// stands in place of the first look.
    pub fn turn(&mut self, session: &mut Session<'_, '_>, instead: Option<Miss>) -> Turn {
        let before = session.requests;
        session.shares_deploys = self.workflow().is_some();
        let turn = self.go_on(session, instead);
        self.requests += session.requests - before;
        turn
    }

    fn go_on(&mut self, session: &mut Session<'_, '_>, instead: Option<Miss>) -> Turn {
        if let (false, Some(miss)) = (self.is_resolved, &instead) {
            return Turn::End(Ending::Unreachable, miss.why.clone());
        }
        if let Err(turn) = self.resolve(session) {
            return turn;
        }
        let mut step = match instead {
            Some(miss) => self.watch.step_unasked(session.clock.now(), &miss),
            None => self.watch.step(session.clock.now(), None),
        };
        loop {
            for event in self.watch.events() {
                self.say(event, session);
            }
            self.warn_of_clocks(session);
            match step {
                Step::Wait(wait) => return Turn::Wait(wait),
                Step::Ask(ask) => match session.look(&ask, &self.target) {
                    Ok(seen) => step = self.watch.step(session.clock.now(), Some(seen)),
                    Err(signal) => return Turn::End(Ending::Interrupted(signal), self.watch.so_far()),
                },
                Step::Judge(parts) => match Document::assemble(*parts) {
                    Ok(document) => return self.judge(Arc::new(document), session),
                    Err(why) => step = self.watch.unreadable(&format!("200, but {why}")),
                },
                Step::End(ending, why) if ending.outcome() == Outcome::Undecided || ending == Ending::Unreachable => {
                    return Turn::End(ending, format!("{why} (trace {})", session.trace));
                }
                Step::End(ending, why) => return Turn::End(ending, why),
            }
        }
    }

    /// The verdict of a gate that is over, with what a person will want to know.
    pub fn end(&mut self, ending: Ending, message: String, session: &mut Session<'_, '_>) -> Verdict {
        let before = session.requests;
        self.explain(ending, session);
        if self.extracted.is_empty() {
            // A signal is what ends the run already, or the verdict is no pass.
            let _ = self.extract(session);
        }
        self.requests += session.requests - before;
        self.verdict(ending, message, session.clock)
    }

    /// Asks for the ids of what was given by name, again and again like everything else.
    fn resolve(&mut self, session: &mut Session<'_, '_>) -> Result<(), Turn> {
        if self.is_resolved {
            return Ok(());
        }
        let resolved = match self.watch.rules().scope {
            Scope::Deploy => names::resolve(&self.target, session),
            Scope::Workflow => names::resolve_install(&self.target, session),
            Scope::Run(_) => Ok(self.target.clone()),
        };
        let look = match resolved {
            Ok(target) => {
                if target != self.target {
                    session.progress.say(session.clock.now(), &format!("{} is {target}", self.target));
                }
                self.target = target;
                self.is_resolved = true;
                self.warn_of_strange_ids(session);
                return Ok(());
            }
            Err(Unread::Signal(signal)) => {
                return Err(Turn::End(Ending::Interrupted(signal), self.so_far()));
            }
            Err(Unread::Look(look)) => *look,
        };
        let miss = match look {
            Look::Missed(miss) => miss,
            Look::Refused(ending, why) => {
                return Err(Turn::End(ending, format!("{why} (trace {})", session.trace)));
            }
            other => return Err(Turn::End(Ending::NotFound, words::why(&other))),
        };
        let now = session.clock.now();
        if std::mem::replace(&mut self.unresolved, miss.why.clone()) != miss.why {
            self.say(Event::Missed(miss.why.clone()), session);
        }
        let left = self.watch.rules().timeout.saturating_sub(now);
        let floor = miss.retry_after.unwrap_or_default();
        if left.is_zero() || floor > left {
            return Err(Turn::End(Ending::Unreachable, format!("{} (trace {})", miss.why, session.trace)));
        }
        Err(Turn::Wait(self.names.next_wait().min(left).max(floor)))
    }

    fn warn_of_strange_ids(&mut self, session: &mut Session<'_, '_>) {
        let pins = &self.watch.rules().pins;
        let scope = &self.watch.rules().scope;
        let install = Some(&*self.target.install).filter(|_| !matches!(scope, Scope::Run(_)));
        let component = Some(&*self.target.component).filter(|_| *scope == Scope::Deploy);
        let ids = [
            ("the install", install, "inl"),
            ("the component", component, "cmp"),
            ("the build", pins.build.as_deref(), "bld"),
            ("the deploy", pins.deploy.as_deref(), "dpl"),
            ("the workflow", pins.workflow().map(|id| &**id), "inw"),
            ("the deploy before", pins.baseline().map(|id| &**id), "dpl"),
        ];
        let strange = ids.into_iter().filter_map(|(what, id, prefix)| names::strange_shape(what, id?, prefix));
        for warning in strange.collect::<Vec<_>>() {
            self.say(Event::Warning(warning), session);
        }
    }

    /// A pin that is a time means the server's clock, and comes from another.
    fn warn_of_clocks(&mut self, session: &mut Session<'_, '_>) {
        let is_pinned = matches!(self.watch.rules().pins.after, Some(After::Time(_)));
        let Some(ahead) = session.api.ahead.get().filter(|_| is_pinned) else { return };
        let by = format::duration(ahead.unsigned_abs());
        let side = if ahead.is_positive() { "ahead of" } else { "behind" };
        let warning = format!(
            "the server's clock is {by} {side} this machine's, so --after with a time may take a deploy for newer or older \
             than it is; the id that the command `latest` prints depends on no clock"
        );
        if !self.warnings.contains(&warning) {
            self.say(Event::Warning(warning), session);
        }
    }

    fn say(&mut self, event: Event, session: &mut Session<'_, '_>) {
        let event = match event {
            Event::Warning(warning) => {
                self.warnings.push(warning.clone());
                Event::Warning(warning)
            }
            Event::Person(what) => {
                let link = self.workflow_url(session);
                let link = if link.is_empty() { String::new() } else { format!(": {link}") };
                Event::Person(format!("{what}{link}"))
            }
            other => other,
        };
        session.progress.tell(session.clock.now(), &event, &session.trace);
        if let (Event::Changed(change), Some(deploy)) = (&event, self.watch.deploy())
            && words::is_over(change.class)
            && !self.watch.preexisting()
        {
            self.noticed_after = deploy.age(session.clock.utc());
        }
    }

    /// The deploy is as wanted: now the assertions decide.
    fn judge(&mut self, document: Arc<Document>, session: &mut Session<'_, '_>) -> Turn {
        let judging = Evaluation::start(Arc::clone(&self.config.assertions), &document);
        self.document = Some(document);
        let checks = match await_evaluation(judging, session) {
            Err(signal) => return Turn::End(Ending::Interrupted(signal), self.watch.so_far()),
            Ok(Err(why)) => return Turn::End(Ending::EnginesDisagree, why),
            Ok(Ok(checks)) => checks,
        };
        let (ending, why) = assertion::ending(&checks, &self.watch.so_far());
        self.checks = checks;
        self.advise(session);
        match self.extract(session) {
            Err(signal) => Turn::End(Ending::Interrupted(signal), self.watch.so_far()),
            Ok(()) => Turn::End(ending, why),
        }
    }

    /// Evaluates the advisory assertions: whatever comes of them is a warning.
    fn advise(&mut self, session: &mut Session<'_, '_>) {
        let Some(document) = &self.document else { return };
        let (checks, warnings) = assertion::advise(&self.config.advisories, document);
        self.checks.extend(checks);
        warnings.into_iter().for_each(|warning| self.say(Event::Warning(warning), session));
    }

    /// Looks for the values of the outputs that the user wants.
    fn extract(&mut self, session: &mut Session<'_, '_>) -> Result<(), Signal> {
        let Some(document) = &self.document else { return Ok(()) };
        let extracts = &self.config.extracts;
        let values = await_evaluation(extract::start(extracts, document), session)?;
        self.extracted = values.unwrap_or_else(|why| vec![Err(why); extracts.len()]);
        Ok(())
    }
}

/// Waits for an answer about the document, or for a signal.
fn await_evaluation<T: Send + 'static>(
    mut judging: Evaluation<T>,
    session: &mut Session<'_, '_>,
) -> Result<Result<T, String>, Signal> {
    loop {
        if let Some(answer) = judging.poll() {
            return Ok(answer);
        }
        if let Some(signal) = session.interrupted() {
            return Err(signal);
        }
    }
}
