//! The built-in assertions, written in the language that users write in: one table. Pure.

use serde::Serialize;

/// A built-in assertion.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Preset {
    /// What `--require` takes.
    pub name: &'static str,
    /// What it asserts, in words.
    pub meaning: &'static str,
    /// The assertion; pasted into `--assert` it gives the same result.
    pub expression: &'static str,
}

/// Every preset. Statuses follow the server's source.
pub const TABLE: &[Preset] = &[
    Preset {
        name: "not-plan-only",
        meaning: "the workflow does not only plan (plan_only of the deploy itself is a constant false on the server; its workflow's is the true one)",
        expression: "$.plan_only == false && $.workflow.plan_only == false",
    },
    Preset {
        name: "no-failed-steps",
        meaning: "the workflow has steps and each of them went well, was skipped, or was retried, discarded or skipped on failure; \
                  a status that is not among these, like one that is still open, counts as failed",
        expression: "$.workflow.steps[*] && !$.workflow.steps[?!(@.status.status == 'success' || @.status.status == 'approved' || \
                     @.status.status == 'auto-skipped' || @.status.status == 'user-skipped' || @.status.status == 'no-drift' || \
                     @.status.status == 'drifted' || @.status.status == 'warning' || @.status.status == 'discarded' || \
                     @.status.status == 'approval-retry' || @.retried == true || @.status.metadata.auto_retried == true || \
                     @.status.metadata.skipped_on_failure == true)]",
    },
    Preset {
        name: "no-failed-actions",
        meaning: "no action that ran with the deploy failed; the workflow is awaited, since actions come after the deploy",
        expression: "!$.action_workflow_runs[?@.status == 'error' || @.status == 'failed' || @.status == 'cancelled' || \
                     @.status == 'timed-out' || @.status == 'not-attempted' || @.status_v2.status == 'error' || \
                     @.status_v2.status == 'failed' || @.status_v2.status == 'cancelled' || @.status_v2.status == 'timed-out' || \
                     @.status_v2.status == 'not-attempted']",
    },
    Preset {
        name: "not-teardown",
        meaning: "the deploy puts the component there, it does not take it away",
        expression: "$.install_deploy_type == 'apply' || $.install_deploy_type == 'sync-image'",
    },
];

/// The preset of that name.
///
/// # Errors
/// Which names there are.
pub fn find(name: &str) -> Result<&'static Preset, String> {
    TABLE.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let names: Vec<&str> = TABLE.iter().map(|preset| preset.name).collect();
        format!("\"{name}\" is not a preset; there are {}", names.join(", "))
    })
}
