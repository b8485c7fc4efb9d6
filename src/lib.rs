//! `deploy-gate` waits for a deploy of the Nuon platform, puts the user's assertions to it, and exits with a code that
//! a pipeline can trust.
//!
//! # The promise
//! Exit 0 means: one complete answer of the server, received by this run, showed the deploy that was asked for in a
//! successful terminal state, and every assertion was true *about something*. Nothing else ever exits 0.
//!
//! # The idea
//! 1. A run has one result, a [`report::Report`] with a verdict for each target; everything else is how it was
//!    reached.
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
pub mod quorum;
pub mod shard;
pub mod target;
pub mod targets;

pub mod clock;
pub mod source;

pub mod http;
pub mod resolver;
pub mod recording;

pub mod crew;
pub mod fleet;
pub mod gate;
pub mod names;
pub mod plan;
pub mod session;

pub mod deploy;
pub mod workflow;
pub mod look;
pub mod object;
pub mod pin;
pub mod schedule;
pub mod watch;

pub mod assertion;
pub mod document;
pub mod extract;
pub mod failure;

pub mod ci;
pub mod color;
pub mod defuse;
pub mod manual;
pub mod progress;
pub mod report;
pub mod tables;
pub mod text;
pub mod verdict;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use args::{Command, Stop, Variables};
use assertion::Judging;
use clock::{Clock, ReplayClock, VirtualClock};
use config::Connection;
use crew::Crew;
use deploy::{Deploy, Expect};
use document::Document;
use look::Look;
use plan::{Place, Plan};
use progress::{Manner, Progress, Screen};
use quorum::Quorum;
use recording::{Recorder, Recording};
use serde::Deserialize;
use session::Session;
use source::Source;
use verdict::Ending;
use watch::Ask;

/// Everything that is not the gate.
pub struct World<'w> {
    /// The environment.
    pub variables: &'w Variables,
    /// Time.
    pub clock: &'w mut dyn Clock,
    /// Makes the source that asks over the network.
    pub connect: &'w mut dyn FnMut(Connection) -> Box<dyn Source>,
    /// Makes the crew that asks for many targets, so many at once.
    pub hire: &'w mut dyn FnMut(Connection, usize) -> Box<dyn Crew>,
    /// For verdicts.
    pub out: &'w mut dyn Write,
    /// For progress and complaints.
    pub err: &'w mut dyn Write,
    /// What [`World::out`] and [`World::err`] are.
    pub screens: (Screen, Screen),
    /// Seeds the jitter and the trace ids.
    pub seed: u64,
}

impl World<'_> {
    /// The same world, for a shorter time.
    fn reborrow(&mut self) -> World<'_> {
        World {
            variables: self.variables,
            clock: self.clock,
            connect: self.connect,
            hire: self.hire,
            out: self.out,
            err: self.err,
            screens: self.screens,
            seed: self.seed,
        }
    }
}

/// The story of a run: from arguments to the exit code.
pub fn run(arguments: &[OsString], world: &mut World<'_>) -> u8 {
    let ended = match args::parse(arguments, world.variables) {
        Err(stop) => Err(stop),
        Ok(Command::Wait(wait)) => self::wait(*wait, world),
        Ok(Command::Replay(replay)) => self::replay(*replay, world),
        Ok(Command::Latest(latest)) => self::latest(*latest, world),
        Ok(Command::Check(check)) => self::check(check, world),
        Ok(Command::Statuses(table)) => Err(tables::statuses(table.json)),
        Ok(Command::Presets(table)) => Err(tables::presets(table.json)),
        Ok(Command::Completions { shell }) => Err(manual::completions(shell)),
        Ok(Command::Man) => Err(manual::man()),
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
    // Files hold words that came from the network.
    let lines: Vec<String> = why.lines().map(defuse::line).collect();
    Stop { text: format!("error: {}\n", lines.join("\n")), code: verdict::MISUSE }
}

/// `deploy-gate wait`.
fn wait(wait: args::Wait, world: &mut World<'_>) -> Result<u8, Stop> {
    let args::Wait { targets, network, gate, record } = wait;
    let stdin = Path::new("-");
    if targets.targets.as_deref() == Some(stdin) && network.token_file.as_deref() == Some(stdin) {
        return Err(misuse("--targets - and --token-file -: only one of them can be stdin".into()));
    }
    let (connection, install) = config::connection(&network, world.variables).map_err(misuse)?;
    let mut wanted = targets::wanted(&targets, &gate.pins, install).map_err(misuse)?;
    // What is asked of one target by flags alone is no fleet.
    let is_fleet = targets.targets.is_some() || targets.is_of_many() || wanted.len() > 1;
    if is_fleet && record.is_some() {
        return Err(misuse("--record (DEPLOY_GATE_RECORD) takes the recording of one target".into()));
    }
    let plan = Plan::new(gate, Place::of(&connection), world.variables, world.screens).map_err(misuse)?;
    if is_fleet {
        let all = wanted.len();
        let share = targets.shard.map(|shard| shard.take(&mut wanted, world.variables));
        let shard = share.transpose().map_err(misuse)?;
        let quorum = Quorum::new(targets.min_pass, wanted.len()).map_err(misuse)?;
        let jobs = usize::from(targets.jobs).min(wanted.len());
        let mut crew = (world.hire)(connection, jobs);
        return Ok(fleet::run(fleet::Targets { wanted, all, shard, quorum }, jobs, plan, &mut *crew, world));
    }
    let target = wanted.remove(0).target;
    let question = &plan.question;
    let opening =
        format!("waiting up to {} for {target} at {}", text::duration(question.rules.timeout), question.place.api);
    let mut source = (world.connect)(connection);
    if let Some(path) = record {
        let wrong = |why| misuse(format!("--record (DEPLOY_GATE_RECORD) {}: {why}", path.display()));
        let file = plan.teller.create_beside(&path).map_err(wrong)?;
        source = Box::new(Recorder::new(source, file).map_err(wrong)?);
    }
    Ok(gate::run(&opening, target, plan, source, world))
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
    let time = VirtualClock::new(recording.epoch());
    let plan = Plan::new(replay.gate, Place::default(), world.variables, world.screens).map_err(misuse)?;
    let opening = format!("replaying {file} for {target}, up to {}", text::duration(plan.question.rules.timeout));
    // Always the same seed, so that a recording replays alike each time.
    let world = world.reborrow();
    let mut clock = ReplayClock { time, signals: world.clock };
    let mut world = World { clock: &mut clock, seed: 0, ..world };
    Ok(gate::run(&opening, target, plan, Box::new(recording), &mut world))
}

/// `deploy-gate latest`: one look.
fn latest(latest: args::Latest, world: &mut World<'_>) -> Result<u8, Stop> {
    let (connection, install) = config::connection(&latest.network, world.variables).map_err(misuse)?;
    let target = targets::one(latest.install, &latest.component, install).map_err(misuse)?;
    let mut source = (world.connect)(connection);
    let quiet = Progress::new(world.err, Manner::QUIET);
    let mut session = Session::new(&mut *source, world.clock, quiet, world.seed, latest.network.request_timeout);
    let failed = |ending: Ending, why: &str, trace: &str| Stop {
        text: format!("{}: {} (trace {trace})\n", ending.reason(), defuse::line(why)),
        code: ending.code(),
    };
    let target = names::resolve(&target, &mut session).map_err(|look| match *look {
        Look::Refused(ending, why) => failed(ending, &why, &session.trace),
        other => failed(Ending::NotFound, &watch::why(other), &session.trace),
    })?;
    let text = match session.look(&Ask::Latest, &target) {
        Look::Seen(deploy, _) if !latest.json => format!("{}\n", defuse::line(deploy.id())),
        Look::Seen(_, bytes) => {
            let document = Document::parse(&bytes).map_err(|why| failed(Ending::BadAnswer, &why, &session.trace))?;
            format!("{}\n", defuse::json(&format!("{:#}", document.value())))
        }
        Look::Absent(_) if latest.json => "null\n".into(),
        Look::Absent(_) => format!("{}\n", pin::NONE),
        Look::Refused(ending, why) => return Err(failed(ending, &why, &session.trace)),
        other => return Err(failed(Ending::BadAnswer, &watch::why(other), &session.trace)),
    };
    Err(Stop { text, code: 0 })
}

/// `deploy-gate check`.
fn check(check: args::Check, world: &mut World<'_>) -> Result<u8, Stop> {
    let paint = check.color.paint(world.variables, world.screens.0);
    let assertions = check.asserting.assertions().map_err(misuse)?;
    if assertions.is_empty() {
        return Err(misuse("there is nothing to check: give --assert, --assert-file or --require".into()));
    }
    let wrong = |why| misuse(format!("the document {}: {why}", check.document.display()));
    let bytes = read(&check.document).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let document = Arc::new(Document::parse(&bytes).map_err(wrong)?);
    drop(bytes);
    let deploy = Deploy::deserialize(document.value());
    let deploy = deploy.map_err(|error| wrong(format!("it is not a deploy document: {error}")))?;
    // The process is about to end, which gives the memory back faster than going through all of it.
    std::mem::forget(Arc::clone(&document));
    let checks = match Judging::start(&assertions, &document).finish() {
        Ok(checks) => checks,
        Err(why) => {
            return Err(Stop {
                text: format!("{}: {}\n", Ending::EnginesDisagree.reason(), defuse::line(&why)),
                code: Ending::EnginesDisagree.code(),
            });
        }
    };
    let (ending, why) = gate::judged(&checks, "");
    let mut lines = vec![format!("{}: {why}", ending.outcome().name())];
    let class = deploy::class(&deploy, Expect::Apply, &[]);
    lines.push(format!(
        "  {:<13} {}: {}, which does not decide here",
        "status",
        watch::spoken(deploy.word()),
        class.name()
    ));
    checks.iter().for_each(|check| report::people::assertion(check, &mut lines));
    let text = report::people::painted(&lines, paint);
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
