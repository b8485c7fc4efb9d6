//! `deploy-gate wait`: from what was asked for to a run.

use std::path::Path;
use std::time::Duration;

use crate::base::environment::Variables;
use crate::base::source::Source;
use crate::cli::args::WaitArgs;
use crate::cli::output::{Failed, misuse};
use crate::cli::pins::{check_pins, read_trigger};
use crate::cli::targets::{Asked, Names};
use crate::cli::{config, plan, targets};
use crate::net::connection::Connection;
use crate::net::recording::Recorder;
use crate::run::config::{ApiContext, Plan};
use crate::run::driver;
use crate::run::spec::{Choice, Wanted};
use crate::run::world::World;
use crate::text::format;
use crate::text::redact::Secrets;
use crate::watch::pin::WorkflowPin;

/// What a run will do, and with which connection.
pub struct Prepared {
    /// Which targets.
    pub wanted: Wanted,
    /// They, in words.
    pub about: String,
    /// How many requests may be in flight.
    pub jobs: usize,
    /// What is asked of each.
    pub plan: Plan,
    /// The way to the server.
    pub connection: Connection,
}

/// Waits, and returns the exit code.
///
/// # Errors
/// Misuse.
pub fn wait(wait: WaitArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let record = wait.record.clone();
    let Prepared { wanted, about, jobs, plan, connection } = prepare(wait, secrets, world)?;
    let limit = format::duration(plan.config.rules.timeout);
    let opening = format!("waiting up to {limit} for {about} at {}", plan.config.api.url);
    let mut source = (world.connect)(connection, jobs);
    if let Some(path) = record {
        let wrong = |why| misuse(format!("--record (DEPLOY_GATE_RECORD) {}: {why}", path.display()));
        let file = plan.reporter.create_beside(&path, world.disk).map_err(wrong)?;
        source = Box::new(Recorder::<dyn Source>::new(source, file, secrets).map_err(wrong)?);
    }
    Ok(driver::run(&opening, wanted, jobs, plan, source, world))
}

/// All that can be checked before the first request.
///
/// # Errors
/// Misuse.
pub fn prepare(wait: WaitArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<Prepared, Failed> {
    let WaitArgs { targets, network, mut gate, record: _ } = wait;
    let stdin = Some(Path::new("-"));
    let from_stdin = [
        ("--targets -", targets.targets.as_deref() == stdin),
        ("--token-file -", network.token_file.as_deref() == stdin),
        ("--workflow @-", gate.pins.workflow == Some(WorkflowPin::File("-".into()))),
    ];
    let mut from_stdin = from_stdin.into_iter().filter(|(_, is_so)| *is_so).map(|(flag, _)| flag);
    if let (Some(one), Some(other)) = (from_stdin.next(), from_stdin.next()) {
        return Err(misuse(format!("{one} and {other}: only one of them can be stdin")));
    }
    let (connection, install) = config::connection(&network, secrets, world).map_err(misuse)?;
    read_trigger(&mut gate.pins, world)?;
    let names = Names {
        list: targets.targets.as_deref(),
        install: &targets.install,
        component: &targets.component,
        many: &targets.many,
    };
    let asked = targets::asked(names, &gate.pins, install, world).map_err(misuse)?;
    check_pins(&gate, asked.pins().into_iter(), world.clock.utc())?;
    if let Asked::Query(_) = asked {
        gate.appear_timeout.get_or_insert(gate.timeout);
    }
    let subject = asked.subject(&gate).map_err(misuse)?;
    let limit = job_limit(gate.timeout, world.variables);
    let mut plan = plan::plan(gate, subject, ApiContext::of(&connection), world, secrets).map_err(misuse)?;
    plan.config.warnings.extend(limit);
    let shard = targets.shard.map(|shard| shard.seen(world.variables)).transpose().map_err(misuse)?;
    let choice = Choice {
        min_pass: targets.many.min_pass,
        awaits_all: targets.many.no_fail_fast,
        min_targets: targets.many.min_targets,
        // What is asked of one target by flags alone is told of that target alone.
        is_fleet: targets.targets.is_some() || targets.is_of_many() || matches!(asked, Asked::Query(_) | Asked::Run(_)),
        shard,
    };
    let (wanted, about) = asked.wanted(choice).map_err(misuse)?;
    let jobs = match &wanted {
        Wanted::Chosen(chosen) => chosen.specs.len().min(targets.jobs.into()),
        Wanted::Query(..) | Wanted::Run(..) => targets.jobs.into(),
    };
    Ok(Prepared { wanted, about, jobs: jobs.max(1), plan, connection })
}

/// What to say where the CI system ends the job before the gate ends the wait.
fn job_limit(timeout: Duration, variables: &Variables) -> Option<String> {
    let limit = Duration::from_secs(variables.get("CI_JOB_TIMEOUT")?.trim().parse().ok()?);
    (limit <= timeout).then(|| {
        let (limit, timeout) = (format::duration(limit), format::duration(timeout));
        format!(
            "the job may take {limit} (CI_JOB_TIMEOUT), which is not longer than --timeout {timeout}: it would be stopped \
             without a verdict; give the job more time (GitLab: `timeout:`) or the gate less"
        )
    })
}
