//! `--workflow W --component all`: a workflow as what is gated.

use serde_json::{Value, json};

use crate::script::*;

const WEB: &str = "dpl00000000000000000000011";
const API: &str = "dpl00000000000000000000012";
const API_AGAIN: &str = "dpl00000000000000000000013";

/// A deploy of the `nth` component.
fn of(nth: u32, id: &str, status: &str) -> Value {
    let mut deploy = made(id, status, nth, "");
    deploy["component_id"] = json!(format!("cmp0000000000000000000000{nth}"));
    deploy["install_component_id"] = json!(format!("inc0000000000000000000000{nth}"));
    deploy["component_name"] = json!(if nth == 1 { "web" } else { "api" });
    deploy
}

/// A workflow with steps as `name=status@deploy`.
fn flow(status: &str, steps: &[&str]) -> Answer {
    workflow(status, steps)
}

fn install() -> Answer {
    seen(&json!({"id": INSTALL, "name": "prod"}))
}

/// Gates the workflow as a whole.
fn gate(arguments: &[&str], workflows: &[Answer], deploys: &[(&str, &[Answer])]) -> Ran {
    let mut all = vec!["--component=all", "--workflow=inw00000000000000000000001"];
    all.extend(arguments);
    let (install, no_steps) = ([install()], [http(200, "[]")]);
    let mut routes = vec![("/steps?", &no_steps[..]), ("/v1/workflows/", workflows)];
    routes.extend(deploys.iter().copied());
    routes.push(("/v1/installs/inl00000000000000000000001", &install));
    run_with(&all, &routes)
}

#[test]
fn it_passes_when_it_is_over_and_every_deploy_in_it_ended_well() {
    let running =
        flow("in-progress", &["web=success@dpl00000000000000000000011", "api=in-progress@dpl00000000000000000000012"]);
    let over = flow("success", &["web=success@dpl00000000000000000000011", "api=success@dpl00000000000000000000012"]);
    let deploys: &[(&str, &[Answer])] =
        &[(WEB, &[seen(&of(1, WEB, "active"))]), (API, &[seen(&of(2, API, "auto-skipped"))])];
    let arguments = [
        "--assert=$.install.name == 'prod' && count($.deploys[*]) == 2",
        "--assert=!$.deploys[?@.status_v2.status == 'error']",
        "--require=not-plan-only",
        "--require=no-failed-steps",
        "--require=no-failed-actions",
        "--require=not-teardown",
        "--extract=names=$.deploys[*].component_name",
        "--report=markdown=FOLDER/md",
    ];
    let ran = gate(&arguments, &[running.clone(), running, over], deploys);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}{}", ran.out, ran.err);
    assert_eq!(
        (ran.output("names"), ran.output("workflow-id"), ran.output("deploy-id")),
        ("[\"web\",\"api\"]", WORKFLOW, "")
    );
    assert_eq!((ran.target("component"), &ran.target("workflow")["status"]), (&json!("all"), &json!("success")));
    let rows: Vec<&Value> = ran.target("deploys").as_array().into_iter().flatten().collect();
    let shown: Vec<_> = rows.iter().map(|row| (&row["component_name"], &row["status"], &row["ended_well"])).collect();
    assert_eq!(
        shown,
        [(&json!("web"), &json!("active"), &json!(true)), (&json!("api"), &json!("auto-skipped"), &json!(true))]
    );
    // While it runs, it is all that is asked for.
    assert_eq!(
        (ran.asked("/v1/workflows/"), ran.asked("/deploys/"), ran.asked("/latest")),
        (3, 2, 0),
        "{:?}",
        ran.looks
    );
    let page = std::fs::read_to_string(ran.path("md")).expect("a page");
    assert!(page.contains("| `active` ✅ | web |") && page.contains("2. api :done"), "{page}");
    assert!(ran.out.contains("deploys       1 active, 1 auto-skipped"), "{}", ran.out);
}

#[test]
fn a_deploy_that_did_not_end_well_is_no_pass_though_the_workflow_did() {
    let over = |step: &str| flow("success", &["web=success@dpl00000000000000000000011", step]);
    let api = "api=success@dpl00000000000000000000012";
    for (word, step, ended) in [
        ("error", api, (1, "failed", "deploy-failed")),
        ("cancelled", api, (1, "failed", "deploy-failed")),
        ("approval-denied", api, (1, "failed", "deploy-failed")),
        ("noop", api, (1, "failed", "deploy-failed")),
        ("executing", api, (3, "undecided", "left-behind")),
        ("never-heard-of", api, (3, "undecided", "unknown-status")),
        ("active", "api=success@", (3, "undecided", "not-found")),
        ("active", "api=error@", (1, "failed", "deploy-failed")),
    ] {
        let ran = gate(&[], &[over(step)], &[(WEB, &[seen(&of(1, WEB, "active"))]), (API, &[seen(&of(2, API, word))])]);
        assert_eq!(ran.ended(), ended, "{word} {step}: {}{}", ran.out, ran.err);
        let is_named = if step == api { ran.message().contains(API) } else { ran.message().contains("step \"api\"") };
        assert!(is_named, "{word}: {}", ran.message());
    }
}

#[test]
fn a_deploy_that_only_plans_is_no_pass_though_its_workflow_does_not_say_so() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    for (word, plan_only, ended) in [
        ("active", json!(true), (1, "failed", "workflow-failed")),
        ("no-drift", json!(true), (1, "failed", "workflow-failed")),
        ("active", json!(false), (0, "passed", "")),
    ] {
        let ran = gate(&[], &over, &[(WEB, &[seen(&with(of(1, WEB, word), "plan_only", plan_only))])]);
        assert_eq!(ran.ended(), ended, "{}{}", ran.out, ran.err);
    }
}

#[test]
fn what_the_catalogue_does_not_know_of_the_install_checks_nothing() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    let deploys: &[(&str, &[Answer])] = &[(WEB, &[seen(&of(1, WEB, "active"))])];
    for (assertion, ended) in [
        ("!$.install.stauts", (1, "failed", "assertion-vacuous")),
        ("!$.install.gcp_account", (0, "passed", "")),
        ("$.install.name == 'prod'", (0, "passed", "")),
    ] {
        let ran = gate(&[&format!("--assert={assertion}")], &over, deploys);
        assert_eq!(ran.ended(), ended, "{assertion}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_deploy_that_cannot_be_read_is_no_pass() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    for (answer, ended) in [
        (http(403, r#"{"error":"no"}"#), (3, "undecided", "forbidden")),
        (http(404, r#"{"error":"not found"}"#), (3, "undecided", "not-found")),
        (http(500, ""), (124, "timed-out", "unreachable")),
        (
            seen(&with(of(1, WEB, "active"), "install_id", json!("inl00000000000000000000009"))),
            (3, "undecided", "not-found"),
        ),
        (seen(&of(1, API, "active")), (124, "timed-out", "unreachable")),
    ] {
        let ran = gate(&["--timeout=3m"], &over, &[(WEB, &[answer])]);
        assert_eq!(ran.ended(), ended, "{}{}", ran.out, ran.err);
    }
    let ran = gate(&[], &over, &[(WEB, &[http(404, r#"{"error":"x"}"#), seen(&of(1, WEB, "active"))])]);
    assert_eq!(ran.ended(), (0, "passed", ""), "replicas lag: {}", ran.out);
}

#[test]
fn what_was_retried_counts_by_its_retry() {
    let steps = [
        "web=success@dpl00000000000000000000011",
        "api=error@dpl00000000000000000000012",
        "api=success@dpl00000000000000000000013",
    ];
    let deploys = |first: &str, again: &str| {
        let again = with(of(2, API_AGAIN, again), "created_at", json!("2026-01-14T17:10:00Z"));
        let deploys: &[(&str, &[Answer])] =
            &[(WEB, &[seen(&of(1, WEB, "active"))]), (API, &[seen(&of(2, API, first))]), (API_AGAIN, &[seen(&again)])];
        gate(&[], &[flow("success", &steps)], deploys)
    };
    let ran = deploys("error", "active");
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    assert_eq!(ran.target("deploys").as_array().map(Vec::len), Some(2));
    assert_eq!(deploys("active", "error").ended(), (1, "failed", "deploy-failed"));
}

#[test]
fn a_workflow_that_is_not_over_and_well_is_no_pass() {
    let web = "web=success@dpl00000000000000000000011";
    let deploys: &[(&str, &[Answer])] = &[(WEB, &[seen(&of(1, WEB, "active"))]), (API, &[seen(&of(2, API, "error"))])];
    let plan = |answer: Answer| {
        let body: Value = serde_json::from_slice(&answer.answer.expect("an answer").body).expect("JSON");
        seen(&with(body, "plan_only", json!(true)))
    };
    for (answer, arguments, ended, words) in [
        (flow("error", &[web]), &[][..], (1, "failed", "workflow-failed"), "has ended (error"),
        (flow("cancelled", &[web]), &[], (1, "failed", "workflow-failed"), "cancelled"),
        (
            flow("failed-pending-retry", &[web, "state=error@"]),
            &[],
            (1, "failed", "workflow-failed"),
            "a person can retry it",
        ),
        (
            flow("failed-pending-retry", &[web, "api=error@dpl00000000000000000000012"]),
            &[],
            (1, "failed", "deploy-failed"),
            "of \"api\" ended as \"error\"",
        ),
        (flow("error", &[web, "api=error@dpl00000000000000000000012"]), &[], (1, "failed", "deploy-failed"), API),
        (flow("success", &[]), &[], (3, "undecided", "never-appeared"), "without a single step"),
        (plan(flow("success", &[web])), &[], (1, "failed", "workflow-failed"), "only plans"),
        (plan(flow("in-progress", &[web])), &[], (1, "failed", "workflow-failed"), "only plans"),
        (
            flow("in-progress", &[web, "api=approval-awaiting"]),
            &["--on-approval=stop"],
            (4, "approval-required", ""),
            "step \"api\" is waiting",
        ),
        (
            flow("in-progress", &[web, "api=approval-awaiting"]),
            &[],
            (124, "timed-out", "awaiting-approval"),
            "step \"api\" is waiting",
        ),
        (
            flow("in-progress", &[web, "api=in-progress"]),
            &[],
            (124, "timed-out", "still-running"),
            "step \"api\" is in-progress",
        ),
        (http(403, r#"{"error":"no"}"#), &[], (3, "undecided", "forbidden"), "no"),
        (http(404, r#"{"error":"none"}"#), &[], (3, "undecided", "not-found"), "no such workflow"),
    ] {
        let arguments: Vec<&str> = [&["--timeout=5m"], arguments].concat();
        let ran = gate(&arguments, &[answer], deploys);
        assert_eq!(ran.ended(), ended, "{words}: {}{}", ran.out, ran.err);
        assert!(ran.message().contains(words), "{words}: {}", ran.message());
    }
}

#[test]
fn one_that_has_no_deploys_passes_by_its_own_word() {
    let steps = json!([{"id": "s1", "name": "provision sandbox", "status": {"status": "success"}, "step_target_type": "install_sandbox_runs"}]);
    let sandbox = seen(
        &json!({"id": WORKFLOW, "owner_id": INSTALL, "plan_only": false, "finished": true, "type": "reprovision_sandbox",
        "status": {"status": "success"}, "steps": steps}),
    );
    let ran = gate(&[], std::slice::from_ref(&sandbox), &[]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    assert!(ran.message().contains("it has no deploys"), "{}", ran.message());
    // What asks for deploys is not true of it.
    assert_eq!(gate(&["--require=not-teardown"], &[sandbox], &[]).ended(), (1, "failed", "assertion-false"));
}

#[test]
fn a_teardown_of_all_passes_where_each_is_inactive() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    let removed = |word: &str| seen(&with(of(1, WEB, word), "install_deploy_type", json!("teardown")));
    assert_eq!(gate(&[], &over, &[(WEB, &[removed("inactive")])]).ended(), (0, "passed", ""));
    assert_eq!(gate(&[], &over, &[(WEB, &[removed("error")])]).ended(), (1, "failed", "deploy-failed"));
    assert_eq!(gate(&[], &over, &[(WEB, &[seen(&of(1, WEB, "inactive"))])]).code, 1, "a deploy that is gone is none");
}

#[test]
fn it_takes_no_flag_of_a_deploy_and_no_other_install() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    for flag in [
        "--deploy=dpl00000000000000000000011",
        "--after=none",
        "--commit=8fea7b0",
        "--until=applied",
        "--expect=teardown",
        "--on-superseded=stop",
    ] {
        let ran = gate(&[flag], &over, &[]);
        let name = flag.split('=').next().unwrap_or_default();
        assert!(ran.code == 2 && ran.err.contains(name) && ran.looks.is_empty(), "{flag}: {}", ran.err);
    }
    let ran = gate(&["--assert=$.install_deploy_type == 'apply'"], &over, &[]);
    assert!(ran.err.contains("install_deploy_type"), "{}", ran.err);
    let another = seen(
        &json!({"id": WORKFLOW, "owner_id": "inl00000000000000000000009", "finished": true, "status": {"status": "success"}}),
    );
    assert_eq!(gate(&[], &[another], &[]).ended(), (3, "undecided", "not-found"));
}

#[test]
fn an_install_that_is_gone_is_no_pass() {
    let over = [flow("success", &["web=success@dpl00000000000000000000011"])];
    let routes: &[(&str, &[Answer])] = &[
        ("/v1/workflows/", &over),
        (WEB, &[seen(&of(1, WEB, "active"))]),
        ("/v1/installs/inl00000000000000000000001", &[http(404, r#"{"error":"not found"}"#)]),
    ];
    let ran = run_with(&["--component=all", "--workflow=inw00000000000000000000001"], routes);
    assert_eq!(ran.ended(), (3, "undecided", "not-found"), "{}", ran.out);
}

/// A workflow with these members beside or in place of the usual ones.
fn flow_with(members: &Value, steps: &Value) -> Answer {
    let mut body = json!({"id": WORKFLOW, "owner_id": INSTALL, "plan_only": false, "finished": true,
        "status": {"status": "success"}, "steps": steps});
    for (name, value) in members.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    seen(&body)
}

/// A step that makes a deploy.
fn step(name: &str, status: &str, deploy: &str, group: i64) -> Value {
    json!({"id": name, "name": name, "status": {"status": status}, "group_idx": group,
        "step_target_type": "install_deploys", "step_target_id": deploy})
}

#[test]
fn what_is_not_shown_to_be_over_whole_and_of_this_install_is_no_pass() {
    let web = || step("web", "success", WEB, 1);
    let active: &[(&str, &[Answer])] =
        &[(WEB, &[seen(&of(1, WEB, "active"))]), (API, &[http(404, r#"{"error":"not found"}"#)])];
    let nothing = json!({});
    for (members, steps, ended) in [
        // Steps that have something before them, or of which nobody knows.
        (&nothing, json!([web(), step("api", "queued", "", 2)]), (124, "timed-out", "still-running")),
        (&nothing, json!([web(), step("api", "awaiting-user-run", "", 2)]), (124, "timed-out", "still-running")),
        (&nothing, json!([web(), step("api", "frobnicating", API, 2)]), (3, "undecided", "unknown-status")),
        (&nothing, json!([web(), {"id": "x", "name": "x"}]), (3, "undecided", "unknown-status")),
        // A deploy that a person has skipped was not made.
        (&nothing, json!([web(), step("api", "user-skipped", "", 2)]), (1, "failed", "deploy-failed")),
        // A deploy is one whatever the type of its step.
        (
            &nothing,
            json!([web(), {"id": "x", "name": "x", "status": {"status": "success"}, "step_target_id": API}]),
            (3, "undecided", "not-found"),
        ),
        // Of another install, or of none that is shown.
        (
            &json!({"owner_id": "inl00000000000000000000009", "metadata": {"install_id": ""}}),
            json!([web()]),
            (3, "undecided", "not-found"),
        ),
        (
            &json!({"owner_id": "inl00000000000000000000009", "metadata": {"install_id": INSTALL}}),
            json!([web()]),
            (3, "undecided", "not-found"),
        ),
        (
            &json!({"owner_id": "abr00000000000000000000001"}),
            json!([{"id": "x", "name": "deploy install group", "status": {"status": "success"}}]),
            (3, "undecided", "not-found"),
        ),
    ] {
        let ran = gate(&["--timeout=3m"], &[flow_with(members, &steps)], active);
        assert_eq!(ran.ended(), ended, "{members} {steps}: {}{}", ran.out, ran.err);
    }
    let over = [flow_with(&nothing, &json!([web()]))];
    let of_another = with(of(1, WEB, "active"), "install_workflow_id", json!("inw00000000000000000000009"));
    assert_eq!(gate(&[], &over, &[(WEB, &[seen(&of_another)])]).ended(), (3, "undecided", "not-found"));
}

#[test]
fn a_look_at_many_deploys_ends_with_the_run() {
    let steps: Vec<Value> =
        (1..=30).map(|nth| step(&format!("s{nth}"), "success", &format!("dpl{nth:023}"), nth)).collect();
    let deploys: Vec<(String, [Answer; 1])> = (1..=30)
        .map(|nth| format!("dpl{nth:023}"))
        .map(|id| (id.clone(), [seen(&with(of(1, &id, "active"), "install_component_id", json!(id))).takes(3)]))
        .collect();
    let deploys: Vec<(&str, &[Answer])> = deploys.iter().map(|(id, answer)| (id.as_str(), &answer[..])).collect();
    let over = [flow_with(&json!({}), &json!(steps))];
    let ran = gate(&["--timeout=10s"], &over, &deploys);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"), "{}", ran.out);
    assert!(ran.seconds() <= 15, "{}", ran.seconds());
    assert_eq!(gate(&["--timeout=5m"], &over, &deploys).ended(), (0, "passed", ""));
}

#[test]
fn one_answer_that_is_missing_or_old_decides_nothing() {
    let steps = json!([step("api", "error", API, 1), step("api again", "success", API_AGAIN, 1)]);
    let again = with(of(2, API_AGAIN, "active"), "created_at", json!("2026-01-14T17:10:00Z"));
    let failed = || seen(&of(2, API, "error"));
    for missing in [http(500, ""), http(404, r#"{"error":"not found"}"#), reset()] {
        let ran =
            gate(&[], &[flow_with(&json!({}), &steps)], &[(API, &[failed()]), (API_AGAIN, &[missing, seen(&again)])]);
        assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    }
    // The retry cannot be read: what is known decides in the end.
    let ran = gate(&[], &[flow_with(&json!({}), &steps)], &[(API, &[failed()]), (API_AGAIN, &[http(500, "")])]);
    assert_eq!((ran.ended(), ran.seconds() < 120), ((1, "failed", "deploy-failed"), true), "{}", ran.out);
    // A replica still has the state before.
    let web = ["web=success@dpl00000000000000000000011"];
    let lagging = [seen(&of(1, WEB, "error")), seen(&of(1, WEB, "error")), seen(&of(1, WEB, "active"))];
    assert_eq!(gate(&[], &[flow("success", &web)], &[(WEB, &lagging)]).ended(), (0, "passed", ""));
    let parked = [
        flow("in-progress", &web),
        flow("failed-pending-retry", &web),
        flow("in-progress", &web),
        flow("success", &web),
    ];
    assert_eq!(gate(&[], &parked, &[(WEB, &[seen(&of(1, WEB, "active"))])]).ended(), (0, "passed", ""));
    let empty = [flow("success", &[]), flow("success", &web)];
    assert_eq!(gate(&[], &empty, &[(WEB, &[seen(&of(1, WEB, "active"))])]).ended(), (0, "passed", ""));
}

#[test]
fn what_another_step_or_deploy_goes_on_for_holds_up_nothing() {
    let retried = |mut step: Value| {
        step["retried"] = json!(true);
        step
    };
    let without = |mut deploy: Value, name: &str| {
        deploy.as_object_mut().expect("an object").remove(name);
        deploy
    };
    let again = |deploy: Value| with(deploy, "created_at", json!("2026-01-14T17:10:00Z"));
    // The old steps of a group that is tried again keep their words.
    let steps = json!([
        retried(step("plan", "error", API, 1)),
        retried(step("apply", "pending", "", 1)),
        retried(step("ask", "approval-awaiting", "", 1)),
        step("plan (retry 1)", "approved", API_AGAIN, 1),
        step("apply (retry 1)", "success", API_AGAIN, 1),
    ]);
    let both: &[(&str, &[Answer])] =
        &[(API, &[seen(&of(2, API, "error"))]), (API_AGAIN, &[seen(&again(of(2, API_AGAIN, "active")))])];
    let ran = gate(&["--on-approval=stop", "--require=no-failed-steps"], &[flow_with(&json!({}), &steps)], both);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}{}", ran.out, ran.err);
    // One of the ids is enough, and the order of the steps is not that of the deploys.
    let steps = json!([step("api again", "success", API_AGAIN, 1), step("api", "error", API, 1)]);
    let deploys: &[(&str, &[Answer])] = &[
        (API, &[seen(&without(of(2, API, "error"), "component_id"))]),
        (API_AGAIN, &[seen(&again(of(2, API_AGAIN, "active")))]),
    ];
    assert_eq!(gate(&[], &[flow_with(&json!({}), &steps)], deploys).ended(), (0, "passed", ""));
    // Nobody can tell which came later.
    let undated = |id: &str, word: &str| seen(&without(of(2, id, word), "created_at"));
    let deploys: &[(&str, &[Answer])] =
        &[(API, &[undated(API, "error")]), (API_AGAIN, &[undated(API_AGAIN, "active")])];
    assert_eq!(gate(&[], &[flow_with(&json!({}), &steps)], deploys).ended(), (1, "failed", "deploy-failed"));
    // While it runs, a newer deploy goes on for one that failed.
    let running = flow_with(
        &json!({"finished": false, "status": {"status": "in-progress"}}),
        &json!([step("api", "cancelled", API, 1), step("api again", "in-progress", API_AGAIN, 1)]),
    );
    let over =
        flow_with(&json!({}), &json!([step("api", "cancelled", API, 1), step("api again", "success", API_AGAIN, 1)]));
    let deploys: &[(&str, &[Answer])] = &[
        (API, &[seen(&of(2, API, "cancelled"))]),
        (
            API_AGAIN,
            &[
                seen(&again(of(2, API_AGAIN, "executing"))),
                seen(&again(of(2, API_AGAIN, "executing"))),
                seen(&again(of(2, API_AGAIN, "active"))),
            ],
        ),
    ];
    assert_eq!(gate(&[], &[running.clone(), running, over], deploys).ended(), (0, "passed", ""));
    // A plan without changes leaves nothing to apply.
    let idle = json!([step("plan", "auto-skipped", "", 1), step("apply", "not-attempted", "", 1)]);
    assert_eq!(gate(&[], &[flow_with(&json!({}), &idle)], &[]).ended(), (0, "passed", ""));
    // An approval that was given, though the word of the workflow does not say so yet.
    let mut asked = step("plan", "approval-awaiting", API, 1);
    asked["approval"] = json!({"id": "waa1", "response": {"type": "approve"}});
    let given = flow_with(&json!({"finished": false, "status": {"status": "approval-awaiting"}}), &json!([asked]));
    let over = flow_with(&json!({}), &json!([step("plan", "approved", API, 1), step("apply", "success", API, 1)]));
    assert_eq!(
        gate(&["--on-approval=stop"], &[given, over], &[(API, &[seen(&of(2, API, "active"))])]).ended(),
        (0, "passed", "")
    );
}

#[test]
fn an_action_that_failed_is_one_though_the_workflow_does_not_mind() {
    let action = |status: &Value| json!({"id": "a", "name": "smoke", "status": status, "step_target_type": "install_action_workflow_runs", "step_target_id": "iaw1"});
    let skipped = action(&json!({"status": "error", "metadata": {"skipped_on_failure": true}}));
    let over = [flow_with(&json!({}), &json!([step("web", "success", WEB, 1), skipped]))];
    let active: &[(&str, &[Answer])] = &[(WEB, &[seen(&of(1, WEB, "active"))])];
    assert_eq!(gate(&["--require=no-failed-actions"], &over, active).ended(), (1, "failed", "assertion-false"));
    let over = [flow_with(&json!({}), &json!([step("web", "success", WEB, 1), action(&json!({"status": "success"}))]))];
    assert_eq!(gate(&["--require=no-failed-actions"], &over, active).ended(), (0, "passed", ""));
}
