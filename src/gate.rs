//! One gate at one target: it finds out, step by step of the watch, then judges, reports and tells.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::args::{self, Variables};
use crate::assertion::{Assertion, Check, Judging, Truth, Vacuity};
use crate::ci;
use crate::clock::Clock;
use crate::color::Paint;
use crate::config::Connection;
use crate::deploy::Deploy;
use crate::document::Document;
use crate::extract::{self, Extract};
use crate::failure::{self, Failure};
use crate::look::{self, Look, Miss};
use crate::names;
use crate::progress::{Manner, Progress, Screen, Verbosity};
use crate::report::files::{Files, Format, Place as Whose};
use crate::report::{self, DeploySeen, Moment, Report, Tool, Verdict, dotenv, people};
use crate::schedule::Schedule;
use crate::session::Session;
use crate::source::Source;
use crate::target::{Target, segment};
use crate::text;
use crate::verdict::{Ending, Outcome};
use crate::watch::{Ask, Event, OnSuperseded, Rules, Step, Until, Watch};
use crate::workflow::Workflow;
use crate::{World, is_loss};

/// How long a request may take whose answer only explains.
const EXPLAINING: Duration = Duration::from_secs(5);

/// What a run will do, with everything that can fail before the wait behind it.
pub struct Plan {
    /// For the watch.
    pub rules: Rules,
    intervals: (Duration, Duration),
    assertions: Vec<Assertion>,
    vacuity: Vacuity,
    extracts: Vec<Extract>,
    log_lines: usize,
    manner: Manner,
    paint: Paint,
    files: Files,
}

impl Plan {
    /// Checks all that can be checked, and creates the files of the reports.
    ///
    /// # Errors
    /// What is wrong, with its flag and variable.
    pub fn new(gate: args::Gate, variables: &Variables, (out, err): (Screen, Screen)) -> Result<Self, String> {
        let intervals = gate.intervals()?;
        let vacuity = gate.asserting.vacuity();
        let verbosity = match (gate.quiet, gate.verbose) {
            (true, true) => {
                return Err(
                    "--quiet (DEPLOY_GATE_QUIET) and --verbose (DEPLOY_GATE_VERBOSE): it can only be one".into()
                );
            }
            (true, false) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) if ci::is_debugging(variables) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        let assertions = gate.asserting.assertions()?;
        extract::names(&gate.extract, &report::OUTPUTS)?;
        let names: Vec<&str> =
            report::OUTPUTS.into_iter().chain(gate.extract.iter().map(|extract| extract.name.as_str())).collect();
        let shared = ci::shared_files(variables);
        let mut reports = gate.report;
        for report in &mut reports {
            if shared.iter().any(|(.., path)| report.path == *path) {
                report.place = Whose::Shared;
            }
        }
        let mut files = Files::create(&reports, &names)?;
        shared.iter().for_each(|(format, variable, path)| files.share(*format, variable, path));
        let pins = gate.pins;
        let on_superseded = if pins.any() { OnSuperseded::Finish } else { OnSuperseded::Follow };
        Ok(Self {
            rules: Rules {
                expect: gate.expect,
                overrides: gate.status,
                on_superseded: gate.on_superseded.unwrap_or(on_superseded),
                on_approval: gate.on_approval,
                until: gate.until,
                workflow_is_judged: assertions.iter().any(|assertion| assertion.looks_at("workflow")),
                document_is_needed: !assertions.is_empty() || !gate.extract.is_empty() || gate.until == Until::Workflow,
                timeout: gate.timeout,
                appear_timeout: gate.appear_timeout,
                pins,
            },
            intervals,
            assertions,
            vacuity,
            extracts: gate.extract,
            log_lines: usize::from(gate.log_lines),
            manner: Manner { verbosity, ci: gate.ci.found(variables), screen: err },
            paint: gate.color.paint(variables, out),
            files,
        })
    }
}

/// Where the API is, and what is known of its dashboard.
#[derive(Debug, Default)]
pub struct Place {
    /// The URL of the API; `""` in a replay.
    pub api: String,
    org: Option<String>,
}

impl Place {
    /// The place that a connection leads to.
    pub fn of(connection: &Connection) -> Self {
        Self { api: format!("{}{}", connection.origin, connection.base), org: connection.org.clone() }
    }
}

/// Runs the gate and returns its exit code.
pub fn run(
    opening: &str,
    target: Target,
    place: Place,
    plan: Plan,
    mut source: Box<dyn Source>,
    world: &mut World<'_>,
) -> u8 {
    let started = world.clock.utc();
    let mut gate = Gate::new(target, place, plan, world.seed);
    let mut session = Session {
        source: &mut *source,
        clock: world.clock,
        progress: Progress::new(world.err, gate.plan.manner),
        dice: fastrand::Rng::with_seed(world.seed),
        trace: String::new(),
        deadline: gate.plan.rules.timeout,
        by_install: false,
    };
    session.progress.open(session.clock.now(), started, opening);
    let (ending, message) = match gate.plan.files.lost() {
        Some(lost) => (Ending::OutputNotWritten, lost),
        None => gate.find_out(&mut session),
    };
    gate.explain(ending, &mut session);
    session.progress.close(session.clock.utc());
    let report = gate.report(ending, message, started, session.clock);
    let recorded = source.finish();
    gate.tell(report, recorded, world.out)
}

struct Gate {
    target: Target,
    place: Place,
    plan: Plan,
    watch: Watch,
    names: Schedule,
    /// The URL of the dashboard, once it was asked for; `""` if it is not known.
    dashboard: Option<String>,
    document: Option<Arc<Document>>,
    checks: Vec<Check>,
    failure: Failure,
    warnings: Vec<String>,
}

impl Gate {
    fn new(target: Target, place: Place, plan: Plan, seed: u64) -> Self {
        let schedule = || Schedule::new(plan.intervals.0, plan.intervals.1, seed);
        Self {
            watch: Watch::new(plan.rules.clone(), schedule()),
            names: schedule(),
            checks: plan.assertions.iter().map(Check::not_evaluated).collect(),
            target,
            place,
            plan,
            dashboard: None,
            document: None,
            failure: Failure::default(),
            warnings: Vec::new(),
        }
    }

    /// The loop: step, and do what the step says, until it is over.
    fn find_out(&mut self, session: &mut Session<'_>) -> (Ending, String) {
        if let Err(ended) = self.resolve(session) {
            return ended;
        }
        let mut look = None;
        loop {
            let step = self.watch.step(session.clock.now(), look.take());
            for event in self.watch.events() {
                self.say(event, session);
            }
            match step {
                Step::Wait(wait) => {
                    let so_far = self.watch.so_far();
                    if let Some(signal) = session.pause(wait, &so_far) {
                        return (Ending::Interrupted(signal), so_far);
                    }
                }
                Step::Ask(ask) => look = Some(session.look(&ask, &self.target)),
                Step::Judge(parts) => match Document::assemble(*parts) {
                    Ok(document) => return self.judge(Arc::new(document), session),
                    Err(why) => {
                        look = Some(Look::Missed(Miss::new(format!("200, but {why}"))));
                    }
                },
                Step::End(Ending::Interrupted(signal), _) => return (Ending::Interrupted(signal), self.watch.so_far()),
                Step::End(ending, why) if ending.outcome() == Outcome::Undecided || ending == Ending::Unreachable => {
                    return (ending, format!("{why} (trace {})", session.trace));
                }
                Step::End(ending, why) => return (ending, why),
            }
        }
    }

    /// Asks for the ids of what was given by name, again and again like everything else.
    fn resolve(&mut self, session: &mut Session<'_>) -> Result<(), (Ending, String)> {
        loop {
            let miss = match names::resolve(&self.target, session).map_err(|look| *look) {
                Ok(target) => {
                    if target != self.target {
                        session.progress.say(session.clock.now(), &format!("{} is {target}", self.target));
                    }
                    self.target = target;
                    break;
                }
                Err(Look::Missed(miss)) => miss,
                Err(Look::Refused(ending, why)) => return Err((ending, format!("{why} (trace {})", session.trace))),
                Err(other) => return Err((Ending::NotFound, crate::watch::why(other))),
            };
            let now = session.clock.now();
            self.say(Event::Missed(miss.why.clone()), session);
            let left = self.plan.rules.timeout.saturating_sub(now);
            let floor = miss.retry_after.unwrap_or_default();
            if left.is_zero() || floor > left {
                return Err((Ending::Unreachable, format!("{} (trace {})", miss.why, session.trace)));
            }
            if let Some(signal) =
                session.pause(self.names.next_wait().min(left).max(floor), "the names are not resolved yet")
            {
                return Err((Ending::Interrupted(signal), "the names are not resolved yet".into()));
            }
        }
        let pins = &self.plan.rules.pins;
        let ids = [
            ("the install", Some(&self.target.install), "inl"),
            ("the component", Some(&self.target.component), "cmp"),
            ("the build", pins.build.as_ref(), "bld"),
            ("the deploy", pins.deploy.as_ref(), "dpl"),
            ("the workflow", pins.workflow.as_ref(), "inw"),
            ("the previous deploy", pins.previous.as_ref().filter(|id| *id != crate::pin::NONE), "dpl"),
        ];
        let strange = ids.into_iter().filter_map(|(what, id, prefix)| names::strange_shape(what, id?, prefix));
        for warning in strange.collect::<Vec<_>>() {
            self.say(Event::Warning(warning), session);
        }
        Ok(())
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
    }

    /// The deploy is as wanted: now the assertions decide.
    fn judge(&mut self, document: Arc<Document>, session: &mut Session<'_>) -> (Ending, String) {
        let mut judging = Judging::start(&self.plan.assertions, &document, self.plan.vacuity);
        self.document = Some(document);
        let checks = loop {
            match judging.poll() {
                Some(checks) => break checks,
                None => {
                    if let Some(signal) = session.interrupted() {
                        return (Ending::Interrupted(signal), self.watch.so_far());
                    }
                }
            }
        };
        match checks {
            Err(why) => (Ending::EnginesDisagree, why),
            Ok(checks) => {
                let ended = judged(&checks, &self.watch.so_far());
                self.checks = checks;
                ended
            }
        }
    }

    /// Asks, once and briefly, for what a later step or a person will want to know.
    fn explain(&mut self, ending: Ending, session: &mut Session<'_>) {
        let Some((deploy, _)) = self.watch.deploy() else { return };
        let (id, workflow) = (deploy.id().to_owned(), deploy.workflow().to_owned());
        if matches!(ending.outcome(), Outcome::Interrupted | Outcome::Undecided) || ending == Ending::Unreachable {
            return;
        }
        if ending == Ending::DeployFailed {
            let deadline = std::mem::replace(&mut session.deadline, session.clock.now() + EXPLAINING);
            let detail = match session.look(&Ask::Deploy(id.clone()), &self.target) {
                Look::Seen(_, bytes) => Document::parse(&bytes).ok().map(Arc::new),
                _ => None,
            };
            let workflow: Option<Box<Workflow>> = match session.look(&Ask::Workflow(workflow.clone()), &self.target) {
                Look::Workflow(workflow, _) if workflow.steps().next().is_some() => Some(workflow),
                _ => None,
            };
            let deploy = detail.as_ref().map(|document| document.value());
            self.failure = Failure::new(&id, deploy, workflow.as_deref());
            if let Some(stream) = deploy.and_then(failure::log_stream).filter(|_| self.plan.log_lines > 0) {
                let answer =
                    session.get_within(&format!("/v1/log-streams/{}/logs?order=desc", segment(stream)), EXPLAINING);
                let records = look::json(answer, session.clock.utc()).unwrap_or_default();
                self.failure.log = failure::log_lines(&records, self.plan.log_lines);
            }
            self.document = detail;
            session.deadline = deadline;
        }
        self.dashboard(session);
    }

    /// Where the dashboard is: known for the public API, else what the API says.
    fn dashboard(&mut self, session: &mut Session<'_>) -> String {
        if self.dashboard.is_none() && self.place.api == "https://api.nuon.co" {
            self.dashboard = Some("https://app.nuon.co".into());
        }
        if self.dashboard.is_none() {
            let answer = session.get_within("/v1/general/cli-config", EXPLAINING);
            let config = look::json(answer, session.clock.utc()).unwrap_or_default();
            let told = config["dashboard_url"].as_str().map(|url| url.trim_end_matches('/'));
            let told = told.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
            self.dashboard = Some(told.unwrap_or_default().into());
        }
        self.dashboard.clone().unwrap_or_default()
    }

    fn workflow_url(&mut self, session: &mut Session<'_>) -> String {
        let workflow = self.watch.deploy().map(|(deploy, _)| deploy.workflow().to_owned());
        let workflow = workflow.or_else(|| self.plan.rules.pins.workflow.clone()).unwrap_or_default();
        self.dashboard(session);
        self.url(&["workflows", &workflow])
    }

    /// A page of the dashboard about this install; `""` rather than a guess.
    fn url(&self, path: &[&str]) -> String {
        let org = self.watch.deploy().and_then(|(deploy, _)| deploy.org_id.clone()).or_else(|| self.place.org.clone());
        match (self.dashboard.as_deref(), org) {
            (Some(dashboard), Some(org)) if !dashboard.is_empty() && !org.is_empty() && !path.contains(&"") => {
                let path: Vec<String> = path.iter().map(|part| segment(part)).collect();
                format!("{dashboard}/{}/installs/{}/{}", segment(&org), segment(&self.target.install), path.join("/"))
            }
            _ => String::new(),
        }
    }

    fn report(&mut self, ending: Ending, message: String, started: Option<Timestamp>, clock: &dyn Clock) -> Report {
        let pins = &self.plan.rules.pins;
        let deploy = self.watch.deploy();
        let age = deploy.and_then(|(deploy, _)| age(deploy, clock.utc())).map(text::duration);
        if let Some((deploy, _)) = deploy.filter(|_| self.watch.preexisting() && pins.may_be_old()) {
            let age = age.as_ref().map_or_else(String::new, |age| format!(", last changed {age} ago"));
            let doubt = if pins.any() {
                "an earlier deploy can have the same"
            } else {
                "nothing shows that it is the one you mean"
            };
            self.warnings.push(format!(
                "deploy {} was already over when first seen{age}: {doubt}; pin it with --workflow, --deploy, --previous or --fresh",
                deploy.id()
            ));
        }
        let belief = match (deploy, pins.any(), self.watch.superseded_by()) {
            (None, ..) => String::new(),
            (Some((deploy, _)), _, Some(newer)) if newer == deploy.id() => {
                "the newest, which took the place of another".into()
            }
            (_, true, _) => format!("pins that hold: {pins}"),
            _ => age.map_or_else(|| "latest, no pin".into(), |age| format!("latest, no pin, last changed {age} ago")),
        };
        let mut extracts = Vec::new();
        for extract in &self.plan.extracts {
            let value = self
                .document
                .as_ref()
                .map_or(Err("there is no document to look at".into()), |document| extract.value(document));
            if let Err(why) = &value {
                self.warnings.push(format!("the output {} is empty: {why}", extract.name));
            }
            extracts.push((extract.name.clone(), value.unwrap_or_default()));
        }
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let url = deploy.map(|(deploy, _)| self.url(&["components", &self.target.component, "deploys", deploy.id()]));
        let verdict = Verdict {
            install: self.target.install.clone(),
            component: self.target.component.clone(),
            outcome: ending.outcome().name(),
            reason: ending.reason(),
            message: message.clone(),
            deploy: deploy.map(|(deploy, class)| DeploySeen::new(deploy, *class)),
            url: url.unwrap_or_default(),
            belief,
            preexisting: self.watch.preexisting(),
            superseded_by: self.watch.superseded_by().unwrap_or_default().into(),
            polls: self.watch.looks(),
            timeline: self
                .watch
                .timeline()
                .iter()
                .map(|change| Moment {
                    at_ms: millis(change.at),
                    deploy: change.deploy.clone(),
                    status: change.status.clone(),
                    class: change.class,
                    description: change.description.clone(),
                })
                .collect(),
            document: self.document.as_ref().map(|document| document.parts.clone()).unwrap_or_default(),
            assertions: std::mem::take(&mut self.checks),
            extracts,
            failure: Some(std::mem::take(&mut self.failure)).filter(|failure| !failure.is_empty()),
            warnings: std::mem::take(&mut self.warnings),
        };
        let mut report = Report {
            schema_version: 1,
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            outcome: ending.outcome().name(),
            reason: ending.reason(),
            message,
            exit_code: ending.code(),
            started_at: started.map(|time| format!("{time:.3}")),
            finished_at: clock.utc().map(|time| format!("{time:.3}")),
            duration_ms: millis(clock.now()),
            targets: vec![verdict],
        };
        if self.plan.files.has(Format::Dotenv) {
            let left_out = dotenv::render(&report.outputs()).1;
            let asked_for = self.plan.extracts.iter().filter(|extract| left_out.contains(&extract.name.as_str()));
            let warning = |extract: &Extract| {
                format!(
                    "the output {} is empty in the dotenv report, which carries no blanks and 4 KiB in all",
                    extract.name
                )
            };
            let warnings: Vec<String> = asked_for.map(warning).collect();
            report.targets.iter_mut().for_each(|verdict| verdict.warnings.extend(warnings.iter().cloned()));
        }
        report
    }

    /// Writes every report and prints the verdict. What is lost on the way turns a pass into no answer.
    fn tell(&mut self, mut report: Report, recorded: Result<(), String>, out: &mut dyn Write) -> u8 {
        let files = &mut self.plan.files;
        if let Err(lost) = recorded.and_then(|()| files.write(&report)) {
            report.lose(&lost);
            // Whatever can still be written must not say that the gate passed.
            let _ = files.write(&report);
        }
        let verdict = people::render(&report, self.plan.paint) + &self.plan.manner.ci.annotation(&report);
        match out.write_all(verdict.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if is_loss(&error) => {
                report.lose(&format!("the verdict could not be printed: {error}"));
                let _ = files.write(&report);
            }
            _ => {}
        }
        report.exit_code
    }
}

/// How long ago the server last changed a deploy, in whole seconds.
fn age(deploy: &Deploy, now: Option<Timestamp>) -> Option<Duration> {
    let times = [&deploy.updated_at, &deploy.created_at];
    let then: Timestamp = times.into_iter().flatten().find_map(|time| time.parse().ok())?;
    let age = Duration::try_from(now?.duration_since(then)).ok()?;
    Some(Duration::from_secs(age.as_secs()))
}

/// What the checks come to.
pub fn judged(checks: &[Check], so_far: &str) -> (Ending, String) {
    let first = |truth| checks.iter().find(|check| check.outcome == truth);
    if let Some(check) = first(Truth::False) {
        let saw: Vec<String> =
            check.queries.iter().map(|found| format!("{} -> {}", found.query, found.shown())).collect();
        return (Ending::AssertionFalse, format!("`{}` is false: {}", check.name(), saw.join("; ")));
    }
    if let Some(check) = first(Truth::Vacuous) {
        let why: Vec<&str> =
            check.queries.iter().filter_map(|found| Some(found.missing.as_ref()?.why.as_str())).collect();
        return (Ending::AssertionVacuous, format!("`{}` checked nothing: {}", check.name(), why.join("; ")));
    }
    let all = match checks.len() {
        0 => "no assertion was asked for".into(),
        1 => "the assertion is true".into(),
        count => format!("all {count} assertions are true"),
    };
    let message = if so_far.is_empty() { all } else { format!("{so_far}, {all}") };
    (Ending::Passed, message)
}
