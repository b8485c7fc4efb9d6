//! `deploy-gate replay`: the same run with a recording for the network, and a clock that jumps.

use crate::base::clock::{Clock, ReplayClock, VirtualClock};
use crate::cli::args::ReplayArgs;
use crate::cli::output::{Failed, misuse};
use crate::cli::pins::{check_pins, read_trigger};
use crate::cli::{plan, targets};
use crate::judge::catalogue::Subject;
use crate::net::recording::Recording;
use crate::nuon::target::Target;
use crate::run::config::ApiContext;
use crate::run::driver;
use crate::run::spec::{Choice, TargetSpec, Wanted};
use crate::run::world::World;
use crate::text::format;
use crate::text::redact::Secrets;

/// Replays, and returns the exit code.
///
/// # Errors
/// Misuse.
pub fn replay(replay: ReplayArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let ReplayArgs { recording, install, component, min_pass, no_fail_fast, mut gate } = replay;
    let file = recording.display();
    let wrong = |why: String| misuse(format!("the recording {file}: {why}"));
    let text = world.disk.read_text(&recording).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let recording = Recording::parse(&text).map_err(wrong)?;
    let is_named = |names: &[String], id: &str| names.is_empty() || names.iter().any(|name| name == id);
    let is_whole = component.iter().any(|name| name == "all") && gate.pins.workflow.is_some();
    let mut targets = recording.of_paths(Target::of_latest);
    if is_whole {
        targets::of_workflow(&gate).map_err(misuse)?;
        let every = targets::every_component().map_err(misuse)?;
        targets = recording.of_paths(|path| Target::of_install(path, &every));
    }
    if targets.is_empty() {
        let why = "there is no look at a latest deploy in it; it should have been written by deploy-gate wait --record";
        return Err(wrong(why.into()));
    }
    targets
        .retain(|target| is_named(&install, &target.install) && (is_whole || is_named(&component, &target.component)));
    if is_whole && targets.len() > 1 {
        return Err(wrong("it holds several installs; --install says whose workflow is meant".into()));
    }
    let time = VirtualClock::new(recording.epoch());
    read_trigger(&mut gate.pins, world)?;
    check_pins(&gate, std::iter::once(&gate.pins), time.utc())?;
    let about = match targets.as_slice() {
        [] => return Err(wrong("none of its targets is of that --install and --component".into())),
        [target] if is_whole => format!("the workflow in {}", target.install),
        [target] => target.to_string(),
        targets => format!("{} targets", targets.len()),
    };
    let specs = targets.into_iter().map(|target| TargetSpec { target, pins: gate.pins.clone() }).collect();
    let choice =
        Choice { min_pass, awaits_all: no_fail_fast, min_targets: 1, shard: None, is_fleet: min_pass.is_some() };
    let chosen = choice.of(specs).map_err(misuse)?;
    let subject = if is_whole { Subject::Workflow } else { Subject::Deploy };
    // What was refused for a moment is asked for again in a replay, too.
    let api = ApiContext { token_rotates: true, ..ApiContext::default() };
    let plan = plan::plan(gate, subject, api, world, secrets).map_err(misuse)?;
    let opening = format!("replaying {file} for {about}, up to {}", format::duration(plan.config.rules.timeout));
    // Always the same seed, so that a recording replays alike each time.
    let world = world.reborrow();
    let mut clock = ReplayClock { time, signals: world.clock };
    let mut world = World { clock: &mut clock, seed: 0, ..world };
    Ok(driver::run(&opening, Wanted::Chosen(chosen), 1, plan, Box::new(recording), &mut world))
}
