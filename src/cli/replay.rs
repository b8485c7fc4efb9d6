//! `deploy-gate replay`: the same run with a recording for the network, and a clock that jumps.

use crate::base::clock::{Clock, ReplayClock, VirtualClock};
use crate::cli::args::ReplayArgs;
use crate::cli::output::{Failed, misuse};
use crate::cli::pins::{check_pins, read_trigger};
use crate::cli::targets::{Asked, Names};
use crate::cli::{plan, targets};
use crate::net::recording::Recording;
use crate::nuon::target::Target;
use crate::run::config::ApiContext;
use crate::run::driver;
use crate::run::spec::{Choice, TargetSpec};
use crate::run::world::World;
use crate::text::format;
use crate::text::redact::Secrets;

/// Replays, and returns the exit code.
///
/// # Errors
/// Misuse.
pub fn replay(replay: ReplayArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let ReplayArgs { recording, install, component, many, mut gate } = replay;
    let file = recording.display();
    let wrong = |why: String| misuse(format!("the recording {file}: {why}"));
    let text = world.disk.read_text(&recording).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let recording = Recording::parse(&text).map_err(wrong)?;
    let time = VirtualClock::new(recording.epoch());
    read_trigger(&mut gate.pins, world)?;
    let names = Names { list: None, install: &install, component: &component, many: &many };
    let asked = if names.are_listed() {
        let fallback = match recording.of_paths(Target::install_of).as_slice() {
            [install] => Some(install.to_string()),
            _ => None,
        };
        targets::asked(names, &gate.pins, fallback, world).map_err(misuse)?
    } else {
        let is_named = |names: &[String], id: &str| names.is_empty() || names.iter().any(|name| name == id);
        let mut targets = recording.of_paths(Target::of_latest);
        if targets.is_empty() {
            let why = "there is no look at a latest deploy in it; it should have been written by wait --record";
            return Err(wrong(why.into()));
        }
        targets.retain(|target| is_named(&install, &target.install) && is_named(&component, &target.component));
        if targets.is_empty() {
            return Err(wrong("none of its targets is of that --install and --component".into()));
        }
        Asked::Named(targets.into_iter().map(|target| TargetSpec::of_deploy(target, gate.pins.clone())).collect())
    };
    check_pins(&gate, asked.pins().into_iter(), time.utc())?;
    let subject = asked.subject(&gate).map_err(misuse)?;
    let choice = Choice {
        min_pass: many.min_pass,
        awaits_all: many.no_fail_fast,
        min_targets: many.min_targets,
        shard: None,
        is_fleet: many.min_pass.is_some() || matches!(asked, Asked::Query(_) | Asked::Run(_)),
    };
    let (wanted, about) = asked.wanted(choice).map_err(misuse)?;
    // What was refused for a moment is asked for again in a replay, too.
    let api = ApiContext { token_rotates: true, ..ApiContext::default() };
    let plan = plan::plan(gate, subject, api, world, secrets).map_err(misuse)?;
    let opening = format!("replaying {file} for {about}, up to {}", format::duration(plan.config.rules.timeout));
    // Always the same seed, so that a recording replays alike each time.
    let world = world.reborrow();
    let mut clock = ReplayClock { time, signals: world.clock };
    let mut world = World { clock: &mut clock, seed: 0, ..world };
    Ok(driver::run(&opening, wanted, 1, plan, Box::new(recording), &mut world))
}
