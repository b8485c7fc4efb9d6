//! `deploy-gate` waits for a deploy of the Nuon platform, checks the user's assertions against it, and exits with a code
//! that a pipeline can trust.
//!
//! # The promise
//! Exit 0 means: complete answers of the server, received by this run, showed the deploy that was asked for in a
//! successful state that nobody will take back by itself, and every assertion was true *about something*. Nothing else
//! ever exits 0.
//!
//! # The idea
//! 1. A run has one result, a [`report::Report`] with a verdict for each target; everything else is how it was
//!    reached.
//! 2. The world is three things: ask ([`base::source::Source`]), time ([`base::clock::Clock`]), print
//!    ([`std::io::Write`]). They enter by [`World`], which is built in `main.rs` and nowhere else.
//! 3. Deciding is pure: [`watch::Watch::step`] is the state machine, told the time as a number and the answer as a
//!    value. The network, a recording and the tests' scripts all drive the same machine.
//! 4. Arguments are parsed into what they mean; after that nothing is malformed.
//! 5. What can fail before the wait fails before the wait.
//! 6. A verdict is never an `Err`; a fault of the transport is never a verdict.
//!
//! # Rooms
//! Each room may use those below it, never one above; `tests/project/rooms.rs` holds them to that.
//!
//! | room | what is there |
//! |---|---|
//! | [`cli`] | what was asked for: arguments, variables, the Nuon CLI's file, files of targets; help and tables |
//! | [`mod@run`] | one gate from its first look to its verdict, and many in one run |
//! | [`report`] | the result, a renderer for each format, the log, the CI systems' dialects |
//! | [`watch`] | pure: which deploy, and until when |
//! | [`judge`] | pure: the document, assertions, extracts |
//! | [`nuon`] | pure: what the server says; the one table of statuses is [`nuon::deploy::TABLE`] |
//! | [`net`] | the only network; a recording is another source of answers |
//! | [`text`] | what is shown: secrets out, commands out, formats, colors |
//! | [`base`] | time and signals, requests and answers, strict JSON, files, how a run can end |

pub mod cli;
pub mod run;
pub mod report;
pub mod watch;
pub mod judge;
pub mod nuon;
pub mod net;
pub mod text;
pub mod base;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use base::clock::{Clock, ReplayClock, VirtualClock};
use base::file::is_loss;
use base::outcome::{self, Ending};
use cli::args::{Command, Stop};
use cli::{args, config, explain, manual, targets, trigger};
use jiff::{SignedDuration, Timestamp};
use judge::assertion::Evaluation;
use judge::document::{Document, Parts};
use net::recording::{Recorder, Recording};
use nuon::deploy::{self, Deploy, Expect};
use nuon::look::{self, Look, Miss};
use nuon::target::Target;
use report::progress::{Manner, Progress};
use run::plan::Place;
use run::quorum::Quorum;
use run::session::Session;
use run::{fleet, gate, names};
use serde::Deserialize;
use text::redact::Secrets;
use text::{defuse, format};
use watch::Ask;
use watch::pin::{self, After, Pins};

pub use run::world::World;

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
    let secrets = Secrets::default();
    if let Some(token) = world.variables.get("NUON_API_TOKEN") {
        secrets.add(token.trim());
    }
    let World { variables, clock, connect, hire, out, err, screens, seed } = world.reborrow();
    let (out, err) = (&mut secrets.guard(out), &mut secrets.guard(err));
    run_guarded(arguments, &secrets, &mut World { variables, clock, connect, hire, out, err, screens, seed })
}

/// What is printed passes a guard from here on.
fn run_guarded(arguments: &[OsString], secrets: &Secrets, world: &mut World<'_>) -> u8 {
    let parsed = args::parse(arguments, world.variables).map(|(command, warnings)| {
        for warning in warnings {
            // Nobody has to read it.
            let _ = writeln!(world.err, "warning: {}", defuse::line(&warning));
        }
        command
    });
    let ended = match parsed {
        Err(stop) => Err(stop),
        Ok(Command::Wait(wait)) => self::wait(*wait, secrets, world),
        Ok(Command::Replay(replay)) => self::replay(*replay, secrets, world),
        Ok(Command::Latest(latest)) => self::latest(*latest, secrets, world),
        Ok(Command::Check(check)) => self::check(check, world),
        Ok(Command::Explain(explain)) => Err(explain::explain(&explain).unwrap_or_else(misuse)),
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

fn misuse(why: String) -> Stop {
    // Files hold words that came from the network.
    let lines: Vec<String> = why.lines().map(defuse::line).collect();
    Stop { text: format!("error: {}\n", lines.join("\n")), code: outcome::MISUSE }
}

/// `deploy-gate wait`.
fn wait(wait: args::Wait, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Stop> {
    let args::Wait { targets, network, mut gate, record } = wait;
    let stdin = Some(Path::new("-"));
    let from_stdin = [
        ("--targets -", targets.targets.as_deref() == stdin),
        ("--token-file -", network.token_file.as_deref() == stdin),
        ("--workflow @-", gate.pins.workflow.as_deref() == Some("@-")),
    ];
    let mut from_stdin = from_stdin.into_iter().filter(|(_, is_so)| *is_so).map(|(flag, _)| flag);
    if let (Some(one), Some(other)) = (from_stdin.next(), from_stdin.next()) {
        return Err(misuse(format!("{one} and {other}: only one of them can be stdin")));
    }
    let (connection, install) = config::connection(&network, world.variables, secrets).map_err(misuse)?;
    read_trigger(&mut gate.pins)?;
    let mut wanted = targets::wanted(&targets, &gate.pins, install).map_err(misuse)?;
    check_pins(&gate, wanted.iter().map(|wanted| &wanted.pins), world.clock.utc())?;
    // What is asked of one target by flags alone is no fleet.
    let is_fleet = targets.targets.is_some() || targets.is_of_many() || wanted.len() > 1;
    if is_fleet && record.is_some() {
        return Err(misuse("--record (DEPLOY_GATE_RECORD) takes the recording of one target".into()));
    }
    let plan =
        cli::plan::plan(gate, Place::of(&connection), world.variables, world.screens, secrets).map_err(misuse)?;
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
        format!("waiting up to {} for {target} at {}", format::duration(question.rules.timeout), question.place.api);
    let mut source = (world.connect)(connection);
    if let Some(path) = record {
        let wrong = |why| misuse(format!("--record (DEPLOY_GATE_RECORD) {}: {why}", path.display()));
        let file = plan.teller.create_beside(&path).map_err(wrong)?;
        source = Box::new(Recorder::new(source, file, secrets).map_err(wrong)?);
    }
    Ok(gate::run(&opening, target, plan, source, world))
}

/// `--workflow @FILE`: the id is in the file.
fn read_trigger(pins: &mut Pins) -> Result<(), Stop> {
    let Some(file) = pins.workflow.as_deref().and_then(|workflow| workflow.strip_prefix('@')) else { return Ok(()) };
    let wrong = |why: String| misuse(format!("--workflow (DEPLOY_GATE_WORKFLOW) @{file}: {why}"));
    let bytes = read(Path::new(file)).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    pins.workflow = Some(trigger::workflow(&String::from_utf8_lossy(&bytes)).map_err(wrong)?);
    Ok(())
}

/// Whether the pins of all targets can be meant. `now` is the calendar.
fn check_pins<'p>(
    gate: &args::Gate,
    mut all: impl Iterator<Item = &'p Pins> + Clone,
    now: Option<Timestamp>,
) -> Result<(), Stop> {
    if gate.require_pin && !all.clone().all(Pins::are_enough) {
        return Err(misuse(
            "--require-pin (DEPLOY_GATE_REQUIRE_PIN): no pin was given, so any deploy would do; give --workflow, --deploy \
             or --after (--build and --commit alone may match an earlier deploy), and check that the step that triggers \
             the deploy set its output"
                .into(),
        ));
    }
    let ahead = all.find_map(|pins| match (&pins.after, now) {
        (Some(After::Time(time)), Some(now)) if time.duration_since(now) > AHEAD => Some((*time, now)),
        _ => None,
    });
    match ahead {
        Some((time, now)) => Err(misuse(format!(
            "--after (DEPLOY_GATE_AFTER) {time} is ahead of the clock, which says {now:.0}; it should be the time just \
             before the deploy was triggered, as `date -u +%FT%TZ` gives it"
        ))),
        None => Ok(()),
    }
}

/// How far the clocks of two machines of a CI system may be apart.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// `deploy-gate replay`: the same, with the recording for the network and a clock that jumps.
fn replay(replay: args::Replay, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Stop> {
    let file = replay.recording.display();
    let wrong = |why: String| misuse(format!("the recording {file}: {why}"));
    let text =
        std::fs::read_to_string(&replay.recording).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let recording = Recording::parse(&text).map_err(wrong)?;
    let target = recording.find(Target::of_latest).ok_or_else(|| {
        wrong(
            "there is no look at a latest deploy in it; it should have been written by deploy-gate wait --record"
                .into(),
        )
    })?;
    let time = VirtualClock::new(recording.epoch());
    let mut gate = replay.gate;
    read_trigger(&mut gate.pins)?;
    check_pins(&gate, std::iter::once(&gate.pins), time.utc())?;
    let plan = cli::plan::plan(gate, Place::default(), world.variables, world.screens, secrets).map_err(misuse)?;
    let opening = format!("replaying {file} for {target}, up to {}", format::duration(plan.question.rules.timeout));
    // Always the same seed, so that a recording replays alike each time.
    let world = world.reborrow();
    let mut clock = ReplayClock { time, signals: world.clock };
    let mut world = World { clock: &mut clock, seed: 0, ..world };
    Ok(gate::run(&opening, target, plan, Box::new(recording), &mut world))
}

/// `deploy-gate latest`: one look.
fn latest(latest: args::Latest, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Stop> {
    let (connection, install) = config::connection(&latest.network, world.variables, secrets).map_err(misuse)?;
    let target = targets::one(latest.install, &latest.component, install).map_err(misuse)?;
    let mut source = (world.connect)(connection);
    let quiet = Progress::new(world.err, Manner::quiet(secrets));
    let mut session = Session::new(&mut *source, world.clock, quiet, world.seed, latest.network.request_timeout);
    let failed = |ending: Ending, why: &str, trace: &str| Stop {
        text: format!("{}: {} (trace {trace})\n", ending.reason(), defuse::line(why)),
        code: ending.code(),
    };
    let target = names::resolve(&target, &mut session).map_err(|look| match *look {
        Look::Refused(ending, why) => failed(ending, &why, &session.trace),
        other => failed(Ending::NotFound, &watch::why(other), &session.trace),
    })?;
    let wrong = |look: Look, session: &Session<'_>| match look {
        Look::Refused(ending, why) => failed(ending, &why, &session.trace),
        Look::Absent(miss) => failed(Ending::NotFound, &miss.why, &session.trace),
        other => failed(Ending::BadAnswer, &watch::why(other), &session.trace),
    };
    let text = match session.look(&Ask::Latest, &target) {
        Look::Seen(deploy, _) if !latest.json => format!("{}\n", defuse::line(deploy.id())),
        Look::Seen(deploy, bytes) => {
            let document = complete(&deploy, bytes, &target, &mut session).map_err(|look| wrong(*look, &session))?;
            format!("{}\n", defuse::json(&format!("{:#}", document.masked())))
        }
        Look::Absent(_) => {
            // The server answers so for an install that is not there, too.
            names::ask_for_install(&target.install, &mut session).map_err(|look| wrong(*look, &session))?;
            format!("{}\n", if latest.json { "null" } else { pin::NONE })
        }
        other => return Err(wrong(other, &session)),
    };
    Err(Stop { text, code: 0 })
}

/// The document as `wait` would complete it, in one look. Without one of its parts it is none: `check` could not tell why
/// that is missing.
fn complete(deploy: &Deploy, seen: Vec<u8>, target: &Target, session: &mut Session<'_>) -> Result<Document, Box<Look>> {
    let detail = match session.look(&Ask::Deploy(deploy.id().into()), target) {
        Look::Seen(detail, _) if !detail.is_shown_to_be_of(deploy.install_component()) => {
            let why = format!("deploy {} is not shown to be of this component", detail.id());
            return Err(Box::new(Look::Missed(Miss::new(why))));
        }
        Look::Seen(detail, _) if detail.id() != deploy.id() || detail.word() != deploy.word() => {
            return Err(Box::new(Look::Missed(Miss::new("the parts of the document disagree; look again"))));
        }
        Look::Seen(_, bytes) => look::whole(&bytes),
        other => return Err(Box::new(other)),
    };
    let workflow = match deploy.workflow() {
        "" => None,
        id => Some(match session.look(&Ask::Workflow(id.into()), target) {
            Look::Workflow(_, value) => Ok(value),
            other => return Err(Box::new(other)),
        }),
    };
    let parts = Parts { seen, deploy: Some(detail), workflow };
    Document::assemble(parts).map_err(|why| Box::new(Look::Missed(Miss::new(why))))
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
    let checks = match Evaluation::start(&assertions, &document).finish() {
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
    checks.iter().for_each(|check| report::people::assertion(check, &why, &mut lines));
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
