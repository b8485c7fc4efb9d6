//! A workflow as the pin: its deploys are found in its steps, whatever is the latest.

use serde_json::{Value, json};

use crate::script::*;

const OTHER: &str = "dpl00000000000000000000009";
const THIRD: &str = "dpl00000000000000000000003";

fn pin() -> String {
    format!("--workflow={WORKFLOW}")
}

/// A deploy of the pinned workflow by its id, as every server answers it.
fn mine(id: &str, status: &str, minute: u32) -> Answer {
    seen(&with(made(id, status, minute, WORKFLOW), "component_id", json!(COMPONENT)))
}

fn of_another_component(id: &str) -> Answer {
    seen(&with(made(id, "error", 1, WORKFLOW), "component_id", json!("cmp00000000000000000000009")))
}

/// A workflow of this word with steps `name=status@deploy`, and members of its own.
fn workflow_with(status: &str, steps: &[&str], member: &str, value: Value) -> Answer {
    let body = workflow(status, steps).answer.expect("an answer").body;
    seen(&with(serde_json::from_slice(&body).expect("JSON"), member, value))
}

#[test]
fn mine_is_the_newest_of_its_workflow_for_the_component() {
    let latest = [seen(&made(OTHER, "queued", 9, "inw00000000000000000000009"))];
    let steps = [
        "other=error@dpl00000000000000000000008",
        "plan=error@dpl00000000000000000000002",
        "retry=success@dpl00000000000000000000003",
    ];
    let (foreign, old, new) =
        ([of_another_component("dpl00000000000000000000008")], [mine(NEWER, "retried", 2)], [mine(THIRD, "active", 3)]);
    let well = [workflow("success", &steps)];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &latest),
        ("dpl00000000000000000000008", &foreign),
        (NEWER, &old),
        (THIRD, &new),
        ("/workflows/", &well),
    ];
    let ran = run_with(&[&pin()], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id"), ran.seconds()), ((0, "passed", ""), THIRD, 0), "{}", ran.err);
    assert_eq!((ran.target("superseded_by").as_str(), ran.latest().len()), (Some(OTHER), 1), "{:?}", ran.looks);
    holds_together(&ran);
    // What is the latest decides nothing, however green it is.
    let latest = [seen(&made(OTHER, "active", 9, "inw00000000000000000000009"))];
    let failed = [mine(THIRD, "error", 3)];
    let badly = [workflow("error", &steps)];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &latest),
        ("dpl00000000000000000000008", &foreign),
        (NEWER, &old),
        (THIRD, &failed),
        ("/workflows/", &badly),
    ];
    for policy in ["finish", "follow"] {
        let ran = run_with(&[&pin(), &format!("--on-superseded={policy}")], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), THIRD), "{}", ran.err);
        assert!(ran.message().contains(OTHER), "it names both: {}", ran.message());
    }
}

#[test]
fn a_plan_that_was_superseded_goes_on_as_another_deploy() {
    let first = [mine(DEPLOY, "pending-approval", 1)];
    let second = [mine(NEWER, "executing", 2), mine(NEWER, "active", 2)];
    let before = workflow("in-progress", &["plan=in-progress"]);
    let superseded = |own: &str| workflow(own, &["plan=error", "plan=in-progress@dpl00000000000000000000002"]);
    let well = workflow("success", &["plan=error", "plan=success@dpl00000000000000000000002"]);
    let workflows = [before, superseded("in-progress"), well];
    for pin in [pin(), format!("--deploy={DEPLOY}")] {
        let latest = [seen(&made(DEPLOY, "pending-approval", 1, WORKFLOW)), new("active")];
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &latest), (DEPLOY, &first), (NEWER, &second), ("/workflows/", &workflows)];
        let ran = run_with(&[&pin], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{pin}\n{}", ran.err);
        assert!(ran.err.contains("is retried as"), "{}", ran.err);
    }
}

#[test]
fn a_workflow_that_is_refused_or_of_another_install_ends_the_run_at_once() {
    let latest = [old("executing")];
    let elsewhere = workflow_with("in-progress", &[], "owner_id", json!("inl00000000000000000000007"));
    for (answer, ended, within, word) in [
        (http(403, ""), (3, "undecided", "forbidden"), 0, "--until applied"),
        (http(401, ""), (3, "undecided", "unauthorized"), 0, "401"),
        (elsewhere, (3, "undecided", "not-found"), 0, "inl00000000000000000000007"),
        (http(404, ""), (3, "undecided", "not-found"), 60, "404"),
        (http(502, ""), (124, "timed-out", "unreachable"), 600, "502"),
    ] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &latest), ("/workflows/", &[answer])];
        let ran = run_with(&[&pin(), "--timeout=10m"], routes);
        assert_eq!(ran.ended(), ended, "{}", ran.err);
        assert!(ran.seconds() <= within && ran.message().contains(word), "{} {}", ran.seconds(), ran.message());
    }
    // The first word of the deploy is enough, and the latest deploy names its workflow.
    let latest = [seen(&made(DEPLOY, "executing", 1, WORKFLOW)), seen(&made(DEPLOY, "active", 1, WORKFLOW))];
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), ("/workflows/", &[http(403, "")])];
    let ran = run_with(&[&pin(), "--until=applied"], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
}

#[test]
fn while_it_runs_the_deadline_says_so() {
    let waits = |step: &str| [workflow("in-progress", &[step])];
    for (step, reason) in [("plan=approval-awaiting@", "awaiting-approval"), ("plan=in-progress@", "still-running")] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active")]), ("/workflows/", &waits(step))];
        let ran = run_with(&[&pin(), "--timeout=10m", "--appear-timeout=0"], routes);
        assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", reason), 600), "{}", ran.err);
    }
    // What changes within the last look is known at its end.
    let mut workflows = vec![workflow("in-progress", &["plan=approval-awaiting"]); 200];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[old("active")]), (DEPLOY, &[mine(DEPLOY, "pending-approval", 1)]), ("/workflows/", &workflows)];
    let looks = run_with(&[&pin(), "--timeout=10m"], routes).asked("/workflows/");
    workflows.truncate(looks - 1);
    workflows.push(workflow("error", &["plan=approval-denied"]));
    let by_id: Vec<Answer> = vec![mine(DEPLOY, "pending-approval", 1), mine(DEPLOY, "approval-denied", 1)];
    let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active")]), (DEPLOY, &by_id), ("/workflows/", &workflows)];
    let ran = run_with(&[&pin(), "--timeout=10m"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.err);
}

#[test]
fn a_workflow_that_only_plans_is_judged_by_its_plan() {
    for (word, ended) in [("no-drift", (0, "passed", "")), ("drifted", (1, "failed", "deploy-failed"))] {
        let plan = [workflow_with("success", &["plan=approved"], "plan_only", json!(true))];
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[new("active")]), (DEPLOY, &[mine(DEPLOY, word, 1)]), ("/workflows/", &plan)];
        let ran = run_with(&[&pin()], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id"), ran.seconds()), (ended, DEPLOY, 0), "{}", ran.err);
        let first = ran.out.lines().next().unwrap_or_default();
        assert!(first.contains("plan"), "{first}");
    }
}

#[test]
fn a_teardown_may_be_but_the_first_thing_that_it_does() {
    let teardown = |status| {
        let document = with(made(DEPLOY, status, 1, WORKFLOW), "install_deploy_type", json!("teardown"));
        seen(&with(document, "component_id", json!(COMPONENT)))
    };
    let again = [mine(NEWER, "executing", 2), mine(NEWER, "active", 2)];
    let workflows = [
        workflow("in-progress", &["destroy=success", "apply=pending@"]),
        workflow("in-progress", &["destroy=success", "apply=in-progress@dpl00000000000000000000002"]),
        workflow("success", &["destroy=success", "apply=success@dpl00000000000000000000002"]),
    ];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[new("active")]),
        (DEPLOY, &[teardown("inactive")]),
        (NEWER, &again),
        ("/workflows/", &workflows),
    ];
    let ran = run_with(&[&pin()], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    let only = [workflow("success", &["destroy=success"])];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[new("active")]), (DEPLOY, &[teardown("inactive")]), ("/workflows/", &only)];
    let ran = run_with(&[&pin()], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), DEPLOY), "{}", ran.err);
}

#[test]
fn a_step_that_cannot_be_read_changes_nothing_where_the_workflow_failed() {
    let lost = [http(404, "")];
    let run = |own: &str| {
        let workflows = [workflow(own, &["plan=error@dpl00000000000000000000008"])];
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[old("active")]), ("dpl00000000000000000000008", &lost), ("/workflows/", &workflows)];
        run_with(&[&pin(), "--timeout=5m"], routes)
    };
    assert_eq!(run("error").ended(), (1, "failed", "workflow-failed"));
    let ran = run("success");
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 300), "{}", ran.err);
}

#[test]
fn what_the_server_goes_on_after_is_no_failure() {
    let directed = |directive: &str, own: &str| {
        let step = |name: &str, status: &str, directive: &str, deploy: &str| {
            json!({"name": name, "status": {"status": status}, "result_directive": directive,
            "step_target_type": "install_deploys", "step_target_id": deploy})
        };
        let steps = [step("plan", "error", directive, DEPLOY), step("apply", "in-progress", "", DEPLOY)];
        seen(&json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": own == "success", "status": {"status": own},
            "steps": if directive == "stop" { &steps[..1] } else { &steps[..] }}))
    };
    // The step has stopped the workflow: nobody waits until that says so itself.
    let stopped = [directed("stop", "in-progress")];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[old("active")]), (DEPLOY, &[mine(DEPLOY, "error", 1)]), ("/workflows/", &stopped)];
    let ran = run_with(&[&pin()], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 0), "{}", ran.err);
    for directive in ["retry", "retry-group", "continue", "skip-group"] {
        let goes_on = [directed(directive, "in-progress"), workflow("success", &["plan=success"])];
        let by_id = [mine(DEPLOY, "error", 1), mine(DEPLOY, "active", 1)];
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[old("active")]), (DEPLOY, &by_id), ("/workflows/", &goes_on)];
        let ran = run_with(&[&pin()], routes);
        assert_eq!(ran.ended(), (0, "passed", ""), "{directive}\n{}", ran.err);
    }
}

#[test]
fn hostile_workflows_end_by_the_deadline_and_never_pass() {
    let latest = [old("active")];
    let by_id = [mine(DEPLOY, "active", 1)];
    let steps = |verify: &str| {
        json!([
            {"name": "apply", "status": {"status": "success"}, "group_idx": 1, "step_target_type": "install_deploys",
             "step_target_id": DEPLOY},
            {"name": "verify", "status": {"status": verify}, "group_idx": 1, "step_target_type": "install_components"},
        ])
    };
    let verifies = workflow_with("in-progress", &[], "steps", steps("in-progress"));
    let claims = workflow_with("success", &[], "steps", steps("in-progress"));
    let never_whole = {
        let status = json!({"status": "in-progress", "metadata": {"eager_steps_loaded": true}});
        workflow_with("in-progress", &["apply=success"], "status", status)
    };
    let empty = workflow_with("in-progress", &[], "steps", json!([]));
    // A list that is never whole; steps that vanish; an end that is claimed while a step verifies the deploy.
    for workflows in [vec![never_whole], vec![verifies.clone(), empty], vec![verifies, claims]] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &latest), (DEPLOY, &by_id), ("/steps", &[http(200, "[]")]), ("/workflows/", &workflows)];
        let ran = run_with(&[&pin(), "--timeout=3m"], routes);
        assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{}", ran.err);
    }
    // Two deploys of one component at once: the newer one is mine.
    let both = [workflow("in-progress", &["apply=in-progress", "apply=in-progress@dpl00000000000000000000002"])];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &latest), (DEPLOY, &by_id), (NEWER, &[mine(NEWER, "executing", 2)]), ("/workflows/", &both)];
    let ran = run_with(&[&pin(), "--timeout=3m"], routes);
    assert_eq!((ran.code, ran.output("deploy-id")), (124, NEWER), "{}", ran.err);
}

/// What the last answer of a look shows counts as much as the first.
#[test]
fn a_latest_that_says_otherwise_is_no_pass() {
    let well = [workflow("success", &[&format!("apply=success@{NEWER}")])];
    let deploy = [mine(NEWER, "active", 2)];
    let newest = |id: &str, status: &str, minute: u32| seen(&made(id, status, minute, WORKFLOW));
    for (first, then, ended) in [
        (newest(NEWER, "error", 2), newest(NEWER, "active", 2), (0, "passed", "")),
        (newest(NEWER, "error", 2), newest(NEWER, "error", 2), (124, "timed-out", "unreachable")),
        // A retry that the workflow does not name yet.
        (newest(THIRD, "planning", 3), newest(THIRD, "planning", 3), (124, "timed-out", "unreachable")),
        (newest(NEWER, "active", 2), newest(NEWER, "active", 2), (0, "passed", "")),
    ] {
        let latest = [first, then];
        let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (NEWER, &deploy), ("/workflows/", &well)];
        let ran = run_with(&[&pin(), "--timeout=1m"], routes);
        assert_eq!(ran.ended(), ended, "{}", ran.err);
    }
}

/// While its steps stay as they are, a deploy is not asked for; what it is at the end decides.
#[test]
fn a_deploy_that_changed_while_its_steps_did_not_is_judged_as_it_is() {
    let steps = [format!("apply=success@{NEWER}"), "other=in-progress@".into()];
    let goes_on = workflow_with("in-progress", &[&steps[0], &steps[1]], "finished", json!(false));
    let over = workflow("success", &[&steps[0]]);
    let latest = [mine(NEWER, "error", 2)];
    let deploy = [mine(NEWER, "active", 2), mine(NEWER, "error", 2)];
    let workflows = [goes_on.clone(), goes_on, over];
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (NEWER, &deploy), ("/workflows/", &workflows)];
    let ran = run_with(&[&pin(), "--until=workflow", "--timeout=1m"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.err);
}

#[test]
fn an_earlier_deploy_is_no_pass_while_a_later_one_of_its_workflow_cannot_be_read() {
    // It failed, so that nothing more will come of it; the later deploy may be of this component, too.
    let ended = workflow("error", &["apply=success", "again=error@dpl00000000000000000000002"]);
    for unread in [http(502, ""), http(200, "{\"id\":\"dpl9\"}"), http(200, "{")] {
        let ran = run_with(
            &["--workflow=inw00000000000000000000001", "--timeout=10m"],
            &[
                ("/deploys/dpl00000000000000000000002", &[unread]),
                ("/deploys/dpl00000000000000000000001", &[seen(&made(DEPLOY, "active", 1, WORKFLOW))]),
                ("/latest", &[seen(&made(DEPLOY, "active", 1, WORKFLOW))]),
                ("/workflows/", std::slice::from_ref(&ended)),
            ],
        );
        assert_eq!(ran.ended(), (124, "timed-out", "unreachable"), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn where_the_workflow_failed_the_latest_must_not_be_unread() {
    // A deploy whose build cannot be deployed is named by no step: only the latest shows it.
    let ended = workflow("error", &["apply=success", "again=error@"]);
    let noop = seen(&made(NEWER, "noop", 2, WORKFLOW));
    let own = seen(&with(made(DEPLOY, "active", 1, WORKFLOW), "component_id", json!(COMPONENT)));
    for (latest, ended_as) in [
        (vec![reset(), noop], (1, "failed", "deploy-failed")),
        (vec![reset(), reset(), seen(&made(DEPLOY, "active", 1, WORKFLOW))], (0, "passed", "")),
    ] {
        let ran = run_with(
            &["--workflow=inw00000000000000000000001", "--timeout=10m"],
            &[
                ("/deploys/dpl00000000000000000000001", std::slice::from_ref(&own)),
                ("/latest", &latest),
                ("/workflows/", std::slice::from_ref(&ended)),
            ],
        );
        assert_eq!(ran.ended(), ended_as, "{}{}", ran.out, ran.err);
    }
}

#[test]
fn a_failed_workflow_without_a_deploy_of_this_component_is_told_apart_from_one_whose_deploy_is_unread() {
    let parked = workflow("failed-pending-retry", &["apply=success", "notify=error@"]);
    let routes = |answers: &[Answer]| {
        run_with(
            &[&pin()],
            &[("/latest", &[http(404, "")]), (DEPLOY, answers), ("/workflows/", std::slice::from_ref(&parked))],
        )
    };
    let ran = routes(&[http(502, ""), mine(DEPLOY, "active", 1)]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    let ran = routes(&[http(502, "")]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"), "{}", ran.err);
    assert!(ran.message().contains("and a deploy that its steps name cannot be read: 502"), "{}", ran.message());
    let ran = routes(&[of_another_component(DEPLOY)]);
    assert!(ran.message().contains("without a deploy of this component"), "{}", ran.message());
}

#[test]
fn a_retry_that_neither_the_workflow_nor_the_latest_shows_is_in_the_list() {
    let (mine, other) = (made(DEPLOY, "active", 1, WORKFLOW), made(OTHER, "queued", 5, "inw00000000000000000000009"));
    let first = seen(&made(DEPLOY, "executing", 1, WORKFLOW));
    let by_id = |document: &Value| seen(&with(document.clone(), "component_id", json!(COMPONENT)));
    for (retried, ended) in [("error", (1, "failed", "deploy-failed")), ("active", (0, "passed", ""))] {
        let retry = made(THIRD, retried, 3, WORKFLOW);
        let list = [seen(&json!([other, retry, mine]))];
        let unread = [http(403, "")];
        for pin in [pin(), format!("--deploy={DEPLOY}"), "--on-superseded=finish".into()] {
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &[first.clone(), seen(&other)]),
                (DEPLOY, &[by_id(&mine)]),
                (THIRD, &[by_id(&retry)]),
                ("/workflows/", &unread),
                ("/deploys", &list),
            ];
            let ran = run_with(&[&pin, "--until=applied"], routes);
            assert_eq!((ran.ended(), ran.output("deploy-id")), (ended, THIRD), "{pin}\n{}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn a_deploy_that_its_ended_steps_left_running_is_looked_at_again() {
    // A replica that lags has shown it; nothing of its steps will change any more.
    let steps = ["plan=success", "notify=in-progress@"];
    let answers = [mine(DEPLOY, "planning", 1), mine(DEPLOY, "active", 1)];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[seen(&made(DEPLOY, "active", 1, WORKFLOW))]),
        (DEPLOY, &answers),
        ("/workflows/", &[workflow("in-progress", &steps)]),
    ];
    let ran = run_with(&[&pin()], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert!(ran.seconds() < 60, "{}", ran.seconds());
}

#[test]
fn deploys_of_one_moment_are_no_retries_of_each_other() {
    let (mine, twin) = (made(DEPLOY, "active", 1, WORKFLOW), made(THIRD, "active", 1, WORKFLOW));
    let other = made(OTHER, "queued", 5, "inw00000000000000000000009");
    let by_id = |document: &Value| seen(&with(document.clone(), "component_id", json!(COMPONENT)));
    for (list, ended) in [
        (seen(&json!([other, twin, mine])), (0, "passed", "")),
        (http(403, "{\"error\":\"no\"}"), (3, "undecided", "forbidden")),
        (http(404, "404 page not found"), (124, "timed-out", "unreachable")),
    ] {
        let routes: &[(&str, &[Answer])] = &[
            ("/latest", &[seen(&other)]),
            (DEPLOY, &[by_id(&mine)]),
            (THIRD, &[by_id(&twin)]),
            ("/workflows/", &[http(403, "")]),
            ("/deploys", &[list]),
        ];
        let ran = run_with(&[&format!("--deploy={DEPLOY}"), "--until=applied"], routes);
        assert_eq!(ran.ended(), ended, "{}{}", ran.out, ran.err);
    }
}
