//! Every flag, told once, with what `--help` says of it.

#![allow(rustdoc::bare_urls, reason = "these docs are --help")]

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};

use crate::base::disk::Disk;
use crate::cli::sections;
use crate::cli::shard::Shard;
use crate::cli::type_check::TypeCheck;
use crate::judge::assertion::Assertion;
use crate::judge::assertion::presets::{self, Preset};
use crate::judge::catalogue::Subject;
use crate::judge::extract::Extract;
use crate::nuon::branch_run::BranchRun;
use crate::nuon::deploy::{Expect, Override};
use crate::report::ci::Ci;
use crate::report::files::ReportFile;
use crate::run::query::Label;
use crate::run::quorum::AtLeast;
use crate::text::color::Color;
use crate::text::format;
use crate::watch::pin::Pins;
use crate::watch::rules::{OnApproval, OnSuperseded, Until};

/// Waits for a Nuon deploy, checks assertions against it, and exits with a code that a pipeline can trust.
#[derive(Debug, Parser)]
#[command(name = "deploy-gate", version, after_long_help = sections::exit_status(), max_term_width = 100)]
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

/// What `doctor --help` ends with.
const DOCTOR: &str = "\
EXIT STATUS
  0  all that was checked is as it should be, or a warning
  2  misuse: a wrong flag, variable or file; no request was sent
  3  something is wrong that the line says";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Wait for the deploy of a component, then check it
    #[command(after_long_help = sections::sections())]
    Wait(Box<WaitArgs>),
    /// Check all that `wait` needs before it waits, and say what to do where something is wrong
    ///
    /// Takes the flags of `wait`, sends GET requests only, and writes no report. It is no gate: it waits for nothing.
    #[command(after_long_help = DOCTOR)]
    Doctor(Box<DoctorArgs>),
    /// Print the id of the latest deploy, for --after: run it before you trigger your own
    ///
    /// Asks once. Prints `none` if the component was never deployed to the install, which --after understands.
    Latest(Box<LatestArgs>),
    /// Check assertions against a saved deploy document, offline
    #[command(after_long_help = CHECK)]
    Check(CheckArgs),
    /// Run `wait` against a recording instead of the network: a deploy of 40 minutes takes milliseconds
    #[command(after_long_help = sections::sections())]
    Replay(Box<ReplayArgs>),
    /// Explain statuses, presets, members of the document and exit codes
    Explain(ExplainArgs),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// `--help` or `--version`: the text
    #[command(skip)]
    Help(String),
}

/// `deploy-gate wait`.
#[derive(Debug, Args)]
pub struct WaitArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub targets: TargetArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub network: NetworkArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub gate: GateArgs,
    /// Record the responses of the API to a file, for `deploy-gate replay`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub record: Option<PathBuf>,
}

/// `deploy-gate doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub wait: WaitArgs,
    /// Check only what needs no network: flags, files and assertions, as a lint of a pull request
    #[arg(long)]
    pub offline: bool,
}

/// `deploy-gate replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The recording, as written by `wait --record`
    #[arg(value_name = "FILE")]
    pub recording: PathBuf,
    /// Only the targets of this install, by its id; repeatable [default: all in the recording]
    #[arg(long, value_name = "ID", help_heading = "Target")]
    pub install: Vec<String>,
    /// Only the targets of this component, by its id; repeatable [default: all in the recording]
    #[arg(long, value_name = "ID", help_heading = "Target")]
    pub component: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub many: ManyArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub gate: GateArgs,
}

/// `deploy-gate latest`.
#[derive(Debug, Args)]
pub struct LatestArgs {
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
    pub network: NetworkArgs,
}

/// `deploy-gate check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The deploy document; - is stdin
    #[arg(value_name = "FILE")]
    pub document: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asserting: AssertionArgs,
    /// When to use colors; auto follows NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub color: Color,
}

/// `deploy-gate explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
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
    /// A member of the deploy document: its type, its words, and which answer of the server it is in
    Field {
        /// A query like $.workflow.steps [default: the whole document]
        query: Option<String>,
        /// Of the document of a workflow that is gated as a whole
        #[arg(long)]
        workflow: bool,
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
pub struct TargetArgs {
    /// The install, by id or name (else that of the config file); several make every pair a target; all is every install
    /// of --app
    #[arg(long, value_name = "ID")]
    pub install: Vec<String>,
    /// The component, by id or name; all is every component of the install or, with --workflow, the workflow as a whole
    #[arg(long, value_name = "ID", required_unless_present_any = ["targets", "branch_run"])]
    pub component: Vec<String>,
    /// A file with one target a line, `install component [pin=value …]`; # begins a comment; - is stdin
    #[arg(long, value_name = "FILE", help_heading = "Many targets", conflicts_with = "branch_run")]
    pub targets: Option<PathBuf>,
    /// How many requests may be in flight at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<1, 1024>, help_heading = "Many targets")]
    pub jobs: u16,
    /// Take a stable share of the targets, like 1/4; auto is CI_NODE_INDEX/CI_NODE_TOTAL. Every share must pass
    #[arg(long, value_name = "I/N|auto", help_heading = "Many targets", conflicts_with = "branch_run")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub many: ManyArgs,
}

impl TargetArgs {
    /// Whether something was asked for that only many targets have.
    pub fn is_of_many(&self) -> bool {
        self.many.min_pass.is_some() || self.shard.is_some() || self.many.no_fail_fast
    }
}

/// Which targets the server is to list, and how many of many must pass.
#[derive(Debug, Args)]
#[command(next_help_heading = "Many targets")]
pub struct ManyArgs {
    /// The app, by id or name, whose installs --install all means
    #[arg(long, value_name = "ID")]
    pub app: Option<String>,
    /// Only installs with this label; repeatable, all must hold
    #[arg(long, value_name = "K=V")]
    pub label: Vec<Label>,
    /// Fewer targets than this are no pass: what a token may not read is left out of the server's lists
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub min_targets: usize,
    /// Every install that this run of an app branch updates, and the run itself; RUN is its id or that of its workflow
    #[arg(long, value_name = "APP/BRANCH/RUN")]
    pub branch_run: Option<BranchRun>,
    /// How many targets must pass, or what share [default: all]
    #[arg(long, value_name = "N|P%")]
    pub min_pass: Option<AtLeast>,
    /// Await all targets, though the outcome is certain, so that the report is whole
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
    pub no_fail_fast: bool,
}

/// Where to ask, and as whom.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub struct NetworkArgs {
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
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
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
pub struct GateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub pins: Pins,
    /// Exit 2 if no pin is given (--workflow, --deploy or --after), so that an output that a step forgot to set cannot
    /// unpin the gate
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
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
    /// How long to wait for the deploy to appear at all [default: 5m; for targets by query, --timeout]
    #[arg(long, value_name = "D", value_parser = format::parse_duration, help_heading = "Waiting")]
    pub appear_timeout: Option<Duration>,
    /// First wait between polls; it grows by half each time [default: 2s]
    #[arg(long, value_name = "D", value_parser = positive, help_heading = "Waiting")]
    pub interval: Option<Duration>,
    /// Longest wait between polls [default: 30s]
    #[arg(long, value_name = "D", value_parser = positive, help_heading = "Waiting")]
    pub max_interval: Option<Duration>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub asserting: AssertionArgs,
    /// An output for later steps, taken from the document, like image=$.oci_artifact.tag; repeatable
    #[arg(long, value_name = "NAME=QUERY", help_heading = "Output")]
    pub extract: Vec<Extract>,
    /// How many lines of the deploy's log to show when it failed, at most 100; 0 shows none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<0, 100>, help_heading = "Output")]
    pub log_lines: u16,
    /// Write a report, whatever the outcome; FORMAT is json, junit, markdown, github, dotenv, annotations, intoto or dir; FILE
    /// - is stdout; repeatable. On GitHub, step outputs and summary are written without asking
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    pub report: Vec<ReportFile>,
    /// Print only the verdict
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true, value_name = "BOOL", help_heading = "Output")]
    pub quiet: bool,
    /// Print every poll
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new(), hide_possible_values = true, hide_default_value = true, value_name = "BOOL", help_heading = "Output")]
    pub verbose: bool,
    /// The CI system whose log groups and annotations to print; auto detects it
    #[arg(long, value_enum, value_name = "WHICH", default_value_t, help_heading = "Output")]
    pub ci: Ci,
    /// When to use colors; auto follows NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    pub color: Color,
}

impl GateArgs {
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
pub struct AssertionArgs {
    /// An RFC 9535 logical expression that must be true of the deploy document, like '$.plan_only == false'; @ and $
    /// both mean the document; repeatable
    #[arg(long, value_name = "[LABEL: ]EXPR")]
    pub assert: Vec<Assertion>,
    /// A file with one assertion a line, # begins a comment; repeatable
    #[arg(long, value_name = "FILE")]
    pub assert_file: Vec<PathBuf>,
    /// A built-in assertion, see `deploy-gate explain preset`; repeatable
    #[arg(long, value_name = "PRESET", value_parser = presets::find)]
    pub require: Vec<&'static Preset>,
    /// An advisory assertion: where it is not true, that is a warning, and the verdict stays; repeatable
    #[arg(long, value_name = "[LABEL: ]EXPR")]
    pub warn: Vec<Assertion>,
    /// What to do, before the wait, with an assertion that would check nothing by the types that the document is known to
    /// have
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub type_check: TypeCheck,
}

impl AssertionArgs {
    /// The advisory assertions about that subject; what may not have been meant goes to `warnings`.
    ///
    /// # Errors
    /// An assertion that would check nothing.
    pub fn advisories(&self, subject: Subject, warnings: &mut Vec<String>) -> Result<Vec<Assertion>, String> {
        let advisories: Vec<Assertion> = self.warn.iter().map(|it| it.clone().about(subject).advisory()).collect();
        for assertion in &advisories {
            self.type_check.assertion("--warn (DEPLOY_GATE_WARN)", assertion, warnings)?;
        }
        Ok(advisories)
    }

    /// All assertions about that subject, in the order: `--assert`, `--assert-file`, `--require`; what may not have been
    /// meant goes to `warnings`.
    ///
    /// # Errors
    /// A file that cannot be read, or a line in it that is malformed; an assertion that would check nothing.
    pub fn assertions(
        self,
        subject: Subject,
        disk: &dyn Disk,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Assertion>, String> {
        let mut assertions: Vec<Assertion> = self.assert.into_iter().map(|it| it.about(subject)).collect();
        for assertion in &assertions {
            self.type_check.assertion("--assert (DEPLOY_GATE_ASSERT)", assertion, warnings)?;
        }
        for file in &self.assert_file {
            let name = file.display();
            let from = "--assert-file (DEPLOY_GATE_ASSERT_FILE)";
            let lines = disk.read_text(file).map_err(|error| format!("{from} {name} cannot be read: {error}"))?;
            let before = assertions.len();
            for (number, line) in lines.lines().enumerate() {
                format::whole_line(line).map_err(|why| format!("{from} {name}, line {}: {why}", number + 1))?;
                if is_comment(line) {
                    continue;
                }
                let from = format!("{from} {name}, line {}", number + 1);
                let assertion: Assertion = line.parse().map_err(|error| format!("{from}: {error}"))?;
                let assertion = assertion.about(subject);
                self.type_check.assertion(&from, &assertion, warnings)?;
                assertions.push(assertion);
            }
            if assertions.len() == before {
                return Err(format!("{from} {name} has no assertion in it; it would check nothing"));
            }
        }
        for preset in self.require {
            assertions.push(preset.about(subject)?);
        }
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

/// A gate of no target would always pass.
fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "it should be a whole number, 1 or more: a gate of no target would always pass".into())
}

fn positive(text: &str) -> Result<Duration, String> {
    match format::parse_duration(text)? {
        Duration::ZERO => Err("it must be more than nothing".into()),
        duration => Ok(duration),
    }
}
