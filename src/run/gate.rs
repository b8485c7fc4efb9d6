//! One gate at one target: it finds out, step by step of the watch, then judges and reports. It goes on in turns, each
//! of which ends where there is nothing to do but wait, so that one thread can tend many gates.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock::{Clock, Signal};
use crate::base::outcome::{Ending, Outcome};
use crate::base::source::Source;
use crate::judge::assertion::{Check, Evaluation, Truth};
use crate::judge::document::Document;
use crate::judge::extract;
use crate::nuon::deploy::Deploy;
use crate::nuon::failure::{self, Failure};
use crate::nuon::look::{self, Look, Miss};
use crate::nuon::target::{Target, segment};
use crate::nuon::workflow::Workflow;
use crate::report::progress::Progress;
use crate::report::{DeploySeen, Moment, Report, Verdict};
use crate::run::names;
use crate::run::plan::{Plan, Question};
use crate::run::session::Session;
use crate::run::world::World;
use crate::text::format;
use crate::watch::pin::Pins;
use crate::watch::schedule::Schedule;
use crate::watch::{self, Ask, Event, Rules, Step, Watch};

/// How long all may take whose answers only explain.
const EXPLAINING: Duration = Duration::from_secs(5);

/// Runs one gate and returns its exit code.
pub fn run(opening: &str, target: Target, plan: Plan, mut source: Box<dyn Source>, world: &mut World<'_>) -> u8 {
    let started = world.clock.utc();
    let Plan { mut question, teller } = plan;
    question.rules.began = started;
    let (question, lost) = (Arc::new(question), teller.lost());
    let mut gate = Gate::new(target, question.rules.pins.clone(), &question, world.seed);
    let mut session = Session::new(
        &mut *source,
        world.clock,
        Progress::new(world.err, question.manner.clone()),
        world.seed,
        question.rules.timeout,
    );
    session.progress.open(session.clock.now(), started, opening);
    let (ending, message) = match lost {
        Some(lost) => (Ending::OutputNotWritten, lost),
        None => gate.find_out(&mut session),
    };
    let verdict = gate.end(ending, message, &mut session);
    session.progress.close(session.clock.utc());
    let report = Report::of_one(ending, verdict, started, session.clock);
    let recorded = source.finish();
    teller.tell(report, recorded, world.out, world.err)
}

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
    question: Arc<Question>,
    target: Target,
    watch: Watch,
    /// When to ask for the ids again of what was given by name.
    names: Schedule,
    is_resolved: bool,
    document: Option<Arc<Document>>,
    checks: Vec<Check>,
    failure: Failure,
    /// The values of the outputs that the user wants, or why there is none.
    extracted: Vec<Result<String, String>>,
    warnings: Vec<String>,
    /// How many requests were made for this target.
    requests: u32,
    /// How long the deploy had been over when that was first seen.
    noticed_after: Option<Duration>,
}

impl Gate {
    /// A gate that has not asked yet, for the deploy that `pins` mean.
    pub fn new(target: Target, pins: Pins, question: &Arc<Question>, seed: u64) -> Self {
        let (first, longest) = question.intervals;
        let schedule = || Schedule::new(first, longest, seed);
        Self {
            watch: Watch::new(Rules { pins, ..question.rules.clone() }, schedule()),
            names: schedule(),
            is_resolved: false,
            checks: Vec::new(),
            target,
            question: Arc::clone(question),
            document: None,
            failure: Failure::default(),
            extracted: Vec::new(),
            warnings: Vec::new(),
            requests: 0,
            noticed_after: None,
        }
    }

    /// Which target it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What is asked of it.
    pub fn question(&self) -> &Arc<Question> {
        &self.question
    }

    /// What is known, in a sentence.
    pub fn so_far(&self) -> String {
        match self.requests {
            0 if !self.is_resolved => "not polled yet".into(),
            _ if !self.is_resolved => "names are not resolved yet".into(),
            _ => self.watch.so_far(),
        }
    }

    /// Turn after turn until it is over.
    fn find_out(&mut self, session: &mut Session<'_>) -> (Ending, String) {
        loop {
            match self.turn(session, None) {
                Turn::End(ending, why) => return (ending, why),
                Turn::Wait(wait) => {
                    let so_far = self.so_far();
                    if let Some(signal) = session.pause(wait, &so_far) {
                        return (Ending::Interrupted(signal), so_far);
                    }
                }
            }
        }
    }

    /// Does what is to be done now: step, and do what the step says, until there is nothing to do but wait. `instead`
    /// stands in place of the first look.
    pub fn turn(&mut self, session: &mut Session<'_>, instead: Option<Miss>) -> Turn {
        let before = session.requests;
        let turn = self.go_on(session, instead);
        self.requests += session.requests - before;
        turn
    }

    fn go_on(&mut self, session: &mut Session<'_>, instead: Option<Miss>) -> Turn {
        if let (false, Some(miss)) = (self.is_resolved, &instead) {
            return Turn::End(Ending::Unreachable, miss.why.clone());
        }
        if let Err(turn) = self.resolve(session) {
            return turn;
        }
        let mut look = instead.map(Look::Missed);
        loop {
            let step = self.watch.step(session.clock.now(), look.take());
            for event in self.watch.events() {
                self.say(event, session);
            }
            match step {
                Step::Wait(wait) => return Turn::Wait(wait),
                Step::Ask(ask) => look = Some(session.look(&ask, &self.target)),
                Step::Judge(parts) => match Document::assemble(*parts) {
                    Ok(document) => return self.judge(Arc::new(document), session),
                    Err(why) => {
                        look = Some(Look::Missed(Miss::new(format!("200, but {why}"))));
                    }
                },
                Step::End(Ending::Interrupted(signal), _) => {
                    return Turn::End(Ending::Interrupted(signal), self.watch.so_far());
                }
                Step::End(ending, why) if ending.outcome() == Outcome::Undecided || ending == Ending::Unreachable => {
                    return Turn::End(ending, format!("{why} (trace {})", session.trace));
                }
                Step::End(ending, why) => return Turn::End(ending, why),
            }
        }
    }

    /// The verdict of a gate that is over, with what a person will want to know.
    pub fn end(&mut self, ending: Ending, message: String, session: &mut Session<'_>) -> Verdict {
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
    fn resolve(&mut self, session: &mut Session<'_>) -> Result<(), Turn> {
        if self.is_resolved {
            return Ok(());
        }
        let miss = match names::resolve(&self.target, session).map_err(|look| *look) {
            Ok(target) => {
                if target != self.target {
                    session.progress.say(session.clock.now(), &format!("{} is {target}", self.target));
                }
                self.target = target;
                self.is_resolved = true;
                self.warn_of_strange_ids(session);
                return Ok(());
            }
            Err(Look::Missed(miss)) => miss,
            Err(Look::Refused(ending, why)) => {
                return Err(Turn::End(ending, format!("{why} (trace {})", session.trace)));
            }
            Err(other) => return Err(Turn::End(Ending::NotFound, watch::why(other))),
        };
        let now = session.clock.now();
        self.say(Event::Missed(miss.why.clone()), session);
        let left = self.watch.rules().timeout.saturating_sub(now);
        let floor = miss.retry_after.unwrap_or_default();
        if left.is_zero() || floor > left {
            return Err(Turn::End(Ending::Unreachable, format!("{} (trace {})", miss.why, session.trace)));
        }
        Err(Turn::Wait(self.names.next_wait().min(left).max(floor)))
    }

    fn warn_of_strange_ids(&mut self, session: &mut Session<'_>) {
        let pins = &self.watch.rules().pins;
        let baseline = pins.baseline().map(ToOwned::to_owned);
        let ids = [
            ("the install", Some(&self.target.install), "inl"),
            ("the component", Some(&self.target.component), "cmp"),
            ("the build", pins.build.as_ref(), "bld"),
            ("the deploy", pins.deploy.as_ref(), "dpl"),
            ("the workflow", pins.workflow.as_ref(), "inw"),
            ("the deploy before", baseline.as_ref(), "dpl"),
        ];
        let strange = ids.into_iter().filter_map(|(what, id, prefix)| names::strange_shape(what, id?, prefix));
        for warning in strange.collect::<Vec<_>>() {
            self.say(Event::Warning(warning), session);
        }
    }

    fn say(&mut self, event: Event, session: &mut Session<'_>) {
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
        if let (Event::Changed(change), Some((deploy, _))) = (&event, self.watch.deploy())
            && watch::is_over(change.class)
            && !self.watch.preexisting()
        {
            self.noticed_after = age(deploy, session.clock.utc());
        }
    }

    /// The deploy is as wanted: now the assertions decide.
    fn judge(&mut self, document: Arc<Document>, session: &mut Session<'_>) -> Turn {
        let judging = Evaluation::start(&self.question.assertions, &document);
        self.document = Some(document);
        let checks = match await_evaluation(judging, session) {
            Err(signal) => return Turn::End(Ending::Interrupted(signal), self.watch.so_far()),
            Ok(Err(why)) => return Turn::End(Ending::EnginesDisagree, why),
            Ok(Ok(checks)) => checks,
        };
        let (ending, why) = judged(&checks, &self.watch.so_far());
        self.checks = checks;
        match self.extract(session) {
            Err(signal) => Turn::End(Ending::Interrupted(signal), self.watch.so_far()),
            Ok(()) => Turn::End(ending, why),
        }
    }

    /// Looks for the values of the outputs that the user wants.
    fn extract(&mut self, session: &mut Session<'_>) -> Result<(), Signal> {
        let Some(document) = &self.document else { return Ok(()) };
        let extracts = &self.question.extracts;
        let values = await_evaluation(extract::start(extracts, document), session)?;
        self.extracted = values.unwrap_or_else(|why| vec![Err(why); extracts.len()]);
        Ok(())
    }

    /// Asks, once and briefly, for what a later step or a person will want to know.
    fn explain(&mut self, ending: Ending, session: &mut Session<'_>) {
        let Some((deploy, _)) = self.watch.deploy() else { return };
        let (id, workflow) = (deploy.id().to_owned(), deploy.workflow().to_owned());
        if matches!(ending.outcome(), Outcome::Interrupted | Outcome::Undecided) || ending == Ending::Unreachable {
            return;
        }
        let until = session.clock.now() + EXPLAINING;
        if ending == Ending::DeployFailed {
            let detail = match session.look_until(&Ask::Deploy(id.clone()), &self.target, until) {
                Look::Seen(_, bytes) => Document::parse(&bytes).ok().map(Arc::new),
                _ => None,
            };
            let workflow = session.look_until(&Ask::Workflow(workflow.clone()), &self.target, until);
            let workflow: Option<Box<Workflow>> = match workflow {
                Look::Workflow(workflow, _) if workflow.steps().next().is_some() => Some(workflow),
                _ => None,
            };
            let deploy = detail.as_ref().map(|document| document.value());
            self.failure = Failure::new(&id, deploy, workflow.as_deref());
            if let Some(stream) = deploy.and_then(failure::log_stream).filter(|_| self.question.log_lines > 0) {
                let answer = session.get_until(&format!("/v1/log-streams/{}/logs?order=desc", segment(stream)), until);
                let records = look::json(answer, session.clock.utc()).unwrap_or_default();
                self.failure.log = failure::log_lines(&records, self.question.log_lines);
            }
            self.document = detail;
        }
        self.find_dashboard(session, until);
    }

    /// Finds out where the dashboard is: known for the public API, else what the API says, once for all targets.
    fn find_dashboard(&mut self, session: &mut Session<'_>, until: Duration) {
        let place = &self.question.place;
        if place.dashboard.get().is_some() {
            return;
        }
        let url = if place.api == "https://api.nuon.co" {
            "https://app.nuon.co".into()
        } else {
            let answer = session.get_until("/v1/general/cli-config", until);
            let config = look::json(answer, session.clock.utc()).unwrap_or_default();
            let told = config["dashboard_url"].as_str().map(|url| url.trim_end_matches('/'));
            told.filter(|url| url.starts_with("https://") || url.starts_with("http://")).unwrap_or_default().into()
        };
        // Another target may have been faster.
        let _ = place.dashboard.set(url);
    }

    fn workflow_url(&mut self, session: &mut Session<'_>) -> String {
        let workflow = self.watch.deploy().map(|(deploy, _)| deploy.workflow().to_owned());
        let workflow = workflow.or_else(|| self.watch.rules().pins.workflow.clone()).unwrap_or_default();
        self.find_dashboard(session, session.clock.now() + EXPLAINING);
        self.url(&["workflows", &workflow])
    }

    /// A page of the dashboard about this install; `""` rather than a guess.
    fn url(&self, path: &[&str]) -> String {
        let org = self
            .watch
            .deploy()
            .and_then(|(deploy, _)| deploy.org_id.clone())
            .or_else(|| self.question.place.org.clone());
        match (self.question.place.dashboard.get(), org) {
            (Some(dashboard), Some(org)) if !dashboard.is_empty() && !org.is_empty() && !path.contains(&"") => {
                let path: Vec<String> = path.iter().map(|part| segment(part)).collect();
                format!("{dashboard}/{}/installs/{}/{}", segment(&org), segment(&self.target.install), path.join("/"))
            }
            _ => String::new(),
        }
    }

    /// What has become of the target, as it is known now.
    pub fn verdict(&mut self, ending: Ending, message: String, clock: &dyn Clock) -> Verdict {
        let pins = &self.watch.rules().pins;
        let deploy = self.watch.deploy();
        let age = deploy.and_then(|(deploy, _)| age(deploy, clock.utc()));
        // Nobody wants fractions of a second.
        let age = age.map(|age| format::duration(Duration::from_secs(age.as_secs())));
        if let Some((deploy, _)) = deploy.filter(|_| self.watch.preexisting() && pins.may_be_old()) {
            let age = age.as_ref().map_or_else(String::new, |age| format!(", last changed {age} ago"));
            let doubt = if pins.any() {
                "an earlier deploy can match, too"
            } else {
                "nothing shows that it is the one you just triggered"
            };
            self.warnings.push(format!(
                "deploy {} had already finished when first seen{age}: {doubt}; pin it with --workflow, --deploy or --after",
                deploy.id()
            ));
        }
        let belief = match (deploy, pins.any(), self.watch.followed()) {
            (None, ..) => String::new(),
            (_, false, Some(left)) => format!("the newest, which replaced {left}"),
            (_, true, Some(left)) => format!("the newest, which replaced {left}; pins that hold: {pins}"),
            (Some((deploy, _)), true, _) if pins.deploy.as_deref().is_some_and(|meant| meant != deploy.id()) => {
                format!("a retry in the same workflow, pins that hold: {pins}")
            }
            (_, true, _) => format!("pins that hold: {pins}"),
            _ => age.map_or_else(|| "latest, no pin".into(), |age| format!("latest, no pin, last changed {age} ago")),
        };
        let mut extracts = Vec::new();
        let mut extracted = std::mem::take(&mut self.extracted).into_iter();
        for extract in &self.question.extracts {
            let value = extracted.next().unwrap_or(Err("there is no document to look at".into()));
            if let Err(why) = &value {
                self.warnings.push(format!("the output {} is empty: {why}", extract.name));
            }
            extracts.push((extract.name.clone(), value.unwrap_or_default()));
        }
        let url = deploy.map(|(deploy, _)| self.url(&["components", &self.target.component, "deploys", deploy.id()]));
        let checks = std::mem::take(&mut self.checks);
        let is_judged = !checks.is_empty();
        let not_evaluated = self.question.assertions.iter().filter(|_| !is_judged).map(Check::not_evaluated);
        Verdict {
            install: self.target.install.clone(),
            component: self.target.component.clone(),
            outcome: ending.outcome().name(),
            reason: ending.reason(),
            message,
            deploy: deploy.map(|(deploy, class)| DeploySeen::new(deploy, *class)),
            url: url.unwrap_or_default(),
            belief,
            preexisting: self.watch.preexisting(),
            superseded_by: self.watch.superseded_by().unwrap_or_default().into(),
            polls: self.watch.looks(),
            requests: self.requests,
            noticed_after_ms: self.noticed_after.map(format::millis),
            timeline: self
                .watch
                .timeline()
                .iter()
                .map(|change| Moment {
                    at_ms: format::millis(change.at),
                    deploy: change.deploy.clone(),
                    status: change.status.clone(),
                    class: change.class,
                    description: change.description.clone(),
                })
                .collect(),
            document: self.document.as_ref().map(|document| document.parts.clone()).unwrap_or_default(),
            assertions: checks.into_iter().chain(not_evaluated).collect(),
            extracts,
            failure: Some(std::mem::take(&mut self.failure)).filter(|failure| !failure.is_empty()),
            warnings: std::mem::take(&mut self.warnings),
        }
    }
}

/// Waits for an answer about the document, or for a signal.
fn await_evaluation<T: Send + 'static>(
    mut judging: Evaluation<T>,
    session: &mut Session<'_>,
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

/// How long ago the server last changed a deploy.
fn age(deploy: &Deploy, now: Option<Timestamp>) -> Option<Duration> {
    let times = [&deploy.updated_at, &deploy.created_at];
    let then: Timestamp = times.into_iter().flatten().find_map(|time| time.parse().ok())?;
    Duration::try_from(now?.duration_since(then)).ok()
}

/// What the checks come to.
pub fn judged(checks: &[Check], so_far: &str) -> (Ending, String) {
    let failed = |outcome: Truth| checks.iter().find(|check| check.outcome == outcome);
    if let Some(check) = failed(Truth::False) {
        return (Ending::AssertionFalse, format!("`{}` {}", check.name(), check.told()));
    }
    if let Some(check) = checks.iter().find(|check| check.outcome != Truth::True) {
        return (Ending::AssertionVacuous, format!("`{}` {}", check.name(), check.told()));
    }
    let all = match checks.len() {
        0 => "no assertions to check".into(),
        1 => "the assertion is true".into(),
        count => format!("all {count} assertions are true"),
    };
    let message = if so_far.is_empty() { all } else { format!("{so_far}, {all}") };
    (Ending::Passed, message)
}
