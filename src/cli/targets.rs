//! The targets of a run: every pair of `--install` and `--component`, or the lines of `--targets`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::args;
use crate::cli::config;
use crate::judge::catalogue::Subject;
use crate::nuon::branch_run::BranchRun;
use crate::nuon::deploy::Expect;
use crate::nuon::id::{ComponentId, Id, InstallId};
use crate::nuon::target::Target;
use crate::run::query::{List, Query};
use crate::run::spec::{Choice, TargetSpec, Wanted};
use crate::run::world::World;
use crate::text::format;
use crate::watch::pin::{self, Pins};
use crate::watch::rules::{Scope, Until};

/// What to say where no install is given.
const MISSING: &str = "no install given: use --install ID, the variable NUON_INSTALL_ID, or install_id in ~/.nuon";

/// What to gate where the server lists it.
const ALL: &str = "all";

/// The targets that are asked for: those that are named, at least one, or what the server lists.
pub enum Asked {
    /// These.
    Named(Vec<TargetSpec>),
    /// These, which the server lists.
    Query(Query),
    /// A workflow as a whole.
    Workflow(TargetSpec),
    /// A branch run, and what it updates.
    Run(TargetSpec),
}

/// What was given that names targets.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// `--targets`.
    pub list: Option<&'a Path>,
    /// `--install`.
    pub install: &'a [String],
    /// `--component`.
    pub component: &'a [String],
    /// Which the server is to list.
    pub many: &'a args::ManyArgs,
}

impl Names<'_> {
    /// Whether they are what the server lists.
    pub fn are_listed(&self) -> bool {
        has_all(self.install) || has_all(self.component) || self.many.branch_run.is_some()
    }
}

impl Asked {
    /// The pins of all targets.
    pub fn pins(&self) -> Vec<&Pins> {
        match self {
            Asked::Named(specs) => specs.iter().map(|spec| &spec.pins).collect(),
            Asked::Query(query) => vec![&query.pins],
            Asked::Workflow(spec) => vec![&spec.pins],
            // It is a pin itself.
            Asked::Run(_) => Vec::new(),
        }
    }

    /// What the documents are about that are judged.
    ///
    /// # Errors
    /// A flag that is about a deploy, where that is a workflow as a whole.
    pub fn subject(&self, gate: &args::GateArgs) -> Result<Subject, String> {
        match self {
            Asked::Named(_) | Asked::Query(_) => Ok(Subject::Deploy),
            Asked::Workflow(_) | Asked::Run(_) => of_workflow(gate).map(|()| Subject::Workflow),
        }
    }

    /// What is to be gated, and how that is said.
    ///
    /// # Errors
    /// There are too few.
    pub fn wanted(self, choice: Choice) -> Result<(Wanted, String), String> {
        Ok(match self {
            Asked::Query(query) => {
                let about = query.to_string();
                (Wanted::Query(query, choice), about)
            }
            Asked::Run(spec) => {
                let about = format!("every install that {} updates", spec.told());
                (Wanted::Run(spec, choice), about)
            }
            Asked::Workflow(spec) => {
                let about = spec.told();
                (Wanted::Chosen(choice.of(vec![spec])?), about)
            }
            Asked::Named(specs) => {
                let chosen = choice.of(specs)?;
                let about = match (chosen.specs.as_slice(), &chosen.fleet) {
                    ([spec], None) => spec.told(),
                    (specs, fleet) => {
                        let shard = fleet.as_ref().and_then(|fleet| fleet.shard.as_ref());
                        let share =
                            shard.map_or_else(String::new, |shard| format!(", shard {} of {}", shard.index, shard.of));
                        format!("{} targets{share}", specs.len())
                    }
                };
                (Wanted::Chosen(chosen), about)
            }
        })
    }
}

/// All targets of a run. `fallback` is the install of the config file.
///
/// # Errors
/// None is given, one is malformed or there twice, or a pin that belongs to one target is given to many.
pub fn asked(targets: Names<'_>, pins: &Pins, fallback: Option<String>, world: &World<'_>) -> Result<Asked, String> {
    let all = match targets.list {
        Some(_) if !targets.install.is_empty() || !targets.component.is_empty() => {
            return Err("--targets (DEPLOY_GATE_TARGETS) has the installs and the components in its lines, so \
                        --install (NUON_INSTALL_ID) and --component (NUON_COMPONENT_ID) must not be given, too"
                .into());
        }
        Some(path) => Asked::Named(lines(path, pins, world)?),
        None if targets.many.branch_run.is_some() => Asked::Run(run(targets, pins)?),
        None => match query(targets, pins, fallback.as_ref())? {
            Some(Query { list: List::Components { install }, pins }) if pins.workflow.is_some() => {
                let target = Target { install, component: ComponentId::all() };
                Asked::Workflow(TargetSpec { target, pins, scope: Scope::Workflow })
            }
            Some(query) => Asked::Query(query),
            None => Asked::Named(pairs(targets, pins, fallback)?),
        },
    };
    if !targets.many.label.is_empty() && !has_all(targets.install) {
        return Err("--label (DEPLOY_GATE_LABEL) chooses of --install all, which is not given".into());
    }
    let of_one = [
        ("--deploy (DEPLOY_GATE_DEPLOY)", pins.deploy.is_some()),
        ("--after (DEPLOY_GATE_AFTER)", pins.baseline().is_some()),
    ];
    let given = of_one.into_iter().find(|(_, is_given)| *is_given);
    match (given, &all) {
        (Some((flag, _)), Asked::Query(_)) => Err(format!("{flag} is about one target, and a query is about many")),
        // That has its own words.
        (_, Asked::Workflow(_) | Asked::Run(_)) => Ok(all),
        (Some((flag, _)), Asked::Named(specs)) if specs.len() > 1 => Err(format!(
            "{flag} is about one target, and there are {}; --targets takes it as a pin in the target's line",
            specs.len()
        )),
        _ => Ok(all),
    }
}

fn has_all(names: &[String]) -> bool {
    names.iter().any(|name| name == ALL)
}

/// The list of the server that `all` means.
fn query(targets: Names<'_>, pins: &Pins, fallback: Option<&String>) -> Result<Option<Query>, String> {
    let list = match (has_all(targets.install), has_all(targets.component)) {
        (false, false) => return Ok(None),
        (true, true) => {
            return Err("--install all and --component all: it can only be one; --targets takes any list".into());
        }
        (true, false) if targets.install.len() > 1 => {
            return Err("--install all (NUON_INSTALL_ID) is every install of the app, so no other must be given".into());
        }
        (true, false) if pins.workflow.is_some() => {
            return Err("--workflow (DEPLOY_GATE_WORKFLOW) is of one install, and --install all of many".into());
        }
        (true, false) => {
            let app = targets.many.app.clone().filter(|app| !app.is_empty());
            let app = app.ok_or("--install all needs --app (NUON_APP_ID), whose installs are meant")?;
            let component = |name: &String| config::name("--component (NUON_COMPONENT_ID)", name);
            let components = targets.component.iter().map(component).collect::<Result<_, _>>()?;
            List::Installs {
                app: config::name("--app (NUON_APP_ID)", &app)?,
                labels: targets.many.label.clone(),
                components,
            }
        }
        (false, true) if targets.component.len() > 1 => {
            return Err(
                "--component all (NUON_COMPONENT_ID) is every component of the install, so no other must be given"
                    .into(),
            );
        }
        (false, true) => match (targets.install, fallback) {
            ([install], _) | ([], Some(install)) => {
                List::Components { install: config::name("--install (NUON_INSTALL_ID)", install)? }
            }
            ([], None) => return Err(MISSING.into()),
            _ => return Err("--component all is of one install, and several are given".into()),
        },
    };
    Ok(Some(Query { list, pins: pins.clone() }))
}

/// The branch run that is asked for.
fn run(targets: Names<'_>, pins: &Pins) -> Result<TargetSpec, String> {
    let Some(run) = targets.many.branch_run.clone() else { return Err(MISSING.into()) };
    let given = [
        ("--install (NUON_INSTALL_ID)", !targets.install.is_empty()),
        ("--component (NUON_COMPONENT_ID)", !targets.component.is_empty()),
        ("--workflow (DEPLOY_GATE_WORKFLOW)", pins.workflow.is_some()),
    ];
    if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(format!(
            "{flag} and --branch-run (DEPLOY_GATE_BRANCH_RUN) both say what is gated; it can only be one"
        ));
    }
    let run = BranchRun {
        run: pin::parse_id(&run.run).map_err(|why| format!("--branch-run (DEPLOY_GATE_BRANCH_RUN) {run}: {why}"))?,
        ..run
    };
    // What stands for it in the log.
    let install = InstallId::new(&*run.app).ok_or(MISSING)?;
    let component = ComponentId::new(&run.branch).ok_or(MISSING)?;
    Ok(TargetSpec { target: Target { install, component }, pins: Pins::default(), scope: Scope::Run(run) })
}

/// Whether nothing is asked of a workflow as a whole that only a deploy has; else the first flag that is.
fn of_workflow(gate: &args::GateArgs) -> Result<(), String> {
    let pins = &gate.pins;
    let of_deploys = [
        ("--deploy (DEPLOY_GATE_DEPLOY)", pins.deploy.is_some()),
        ("--build (DEPLOY_GATE_BUILD)", pins.build.is_some()),
        ("--commit (DEPLOY_GATE_COMMIT)", pins.commit.is_some()),
        ("--after (DEPLOY_GATE_AFTER)", pins.after.is_some()),
        ("--until (DEPLOY_GATE_UNTIL)", gate.until != Until::Deploy),
        ("--expect (DEPLOY_GATE_EXPECT)", gate.expect != Expect::Apply),
        ("--on-superseded (DEPLOY_GATE_ON_SUPERSEDED)", gate.on_superseded.is_some()),
    ];
    match of_deploys.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(format!(
            "{flag} is about a deploy, and --workflow with --component all, as --branch-run, is about workflows as a whole, \
             with every deploy in them"
        )),
    }
}

/// The only target of a command that takes one. `fallback` is the install of the config file.
///
/// # Errors
/// What is missing or malformed.
pub fn one(install: Option<String>, component: &str, fallback: Option<String>) -> Result<Target, String> {
    config::target(&install.or(fallback).ok_or(MISSING)?, component)
}

fn pairs(targets: Names<'_>, pins: &Pins, fallback: Option<String>) -> Result<Vec<TargetSpec>, String> {
    let installs = if targets.install.is_empty() { fallback.into_iter().collect() } else { targets.install.to_vec() };
    if installs.is_empty() {
        return Err(MISSING.into());
    }
    let mut all: Vec<TargetSpec> = Vec::new();
    for install in &installs {
        for component in targets.component {
            let target = config::target(install, component)?;
            if all.iter().any(|spec| spec.target == target) {
                return Err(format!(
                    "the target {target} is there twice in --install (NUON_INSTALL_ID) and --component (NUON_COMPONENT_ID)"
                ));
            }
            all.push(TargetSpec::of_deploy(target, pins.clone()));
        }
    }
    Ok(all)
}

fn lines(path: &Path, pins: &Pins, world: &World<'_>) -> Result<Vec<TargetSpec>, String> {
    let name = format!("--targets (DEPLOY_GATE_TARGETS) {}", path.display());
    let text = world.disk.read_text(path);
    let text = text.map_err(|error| format!("{name} cannot be read: {error}"))?;
    parse(&text, pins).map_err(|why| format!("{name}{why}"))
}

/// Reads a target a line: `install component [pin=value …]`. What is behind `#` is a comment.
///
/// # Errors
/// Which line is wrong, and how.
pub fn parse(text: &str, pins: &Pins) -> Result<Vec<TargetSpec>, String> {
    let mut all = Vec::new();
    let mut seen = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        format::whole_line(line).map_err(|why| format!(", line {number}: {why}"))?;
        let words: Vec<&str> = line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        if words.is_empty() {
            continue;
        }
        let spec = self::line(&words, pins).map_err(|why| format!(", line {number}: {why}"))?;
        if let Some(first) = seen.insert(spec.target.clone(), number) {
            return Err(format!(", line {number}: the target {} is in line {first}, too", spec.target));
        }
        all.push(spec);
    }
    if all.is_empty() { Err(" has no target in it; a gate over nothing would check nothing".into()) } else { Ok(all) }
}

fn line(words: &[&str], pins: &Pins) -> Result<TargetSpec, String> {
    let [install, component, given @ ..] = words else {
        return Err(format!("\"{}\" is no target; it should be: install component [pin=value …]", words.join(" ")));
    };
    let mut pins = pins.clone();
    let mut named = Vec::new();
    for word in given {
        let wrong = |why: &str| format!("\"{word}\": {why}");
        let (name, value) = word.split_once('=').ok_or_else(|| wrong("it should be a pin like commit=0123abc"))?;
        if named.contains(&name) {
            return Err(wrong("the pin is there twice"));
        }
        named.push(name);
        match name {
            "build" => pins.build = pin::parse_id(value).map(Some).map_err(|why| wrong(&why))?,
            "deploy" => pins.deploy = pin::parse_id(value).map(Some).map_err(|why| wrong(&why))?,
            "workflow" if value.starts_with('@') => {
                return Err(wrong("a target names its workflow itself; only --workflow reads it from a file"));
            }
            "workflow" => pins.workflow = pin::parse_workflow(value).map(Some).map_err(|why| wrong(&why))?,
            "after" => pins.after = Some(value.parse().map_err(|why: String| wrong(&why))?),
            "commit" => pins.commit = pin::parse_commit(value).map(Some).map_err(|why| wrong(&why))?,
            _ => return Err(wrong("the pins are build, deploy, workflow, commit and after")),
        }
    }
    Ok(TargetSpec::of_deploy(config::target(install, component)?, pins))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::pin::After;

    #[test]
    fn a_target_a_line() {
        let pins = Pins { commit: Some("0123abc".into()), ..Pins::default() };
        let all =
            parse("\n# all\ninl1 cmp1\n\tinl1  cmp2 after=none commit=89abcde # that one\r\n", &pins).expect("two");
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].target.to_string(), &all[0].pins), ("inl1 / cmp1".into(), &pins));
        assert_eq!((all[1].target.to_string(), &all[1].pins.after), ("inl1 / cmp2".into(), &Some(After::None)));
        assert_eq!(all[1].pins.commit.as_deref(), Some("89abcde"));
    }

    #[test]
    fn what_is_malformed_names_its_line() {
        for (text, words) in [
            ("", "no target"),
            ("# none\n\n", "no target"),
            ("inl1 cmp1\ninl2", "line 2: \"inl2\" is no target"),
            ("inl1 cmp1\n\ninl1 cmp1 after=none", "line 3: the target inl1 / cmp1 is in line 1, too"),
            ("inl1 cmp1 main", "line 1: \"main\""),
            ("inl1 cmp1 branch=main", "line 1: \"branch=main\": the pins are"),
            ("inl1 cmp1 commit=main", "line 1: \"commit=main\""),
            ("inl1 cmp1 deploy=", "line 1: \"deploy=\""),
            ("inl1 cmp1 after=null", "line 1: \"after=null\""),
            ("inl1 cmp1 workflow=@file", "line 1: \"workflow=@file\": a target names its workflow itself"),
            ("inl1 cmp1 commit=0123abc commit=89abcde", "line 1: \"commit=89abcde\": the pin is there twice"),
            ("inl1/x cmp1", "line 1: "),
            ("inl1 cmp1 # prod\rinl1 cmp2\n", "line 1: a carriage return"),
            ("inl1 cmp1 # prod\u{2028}inl1 cmp2\n", "line 1: a carriage return or another"),
        ] {
            let why = parse(text, &Pins::default()).expect_err(text);
            assert!(why.contains(words), "{text:?}: {why}");
        }
    }
}
