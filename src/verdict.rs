//! How a run can end: the one table of outcomes, reasons and exit codes. They never change meaning. Pure.

use serde::Serialize;

use crate::clock::Signal;

/// The exit code of misuse: nothing was asked.
pub const MISUSE: u8 = 2;
/// The exit code of a bug.
pub const BUG: u8 = 70;

/// Every way a run can end. Only [`Ending::Passed`] exits 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the table below says what each means")]
pub enum Ending {
    Passed,
    DeployFailed,
    AssertionFalse,
    AssertionVacuous,
    Unauthorized,
    Forbidden,
    NotFound,
    NeverAppeared,
    BadAnswer,
    EnginesDisagree,
    OutputNotWritten,
    NotAwaited,
    ApprovalRequired,
    Superseded,
    StillRunning,
    AwaitingApproval,
    UnknownStatus,
    Unreachable,
    Interrupted(Signal),
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
    /// The row of the table: outcome, reason, exit code.
    fn row(self) -> (Outcome, &'static str, u8) {
        match self {
            Ending::Passed => (Outcome::Passed, "", 0),
            Ending::DeployFailed => (Outcome::Failed, "deploy-failed", 1),
            Ending::AssertionFalse => (Outcome::Failed, "assertion-false", 1),
            Ending::AssertionVacuous => (Outcome::Failed, "assertion-vacuous", 1),
            Ending::Unauthorized => (Outcome::Undecided, "unauthorized", 3),
            Ending::Forbidden => (Outcome::Undecided, "forbidden", 3),
            Ending::NotFound => (Outcome::Undecided, "not-found", 3),
            Ending::NeverAppeared => (Outcome::Undecided, "never-appeared", 3),
            Ending::BadAnswer => (Outcome::Undecided, "bad-answer", 3),
            Ending::EnginesDisagree => (Outcome::Undecided, "engines-disagree", 3),
            Ending::OutputNotWritten => (Outcome::Undecided, "output-not-written", 3),
            Ending::NotAwaited => (Outcome::Undecided, "not-awaited", 3),
            Ending::ApprovalRequired => (Outcome::ApprovalRequired, "", 4),
            Ending::Superseded => (Outcome::Superseded, "", 5),
            Ending::StillRunning => (Outcome::TimedOut, "still-running", 124),
            Ending::AwaitingApproval => (Outcome::TimedOut, "awaiting-approval", 124),
            Ending::UnknownStatus => (Outcome::TimedOut, "unknown-status", 124),
            Ending::Unreachable => (Outcome::TimedOut, "unreachable", 124),
            Ending::Interrupted(Signal::Interrupt) => (Outcome::Interrupted, "", 130),
            Ending::Interrupted(Signal::Terminate) => (Outcome::Interrupted, "", 143),
        }
    }

    /// Its place where many targets have one verdict, the worst first.
    pub fn gravity(self) -> u8 {
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

/// The table as `--help` prints it.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    passed: one complete answer, received by this run, showed the deploy in a
       successful terminal state, and every assertion was true about something
  1    failed: deploy-failed, assertion-false, assertion-vacuous
  2    misuse; nothing was asked
  3    undecided: unauthorized, forbidden, not-found, never-appeared, bad-answer,
       engines-disagree, output-not-written, not-awaited
  4    approval-required: a person must act (with --on-approval stop)
  5    superseded: another deploy took its place (with --on-superseded stop)
  124  timed-out: still-running, awaiting-approval, unknown-status, unreachable
  130  interrupted by SIGINT; reports are still written
  143  interrupted by SIGTERM; reports are still written
  70   a bug";
