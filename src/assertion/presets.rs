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

/// Every preset. Statuses follow the server's source; those not listed as harmless count as failed.
pub const TABLE: &[Preset] = &[
    Preset {
        name: "applied",
        meaning: "the deploy was carried out, not only planned (plan_only of the deploy itself is a constant false on the server; its workflow's is the true one)",
        expression: "$.plan_only == false && $.workflow.plan_only == false",
    },
    Preset {
        name: "no-failed-steps",
        meaning: "the workflow has steps and none failed for good; retried, discarded and skipped-on-failure ones are forgiven",
        expression: "$.workflow.steps[*] && !$.workflow.steps[?(@.status.status == 'error' || @.status.status == 'cancelled' || \
                     @.status.status == 'approval-denied' || @.status.status == 'approval-expired' || @.status.status == 'not-attempted') && \
                     !(@.retried == true || @.status.metadata.auto_retried == true || @.status.metadata.skipped_on_failure == true)]",
    },
    Preset {
        name: "no-failed-actions",
        meaning: "no action that ran with the deploy failed",
        expression: "!$.action_workflow_runs[?@.status == 'error' || @.status == 'failed' || @.status == 'cancelled' || \
                     @.status == 'timed-out' || @.status_v2.status == 'error' || @.status_v2.status == 'cancelled']",
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
