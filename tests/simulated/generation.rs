//! The generations of the server: what each writes, and with which words and marks it parks and stops.

use fastrand::Rng;
use serde_json::{Value, json};

/// Which server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// December 2025.
    D25,
    /// Spring 2026: what waits for a person's retry is an `error` with a mark.
    Spring,
    /// Summer 2026: it has a word of its own.
    Summer,
    /// The newest: both the word and the mark.
    Head,
}

/// Every word of the status table, and two that are not in it.
pub const WORDS: [&str; 42] = [
    "",
    "active",
    "auto-skipped",
    "no-drift",
    "error",
    "noop",
    "cancelled",
    "approval-denied",
    "approval-expired",
    "not-attempted",
    "user-skipped",
    "drift-detected",
    "drifted",
    "expired",
    "inactive",
    "retried",
    "discarded",
    "outdated",
    "failed-pending-retry",
    "queued",
    "pending",
    "planning",
    "syncing",
    "executing",
    "pending-approval",
    "approval-awaiting",
    "awaiting-user-run",
    "in-progress",
    "checking-plan",
    "building",
    "applying",
    "provisioning",
    "deleting",
    "retrying",
    "approval-retry",
    "approved",
    "generating",
    "health-failed",
    "unknown",
    "success",
    "warning",
    "warming-up",
];

/// Words that a deploy may pass through: none is an end.
pub const PASSING: [&str; 20] = [
    "queued",
    "pending",
    "approval-awaiting",
    "awaiting-user-run",
    "in-progress",
    "checking-plan",
    "building",
    "applying",
    "provisioning",
    "deleting",
    "retrying",
    "approval-retry",
    "approved",
    "generating",
    "retried",
    "discarded",
    "outdated",
    "unknown",
    "warming-up",
    "executing",
];

/// Words that can stand at the end of a deploy in place of those that mostly do.
pub const STRANGE_ENDS: [&str; 14] = [
    "not-attempted",
    "user-skipped",
    "drift-detected",
    "drifted",
    "expired",
    "health-failed",
    "failed-pending-retry",
    "no-drift",
    "warming-up",
    "unknown",
    "success",
    "warning",
    "outdated",
    "building",
];

impl Generation {
    pub const ALL: [Self; 4] = [Self::D25, Self::Spring, Self::Summer, Self::Head];

    pub fn random(dice: &mut Rng) -> Self {
        dice.choice(Self::ALL).unwrap_or(Self::Head)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::D25 => "december 2025",
            Self::Spring => "spring 2026",
            Self::Summer => "summer 2026",
            Self::Head => "head of 2026",
        }
    }

    pub fn is_2026(self) -> bool {
        self != Self::D25
    }

    /// What it writes on a workflow after each step.
    pub fn between_steps(self) -> &'static str {
        if self.is_2026() { "in-progress" } else { "success" }
    }

    /// The word of a deploy whose plan is carried out.
    pub fn applying(self) -> &'static str {
        if self.is_2026() { "applying" } else { "executing" }
    }

    /// The word of a workflow that waits for a person's retry.
    pub fn parked(self) -> &'static str {
        if self == Self::Spring { "error" } else { "failed-pending-retry" }
    }

    /// The marks that it leaves beside that word.
    pub fn park_marks(self) -> Vec<(&'static str, Value)> {
        let step = ("step_id", json!("iws00000000000000000000001"));
        match self {
            Self::D25 => Vec::new(),
            Self::Spring => vec![("awaiting_retry", true.into()), ("error_message", "it failed".into()), step],
            Self::Summer => vec![step],
            Self::Head => vec![("awaiting_retry", true.into()), step],
        }
    }

    /// How it says why a workflow was stopped.
    pub fn stopped(self) -> (&'static str, Vec<(&'static str, Value)>) {
        if self.is_2026() {
            ("workflow stopped", vec![("stopped", true.into()), ("error_message", "it failed".into())])
        } else {
            ("error while executing steps", vec![("error_message", "it failed".into())])
        }
    }

    /// Whether a deploy that is retried is called so.
    pub fn says_retried(self) -> bool {
        self != Self::Spring
    }

    /// The marks of a step that is retried by itself.
    pub fn retry_marks(self, number: i64) -> Vec<(&'static str, Value)> {
        vec![
            ("auto_retried", true.into()),
            ("retry_type", "auto".into()),
            ("retry_idx", number.into()),
            ("max_retries", 3.into()),
            ("directive", "retry".into()),
        ]
    }
}
