//! From arguments to what a run will do.

use std::time::Duration;

use crate::base::environment::Screen;
use crate::cli::args;
use crate::judge::catalogue::Subject;
use crate::judge::extract::{self, Extract};
use crate::report::people::VerdictStyle;
use crate::report::progress::{LogStyle, Verbosity};
use crate::report::reporter::Reporter;
use crate::report::{self, ci};
use crate::run::config::{ApiContext, GateConfig, Plan};
use crate::run::world::World;
use crate::text::marks::Marks;
use crate::text::redact::Secrets;
use crate::watch::rules::{Rules, Scope, Until};

/// How long a deploy may take to appear, if nothing else is said.
const APPEAR: Duration = Duration::from_secs(300);

/// Checks all that can be checked, and creates the files of the reports: all that the run reads has been read.
///
/// # Errors
/// What is wrong, with its flag and variable.
pub fn plan(
    gate: args::GateArgs,
    subject: Subject,
    api: ApiContext,
    world: &World<'_>,
    secrets: &Secrets,
) -> Result<Plan, String> {
    let intervals = gate.intervals()?;
    let verbosity = match (gate.quiet, gate.verbose) {
        (true, true) => {
            return Err("--quiet (DEPLOY_GATE_QUIET) and --verbose (DEPLOY_GATE_VERBOSE): it can only be one".into());
        }
        (true, false) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) if ci::is_debugging(world.variables) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let (type_check, mut warnings) = (gate.asserting.type_check, Vec::new());
    let advisories = gate.asserting.advisories(subject, &mut warnings)?;
    let assertions = gate.asserting.assertions(subject, world.disk, &mut warnings)?;
    let extracts: Vec<Extract> = gate.extract.into_iter().map(|extract| extract.about(subject)).collect();
    extracts.iter().try_for_each(|extract| type_check.extract(extract, &mut warnings))?;
    extract::names(&extracts, &report::result::OUTPUTS)?;
    let names: Vec<String> = extracts.iter().map(|extract| extract.name.clone()).collect();
    let ci = gate.ci.found(world.variables);
    // A console that obeys no escape sequences is a log, too.
    let is_dumb = cfg!(windows) || world.variables.get("TERM").is_some_and(|term| term == "dumb");
    let is_log = is_dumb || ci.reads_the_log(world.variables);
    let (out, err) = if is_log { (Screen::File, Screen::File) } else { world.screens };
    let marks = Marks::of(world.variables);
    let style = VerdictStyle {
        paint: gate.color.paint(world.variables, world.screens.0),
        marks: Some(marks).filter(|marks| out == Screen::Terminal && *marks == Marks::UNICODE),
    };
    let reporter = Reporter::new(gate.report, names, (ci, style), (world.variables, world.disk, world.seed), secrets)?;
    let pins = gate.pins;
    let config = GateConfig {
        rules: Rules {
            scope: Scope::default(),
            expect: gate.expect,
            overrides: gate.status,
            on_superseded: gate.on_superseded,
            on_approval: gate.on_approval,
            until: gate.until,
            // Actions are steps of it, which come after the deploy.
            workflow_is_judged: assertions
                .iter()
                .any(|assertion| assertion.looks_at("workflow") || assertion.looks_at("action_workflow_runs")),
            // What only warns is never waited for.
            document_is_needed: !assertions.is_empty() || !extracts.is_empty() || gate.until == Until::Workflow,
            timeout: gate.timeout,
            appear_timeout: gate.appear_timeout.unwrap_or(APPEAR),
            pins,
            began: None,
        },
        intervals,
        assertions: assertions.into(),
        advisories: advisories.into(),
        warnings,
        extracts: extracts.into(),
        attests: reporter.attests(),
        log_lines: usize::from(gate.log_lines),
        style: LogStyle { verbosity, ci, screen: err, size: world.size, marks, secrets: secrets.clone() },
        api,
        shared: None,
    };
    Ok(Plan { config, reporter })
}
