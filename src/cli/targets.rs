//! The targets of a run: every pair of `--install` and `--component`, or the lines of `--targets`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::args;
use crate::cli::config;
use crate::nuon::target::Target;
use crate::run::spec::TargetSpec;
use crate::run::world::World;
use crate::text::format;
use crate::watch::pin::{self, Pins};

/// What to say where no install is given.
const MISSING: &str = "no install given: use --install ID, the variable NUON_INSTALL_ID, or install_id in ~/.nuon";

/// All targets of a run, at least one. `fallback` is the install of the config file.
///
/// # Errors
/// None is given, one is malformed or there twice, or a pin that belongs to one target is given to many.
pub fn specs(
    targets: &args::TargetArgs,
    pins: &Pins,
    fallback: Option<String>,
    world: &World<'_>,
) -> Result<Vec<TargetSpec>, String> {
    let all = match &targets.targets {
        Some(_) if !targets.install.is_empty() || !targets.component.is_empty() => {
            return Err("--targets (DEPLOY_GATE_TARGETS) has the installs and the components in its lines, so \
                        --install (NUON_INSTALL_ID) and --component (NUON_COMPONENT_ID) must not be given, too"
                .into());
        }
        Some(path) => lines(path, pins, world)?,
        None => pairs(targets, pins, fallback)?,
    };
    let of_one = [
        ("--deploy (DEPLOY_GATE_DEPLOY)", pins.deploy.is_some()),
        ("--after (DEPLOY_GATE_AFTER)", pins.baseline().is_some()),
    ];
    match of_one.into_iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if all.len() > 1 => Err(format!(
            "{flag} is about one target, and there are {}; --targets takes it as a pin in the target's line",
            all.len()
        )),
        _ => Ok(all),
    }
}

/// The only target of a command that takes one. `fallback` is the install of the config file.
///
/// # Errors
/// What is missing or malformed.
pub fn one(install: Option<String>, component: &str, fallback: Option<String>) -> Result<Target, String> {
    config::target(&install.or(fallback).ok_or(MISSING)?, component)
}

fn pairs(targets: &args::TargetArgs, pins: &Pins, fallback: Option<String>) -> Result<Vec<TargetSpec>, String> {
    let installs = if targets.install.is_empty() { fallback.into_iter().collect() } else { targets.install.clone() };
    if installs.is_empty() {
        return Err(MISSING.into());
    }
    let mut all: Vec<TargetSpec> = Vec::new();
    for install in &installs {
        for component in &targets.component {
            let target = config::target(install, component)?;
            if all.iter().any(|spec| spec.target == target) {
                return Err(format!(
                    "the target {target} is there twice in --install (NUON_INSTALL_ID) and --component (NUON_COMPONENT_ID)"
                ));
            }
            all.push(TargetSpec { target, pins: pins.clone() });
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
    Ok(TargetSpec { target: config::target(install, component)?, pins })
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
