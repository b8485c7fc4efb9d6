//! The built-in assertions, written in the language that users write in: one table. Pure.

use serde::Serialize;

use super::check::Check;
use super::model::Assertion;
use super::truth::Truth;
use crate::judge::catalogue::Subject;

/// A built-in assertion.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Preset {
    /// What `--require` takes.
    pub name: &'static str,
    /// What it asserts, in words.
    pub meaning: &'static str,
    /// The assertion; pasted into `--assert` it gives the same result.
    pub expression: &'static str,
    /// The same about a workflow as a whole.
    pub of_workflow: &'static str,
    /// What came of it, where it is true or false, in a sentence.
    #[serde(skip)]
    pub told: fn(&Check) -> String,
}

/// That another step goes on for this one: each generation of the server marks that in its own way.
macro_rules! is_retried {
    () => {
        "@.retried == true || @.status.metadata.auto_retried == true || @.result_directive == 'retry' || \
         @.result_directive == 'retry-group' || @.status.metadata.directive == 'retry'"
    };
}

/// That a step went well, or that the workflow does not mind how it went.
macro_rules! went_well {
    () => {
        concat!(
            "@.status.status == 'success' || @.status.status == 'approved' || @.status.status == 'auto-skipped' || \
             @.status.status == 'user-skipped' || @.status.status == 'no-drift' || @.status.status == 'drifted' || \
             @.status.status == 'warning' || @.status.status == 'discarded' || @.status.status == 'approval-retry' || ",
            is_retried!(),
            " || @.status.metadata.skipped_on_failure == true"
        )
    };
}

/// Every preset. Statuses follow the server's source.
pub const TABLE: &[Preset] = &[
    Preset {
        name: "not-plan-only",
        meaning: "the workflow does not only plan (plan_only of the deploy itself is a constant false on the server; its workflow's is the true one)",
        expression: "$.plan_only == false && $.workflow.plan_only == false",
        of_workflow: "$.plan_only == false",
        told: |check| match check.outcome {
            Truth::True => "the workflow does not only plan".into(),
            _ => "the workflow only plans".into(),
        },
    },
    Preset {
        name: "no-failed-steps",
        meaning: "the workflow has steps and each of them went well, was skipped, or was retried, discarded or skipped on failure; \
                  a status that is not among these, like one that is still open, counts as failed",
        expression: concat!("$.workflow.steps[*] && !$.workflow.steps[?!(", went_well!(), ")]"),
        of_workflow: concat!("$.steps[*] && !$.steps[?!(", went_well!(), ")]"),
        told: |check| match counted(check).as_slice() {
            [(0, _), ..] => "the workflow has no steps".into(),
            [(steps, _), (0, _), ..] => format!("{steps} steps, none failed"),
            [(steps, _), (failed, which), ..] => format!("{failed} of {steps} steps failed: {which}"),
            _ => check.outcome.name().into(),
        },
    },
    Preset {
        name: "no-failed-actions",
        meaning: "no action that ran with the deploy (in a workflow: no step that runs one) failed; the workflow is awaited, since actions come after the deploy",
        expression: "!$.action_workflow_runs[?@.status == 'error' || @.status == 'failed' || @.status == 'cancelled' || \
                     @.status == 'timed-out' || @.status == 'not-attempted' || @.status_v2.status == 'error' || \
                     @.status_v2.status == 'failed' || @.status_v2.status == 'cancelled' || @.status_v2.status == 'timed-out' || \
                     @.status_v2.status == 'not-attempted']",
        of_workflow: concat!(
            "!$.steps[?@.step_target_type == 'install_action_workflow_runs' && (@.status.status == 'error' || \
             @.status.status == 'cancelled' || @.status.status == 'not-attempted') && !(",
            is_retried!(),
            ")]"
        ),
        told: |check| match counted(check).as_slice() {
            [(0, _), ..] => "no action failed".into(),
            [(failed, which), ..] => format!("{failed} actions failed: {which}"),
            _ => check.outcome.name().into(),
        },
    },
    Preset {
        name: "not-teardown",
        meaning: "the deploy puts the component there, it does not take it away",
        expression: "$.install_deploy_type == 'apply' || $.install_deploy_type == 'sync-image'",
        of_workflow: "$.deploys[*] && !$.deploys[?!(@.install_deploy_type == 'apply' || @.install_deploy_type == 'sync-image')]",
        told: |check| match counted(check).as_slice() {
            [(0, _), (0, _)] => "the workflow has no deploys".into(),
            [(deploys, _), (0, _)] if check.expression.contains("$.deploys") => {
                format!("{deploys} deploys, no teardown")
            }
            [(_, _), (_, which)] if check.expression.contains("$.deploys") => format!("not an apply: {which}"),
            [(_, kind), ..] => format!("the type of the deploy is {kind}"),
            _ => check.outcome.name().into(),
        },
    },
];

/// How many nodes each query of a check selected, and which.
fn counted(check: &Check) -> Vec<(usize, String)> {
    check.queries.iter().map(|found| (found.selected, found.brief.join(", "))).collect()
}

/// The preset that a check is, if it is one.
pub fn of(check: &Check) -> Option<&'static Preset> {
    let is_it = |preset: &&Preset| {
        preset.name == check.label && [preset.expression, preset.of_workflow].contains(&check.expression.as_str())
    };
    TABLE.iter().find(is_it)
}

impl Preset {
    /// The assertion, about a document of this kind.
    ///
    /// # Errors
    /// It is malformed.
    pub fn about(&self, subject: Subject) -> Result<Assertion, String> {
        let expression = match subject {
            Subject::Deploy => self.expression,
            Subject::Workflow => self.of_workflow,
        };
        format!("{}: {expression}", self.name).parse().map(|assertion: Assertion| assertion.about(subject))
    }
}

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
