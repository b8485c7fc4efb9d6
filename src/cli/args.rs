//! Every flag and its variable, told once. After this, nothing is malformed.
//!
//! Variables are read as if they were flags: an empty one counts as unset, a list takes one entry a line or a JSON array
//! of strings, and a flag beats its variable. So a mistake in either is found by the same parser and told in the same words.

#![allow(rustdoc::bare_urls, reason = "these docs are --help")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::base::environment::Variables;
use crate::base::outcome;
use crate::cli::manual;
use crate::cli::shard::Shard;
use crate::judge::assertion::Assertion;
use crate::judge::extract::Extract;
use crate::nuon::deploy::{Expect, Override};
use crate::report::ci::Ci;
use crate::report::files::ReportFile;
use crate::run::quorum::AtLeast;
use crate::text::color::Color;
use crate::text::format;
use crate::watch::pin::Pins;
use crate::watch::{OnApproval, OnSuperseded, Until};

/// Waits for a Nuon deploy, checks assertions against it, and exits with a code that a pipeline can trust.
#[derive(Debug, Parser)]
#[command(name = "deploy-gate", version, after_long_help = manual::exit_status(), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `check --help` ends with.
const CHECK: &str = "\
EXIT STATUS
  0  every assertion is true about something
  1  an assertion is false, or checked nothing
  2  misuse: no assertion, or the file is not a deploy document
  3  the two JSONPath engines disagree";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Wait for the deploy of a component, then check it
    #[command(after_long_help = manual::sections())]
    Wait(Box<Wait>),
    /// Print the id of the latest deploy, for --after: run it before you trigger your own
    ///
    /// Asks once. Prints `none` if the component was never deployed to the install, which --after understands.
    Latest(Box<Latest>),
    /// Check assertions against a saved deploy document, offline
    #[command(after_long_help = CHECK)]
    Check(Check),
    /// Run `wait` against a recording instead of the network: a deploy of 40 minutes takes milliseconds
    #[command(after_long_help = manual::sections())]
    Replay(Box<Replay>),
    /// Explain statuses, presets and exit codes
    Explain(Explain),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// `deploy-gate wait`.
#[derive(Debug, Args)]
pub struct Wait {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub targets: Targets,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub network: Network,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub gate: Gate,
    /// Record the responses of the API to a file, for `deploy-gate replay`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub record: Option<PathBuf>,
}

/// `deploy-gate replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The recording, as written by `wait --record`
    #[arg(value_name = "FILE")]
    pub recording: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub gate: Gate,
}

/// `deploy-gate latest`.
#[derive(Debug, Args)]
pub struct Latest {
    /// The install (required, but the config file can give it)
    #[arg(long, value_name = "ID", help_heading = "Target")]
    pub install: Option<String>,
    /// The component
    #[arg(long, value_name = "ID", required = true, help_heading = "Target")]
    pub component: String,
    /// Print the whole document, without secrets; null if there is none
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub network: Network,
}

/// `deploy-gate check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The deploy document; - is stdin
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asserting: Asserting,
    /// When to use colors; auto follows NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
}

/// `deploy-gate explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// What to explain
    #[command(subcommand)]
    pub topic: Topic,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What there is to explain.
#[derive(Debug, Subcommand)]
pub enum Topic {
    /// What a status of a deploy means to the gate
    Status {
        /// The server's word [default: all of them]
        word: Option<String>,
    },
    /// A built-in assertion
    Preset {
        /// Its name [default: all of them]
        name: Option<String>,
    },
    /// What an exit code means
    ExitCode {
        /// The number, the outcome or the reason [default: all of them]
        code: Option<String>,
    },
}

/// What to wait for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct Targets {
    /// The install, by id or name (else that of the config file); several make every pair a target
    #[arg(long, value_name = "ID")]
    pub install: Vec<String>,
    /// The component, by id or name
    #[arg(long, value_name = "ID", required_unless_present = "targets")]
    pub component: Vec<String>,
    /// A file with one target a line, `install component [pin=value …]`; # begins a comment; - is stdin
    #[arg(long, value_name = "FILE", help_heading = "Many targets")]
    pub targets: Option<PathBuf>,
    /// How many requests may be in flight at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<1, 1024>, help_heading = "Many targets")]
    pub jobs: u16,
    /// How many targets must pass, or what share [default: all]
    #[arg(long, value_name = "N|P%", help_heading = "Many targets")]
    pub min_pass: Option<AtLeast>,
    /// Take a stable share of the targets, like 1/4; auto is CI_NODE_INDEX/CI_NODE_TOTAL. Every share must pass
    #[arg(long, value_name = "I/N|auto", help_heading = "Many targets")]
    pub shard: Option<Shard>,
}

impl Targets {
    /// Whether something was asked for that only many targets have.
    pub fn is_of_many(&self) -> bool {
        self.min_pass.is_some() || self.shard.is_some()
    }
}

/// Where to ask, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct Network {
    /// The URL of the API [default: https://api.nuon.co]
    #[arg(long, value_name = "URL")]
    pub api_url: Option<String>,
    /// The organization, sent as X-Nuon-Org-ID
    #[arg(long, value_name = "ID")]
    pub org: Option<String>,
    /// A file with the API token, read again for every request; - is stdin. Or set NUON_API_TOKEN: no flag takes the
    /// token itself
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,
    /// The Nuon CLI's config file, for whatever else is not given: URL, token, organization, install [default: ~/.nuon
    /// if present]
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// PEM certificates to trust in addition to the public roots
    #[arg(long, value_name = "PEM")]
    pub ca_file: Option<PathBuf>,
    /// Allow sending the token over plain HTTP to a host that is not loopback
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
    pub allow_http: bool,
    /// Largest response body, decoded
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = format::parse_size)]
    pub max_body: u64,
    /// Time limit of one request, from connect to last byte
    #[arg(long, value_name = "D", default_value = "30s", value_parser = positive)]
    pub request_timeout: Duration,
}

/// How to wait, what to judge, what to say.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which deploy")]
pub struct Gate {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pins: Pins,
    /// Exit 2 if no pin is given (--workflow, --deploy or --after), so that an output that a step forgot to set cannot
    /// unpin the gate
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
    pub require_pin: bool,
    /// What to do when a newer deploy replaces the one being watched [default: finish with --workflow or --deploy, else
    /// follow]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_superseded: Option<OnSuperseded>,
    /// What counts as success
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, help_heading = "Waiting")]
    pub expect: Expect,
    /// When the deploy counts as done
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, help_heading = "Waiting")]
    pub until: Until,
    /// What to do when a plan needs approval
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, help_heading = "Waiting")]
    pub on_approval: OnApproval,
    /// Override how noop or an unknown status is read; CLASS is success, failure or running; repeatable
    #[arg(long, value_name = "WORD=CLASS", help_heading = "Waiting")]
    pub status: Vec<Override>,
    /// Time limit of the whole run, from its start
    #[arg(long, value_name = "D", default_value = "1h", value_parser = format::parse_duration, help_heading = "Waiting")]
    pub timeout: Duration,
    /// How long to wait for the deploy to appear at all
    #[arg(long, value_name = "D", default_value = "5m", value_parser = format::parse_duration, help_heading = "Waiting")]
    pub appear_timeout: Duration,
    /// First wait between polls; it grows by half each time [default: 2s]
    #[arg(long, value_name = "D", value_parser = positive, help_heading = "Waiting")]
    pub interval: Option<Duration>,
    /// Longest wait between polls [default: 30s]
    #[arg(long, value_name = "D", value_parser = positive, help_heading = "Waiting")]
    pub max_interval: Option<Duration>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asserting: Asserting,
    /// An output for later steps, taken from the document, like image=$.oci_artifact.tag; repeatable
    #[arg(long, value_name = "NAME=QUERY", help_heading = "Output")]
    pub extract: Vec<Extract>,
    /// How many lines of the deploy's log to show when it failed, at most 100; 0 shows none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<0, 100>, help_heading = "Output")]
    pub log_lines: u16,
    /// Write a report, whatever the outcome; FORMAT is json, junit, markdown, github, dotenv, annotations or dir; FILE
    /// - is stdout; repeatable. On GitHub, step outputs and summary are written without asking
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    pub report: Vec<ReportFile>,
    /// Print only the verdict
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true, hide_default_value = true, value_name = "BOOL", help_heading = "Output")]
    pub quiet: bool,
    /// Print every poll
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, hide_possible_values = true, hide_default_value = true, value_name = "BOOL", help_heading = "Output")]
    pub verbose: bool,
    /// The CI system whose log groups and annotations to print; auto detects it
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, help_heading = "Output")]
    pub ci: Ci,
    /// When to use colors; auto follows NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    pub color: Color,
}

impl Gate {
    /// The first and the longest interval. One that was given bends the default of the other.
    ///
    /// # Errors
    /// If both were given and contradict each other.
    pub fn intervals(&self) -> Result<(Duration, Duration), String> {
        let (first, longest) = (Duration::from_secs(2), Duration::from_secs(30));
        match (self.interval, self.max_interval) {
            (Some(first), Some(longest)) if first > longest => Err(format!(
                "--interval (DEPLOY_GATE_INTERVAL) {} is longer than --max-interval (DEPLOY_GATE_MAX_INTERVAL) {}; it must not be",
                format::duration(first),
                format::duration(longest)
            )),
            (Some(first), given) => Ok((first, given.unwrap_or(longest.max(first)))),
            (None, Some(longest)) => Ok((first.min(longest), longest)),
            (None, None) => Ok((first, longest)),
        }
    }
}

/// What to assert.
#[derive(Debug, Args)]
#[command(next_help_heading = "Assertions")]
pub struct Asserting {
    /// An RFC 9535 logical expression that must be true of the deploy document, like '$.plan_only == false'; @ and $
    /// both mean the document; repeatable
    #[arg(long, value_name = "[LABEL: ]EXPR")]
    pub assert: Vec<Assertion>,
    /// A file with one assertion a line, # begins a comment; repeatable
    #[arg(long, value_name = "FILE")]
    pub assert_file: Vec<PathBuf>,
    /// A built-in assertion, see `deploy-gate explain preset`; repeatable
    #[arg(long, value_name = "PRESET", value_parser = preset)]
    pub require: Vec<Assertion>,
}

impl Asserting {
    /// All assertions, in the order: `--assert`, `--assert-file`, `--require`.
    ///
    /// # Errors
    /// A file that cannot be read, or a malformed line in it.
    pub fn assertions(self) -> Result<Vec<Assertion>, String> {
        let mut assertions = self.assert;
        for file in &self.assert_file {
            let name = file.display();
            let from = "--assert-file (DEPLOY_GATE_ASSERT_FILE)";
            let lines =
                std::fs::read_to_string(file).map_err(|error| format!("{from} {name} cannot be read: {error}"))?;
            let before = assertions.len();
            for (number, line) in lines.lines().enumerate() {
                format::whole_line(line).map_err(|why| format!("{from} {name}, line {}: {why}", number + 1))?;
                if is_comment(line) {
                    continue;
                }
                let assertion = line.parse().map_err(|error| format!("{from} {name}, line {}: {error}", number + 1))?;
                assertions.push(assertion);
            }
            if assertions.len() == before {
                return Err(format!("{from} {name} has no assertion in it; it would check nothing"));
            }
        }
        assertions.extend(self.require);
        Ok(assertions)
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Reads a whole number.
fn whole<const LEAST: u16, const MOST: u16>(text: &str) -> Result<u16, String> {
    let number = text.trim().parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("it should be a whole number from {LEAST} to {MOST}"))
}

fn positive(text: &str) -> Result<Duration, String> {
    match format::parse_duration(text)? {
        Duration::ZERO => Err("it must be more than nothing".into()),
        duration => Ok(duration),
    }
}

fn preset(name: &str) -> Result<Assertion, String> {
    let preset = crate::judge::assertion::presets::find(name)?;
    format!("{}: {}", preset.name, preset.expression).parse()
}

/// The variable of a flag.
pub fn variable(flag: &str) -> String {
    match flag {
        "install" => "NUON_INSTALL_ID".into(),
        "component" => "NUON_COMPONENT_ID".into(),
        "api-url" => "NUON_API_URL".into(),
        "org" => "NUON_ORG_ID".into(),
        "token-file" => "NUON_API_TOKEN_FILE".into(),
        "config" => "NUON_CONFIG_FILE".into(),
        flag => format!("{PREFIX}{}", flag.to_uppercase().replace('-', "_")),
    }
}

/// Whether a flag has a variable: those that only ask for something else to be printed have none.
fn has_variable(arg: &clap::Arg) -> bool {
    !matches!(arg.get_long(), None | Some("help" | "version" | "json"))
}

/// What to print, and the exit code, where there is no command to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Stop {
    /// For stdout if the code is 0, else for stderr.
    pub text: String,
    /// 0 for `--help` and `--version`, else [`outcome::MISUSE`].
    pub code: u8,
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
        "wait" | "replay" => sub.mut_args(|arg| {
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
fn unknown_variables(known: &[String], variables: &Variables) -> Result<Vec<String>, Stop> {
    let set = variables.iter().filter(|(name, value)| name.starts_with(PREFIX) && !value.trim().is_empty());
    let mut warnings = Vec::new();
    for (name, _) in set.filter(|(name, _)| !known.contains(name) && !NOT_OURS.contains(&name.as_str())) {
        let ours = known.iter().filter(|known| known.starts_with(PREFIX));
        let is_near = |known: &&String| strsim::levenshtein(name, known) <= 2 || name.starts_with(known.as_str());
        match ours.filter(is_near).min_by_key(|known| strsim::levenshtein(name, known)) {
            Some(near) => {
                let text = format!("error: the variable {name} is not known to the gate; did you mean {near}?\n");
                return Err(Stop { text, code: outcome::MISUSE });
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
/// Help, version, or what is wrong.
pub fn parse(arguments: &[OsString], variables: &Variables) -> Result<(Command, Vec<String>), Stop> {
    let mut command = command().mut_subcommands(hide_what_is_rare);
    let (arguments, from_variables) = with_variables(&mut command, arguments, variables);
    let known = known_variables(&command);
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let command = parsed.map_err(|error| stop(&error, &from_variables))?.command;
    let reads_none = matches!(command, Command::Explain(_) | Command::Completions { .. } | Command::Man);
    let warnings = if reads_none { Vec::new() } else { unknown_variables(&known, variables)? };
    Ok((command, warnings))
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
        let is_given = arguments.iter().any(|argument| {
            let argument = argument.to_string_lossy();
            argument == flag
                || short.as_deref() == Some(&*argument)
                || argument.strip_prefix(&flag).is_some_and(|rest| rest.starts_with('='))
        });
        let value = variables.get(&variable(arg.get_long().unwrap_or_default())).map_or("", String::as_str);
        if is_given || value.trim().is_empty() {
            continue;
        }
        let is_list = matches!(arg.get_action(), ArgAction::Append);
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
fn stop(error: &clap::Error, from_variables: &[String]) -> Stop {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Stop { text: error.to_string(), code: 0 };
    }
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
    Stop { text, code: outcome::MISUSE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Command, Stop> {
        let arguments: Vec<OsString> = std::iter::once(&"deploy-gate").chain(arguments).map(Into::into).collect();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        parse(&arguments, &variables).map(|(command, _)| command)
    }

    fn wait(arguments: &[&str], variables: &[(&str, &str)]) -> Wait {
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
        let assertions = wait(&[], &variables).gate.asserting.assertions().expect("reads no file");
        let texts: Vec<_> = assertions.iter().map(|assertion| assertion.expression.text.as_str()).collect();
        assert_eq!(texts, ["$.x == 1", "@.y == '='"]);
    }

    #[test]
    fn a_list_variable_takes_a_json_array() {
        let texts = |value: &str| {
            let assertions = wait(&[], &[&TARGET[..], &[("DEPLOY_GATE_ASSERT", value)]].concat()).gate.asserting.assert;
            assertions.into_iter().map(|assertion| assertion.expression.text).collect::<Vec<_>>()
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
        assert_eq!(with("yes").expect_err("neither").code, 2);
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
