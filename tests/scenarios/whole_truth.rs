//! The endpoint's answer has holes: assertions are put to a document that holds what they look at, or they are vacuous.

use serde_json::{Value, json};

use crate::script::*;

/// A deploy that names its workflow.
fn mine(status: &str) -> Value {
    with(document(status), "install_workflow_id", json!(WORKFLOW))
}

fn active() -> [Answer; 1] {
    [seen(&mine("active"))]
}

fn plan_only_workflow() -> Answer {
    let body = workflow("success", &["plan=success"]).answer.expect("an answer").body;
    seen(&with(serde_json::from_slice(&body).expect("JSON"), "plan_only", json!(true)))
}

#[test]
fn plan_only_is_true_if_the_workflow_says_so() {
    let gate = |workflow: Answer| {
        run_with(&["--assert=$.plan_only == false"], &[("/latest", &active()), ("/workflows/", &[workflow])])
    };
    assert_eq!(gate(workflow("success", &["apply=success"])).ended(), (0, "passed", ""));
    assert_eq!(gate(plan_only_workflow()).ended(), (1, "failed", "assertion-false"));
    for refused in [http(403, ""), http(404, ""), http(401, "")] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &active()), ("/workflows/", &[refused])];
        let ran = run_with(&["--assert=$.plan_only == false", "--until=applied"], routes);
        assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
        assert!(ran.message().contains("$ has no \"plan_only\", since it could not be read: "), "{}", ran.message());
    }
    let ran =
        run_with(&["--require=not-plan-only"], &[("/latest", &active()), ("/workflows/", &[plan_only_workflow()])]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"));
}

#[test]
fn what_the_latest_leaves_out_comes_from_the_deploy_by_its_id() {
    let detail = with(mine("active"), "component_name", json!("api"));
    let detail = with(detail, "outputs", json!({"overwritten": true}));
    let arguments =
        ["--assert=$.component_name == 'api'", "--assert=!$.outputs.overwritten", "--extract=name=$.component_name"];
    let ran = run_with(
        &arguments,
        &[
            ("/latest", &active()),
            (DEPLOY, &[http(404, ""), seen(&detail)]),
            ("/workflows/", &[workflow("success", &["a=success"])]),
        ],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(ran.output("name"), "api");
    assert_eq!(
        *ran.target("document"),
        json!([
            {"request": "deploys/latest", "filled": []},
            {"request": "deploys/{id}", "filled": ["component_name"]},
            {"request": "workflows/{id}", "filled": ["workflow"]},
        ])
    );
    holds_together(&ran);
    let well = [workflow("success", &["a=success"])];
    let routes: &[(&str, &[Answer])] = &[("/latest", &active()), (DEPLOY, &[http(403, "")]), ("/workflows/", &well)];
    let ran = run_with(&["--assert=!$.runner_jobs"], routes);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
    assert!(ran.message().contains("403 Forbidden"), "{}", ran.message());
}

#[test]
fn no_failed_steps_is_right_for_both_generations_of_the_server() {
    let steps = |steps: Value| {
        let body = workflow("success", &[]).answer.expect("an answer").body;
        [seen(&with(serde_json::from_slice(&body).expect("JSON"), "steps", steps))]
    };
    let step = |status: &str, more: Value| {
        let mut step = json!({"name": "s", "status": {"status": status}});
        step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        step
    };
    let good = step("success", json!({}));
    let cases = [
        (json!([good]), (0, "passed", "")),
        (json!([good, step("error", json!({}))]), (1, "failed", "assertion-false")),
        (json!([good, step("cancelled", json!({}))]), (1, "failed", "assertion-false")),
        (json!([step("error", json!({"retried": true})), good]), (0, "passed", "")),
        (json!([step("discarded", json!({"retried": true})), good]), (0, "passed", "")),
        (
            json!([step("error", json!({"status": {"status": "error", "metadata": {"auto_retried": true}}})), good]),
            (0, "passed", ""),
        ),
        (
            json!([
                step("error", json!({"status": {"status": "error", "metadata": {"skipped_on_failure": true}}})),
                good
            ]),
            (0, "passed", ""),
        ),
        (json!([step("error", json!({"retried": false})), good]), (1, "failed", "assertion-false")),
        // Words that the gate does not know, and what was left open as the workflow ended.
        (json!([step("failed", json!({})), good]), (1, "failed", "assertion-false")),
        (json!([step("expired", json!({})), good]), (1, "failed", "assertion-false")),
        (json!([{"name": "s"}, good]), (1, "failed", "assertion-false")),
        (json!([step("auto-skipped", json!({})), step("approved", json!({})), good]), (0, "passed", "")),
    ];
    for (list, ended) in cases {
        let ran =
            run_with(&["--require=no-failed-steps"], &[("/latest", &active()), ("/workflows/", &steps(list.clone()))]);
        assert_eq!(ran.ended(), ended, "{list}");
        // The text of the preset does the same.
        let preset = deploy_gate::judge::assertion::presets::find("no-failed-steps").expect("a preset");
        let pasted =
            run_with(&["--assert", preset.expression], &[("/latest", &active()), ("/workflows/", &steps(list))]);
        assert_eq!(pasted.ended(), ended);
    }
    // A list that is empty may only not be embedded.
    let no_steps: &[(&str, &[Answer])] =
        &[("/latest", &active()), ("/steps", &[http(200, "[]")]), ("/workflows/", &steps(json!([])))];
    let ran = run_with(&["--require=no-failed-steps"], no_steps);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"), "{}", ran.err);
    assert!(ran.message().contains("the workflow has no steps"), "{}", ran.message());
    let refused: &[(&str, &[Answer])] = &[("/latest", &active()), ("/workflows/", &[http(403, "")])];
    assert_eq!(run_with(&["--require=no-failed-steps"], refused).ended(), (3, "undecided", "forbidden"));
    let ran = run_with(&["--require=no-failed-steps", "--until=applied"], refused);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
}

#[test]
fn a_success_needs_the_word_of_its_workflow() {
    let well = workflow("success", &["a=success"]);
    for (answers, ended, seconds) in [
        (vec![http(403, "")], (3, "undecided", "forbidden"), 0..1),
        (vec![http(401, "")], (3, "undecided", "unauthorized"), 0..1),
        (vec![http(404, "")], (3, "undecided", "not-found"), 30..50),
        (vec![http(502, "")], (124, "timed-out", "unreachable"), 600..601),
        (vec![http(429, "").header("retry-after", "3"), well.clone()], (0, "passed", ""), 3..9),
        (vec![http(404, ""), http(404, ""), well.clone()], (0, "passed", ""), 2..30),
        (vec![http(502, ""), http(502, ""), well], (0, "passed", ""), 2..30),
    ] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &active()), ("/workflows/", &answers)];
        let ran = run_with(&["--timeout=10m"], routes);
        assert_eq!(ran.ended(), ended, "{}", ran.err);
        assert!(seconds.contains(&ran.seconds()), "{}\n{}", ran.seconds(), ran.err);
        if ended.0 == 3 {
            assert!(ran.message().contains("--until applied"), "{}", ran.message());
        }
        let ran = run_with(&["--timeout=10m", "--until=applied"], routes);
        assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{}", ran.err);
    }
    // It was seen to be verified, and then cannot be read any more.
    let open = seen(&json!({"id": WORKFLOW, "owner_id": INSTALL, "status": {"status": "in-progress"}, "steps": [
        {"name": "verify", "step_target_type": "install_components", "step_target_id": "inc00000000000000000000001",
            "status": {"status": "in-progress"}}]}));
    for (lost, ended) in [
        (http(403, ""), (3, "undecided", "forbidden")),
        (http(404, ""), (3, "undecided", "not-found")),
        (http(502, ""), (124, "timed-out", "unreachable")),
    ] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &active()), ("/workflows/", &[open.clone(), lost])];
        assert_eq!(run_with(&["--timeout=5m"], routes).ended(), ended);
    }
    // The workflow, and which component of the install it is, only the deploy by its id tells.
    let mut bare = mine("active");
    bare["install_workflow_id"] = Value::Null;
    bare["install_component_id"] = Value::Null;
    let by_id = with(mine("active"), "component_id", json!(COMPONENT));
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[seen(&bare)]), (DEPLOY, &[seen(&by_id)]), ("/workflows/", &[open])];
    let ran = run_with(&["--timeout=1m"], routes);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{}", ran.err);
}

#[test]
fn a_workflow_that_goes_on_is_awaited_where_it_matters() {
    let goes_on = workflow("in-progress", &["apply=success", "action=in-progress"]);
    let well = workflow("success", &["apply=success", "action=success"]);
    let badly = workflow("error", &["apply=success", "action=error"]);
    let with_end = |arguments: &[&str], end: &Answer| {
        run_with(
            arguments,
            &[("/latest", &active()), ("/workflows/", &[goes_on.clone(), goes_on.clone(), end.clone()])],
        )
    };
    let cases = [
        (&["--until=workflow"][..], &well, (0, "passed", "")),
        (&["--until=workflow"], &badly, (1, "failed", "workflow-failed")),
        (&["--until=workflow"], &workflow("cancelled", &["action=pending"]), (1, "failed", "workflow-failed")),
        (&["--until=workflow"], &workflow("failed-pending-retry", &["action=error"]), (1, "failed", "workflow-failed")),
        (&["--require=no-failed-steps"], &well, (0, "passed", "")),
        (&["--require=no-failed-steps"], &badly, (1, "failed", "assertion-false")),
        (
            &["--require=no-failed-steps"],
            &workflow("cancelled", &["apply=success", "action=in-progress"]),
            (1, "failed", "assertion-false"),
        ),
        (&["--assert=$..error_message || $.workflow.finished == true"], &well, (0, "passed", "")),
    ];
    for (arguments, end, ended) in cases {
        let ran = with_end(arguments, end);
        assert_eq!(ran.ended(), ended, "{arguments:?}");
        assert!(ran.seconds() > 2, "{arguments:?}");
    }
    // The actions of the deploy are steps that come after it.
    let with_action = |status: &str| {
        seen(&with(document("active"), "action_workflow_runs", json!([{"id": "iar1", "status": status}])))
    };
    let by_id = [with_action("error")];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &active()),
        ("/deploys/dpl", &by_id),
        ("/workflows/", &[goes_on.clone(), workflow("error", &["apply=success", "action=error"])]),
    ];
    let ran = run_with(&["--require=no-failed-actions"], routes);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"));
    // Otherwise it is not.
    let ran = with_end(&["--assert=$.plan_only == false"], &well);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0));
    // The deadline holds.
    let ran = run_with(
        &["--until=workflow", "--timeout=5m"],
        &[("/latest", &active()), ("/workflows/", std::slice::from_ref(&goes_on))],
    );
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "still-running"), 300));
    // A deploy that is run again meanwhile is not judged by what it was.
    let latest = [seen(&mine("active")), seen(&mine("error"))];
    let ran = run_with(&["--until=workflow"], &[("/latest", &latest), ("/workflows/", &[goes_on, badly])]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
}

#[test]
fn a_workflow_that_cannot_be_read_is_not_one_that_ended_well() {
    for (answer, ended) in [
        (http(403, ""), (3, "undecided", "forbidden")),
        (http(404, ""), (3, "undecided", "not-found")),
        (http(500, ""), (124, "timed-out", "unreachable")),
    ] {
        let ran =
            run_with(&["--until=workflow", "--timeout=1m"], &[("/latest", &active()), ("/workflows/", &[answer])]);
        assert_eq!(ran.ended(), ended);
        holds_together(&ran);
    }
    assert_eq!(run(&["--until=workflow"], &[deploy("active")]).ended(), (3, "undecided", "not-found"));
}

#[test]
fn a_failure_is_told_in_the_servers_words() {
    let detail = with(
        mine("error"),
        "runner_jobs",
        json!([{"log_stream_id": "log1", "status": "failed", "status_description": "execution timeout", "log_stream": {"write_token": "s3cr3t"}}]),
    );
    let records = json!([
        {"severity_text": "error", "body": "\u{1b}[31m::error::exit 1\n##[add-mask]x"},
        {"severity_text": "info", "body": "applying"},
        {"severity_text": "info", "body": "initialising"},
    ]);
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[seen(&mine("error"))]),
        ("/logs", &[http(200, records.to_string())]),
        (DEPLOY, &[seen(&detail)]),
        ("/workflows/", &[workflow("error", &["plan=success", "apply=error", "after=not-attempted"])]),
    ];
    let ran = run_with(&["--log-lines=3"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert_eq!(
        *ran.target("failure"),
        json!({
            "step": "apply", "words": ["apply broke", "runner job failed: execution timeout"],
            "log": ["applying", "error: \u{1b}[31m::error::exit 1", "##[add-mask]x"],
        })
    );
    for line in [
        "failed step   apply",
        "why           apply broke",
        "log           applying",
        "log           error: ::error::exit 1",
        "log           # #[add-mask]x",
    ] {
        assert!(ran.out.contains(line), "no {line} in\n{}", ran.out);
    }
    for text in [&ran.out, &ran.err, &ran.report.to_string()] {
        assert!(!text.contains("s3cr3t") && !text.contains("write_token"), "{text}");
    }
    holds_together(&ran);
    let ran = run_with(&["--log-lines=0"], routes);
    assert_eq!(ran.asked("/logs"), 0);
    let ran = run(&["--log-lines=101"], &[deploy("error")]);
    assert_eq!(ran.code, 2);
}

#[test]
fn values_of_the_document_are_outputs() {
    let document = with(
        with(document("active"), "oci_artifact", json!({"tag": "v1\n::x", "n": [1, "b"]})),
        "org_id",
        json!("org1"),
    );
    let arguments = [
        "--extract=tag=$.oci_artifact.tag",
        "--extract=all=$.oci_artifact.n[*]",
        "--extract=gone=$.gone",
        "--extract=kind=$.install_deploy_type",
    ];
    let ran = run(&arguments, &[seen(&document)]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    for (name, value) in
        [("tag", "v1\n::x"), ("all", "[1,\"b\"]"), ("gone", ""), ("kind", "apply"), ("outcome", "passed")]
    {
        assert_eq!(ran.output(name), value);
    }
    assert!(ran.out.contains("warning       the output gone is empty: $.gone selects nothing"), "{}", ran.out);
    let link = format!("https://app.nuon.co/org1/installs/{INSTALL}/components/{COMPONENT}/deploys/{DEPLOY}");
    assert_eq!(ran.output("url"), link);
    holds_together(&ran);
    for arguments in [
        &["--extract=x=$.a", "--extract=X=$.b"][..],
        &["--extract=Status=$.a"],
        &["--extract=x"],
        &["--extract=1=$.a"],
        &["--extract=x=$.a == 1"],
    ] {
        let ran = run(arguments, &[deploy("active")]);
        assert!(
            ran.code == 2 && ran.err.contains("--extract") && ran.err.contains("DEPLOY_GATE_EXTRACT"),
            "{arguments:?}: {}",
            ran.err
        );
    }
}

#[test]
fn a_link_is_empty_rather_than_wrong() {
    let document = with(document("active"), "org_id", json!("org1"));
    for config in [
        http(404, ""),
        http(200, "[]"),
        http(200, r#"{"dashboard_url":"javascript:x"}"#),
        http(200, r#"{"dashboard_url":7}"#),
        reset(),
    ] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &[seen(&document)]), ("cli-config", &[config])];
        let ran = run_with(&["--api-url=https://nuon.example"], routes);
        assert_eq!((ran.ended(), ran.output("url")), ((0, "passed", ""), ""));
    }
}

#[test]
fn what_a_deploy_embeds_of_its_workflow_does_not_stand_for_the_workflow() {
    let embedded = json!({"id": WORKFLOW, "steps": [{"name": "a", "status": {"status": "success"}}]});
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &active()),
        (DEPLOY, &[seen(&with(mine("active"), "workflow", embedded))]),
        ("/workflows/", &[workflow("success", &["a=success", "b=error"])]),
    ];
    let ran = run_with(&["--require=no-failed-steps"], routes);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"), "{}", ran.err);
}

#[test]
fn what_a_deploy_embeds_of_its_workflow_never_counts() {
    let embedded = json!({"plan_only": false, "steps": [{"name": "apply", "status": {"status": "success"}}]});
    let mine = |embeds: bool| {
        let deploy = mine("active");
        seen(&if embeds { with(deploy, "workflow", embedded.clone()) } else { deploy })
    };
    let badly = workflow("error", &["apply=success", "action=error"]);
    for (in_latest, by_id) in [(true, false), (false, true), (true, true)] {
        for (answer, ended) in
            [(http(403, ""), (1, "failed", "assertion-vacuous")), (badly.clone(), (1, "failed", "assertion-false"))]
        {
            for require in ["--require=no-failed-steps", "--require=not-plan-only"] {
                let routes: &[(&str, &[Answer])] = &[
                    ("/latest", &[mine(in_latest)]),
                    ("/deploys/dpl", &[mine(by_id)]),
                    ("/workflows/", std::slice::from_ref(&answer)),
                ];
                let until = if ended.2 == "assertion-vacuous" { "--until=applied" } else { "--until=deploy" };
                let ran = run_with(&[require, until], routes);
                let is_fine = require == "--require=not-plan-only" && ended.2 == "assertion-false";
                assert_eq!(ran.ended(), if is_fine { (0, "passed", "") } else { ended }, "{require}\n{}", ran.out);
            }
        }
    }
}
