//! Checks the pins of all targets before the wait, and takes `--workflow @FILE` out of its file.

use jiff::{SignedDuration, Timestamp};

use crate::cli::output::{Failed, misuse};
use crate::cli::{args, trigger};
use crate::run::world::World;
use crate::watch::pin::{After, Pins, WorkflowPin};

/// `--workflow @FILE`: the id is in the file.
pub fn read_trigger(pins: &mut Pins, world: &mut World<'_>) -> Result<(), Failed> {
    let Some(WorkflowPin::File(file)) = &pins.workflow else { return Ok(()) };
    let wrong = |why: String| misuse(format!("--workflow (DEPLOY_GATE_WORKFLOW) @{}: {why}", file.display()));
    let bytes = world.disk.read(file).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    pins.workflow = Some(WorkflowPin::Id(trigger::workflow(&String::from_utf8_lossy(&bytes)).map_err(wrong)?));
    Ok(())
}

/// Whether the pins of all targets can be meant. `now` is the calendar.
pub fn check_pins<'p>(
    gate: &args::GateArgs,
    mut all: impl Iterator<Item = &'p Pins> + Clone,
    now: Option<Timestamp>,
) -> Result<(), Failed> {
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
