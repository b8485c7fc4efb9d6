//! `deploy-gate` waits for a deploy of the Nuon platform, checks the user's assertions against it, and exits with a code
//! that a pipeline can trust.
//!
//! # The promise
//! Exit 0 means: complete answers of the server, received by this run, showed the deploy that was asked for in a
//! successful state that nobody will take back by itself, and every assertion was true *about something*. Nothing else
//! ever exits 0.
//!
//! # The idea
//! 1. A run has one result, a [`report::result::Report`] with a verdict for each target; everything else is how it was
//!    reached.
//! 2. The world is three things: ask ([`base::source::Source`]), time ([`base::clock::Clock`]), print
//!    ([`std::io::Write`]), and the files that are read and written ([`base::disk::Disk`]). They enter by [`World`], which
//!    is built in `main.rs` and nowhere else.
//! 3. Deciding is pure: [`watch::Watch::step`] is told the time as a number and an answer as a value, and says what to ask
//!    for next. The network, a recording and the tests' scripts all drive the same machine. What a look does is written
//!    down once, in order; what is known from look to look is its [`watch::memory`].
//! 4. The server's words become evidence in one room ([`nuon::evidence`]), and the decision is one table over it
//!    ([`watch::decision`]).
//! 5. Arguments are parsed into what they mean; after that nothing is malformed.
//! 6. What can fail before the wait fails before the wait.
//! 7. A verdict is never an `Err`; a fault of the transport is never a verdict.
//!
//! # Rooms
//! Each room may use those below it, never one above; `tests/project/rooms.rs` holds them to that.
//!
//! | room | what is there |
//! |---|---|
//! | [`cli`] | what was asked for: arguments, variables, the Nuon CLI's file, files of targets; one file a command |
//! | [`mod@run`] | the gates of all targets in one run, each from its first look to its verdict; [`World`] |
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

use base::disk::SparesInputs;
use cli::args::Command;
use cli::output::print;
use cli::{check, doctor, explain, latest, manual, parse, replay, wait};
use text::escape;
use text::redact::Secrets;

pub use run::world::World;

/// The story of a run: from arguments to the exit code.
pub fn run(arguments: &[OsString], world: &mut World<'_>) -> u8 {
    let secrets = Secrets::default();
    if let Some(token) = world.variables.get("NUON_API_TOKEN") {
        secrets.add(token.trim());
    }
    let world = world.reborrow();
    let disk = &SparesInputs::new(world.disk);
    let (out, err) = (&mut secrets.guard(world.out), &mut secrets.guard(world.err));
    run_guarded(arguments, &secrets, &mut World { disk, out, err, ..world })
}

/// What is printed and written passes a guard from here on.
fn run_guarded(arguments: &[OsString], secrets: &Secrets, world: &mut World<'_>) -> u8 {
    let ended = parse::parse(arguments, world.variables).and_then(|(command, warnings)| {
        for warning in warnings {
            // Nobody has to read it.
            let _ = writeln!(world.err, "warning: {}", escape::line(&warning));
        }
        match command {
            Command::Wait(wait) => wait::wait(*wait, secrets, world),
            Command::Doctor(doctor) => doctor::doctor(*doctor, secrets, world),
            Command::Replay(replay) => replay::replay(*replay, secrets, world),
            Command::Latest(latest) => latest::latest(*latest, secrets, world),
            Command::Check(check) => check::check(check, world),
            Command::Explain(explain) => explain::explain(&explain).map(|text| print(&text, 0, world)),
            Command::Completions { shell } => Ok(print(&manual::completions(shell), 0, world)),
            Command::Man => Ok(print(&manual::man(), 0, world)),
            Command::Help(text) => Ok(print(&text, 0, world)),
        }
    });
    ended.unwrap_or_else(|failed| failed.tell(arguments, world))
}
