//! Reads arguments and variables. After this, nothing is malformed.
//!
//! Variables are read as if they were flags: an empty one counts as unset, a list takes one entry a line or a JSON array
//! of strings, and a flag beats its variable. So a mistake in either is found by the same parser and told in the same words.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory, FromArgMatches};

use crate::base::environment::Variables;
use crate::base::outcome;
use crate::cli::args::{Cli, Command};
use crate::cli::output::Failed;

/// The variable of a flag.
pub fn variable(flag: &str) -> String {
    match flag {
        "install" => "NUON_INSTALL_ID".into(),
        "component" => "NUON_COMPONENT_ID".into(),
        "app" => "NUON_APP_ID".into(),
        "api-url" => "NUON_API_URL".into(),
        "org" => "NUON_ORG_ID".into(),
        "token-file" => "NUON_API_TOKEN_FILE".into(),
        "config" => "NUON_CONFIG_FILE".into(),
        flag => format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_")),
    }
}

/// Whether a flag has a variable: those that only ask for something else to be printed have none.
fn has_variable(arg: &clap::Arg) -> bool {
    !matches!(arg.get_long(), None | Some("help" | "version" | "json" | "offline"))
}

/// The flags of every day, which `-h` shows; `--help` shows all.
const EVERY_DAY: [&str; 21] = [
    "install",
    "component",
    "targets",
    "min-pass",
    "org",
    "token-file",
    "build",
    "deploy",
    "workflow",
    "commit",
    "after",
    "expect",
    "until",
    "on-approval",
    "assert",
    "assert-file",
    "require",
    "timeout",
    "extract",
    "report",
    "help",
];

/// Every command and flag, with what `--help` says.
pub fn command() -> clap::Command {
    Cli::command().mut_subcommands(|sub| sub.mut_args(|arg| tell_variable(take_negative_numbers(arg))))
}

fn hide_what_is_rare(sub: clap::Command) -> clap::Command {
    let is_rare = |arg: &clap::Arg| arg.get_long().is_some_and(|long| !EVERY_DAY.contains(&long));
    match sub.get_name() {
        "wait" | "replay" | "doctor" => sub.mut_args(|arg| {
            let is_rare = is_rare(&arg);
            arg.hide_short_help(is_rare)
        }),
        _ => sub,
    }
}

/// What the action and the image read by themselves; the prefix is the gate's input alone.
const NOT_OURS: [&str; 1] = ["DEPLOY_GATE_BIN"];

/// Variables that look like the gate's but are not: those that are near to one are an error, since an assertion in them
/// would be lost; others are a warning.
fn unknown_variables(known: &[String], variables: &Variables) -> Result<Vec<String>, Failed> {
    let set = variables.iter().filter(|(name, value)| name.starts_with(PREFIX) && !value.trim().is_empty());
    let mut warnings = Vec::new();
    for (name, _) in set.filter(|(name, _)| !known.contains(name) && !NOT_OURS.contains(&name.as_str())) {
        let ours = known.iter().filter(|known| known.starts_with(PREFIX));
        let is_near = |known: &&String| strsim::levenshtein(name, known) <= 2 || name.starts_with(known.as_str());
        match ours.filter(is_near).min_by_key(|known| strsim::levenshtein(name, known)) {
            Some(near) => {
                let text = format!("error: the variable {name} is not known to the gate; did you mean {near}?\n");
                return Err(Failed { text, code: outcome::MISUSE });
            }
            None => warnings.push(format!("the variable {name} is not known to the gate, which does not read it")),
        }
    }
    Ok(warnings)
}

/// The variables of all flags.
fn known_variables(command: &clap::Command) -> Vec<String> {
    let flags = command.get_subcommands().flat_map(clap::Command::get_arguments).filter(|arg| has_variable(arg));
    flags.filter_map(|arg| arg.get_long()).map(variable).collect()
}

/// What the gate's own variables begin with.
const PREFIX: &str = "DEPLOY_GATE_";

/// Reads arguments and variables. Also gives warnings of variables that look like the gate's.
///
/// # Errors
/// What is wrong.
pub fn parse(arguments: &[OsString], variables: &Variables) -> Result<(Command, Vec<String>), Failed> {
    let called = extension(variables).map_or_else(|| "deploy-gate".into(), |name| format!("nuon {name}"));
    let mut command = command().mut_subcommands(hide_what_is_rare).bin_name(called);
    let list = LISTS.iter().find(|list| is_given(list, arguments, variables));
    // Their variables, which the Nuon CLI sets everywhere, give way to a list of targets.
    let gives_way = ["install", "component"].into_iter().filter(|flag| list.is_some() && is_set(flag, variables));
    let gives_way: Vec<&str> = gives_way.collect();
    let (arguments, from_variables) = with_variables(&mut command, arguments, variables, &gives_way);
    let known = known_variables(&command);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let command = match parsed {
        Ok(cli) => cli.command,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok((Command::Help(as_called(error.to_string(), variables)), Vec::new()));
        }
        Err(error) => {
            let failed = failed(&error, &from_variables);
            return Err(Failed { text: as_called(failed.text, variables), ..failed });
        }
    };
    let reads_none = matches!(command, Command::Explain(_) | Command::Completions { .. } | Command::Man);
    let mut warnings = if reads_none { Vec::new() } else { unknown_variables(&known, variables)? };
    if let Some(list) = list {
        warnings.extend(gives_way.iter().map(|flag| format!("{} gives way to {list}", variable(flag))));
    }
    Ok((command, warnings))
}

/// The name of an extension of the Nuon CLI, if that started the gate as one.
fn extension(variables: &Variables) -> Option<&String> {
    let is_name =
        |name: &&String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    variables.get("NUON_EXT_NAME").filter(is_name)
}

/// Examples and hints as the user has to write them.
fn as_called(text: String, variables: &Variables) -> String {
    match extension(variables) {
        // Not what is said of the program itself, as its version.
        Some(name) => SUBCOMMANDS
            .iter()
            .fold(text, |text, sub| text.replace(&format!("deploy-gate {sub}"), &format!("nuon {name} {sub}"))),
        None => text,
    }
}

/// The commands that examples and hints name.
const SUBCOMMANDS: [&str; 5] = ["wait", "latest", "check", "replay", "explain"];

/// What says by itself which targets there are.
const LISTS: [&str; 2] = ["--targets", "--branch-run"];

fn is_set(flag: &str, variables: &Variables) -> bool {
    variables.get(&variable(flag)).is_some_and(|value| !value.is_empty())
}

fn is_given(flag: &str, arguments: &[OsString], variables: &Variables) -> bool {
    is_set(flag.trim_start_matches('-'), variables) || arguments.iter().any(|argument| is_flag(argument, flag))
}

/// Whether an argument is this flag, with a value or without.
fn is_flag(argument: &OsString, flag: &str) -> bool {
    argument.to_string_lossy().strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// `-1` is a wrong value, not an unknown flag.
fn take_negative_numbers(arg: clap::Arg) -> clap::Arg {
    let takes_values = arg.get_action().takes_values() && arg.get_num_args().is_none();
    arg.allow_negative_numbers(takes_values)
}

/// The long help of a flag ends with its variable.
fn tell_variable(arg: clap::Arg) -> clap::Arg {
    if !has_variable(&arg) {
        return arg;
    }
    let variable = variable(arg.get_long().unwrap_or_default());
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.long_help(format!("{help} [env: {variable}]"))
}

/// The arguments with a flag for each variable that is set and whose flag is not given, and which flags those are.
fn with_variables(
    command: &mut clap::Command,
    arguments: &[OsString],
    variables: &Variables,
    gives_way: &[&str],
) -> (Vec<OsString>, Vec<String>) {
    let mut all = arguments.to_vec();
    let mut from_variables = Vec::new();
    let place = arguments.iter().skip(1).position(|argument| !argument.to_string_lossy().starts_with('-'));
    let Some(place) = place.map(|place| place + 1) else { return (all, from_variables) };
    let Some(sub) = command.find_subcommand(&arguments[place]) else { return (all, from_variables) };
    let mut given = Vec::new();
    for arg in sub.get_arguments().filter(|arg| has_variable(arg)) {
        let flag = format!("--{}", arg.get_long().unwrap_or_default());
        let short = arg.get_short().map(|short| format!("-{short}"));
        let is_given = arguments
            .iter()
            .any(|argument| is_flag(argument, &flag) || short.as_deref().is_some_and(|short| is_flag(argument, short)));
        let value = variables.get(&variable(arg.get_long().unwrap_or_default())).map_or("", String::as_str);
        let is_list = matches!(arg.get_action(), ArgAction::Append);
        // Blanks are what a step leaves that forgot its output: they unset nothing. Lines of a list can be blank.
        let gives_way = arg.get_long().is_some_and(|flag| gives_way.contains(&flag));
        if is_given || gives_way || value.is_empty() || is_list && value.trim().is_empty() {
            continue;
        }
        let entries = if is_list { entries(value) } else { vec![value.into()] };
        given.extend(entries.iter().map(|entry| OsString::from(format!("{flag}={}", entry.trim()))));
        from_variables.push(arg.get_long().unwrap_or_default().to_owned());
    }
    all.splice(place + 1..place + 1, given);
    (all, from_variables)
}

/// The entries of a list variable: one a line, or a JSON array of strings, since GitLab has no other way to carry an
/// input that is a list. No entry of ours begins with a bracket. Lines can be blank; an element that is, was asked for.
fn entries(value: &str) -> Vec<String> {
    match serde_json::from_str(value) {
        Ok(entries) => entries,
        Err(_) => value.lines().filter(|line| !line.trim().is_empty()).map(Into::into).collect(),
    }
}

/// The words of clap, with the variable that a wrong value came from, or that could give a missing one.
fn failed(error: &clap::Error, from_variables: &[String]) -> Failed {
    let mut text = error.to_string();
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => vec![arg.clone()],
        Some(ContextValue::Strings(args)) => args.clone(),
        _ => Vec::new(),
    };
    for arg in named {
        let flag = arg.trim_start_matches('-').split([' ', '=', '[', '<']).next().unwrap_or_default().to_owned();
        let variable = variable(&flag);
        if flag == "token" {
            text.push_str(
                "\nNo flag takes a token, since arguments are public: set NUON_API_TOKEN or use --token-file\n",
            );
        } else if error.kind() == ErrorKind::MissingRequiredArgument && arg.starts_with("--") {
            text.push_str(&format!("\n--{flag} can also be set by the variable {variable}\n"));
        } else if error.kind() != ErrorKind::UnknownArgument && arg.starts_with("--") {
            text = text.replacen(&format!("'{arg}'"), &format!("'{arg}' ({variable})"), 1);
            if from_variables.contains(&flag) {
                text.push_str(&format!("\nThe value comes from the variable {variable}\n"));
            }
        }
    }
    Failed { text, code: outcome::MISUSE }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::disk::RealDisk;
    use crate::cli::args::WaitArgs;
    use crate::judge::catalogue::Subject;
    use crate::nuon::deploy::Expect;

    fn parsed(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Command, Failed> {
        let arguments: Vec<OsString> = std::iter::once(&"deploy-gate").chain(arguments).map(Into::into).collect();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        parse(&arguments, &variables).map(|(command, _)| command)
    }

    fn wait(arguments: &[&str], variables: &[(&str, &str)]) -> WaitArgs {
        match parsed(&[&["wait"], arguments].concat(), variables) {
            Ok(Command::Wait(wait)) => *wait,
            other => panic!("{other:?}"),
        }
    }

    const TARGET: [(&str, &str); 2] = [("NUON_INSTALL_ID", "inl1"), ("NUON_COMPONENT_ID", "cmp1")];

    #[test]
    fn clap_finds_no_fault() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_beats_its_variable_and_an_empty_variable_is_unset() {
        let variables = [&TARGET[..], &[("DEPLOY_GATE_TIMEOUT", "10m"), ("DEPLOY_GATE_EXPECT", "")]].concat();
        assert_eq!(wait(&[], &variables).gate.timeout, Duration::from_secs(600));
        let wait = wait(&["--timeout=1m", "--install", "inl2"], &variables);
        assert_eq!(wait.gate.timeout, Duration::from_secs(60));
        assert_eq!(wait.targets.install, ["inl2"]);
        assert_eq!(wait.gate.expect, Expect::Apply);
    }

    #[test]
    fn a_list_variable_takes_an_entry_a_line() {
        let variables = [&TARGET[..], &[("DEPLOY_GATE_ASSERT", "\n a: $.x == 1 \r\n\n@.y == '='\n")]].concat();
        let assertions = wait(&[], &variables)
            .gate
            .asserting
            .assertions(Subject::Deploy, &RealDisk, &mut Vec::new())
            .expect("reads no file");
        let texts: Vec<_> = assertions.iter().map(|assertion| assertion.expression.text.as_str()).collect();
        assert_eq!(texts, ["$.x == 1", "@.y == '='"]);
    }

    #[test]
    fn a_list_variable_takes_a_json_array() {
        let texts = |value: &str| {
            let assertions = wait(&[], &[&TARGET[..], &[("DEPLOY_GATE_ASSERT", value)]].concat()).gate.asserting.assert;
            assertions.into_iter().map(|assertion| assertion.expression.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(texts(r#"["$.x == \"a'b\"", "@.y == '\\\\'"]"#), [r#"$.x == "a'b""#, r"@.y == '\\'"]);
        assert_eq!(texts("[]"), [""; 0]);
        let broken = [&TARGET[..], &[("DEPLOY_GATE_ASSERT", r#"["$.x == 1""#)]].concat();
        assert_eq!(parsed(&["wait"], &broken).expect_err("neither an array nor an assertion").code, 2);
        for (variable, value) in
            [("DEPLOY_GATE_ASSERT", r#"[""]"#), ("DEPLOY_GATE_REQUIRE", r#"["not-teardown", " "]"#)]
        {
            let empty = [&TARGET[..], &[(variable, value)]].concat();
            assert_eq!(parsed(&["wait"], &empty).expect_err("an element was lost on the way").code, 2, "{value}");
        }
    }

    #[test]
    fn a_switch_takes_true_or_false_from_its_variable() {
        let with = |value| parsed(&["wait"], &[&TARGET[..], &[("DEPLOY_GATE_QUIET", value)]].concat());
        assert!(matches!(with("true"), Ok(Command::Wait(wait)) if wait.gate.quiet));
        assert!(matches!(with("false"), Ok(Command::Wait(wait)) if !wait.gate.quiet));
        assert_eq!(with("maybe").expect_err("neither").code, 2);
    }

    #[test]
    fn a_variable_that_is_near_to_a_flag_is_an_error_and_another_a_warning() {
        let with = |name: &str, value: &str| {
            let variables: Variables = TARGET
                .iter()
                .copied()
                .chain([(name, value)])
                .map(|(name, value)| (name.into(), value.into()))
                .collect();
            parse(&["deploy-gate".into(), "wait".into()], &variables).map(|(_, warnings)| warnings)
        };
        for (name, near) in [
            ("DEPLOY_GATE_ASERT", "DEPLOY_GATE_ASSERT"),
            ("DEPLOY_GATE_ASSERTION", "DEPLOY_GATE_ASSERT"),
            ("DEPLOY_GATE_REQUIRES", "DEPLOY_GATE_REQUIRE"),
            ("DEPLOY_GATE_WORKFLOW_ID", "DEPLOY_GATE_WORKFLOW"),
            ("DEPLOY_GATE_TIME_OUT", "DEPLOY_GATE_TIMEOUT"),
        ] {
            let stop = with(name, "x").expect_err(name);
            assert_eq!(stop.code, 2, "{name}");
            assert!(stop.text.contains(name) && stop.text.contains(near), "{}", stop.text);
            assert_eq!(with(name, " ").map_err(|stop| stop.text), Ok(vec![]), "an empty one counts as unset");
        }
        for name in ["DEPLOY_GATE_ENABLED", "DEPLOY_GATE_VERSION", "DEPLOY_GATE_SERVICE_HOST", "DEPLOY_GATE_PREVIOUS"] {
            let warnings = with(name, "x").unwrap_or_else(|stop| panic!("{}", stop.text));
            assert!(warnings.len() == 1 && warnings[0].contains(name), "{warnings:?}");
        }
        for name in ["DEPLOY_GATE_BIN", "GATE_OUTCOME", "DEPLOY_GATEWAY", "DEPLOY_GATE_QUIET"] {
            assert_eq!(with(name, "true").map_err(|stop| stop.text), Ok(vec![]), "{name}");
        }
    }

    #[test]
    fn what_is_malformed_names_its_flag_and_where_it_came_from() {
        let cases: &[(&[&str], &[(&str, &str)], &[&str])] = &[
            (&["wait"], &[], &["--component", "can also be set by the variable NUON_COMPONENT_ID"]),
            (
                &["wait"],
                &[TARGET[0], TARGET[1], ("DEPLOY_GATE_TIMEOUT", "soon")],
                &["The value comes from the variable DEPLOY_GATE_TIMEOUT", "soon", "1h30m"],
            ),
            (&["wait", "--expect", "all"], &TARGET, &["--expect", "apply, teardown"]),
            (&["wait", "--interval=0"], &TARGET, &["--interval", "more than nothing"]),
            (&["wait", "--timeout", "-1"], &TARGET, &["--timeout", "\"-1\" is not a duration"]),
            (&["wait", "--jobs", "-1"], &TARGET, &["--jobs", "a whole number from 1 to 1024"]),
            (&["wait", "--jobs=many"], &TARGET, &["--jobs", "a whole number from 1 to 1024"]),
            (&["wait", "--log-lines=101"], &TARGET, &["--log-lines", "a whole number from 0 to 100"]),
            (&["wait", "--status", "x"], &TARGET, &["--status", "WORD=CLASS"]),
            (&["wait", "--require", "x"], &TARGET, &["--require", "no-failed-steps"]),
            (&["wait", "--report", "x"], &TARGET, &["--report", "FORMAT=FILE"]),
            (&["wait", "--max-body", "x"], &TARGET, &["--max-body", "16MiB"]),
            (&["wait", "--assert", "$.a ="], &TARGET, &["--assert", "^ expected"]),
            (&["wait", "--token", "x"], &TARGET, &["--token", "set NUON_API_TOKEN or use --token-file"]),
            (&["wait", "--timeout=1s", "--timeout=2s"], &TARGET, &["--timeout", "multiple"]),
        ];
        for (arguments, variables, words) in cases {
            let stop = parsed(arguments, variables).expect_err("malformed");
            assert_eq!(stop.code, 2);
            for word in *words {
                assert!(stop.text.contains(word), "{arguments:?}: no {word} in\n{}", stop.text);
            }
            // Only a variable that exists is named, and where the value came from one that is said.
            assert_eq!(stop.text.contains("comes from"), variables.len() == 3, "{}", stop.text);
            assert!(!stop.text.contains("DEPLOY_GATE_TOKEN"), "{}", stop.text);
        }
    }

    #[test]
    fn one_interval_bends_the_default_of_the_other() {
        let intervals = |arguments: &[&str]| {
            let (first, longest) = wait(arguments, &TARGET).gate.intervals().expect("no contradiction");
            (first.as_millis(), longest.as_millis())
        };
        assert_eq!(intervals(&[]), (2000, 30_000));
        assert_eq!(intervals(&["--interval=1m"]), (60_000, 60_000));
        assert_eq!(intervals(&["--max-interval=50ms"]), (50, 50));
        wait(&["--interval=2s", "--max-interval=1s"], &TARGET).gate.intervals().expect_err("a contradiction");
    }
}
