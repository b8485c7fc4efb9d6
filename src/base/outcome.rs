//! How a run can end: the one table of outcomes, reasons and exit codes. They never change meaning. Pure.

use serde::{Serialize, Serializer};

use crate::base::clock::Signal;

/// The exit code of misuse: nothing was asked.
pub const MISUSE: u8 = 2;
/// The exit code of a bug.
pub const BUG: u8 = 70;

/// Every way a run can end. Only [`Ending::Passed`] exits 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table below says what each means")]
pub enum Ending {
    Passed,
    DeployFailed,
    WorkflowFailed,
    AssertionFalse,
    AssertionVacuous,
    Unauthorized,
    Forbidden,
    NotFound,
    NeverAppeared,
    BadAnswer,
    EnginesDisagree,
    Ambiguous,
    OutputNotWritten,
    StatusUnknown,
    LeftBehind,
    NotAwaited,
    ApprovalRequired,
    Superseded,
    StillRunning,
    AwaitingApproval,
    UnknownStatus,
    Unreachable,
    Interrupted(Signal),
}

/// The two members that say it in a result.
impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("outcome", self.outcome().name()), ("reason", self.reason())])
    }
}

/// What a run found out, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The promise: one complete answer, the right deploy, success, every assertion true about something.
    Passed,
    /// The gate has an answer, and it is no.
    Failed,
    /// The gate could not find out.
    Undecided,
    /// A person must act, and the gate was told not to wait for that.
    ApprovalRequired,
    /// Another deploy took the place of the one that is meant, and the gate was told to stop then.
    Superseded,
    /// Not terminal at the deadline.
    TimedOut,
    /// A signal came first.
    Interrupted,
}

impl Outcome {
    /// The outcome as it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Undecided => "undecided",
            Outcome::ApprovalRequired => "approval-required",
            Outcome::Superseded => "superseded",
            Outcome::TimedOut => "timed-out",
            Outcome::Interrupted => "interrupted",
        }
    }
}

impl Ending {
    /// Every way a run can end.
    #[cfg(test)]
    const ALL: [Self; 25] = [
        Ending::Passed,
        Ending::DeployFailed,
        Ending::WorkflowFailed,
        Ending::AssertionFalse,
        Ending::AssertionVacuous,
        Ending::Unauthorized,
        Ending::Forbidden,
        Ending::NotFound,
        Ending::NeverAppeared,
        Ending::BadAnswer,
        Ending::EnginesDisagree,
        Ending::Ambiguous,
        Ending::OutputNotWritten,
        Ending::StatusUnknown,
        Ending::LeftBehind,
        Ending::NotAwaited,
        Ending::ApprovalRequired,
        Ending::Superseded,
        Ending::StillRunning,
        Ending::AwaitingApproval,
        Ending::UnknownStatus,
        Ending::Unreachable,
        Ending::Interrupted(Signal::Hangup),
        Ending::Interrupted(Signal::Interrupt),
        Ending::Interrupted(Signal::Terminate),
    ];

    /// The row of the table: outcome, reason, exit code.
    fn row(self) -> (Outcome, &'static str, u8) {
        match self {
            Ending::Passed => (Outcome::Passed, "", 0),
            Ending::DeployFailed => (Outcome::Failed, "deploy-failed", 1),
            Ending::WorkflowFailed => (Outcome::Failed, "workflow-failed", 1),
            Ending::AssertionFalse => (Outcome::Failed, "assertion-false", 1),
            Ending::AssertionVacuous => (Outcome::Failed, "assertion-vacuous", 1),
            Ending::Unauthorized => (Outcome::Undecided, "unauthorized", 3),
            Ending::Forbidden => (Outcome::Undecided, "forbidden", 3),
            Ending::NotFound => (Outcome::Undecided, "not-found", 3),
            Ending::NeverAppeared => (Outcome::Undecided, "never-appeared", 3),
            Ending::BadAnswer => (Outcome::Undecided, "bad-answer", 3),
            Ending::EnginesDisagree => (Outcome::Undecided, "engines-disagree", 3),
            Ending::Ambiguous => (Outcome::Undecided, "ambiguous", 3),
            Ending::OutputNotWritten => (Outcome::Undecided, "output-not-written", 3),
            Ending::StatusUnknown => (Outcome::Undecided, "unknown-status", 3),
            Ending::LeftBehind => (Outcome::Undecided, "left-behind", 3),
            Ending::NotAwaited => (Outcome::Undecided, "not-awaited", 3),
            Ending::ApprovalRequired => (Outcome::ApprovalRequired, "", 4),
            Ending::Superseded => (Outcome::Superseded, "", 5),
            Ending::StillRunning => (Outcome::TimedOut, "still-running", 124),
            Ending::AwaitingApproval => (Outcome::TimedOut, "awaiting-approval", 124),
            Ending::UnknownStatus => (Outcome::TimedOut, "unknown-status", 124),
            Ending::Unreachable => (Outcome::TimedOut, "unreachable", 124),
            Ending::Interrupted(Signal::Hangup) => (Outcome::Interrupted, "", 129),
            Ending::Interrupted(Signal::Interrupt) => (Outcome::Interrupted, "", 130),
            Ending::Interrupted(Signal::Terminate) => (Outcome::Interrupted, "", 143),
        }
    }

    /// The outcome, and the reason where there is one: `failed (deploy-failed)`.
    pub fn heading(self) -> String {
        match self.reason() {
            "" => self.outcome().name().into(),
            reason => format!("{} ({reason})", self.outcome().name()),
        }
    }

    /// The reason, or else the outcome.
    pub fn word(self) -> &'static str {
        if self.reason().is_empty() { self.outcome().name() } else { self.reason() }
    }

    /// Its place where many targets have one verdict, the worst first.
    pub fn severity(self) -> u8 {
        match (self, self.outcome()) {
            // It says nothing of the target.
            (Ending::NotAwaited, _) => 6,
            (_, Outcome::Interrupted) => 0,
            (_, Outcome::Failed) => 1,
            (_, Outcome::Undecided) => 2,
            (_, Outcome::Superseded) => 3,
            (_, Outcome::ApprovalRequired) => 4,
            (_, Outcome::TimedOut) => 5,
            (_, Outcome::Passed) => 7,
        }
    }

    /// The outcome.
    pub fn outcome(self) -> Outcome {
        self.row().0
    }

    /// The reason, or `""` where the outcome says it all.
    pub fn reason(self) -> &'static str {
        self.row().1
    }

    /// The exit code.
    pub fn code(self) -> u8 {
        self.row().2
    }
}

/// One row of the table of exit codes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ExitCode {
    /// What the process ends with.
    pub code: u8,
    /// The word for it.
    pub outcome: &'static str,
    /// When.
    pub meaning: &'static str,
    /// Why; none where the outcome says it all.
    pub reasons: &'static [Reason],
}

/// Why a run ended with its code.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reason {
    /// The word for it.
    pub reason: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn exit_code(code: u8, outcome: &'static str, meaning: &'static str, reasons: &'static [Reason]) -> ExitCode {
    ExitCode { code, outcome, meaning, reasons }
}

const fn reason(reason: &'static str, meaning: &'static str) -> Reason {
    Reason { reason, meaning }
}

/// Every exit code.
pub const TABLE: &[ExitCode] = &[
    exit_code(
        0,
        "passed",
        "complete answers, received by this run, showed the deploy in a successful state that nobody will take back by \
         itself, and every assertion was true about something",
        &[],
    ),
    exit_code(
        1,
        "failed",
        "the answer is no",
        &[
            reason("deploy-failed", "the deploy ended badly, and nobody is about to retry it"),
            reason(
                "workflow-failed",
                "the workflow ended badly: before it deployed the component, or with --until workflow",
            ),
            reason("assertion-false", "an assertion is false of the deploy document"),
            reason("assertion-vacuous", "an assertion had nothing to check: what it asks about is not in the document"),
        ],
    ),
    exit_code(2, "misuse", "a wrong flag, variable or file; no request was sent", &[]),
    exit_code(
        3,
        "undecided",
        "the gate could not find out",
        &[
            reason("unauthorized", "401: the server does not know the token"),
            reason("forbidden", "403: the token may not read this, or not in this organization"),
            reason("not-found", "the organization, the install, the component or the workflow is not there"),
            reason("never-appeared", "no deploy that matches the pins came within --appear-timeout"),
            reason("bad-answer", "the server sent something that is no answer of the API, such as a login page"),
            reason("engines-disagree", "the two JSONPath engines differ about an assertion"),
            reason(
                "ambiguous",
                "the deploy succeeded, but another one that matches the pins failed, or they cannot be listed; --workflow \
                 says which one is meant",
            ),
            reason("output-not-written", "a report could not be written"),
            reason(
                "unknown-status",
                "its workflow has ended, and the gate does not know its status; --status can say what it is",
            ),
            reason("left-behind", "its workflow has ended, and the deploy itself never did"),
            reason("not-awaited", "of many targets, one that was still open when the outcome was certain"),
        ],
    ),
    exit_code(
        4,
        "approval-required",
        "nobody has answered an approval, and --on-approval stop says not to wait; neither yes nor no",
        &[],
    ),
    exit_code(5, "superseded", "another deploy took its place, with --on-superseded stop", &[]),
    exit_code(
        124,
        "timed-out",
        "not over at the deadline",
        &[
            reason("still-running", "it was still under way"),
            reason("awaiting-approval", "nobody had answered its approval"),
            reason("unknown-status", "the gate does not know its status; --status can say what it is"),
            reason("unreachable", "the server gave no usable answer when the gate last asked"),
        ],
    ),
    exit_code(129, "interrupted", "by SIGHUP; reports are still written", &[]),
    exit_code(130, "interrupted", "by SIGINT; reports are still written", &[]),
    exit_code(143, "interrupted", "by SIGTERM; reports are still written", &[]),
    exit_code(70, "bug", "a bug of the gate; there is no verdict", &[]),
];

impl ExitCode {
    /// The row in words.
    pub fn told(&self) -> String {
        let words = self.reasons.iter().map(|reason| reason.reason).collect::<Vec<_>>().join(", ");
        let reasons = if words.is_empty() { words } else { format!(": {words}") };
        format!("{}: {}{reasons}", self.outcome, self.meaning)
    }

    /// Whether this is its number, its outcome or one of its reasons.
    pub fn is(&self, word: &str) -> bool {
        self.code.to_string() == word || self.outcome == word || self.reasons.iter().any(|reason| reason.reason == word)
    }
}

/// The table as `--help` prints it.
pub fn exit_codes() -> String {
    let row = |row: &ExitCode| {
        let mut lines = vec![String::new()];
        for word in row.told().split(' ') {
            let line = lines.last().map_or(0, String::len);
            if line + word.len() > WIDTH {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(if line.is_empty() { "" } else { " " });
                line.push_str(word);
            }
        }
        format!("  {:<5}{}\n", row.code, lines.join("\n       "))
    };
    TABLE.iter().map(row).collect::<String>().trim_end().to_owned()
}

/// How wide a row is beside its code.
const WIDTH: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_in_the_table() {
        for ending in Ending::ALL {
            let row = TABLE.iter().find(|row| row.code == ending.code()).expect("a row");
            assert_eq!(row.outcome, ending.outcome().name());
            assert!(
                ending.reason().is_empty() || row.reasons.iter().any(|reason| reason.reason == ending.reason()),
                "{ending:?}"
            );
        }
        let reasons = TABLE.iter().map(|row| row.reasons.len()).sum::<usize>();
        assert_eq!(reasons, Ending::ALL.iter().filter(|ending| !ending.reason().is_empty()).count());
    }
}
