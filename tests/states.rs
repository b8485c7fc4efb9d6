//! Every state of the watch within two looks, and what holds the model of `tests/exhaustive/` to what there is.
//! `cargo run --release --example exhaustive` goes further.

mod exhaustive;

use std::collections::BTreeSet;

use deploy_gate::nuon::deploy::{self, Deploy, Expect};
use deploy_gate::nuon::evidence::{Course, Standing};
use deploy_gate::nuon::look::Look;
use deploy_gate::nuon::workflow::{self, Workflow};
use deploy_gate::watch::step::Ask;
use exhaustive::model::{self, FLOWS, Menu, Says, THEMES, Which, Word};
use exhaustive::{Flags, Found, Pin, explore, row};
use serde_json::{Value, json};

/// Rows of the decision table that no answers lead to, and why.
const UNREACHABLE: [(&str, &str); 8] = [
    ("Sought None", "a deploy is sought in a workflow only where one is pinned"),
    ("Sought Unread", "a pinned workflow that is refused ends the run before anything is decided"),
    ("Failed Unread", "what failed for good is decided without its workflow"),
    ("Unverified None", "only a workflow knows what is to be verified"),
    ("Unverified Unread", "the same"),
    ("Unlisted None", "only a workflow can lack steps"),
    ("Unlisted Unread", "the same"),
    ("Unlisted Good", "one that is over, and well, lacks none"),
];

#[test]
fn no_state_within_two_looks_breaks_a_promise() {
    let mut all = Found::default();
    for theme in &THEMES {
        let menu = Menu::new(theme);
        for flags in Flags::of(theme).into_iter().filter(|flags| matches!(flags.pin, Pin::None | Pin::Workflow)) {
            all.join(explore(flags, &menu, 2));
        }
    }
    assert!(
        all.broken.is_empty(),
        "{} promises are broken\n{}",
        all.broken.len(),
        all.broken[..3.min(all.broken.len())].join("\n")
    );
    let every = Standing::ALL.iter().flat_map(|standing| Course::ALL.iter().map(|course| row(*standing, *course)));
    let missing: BTreeSet<String> = every.filter(|row| !all.rows.contains(row)).collect();
    assert_eq!(missing, UNREACHABLE.iter().map(|(row, _)| (*row).to_owned()).collect::<BTreeSet<_>>(), "rows");
}

/// What a deploy of some word comes to beside a workflow.
fn evidence(deploy: &Deploy, workflow: &Workflow) -> String {
    let class = deploy::class(deploy, Expect::Apply, &[]);
    let verification = workflow.verification(deploy.id(), deploy.install_component_id.as_ref());
    let standing = Standing::of(deploy, class, Some((workflow, &verification)));
    row(standing, Course::beside(workflow, &workflow.stage(), standing, deploy))
}

/// Whatever the words of a deploy and of its workflow are, they come to what one of the model comes to.
#[test]
fn the_model_knows_all_that_a_deploy_and_its_workflow_can_come_to() {
    let deploy = |look: Look| if let Look::Seen(deploy, _) = look { *deploy } else { panic!("no deploy: {look:?}") };
    let flow = |look: Look| if let Look::Workflow(workflow, _) = look { *workflow } else { panic!("none: {look:?}") };
    let by_id = Ask::Deploy(Which::Mine.id());
    let deploys = Word::ALL.map(|word| deploy(model::look(&by_id, Says::Deploy(Which::Mine, word), true)));
    let about = Ask::Workflow(Which::Mine.flow());
    let flows: Vec<Workflow> =
        FLOWS.iter().map(|(known, _)| flow(model::look(&about, Says::Flow(*known), true))).collect();
    let modelled: BTreeSet<String> =
        deploys.iter().flat_map(|deploy| flows.iter().map(|workflow| evidence(deploy, workflow))).collect();

    let mut dice = fastrand::Rng::with_seed(1);
    let words: Vec<&str> =
        deploy::TABLE.iter().map(|row| row.status).chain(["success", "warning", "strange"]).collect();
    let heads: Vec<&str> =
        workflow::TABLE.iter().map(|row| row.workflow).chain(["in-progress", "pending", "warning"]).collect();
    let directives = ["", "", "", "stop", "retry", "retry-group", "continue", "skip-group", "await-retry"];
    let mut unknown = BTreeSet::new();
    for _ in 0..100_000 {
        let mut any = |of: &[&str]| of[dice.usize(..of.len())].to_owned();
        let mine = json!({"id": &*Which::Mine.id(), "install_component_id": "inc1", "install_workflow_id": &*Which::Mine.flow(),
            "status_v2": {"status": any(&words)}});
        let kinds = ["install_deploys", "install_deploys", "install_components", "install_action_workflow_runs"];
        let mut step = |nth: usize| {
            let kind = any(&kinds);
            let target = match kind.as_str() {
                "install_deploys" => Which::Mine.id().to_string(),
                "install_components" => "inc1".into(),
                _ => String::new(),
            };
            let status = json!({"status": any(&words), "metadata": {"auto_retried": any(&["", "", "x"]) == "x"}});
            json!({"id": nth.to_string(), "group_idx": 1, "step_target_type": kind, "step_target_id": target,
                "status": status, "result_directive": any(&directives)})
        };
        let steps: Vec<Value> = (0..4).map(&mut step).collect();
        let document = json!({"id": &*Which::Mine.flow(), "finished": any(&["", "x"]) == "x", "steps": steps,
            "approval_option": any(&["prompt", "approve-all"]),
            "status": {"status": any(&heads), "metadata": {"awaiting_retry": any(&["", "", "x"]) == "x",
                "eager_steps_loaded": any(&["", "x"]) == "x", "all_steps_loaded": any(&["", "x"]) == "x"}}});
        let answer: deploy::Answer = serde_json::from_value(mine.clone()).expect("a deploy");
        let mine = answer.deploy().expect("one workflow").expect("a deploy");
        let workflow: Workflow = serde_json::from_value(document.clone()).expect("a workflow");
        let seen = evidence(&mine, &workflow);
        if !modelled.contains(&seen) {
            unknown.insert(seen);
        }
    }
    assert_eq!(unknown, BTreeSet::new(), "the model has no such pair");
}
