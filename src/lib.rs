//! `deploy-gate` waits for a deploy of the Nuon platform, puts the user's assertions to it, and exits with a code that
//! a pipeline can trust.
//!
//! # The promise
//! Exit 0 means: one complete answer of the server, received by this run, showed the deploy that was asked for in a
//! successful terminal state, and every assertion was true *about something*. Nothing else ever exits 0.
//!
//! # The idea
//! 1. A run has one result, a [`report::Report`] with a verdict for its target; everything else is how it was reached.
//! 2. The world is three things: ask ([`source::Source`]), time ([`clock::Clock`]), print ([`std::io::Write`]). They
//!    enter by [`World`], which is built in `main.rs` and nowhere else.
//! 3. Deciding is pure: [`watch::Watch::step`] is the state machine, told the time as a number and the answer as a
//!    value. The network, a recording and the tests' scripts all drive the same machine.
//! 4. Arguments are parsed into what they mean; after that nothing is malformed.
//! 5. What can fail before the wait fails before the wait.
//!
//! # Where things are
//! The modules below are in reading order: first what is asked for, then how it is found out, then what is said.
//! A verdict is never an `Err`; a fault of the transport is never a verdict.

pub mod args;
pub mod config;
pub mod target;

pub mod clock;
pub mod source;

pub mod http;
pub mod recording;

pub mod deploy;
pub mod look;
pub mod schedule;
pub mod watch;

pub mod assertion;
pub mod document;

pub mod progress;
pub mod report;
pub mod tables;
pub mod text;
pub mod verdict;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use args::{Command, Gate, Stop, Variables};
use assertion::{Assertion, Check, Judging, Truth, Vacuity};
use clock::{Clock, VirtualClock};
use config::Connection;
use deploy::{Class, Deploy, Expect};
use document::Document;
use look::{Look, Miss};
use progress::{Progress, Verbosity};
use recording::{Recorder, Recording};
use report::{DeploySeen, Files, Format, Moment, Report, ReportFile, Tool, Verdict};
use schedule::Schedule;
use source::{Request, Source};
use target::Target;
use verdict::Ending;
use watch::{Event, Rules, Step, Watch};

/// How much longer than the deadline the last look may take. The look itself begins at the deadline at the latest.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// Everything that is not the gate.
pub struct World<'w> {
    /// The environment.
    pub variables: &'w Variables,
    /// Time.
    pub clock: &'w mut dyn Clock,
    /// Makes the source that asks over the network.
    pub connect: &'w mut dyn FnMut(Connection) -> Box<dyn Source>,
    /// For verdicts.
    pub out: &'w mut dyn Write,
    /// For progress and complaints.
    pub err: &'w mut dyn Write,
    /// Seeds the jitter and the trace ids.
    pub seed: u64,
}

/// The story of a run: from arguments to the exit code.
pub fn run(arguments: &[OsString], world: &mut World<'_>) -> u8 {
    let ended = match args::parse(arguments, world.variables) {
        Err(stop) => Err(stop),
        Ok(Command::Wait(wait)) => self::wait(*wait, world),
        Ok(Command::Replay(replay)) => self::replay(replay, world),
        Ok(Command::Check(check)) => self::check(check, world),
        Ok(Command::Statuses(table)) => Err(tables::statuses(table.json)),
        Ok(Command::Presets(table)) => Err(tables::presets(table.json)),
    };
    ended.unwrap_or_else(|stop| {
        let stream: &mut dyn Write = if stop.code == 0 { world.out } else { world.err };
        match stream.write_all(stop.text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if stop.code == 0 && is_loss(&error) => Ending::OutputNotWritten.code(),
            _ => stop.code,
        }
    })
}

/// Whether an error of stdout means that somebody does not get what they asked for; a closed pipe does not.
fn is_loss(error: &std::io::Error) -> bool {
    error.kind() != std::io::ErrorKind::BrokenPipe
}

fn misuse(why: String) -> Stop {
    Stop { text: format!("error: {why}\n"), code: verdict::MISUSE }
}

/// `deploy-gate wait`.
fn wait(wait: args::Wait, world: &mut World<'_>) -> Result<u8, Stop> {
    let (target, connection) = config::target_and_connection(&wait.network, world.variables).map_err(misuse)?;
    let plan = Plan::new(wait.gate, world).map_err(misuse)?;
    let opening = format!(
        "waiting up to {} for {target} at {}{}",
        text::duration(plan.rules.timeout),
        connection.origin,
        connection.base
    );
    let mut source = (world.connect)(connection);
    if let Some(path) = wait.network.record {
        let wrong = |why| misuse(format!("--record (DEPLOY_GATE_RECORD) {}: {why}", path.display()));
        source = Box::new(Recorder::new(source, &path).map_err(wrong)?);
    }
    let mut run = Run::new(target, plan, world.seed);
    Ok(run.gate(&opening, source, world.clock, world.out, world.err))
}

/// `deploy-gate replay`: the same, with the recording for the network and a clock that jumps.
fn replay(replay: args::Replay, world: &mut World<'_>) -> Result<u8, Stop> {
    let file = replay.recording.display();
    let wrong = |why: String| misuse(format!("the recording {file}: {why}"));
    let text =
        std::fs::read_to_string(&replay.recording).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let recording = Recording::parse(&text).map_err(wrong)?;
    let target = recording.target().ok_or_else(|| {
        wrong(
            "there is no look at a latest deploy in it; it should have been written by deploy-gate wait --record"
                .into(),
        )
    })?;
    let mut clock = VirtualClock::new(recording.epoch());
    let plan = Plan::new(replay.gate, world).map_err(misuse)?;
    let opening = format!("replaying {file} for {target}, up to {}", text::duration(plan.rules.timeout));
    // Always the same seed, so that a recording replays alike each time.
    let mut run = Run::new(target, plan, 0);
    Ok(run.gate(&opening, Box::new(recording), &mut clock, world.out, world.err))
}

/// `deploy-gate check`.
fn check(check: args::Check, world: &mut World<'_>) -> Result<u8, Stop> {
    let vacuity = vacuity(&check.asserting);
    let assertions = check.asserting.assertions().map_err(misuse)?;
    if assertions.is_empty() {
        return Err(misuse("there is nothing to check: give --assert, --assert-file or --require".into()));
    }
    let wrong = |why| misuse(format!("the document {}: {why}", check.document.display()));
    let bytes = read(&check.document).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let document = Document::parse(&bytes).map_err(wrong)?;
    let deploy: Deploy =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is not a deploy document: {error}")))?;
    let checks = match Judging::start(&assertions, &document, vacuity).finish() {
        Ok(checks) => checks,
        Err(why) => {
            return Err(Stop {
                text: format!("{}: {}\n", Ending::EnginesDisagree.reason(), text::line(&why)),
                code: Ending::EnginesDisagree.code(),
            });
        }
    };
    let (ending, why) = judged(&checks, "");
    let mut lines = vec![format!("{}: {why}", ending.outcome().name())];
    let class = deploy::class(&deploy, Expect::Apply, &[]);
    lines.push(format!(
        "  {:<13} {}: {}, which does not decide here",
        "status",
        watch::spoken(deploy.word()),
        class.name()
    ));
    checks.iter().for_each(|check| report::assertion_lines(check, &mut lines));
    let text: String = lines.iter().map(|line| text::line(line) + "\n").collect();
    match world.out.write_all(text.as_bytes()).and_then(|()| world.out.flush()) {
        Err(error) if is_loss(&error) => Ok(Ending::OutputNotWritten.code()),
        _ => Ok(ending.code()),
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn vacuity(asserting: &args::Asserting) -> Vacuity {
    if asserting.allow_vacuous { Vacuity::Allowed } else { Vacuity::Fails }
}

/// What a run will do, with everything that can fail before the wait behind it.
struct Plan {
    rules: Rules,
    intervals: (Duration, Duration),
    assertions: Vec<Assertion>,
    vacuity: Vacuity,
    verbosity: Verbosity,
    files: Files,
}

impl Plan {
    fn new(gate: Gate, world: &World<'_>) -> Result<Self, String> {
        let intervals = gate.intervals()?;
        let vacuity = vacuity(&gate.asserting);
        let verbosity = match (gate.quiet, gate.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let assertions = gate.asserting.assertions()?;
        let mut reports = gate.report;
        let on_github = world.variables.get("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let outputs = world.variables.get("GITHUB_OUTPUT").filter(|path| on_github && !path.is_empty());
        if let Some(path) = outputs.map(Into::into)
            && !reports.iter().any(|report| report.path == path)
        {
            reports.push(ReportFile { format: Format::Github, path });
        }
        Ok(Self {
            rules: Rules {
                expect: gate.expect,
                overrides: gate.status,
                timeout: gate.timeout,
                appear_timeout: gate.appear_timeout,
            },
            intervals,
            assertions,
            vacuity,
            verbosity,
            files: Files::create(&reports)?,
        })
    }
}

/// One gate at one target.
struct Run {
    target: Target,
    plan: Plan,
    watch: Watch,
    dice: fastrand::Rng,
    /// The id of the latest request.
    trace: String,
    checks: Vec<Check>,
    warnings: Vec<String>,
}

impl Run {
    fn new(target: Target, plan: Plan, seed: u64) -> Self {
        let schedule = Schedule::new(plan.intervals.0, plan.intervals.1, seed);
        Self {
            watch: Watch::new(plan.rules.clone(), schedule),
            checks: plan.assertions.iter().map(Check::not_evaluated).collect(),
            target,
            plan,
            dice: fastrand::Rng::with_seed(seed),
            trace: String::new(),
            warnings: Vec::new(),
        }
    }

    /// Watches, judges, reports.
    fn gate(
        &mut self,
        opening: &str,
        mut source: Box<dyn Source>,
        clock: &mut dyn Clock,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> u8 {
        let started = clock.utc();
        let mut progress = Progress::new(err, self.plan.verbosity);
        progress.say(clock.now(), opening);
        let (ending, message) = self.find_out(&mut *source, clock, &mut progress);
        let report = self.report(ending, message, started, clock);
        let recorded = source.finish();
        self.tell(report, recorded, out)
    }

    /// The loop: step, and do what the step says, until it is over.
    fn find_out(
        &mut self,
        source: &mut dyn Source,
        clock: &mut dyn Clock,
        progress: &mut Progress<'_>,
    ) -> (Ending, String) {
        let mut look = None;
        loop {
            let step = self.watch.step(clock.now(), look.take());
            for event in self.watch.events() {
                if let Event::Warning(warning) = &event {
                    self.warnings.push(warning.clone());
                }
                progress.tell(clock.now(), &event, &self.trace);
            }
            match step {
                Step::Wait(wait) => {
                    if let Some(signal) = self.pause(wait, clock, progress) {
                        return (Ending::Interrupted(signal), self.so_far());
                    }
                }
                Step::Look => look = Some(self.look(source, clock, progress)),
                Step::Judge(bytes) => match Document::parse(&bytes) {
                    Ok(document) => return self.judge(&document, clock),
                    Err(why) => {
                        look = Some(Look::Missed(Miss { why: format!("200, but {why}"), retry_after: None }));
                    }
                },
                Step::End(Ending::Interrupted(signal), _) => return (Ending::Interrupted(signal), self.so_far()),
                Step::End(ending, why)
                    if ending.outcome() == verdict::Outcome::Undecided || ending == Ending::Unreachable =>
                {
                    return (ending, format!("{why} (trace {})", self.trace));
                }
                Step::End(ending, why) => return (ending, why),
            }
        }
    }

    /// Waits, with a heartbeat.
    fn pause(&mut self, wait: Duration, clock: &mut dyn Clock, progress: &mut Progress<'_>) -> Option<clock::Signal> {
        let until = clock.now() + wait;
        progress.say_more(clock.now(), &format!("next look in {}", text::duration(wait)));
        while clock.now() < until {
            let next = until.min(progress.due().max(clock.now()));
            if let Some(signal) = clock.sleep(next - clock.now()) {
                return Some(signal);
            }
            if clock.now() >= progress.due() {
                progress.say(clock.now(), &self.so_far());
            }
        }
        None
    }

    fn look(&mut self, source: &mut dyn Source, clock: &mut dyn Clock, progress: &mut Progress<'_>) -> Look {
        self.trace =
            uuid::Builder::from_random_bytes(std::array::from_fn(|_| self.dice.u8(..))).into_uuid().to_string();
        let at = clock.now();
        let request = Request {
            path: self.target.latest(),
            at,
            within: self.plan.rules.timeout.saturating_sub(at) + LAST_LOOK,
            trace: self.trace.clone(),
        };
        let answer = source.ask(&request);
        let status = answer.as_ref().map_or_else(|_| "no answer".into(), |response| response.status.to_string());
        progress.say_more(clock.now(), &format!("GET {}: {status} (trace {})", request.path, self.trace));
        look::latest(answer, &self.target, clock.utc())
    }

    /// The deploy is as wanted: now the assertions decide.
    fn judge(&mut self, document: &Document, clock: &mut dyn Clock) -> (Ending, String) {
        let mut judging = Judging::start(&self.plan.assertions, document, self.plan.vacuity);
        let checks = loop {
            match judging.poll() {
                Some(checks) => break checks,
                None => {
                    if let Some(signal) = clock.sleep(Duration::ZERO) {
                        return (Ending::Interrupted(signal), self.so_far());
                    }
                }
            }
        };
        match checks {
            Err(why) => (Ending::EnginesDisagree, why),
            Ok(checks) => {
                let ended = judged(&checks, &self.so_far());
                self.checks = checks;
                ended
            }
        }
    }

    /// What is known, in a sentence.
    fn so_far(&self) -> String {
        match self.watch.deploy() {
            None => "no deploy seen yet".into(),
            Some((deploy, Class::NothingToDo)) => {
                format!("deploy {} is {}: there was nothing to do", deploy.id(), watch::spoken(deploy.word()))
            }
            Some((deploy, _)) => format!("deploy {} is {}", deploy.id(), watch::spoken(deploy.word())),
        }
    }

    fn report(
        &mut self,
        ending: Ending,
        message: String,
        started: Option<jiff::Timestamp>,
        clock: &dyn Clock,
    ) -> Report {
        if let Some((deploy, _)) = self.watch.deploy().filter(|_| self.watch.preexisting()) {
            let age = [&deploy.updated_at, &deploy.created_at].into_iter().flatten().find_map(|time| time.parse().ok());
            let age = started.zip(age).and_then(|(now, then)| Duration::try_from(now.duration_since(then)).ok());
            let age = age.map_or_else(String::new, |age| {
                format!(", {} before", text::duration(Duration::from_secs(age.as_secs())))
            });
            self.warnings.push(format!(
                "deploy {} was already over at the first look{age}: nothing shows that it is the one you mean",
                deploy.id()
            ));
        }
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let verdict = Verdict {
            install: self.target.install.clone(),
            component: self.target.component.clone(),
            outcome: ending.outcome().name(),
            reason: ending.reason(),
            message: message.clone(),
            deploy: self.watch.deploy().map(|(deploy, class)| DeploySeen::new(deploy, *class)),
            belief: "latest, no pin".into(),
            preexisting: self.watch.preexisting(),
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
            assertions: std::mem::take(&mut self.checks),
            warnings: std::mem::take(&mut self.warnings),
        };
        Report {
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
        }
    }

    /// Writes every report and prints the verdict. What is lost on the way turns a pass into no answer.
    fn tell(&mut self, mut report: Report, recorded: Result<(), String>, out: &mut dyn Write) -> u8 {
        let files = &mut self.plan.files;
        if let Err(lost) = recorded.and_then(|()| files.write(&report)) {
            report.lose(&lost);
            // Whatever can still be written must not say that the gate passed.
            let _ = files.write(&report);
        }
        match out.write_all(report::verdict(&report).as_bytes()).and_then(|()| out.flush()) {
            Err(error) if is_loss(&error) => {
                report.lose(&format!("the verdict could not be printed: {error}"));
                let _ = files.write(&report);
            }
            _ => {}
        }
        report.exit_code
    }
}

/// What the checks come to.
fn judged(checks: &[Check], so_far: &str) -> (Ending, String) {
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
