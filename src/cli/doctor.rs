//! `deploy-gate doctor`: all that `wait` does before it waits, a line for each.

use crate::base::outcome::Ending;
use crate::cli::args::DoctorArgs;
use crate::cli::output::{Failed, print};
use crate::cli::wait::{self, Prepared};
use crate::net::connection::Token;
use crate::report::ci::Ci;
use crate::report::progress::{LogStyle, Progress};
use crate::run::config::GateConfig;
use crate::run::examination::{self, Finding, State};
use crate::run::session::Session;
use crate::run::world::World;
use crate::text::color::Paint;
use crate::text::escape;
use crate::text::redact::Secrets;

/// Checks, and returns the exit code.
///
/// # Errors
/// Misuse.
pub fn doctor(doctor: DoctorArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let DoctorArgs { mut wait, offline } = doctor;
    let paint = wait.gate.color.paint(world.variables, world.screens.0);
    // It tells nobody but whoever asks: where reports go is checked by the run.
    (wait.gate.report, wait.record) = Default::default();
    let Prepared { wanted, about, jobs: _, plan, connection } = wait::prepare(wait, secrets, world)?;
    let config = plan.config;
    let mut findings = vec![Finding::ok("flags", about), assertions(&config)];
    if let Some(lost) = plan.reporter.lost() {
        findings.push(Finding::failed("files", lost, "the variable must name a file that can be written"));
    }
    if !offline {
        let has_token = !matches!(connection.token, Token::None);
        let mut source = (world.connect)(connection, 1);
        let mut quiet = Progress::new(world.err, LogStyle::quiet(secrets));
        let mut dice = fastrand::Rng::with_seed(world.seed);
        let mut session = Session::new(&mut *source, world.clock, &mut quiet, &mut dice, &config.api);
        if let Err(signal) = examination::examine(&wanted, &config, has_token, &mut session, &mut findings) {
            let ending = Ending::Interrupted(signal);
            return Err(Failed { text: format!("{}\n", ending.word()), code: ending.code() });
        }
    }
    let has_failed = findings.iter().any(|finding| finding.state == State::Failed);
    let mut text: String = findings.iter().map(|finding| line(finding, paint)).collect();
    text.push_str(match (has_failed, offline) {
        (true, _) => "something is wrong\n",
        (false, true) => "nothing is wrong with the flags; nothing was asked\n",
        (false, false) => "nothing is wrong; doctor is no gate, and waited for nothing\n",
    });
    let warning = "doctor ran in place of the gate: nothing was gated";
    text.push_str(&Ci::Auto.found(world.variables).warning("Deploy gate: doctor", warning));
    Ok(print(&text, if has_failed { Ending::BadAnswer.code() } else { 0 }, world))
}

/// What is checked against the document: its types have been looked at already, or this would be misuse.
fn assertions(config: &GateConfig) -> Finding {
    let (must, advisory, extracts) = (config.assertions.len(), config.advisories.len(), config.extracts.len());
    let found = format!("{must} that must be true, {advisory} advisory, {extracts} extracts");
    match config.warnings.as_slice() {
        [] => Finding::ok("assertions", found),
        warnings => Finding::warning("assertions", format!("{found}; {}", warnings.join("; ")), ""),
    }
}

/// The lines of a finding.
fn line(finding: &Finding, paint: Paint) -> String {
    let state = format!("{:<8}", finding.state.name());
    let state = match finding.state {
        State::Ok => paint.good(&state),
        State::Warning => paint.odd(&state),
        State::Failed => paint.bad(&state),
    };
    let remedy = match finding.remedy.as_str() {
        "" => String::new(),
        remedy => format!("{:24}{}\n", "", escape::line(remedy)),
    };
    format!("  {state} {:<12} {}\n{remedy}", finding.what, escape::line(&finding.found))
}
