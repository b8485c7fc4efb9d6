//! A deploy and its workflow: what goes on, is retried, verified, or left behind.

use serde_json::json;

use crate::script::*;

/// A workflow with a step that applies the deploy and steps that verify its component, each as `status[@target]`.
fn verified(own: &str, steps: &[&str]) -> Answer {
    let apply = json!({"name": "apply", "group_idx": 3, "step_target_type": "install_deploys", "step_target_id": DEPLOY,
        "status": {"status": "success"}});
    let verify = steps.iter().map(|step| {
        let (status, target) = step.split_once('@').unwrap_or((step, ""));
        let (target, group) = target.split_once('#').unwrap_or((target, "3"));
        json!({"name": "verify health", "group_idx": group.parse::<i64>().ok(), "step_target_type": "install_components",
            "step_target_id": target, "status": {"status": status, "status_human_description": "about its health"}})
    });
    let (own, metadata) = own.split_once('+').unwrap_or((own, ""));
    let mut marks = serde_json::Map::new();
    metadata.split('+').filter(|mark| !mark.is_empty()).for_each(|mark| drop(marks.insert(mark.into(), true.into())));
    seen(&json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": matches!(own, "success" | "error"),
        "status": {"status": own, "metadata": marks}, "steps": std::iter::once(apply).chain(verify).collect::<Vec<_>>()}))
}

#[test]
fn a_retry_in_the_same_workflow_is_followed() {
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let second =
        |status| seen(&with(made(NEWER, status, 2, WORKFLOW), "build_id", json!("bld00000000000000000000001")));
    let latest = [first("executing"), first("error"), first("retried"), second("planning"), second("active")];
    let goes_on = workflow("in-progress", &["apply=error", "retry=in-progress@dpl00000000000000000000002"]);
    for arguments in [
        &[][..],
        &["--build=bld00000000000000000000001"],
        &["--deploy=dpl00000000000000000000001"],
        &["--on-superseded=stop"],
    ] {
        let ran = run_with(arguments, &[("/latest", &latest), ("/workflows/", std::slice::from_ref(&goes_on))]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{arguments:?}");
        assert_eq!(ran.target("superseded_by"), "");
        assert!(ran.err.contains("is retried as"), "{}", ran.err);
    }
}

#[test]
fn a_failure_is_final_only_when_nobody_is_about_to_retry() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let goes_on = workflow("in-progress", &["apply=in-progress"]);
    let ended = workflow("error", &["apply=error"]);
    // The same deploy goes on.
    let latest = [mine("error"), mine("error"), mine("planning"), mine("active")];
    let ran = run_with(&[], &[("/latest", &latest), ("/workflows/", std::slice::from_ref(&goes_on))]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    // Its workflow has ended: one look at each.
    let ran = run_with(
        &[],
        &[("/latest", &[mine("executing"), mine("error")]), ("/workflows/", &[goes_on.clone(), ended.clone()])],
    );
    assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 2));
    // It ends a little later.
    let ran =
        run_with(&[], &[("/latest", &[mine("error")]), ("/workflows/", &[goes_on.clone(), goes_on.clone(), ended])]);
    assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 3));
    // It never does.
    let ran =
        run_with(&["--timeout=5m"], &[("/latest", &[mine("error")]), ("/workflows/", std::slice::from_ref(&goes_on))]);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "still-running"), 300));
    // It cannot be read.
    for answers in [[http(403, "")], [http(404, "")], [http(200, "{}")]] {
        let ran = run_with(&[], &[("/latest", &[mine("error")]), ("/workflows/", &answers)]);
        assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
        assert!(ran.seconds() < 95 && ran.err.contains("cannot be read"), "{}", ran.err);
    }
    // A word that nothing leads out of needs no look at the workflow.
    let ran =
        run_with(&[], &[("/latest", &[mine("approval-denied")]), ("/workflows/", std::slice::from_ref(&goes_on))]);
    assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 1));
    // It is parked.
    let parked = workflow("failed-pending-retry", &["apply=error"]);
    let ran = run_with(&[], &[("/latest", &[mine("error")]), ("/workflows/", std::slice::from_ref(&parked))]);
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 0));
    // Pipelines forgive exit 4, so nothing that failed ends with it.
    for word in ["error", "noop", "failed-pending-retry", "executing", "retried"] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[mine(word)]), ("/workflows/", std::slice::from_ref(&parked))];
        for policy in ["--on-approval=stop", "--on-approval=wait"] {
            let ran = run_with(&[policy], routes);
            assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{word} {policy}\n{}", ran.err);
            assert!(ran.seconds() < 10 && ran.message().contains("a person can retry it"), "{}", ran.message());
        }
    }
}

#[test]
fn a_person_is_asked_for_once() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let waits = workflow("in-progress", &["plan=approval-awaiting", "apply=pending"]);
    let config = [http(200, r#"{"dashboard_url":"https://dash.example/"}"#)];
    let mine_with_org = seen(&with(made(DEPLOY, "pending-approval", 1, WORKFLOW), "org_id", json!("org1")));
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[mine_with_org]), ("/workflows/", std::slice::from_ref(&waits)), ("cli-config", &config)];
    let ran = run_with(&["--timeout=10m", "--api-url=https://nuon.example"], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "awaiting-approval"), 600));
    let link = format!("https://dash.example/org1/installs/{INSTALL}/workflows/{WORKFLOW}");
    assert_eq!(
        ran.err.matches(&format!("approval needed: step \"plan\" is waiting for approval: {link}")).count(),
        1,
        "{}",
        ran.err
    );
    let ran = run_with(&["--on-approval=stop"], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((4, "approval-required", ""), 0));
    holds_together(&ran);
    // pending-approval follows every plan, approved or not.
    let answered = workflow("in-progress", &["plan=approved", "apply=pending"]);
    let ran = run_with(
        &["--on-approval=stop"],
        &[("/latest", &[mine("pending-approval"), mine("active")]), ("/workflows/", &[answered])],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    let ran = run_with(&["--on-approval=stop"], &[("/latest", &[mine("failed-pending-retry")])]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "4 is an unanswered approval and nothing else");
    // Once the deploy has succeeded, only if the rest of its workflow matters.
    let next = workflow("in-progress", &["apply=success", "next=approval-awaiting"]);
    for (flags, ended) in [
        (&["--on-approval=stop", "--until=workflow"][..], (4, "approval-required", "")),
        (&["--on-approval=stop"], (0, "passed", "")),
        (&["--until=workflow", "--timeout=10m"], (124, "timed-out", "awaiting-approval")),
    ] {
        let ran = run_with(flags, &[("/latest", &[mine("active")]), ("/workflows/", std::slice::from_ref(&next))]);
        assert_eq!(ran.ended(), ended, "{flags:?}");
    }
}

#[test]
fn the_workflow_is_looked_at_with_each_look() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let ran = run_with(
        &["--timeout=10m"],
        &[
            ("/latest", &[mine("planning"), mine("executing")]),
            ("/workflows/", &[workflow("in-progress", &["apply=in-progress"])]),
        ],
    );
    assert_eq!(ran.asked("/workflows/"), ran.latest().len());
    // One that is large is, with every fourth.
    let large: Vec<String> = (0..4000).map(|nth| format!("a step of a large workflow {nth}=success")).collect();
    let large: Vec<&str> = large.iter().map(String::as_str).collect();
    let ran = run_with(
        &["--timeout=10m"],
        &[("/latest", &[mine("planning"), mine("executing")]), ("/workflows/", &[workflow("in-progress", &large)])],
    );
    let (workflows, looks) = (ran.asked("/workflows/"), ran.latest().len());
    assert!(workflows >= looks / 4 && workflows <= looks / 4 + 3, "{workflows} of {looks}");
    // One that is refused proves nothing, so that nobody waits for it; where its word is not needed, it is asked for once.
    let refused: &[(&str, &[Answer])] = &[("/latest", &[mine("executing")]), ("/workflows/", &[http(403, "")])];
    let ran = run_with(&["--timeout=10m"], refused);
    assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "forbidden"), 0));
    assert!(ran.message().contains("--until applied"), "{}", ran.message());
    let ran = run_with(&["--timeout=10m", "--until=applied"], refused);
    assert_eq!((ran.ended(), ran.asked("/workflows/")), ((124, "timed-out", "still-running"), 1));
    assert_eq!(ran.err.matches("cannot be read").count(), 1, "{}", ran.err);
    let ran = run_with(&["--timeout=10m"], &[("/latest", &[mine("executing")]), ("/workflows/", &[http(500, "")])]);
    assert_eq!(ran.err.matches("cannot be read").count(), 1, "{}", ran.err);
    assert!(ran.asked("/workflows/") > 5);
}

#[test]
fn a_workflow_that_is_lost_for_a_while_can_still_retry() {
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let retry = |status| seen(&made(NEWER, status, 2, WORKFLOW));
    let goes_on = workflow("in-progress", &["apply=in-progress"]);
    let well = workflow("success", &["apply=success"]);
    // A replica does not have it yet.
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[first("executing"), first("error"), retry("active")]),
        ("/workflows/", &[http(404, ""), goes_on.clone(), well.clone()]),
    ];
    let ran = run_with(&[], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    // The server starts again: half a minute of errors.
    let mut latest = vec![first("error"); 6];
    latest.push(retry("active"));
    let mut workflows = vec![http(503, ""); 5];
    workflows.extend([goes_on, well]);
    let ran = run_with(&[], &[("/latest", &latest), ("/workflows/", &workflows)]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    assert!(ran.seconds() > 20, "{}", ran.seconds());
    // It is not waited for any longer than a minute.
    let ran = run_with(&[], &[("/latest", &[first("error")]), ("/workflows/", &[http(503, "")])]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert!((60..95).contains(&ran.seconds()), "{}", ran.seconds());
    // While the deploy itself is lost, its workflow is not looked at, and the patience with that does not run out.
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let mut latest = vec![http(502, ""); 11];
    latest[0] = mine("error");
    latest.extend([mine("error"), mine("error"), mine("active")]);
    let workflows = [http(502, ""), http(502, ""), workflow("in-progress", &["apply=in-progress"])];
    let ran = run_with(&[], &[("/latest", &latest), ("/workflows/", &workflows), (DEPLOY, &[mine("active")])]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert!(ran.seconds() > 90, "{}", ran.seconds());
}

#[test]
fn a_retry_that_waits_for_a_person_is_told_as_such() {
    let mine = [seen(&made(DEPLOY, "error", 1, WORKFLOW))];
    let asks = [workflow("in-progress", &["apply=error", "plan=approval-awaiting"])];
    // Pipelines forgive exit 4, and this deploy has failed.
    let ran = run_with(&["--on-approval=stop"], &[("/latest", &mine), ("/workflows/", &asks)]);
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 0), "{}", ran.err);
    let ran = run_with(&["--timeout=1m"], &[("/latest", &mine), ("/workflows/", &asks)]);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "awaiting-approval"), 60), "{}", ran.err);
}

#[test]
fn a_success_counts_when_nothing_verifies_it_any_more() {
    let inc = "inc00000000000000000000001";
    let active = [seen(&made(DEPLOY, "active", 1, WORKFLOW))];
    let passed = (0, "passed", "");
    let failed = (1, "failed", "deploy-failed");
    let open = (124, "timed-out", "still-running");
    let with = |word: &str| format!("{word}@{inc}");
    let (pending, running, success, error) = (with("pending"), with("in-progress"), with("success"), with("error"));
    let cases: &[(&str, &[&str], (u8, &str, &str))] = &[
        ("in-progress", &[], passed),
        ("in-progress", &[&success], passed),
        ("in-progress", &["auto-skipped"], passed),
        ("in-progress", &[&pending], open),
        ("in-progress", &[&running], open),
        ("in-progress", &["pending"], open),
        ("in-progress", &["a-new-word"], open),
        // Another component's, or in another group.
        ("in-progress", &["in-progress@inc00000000000000000000002"], passed),
        ("in-progress", &["pending@#4"], passed),
        // It failed, and is tried again.
        ("in-progress", &[&error, &running], open),
        ("in-progress", &[&error], open),
        ("in-progress", &[&error, &success], passed),
        ("success", &[&error, &success], passed),
        ("error", &[&error], failed),
        ("failed-pending-retry", &[&error], failed),
        ("failed-pending-retry", &[&running], failed),
        ("cancelled", &["pending"], failed),
        // Parked for another component.
        ("failed-pending-retry", &[&success], passed),
        ("failed-pending-retry", &[], passed),
        // More steps may come.
        ("in-progress+eager_steps_loaded", &[], open),
        ("in-progress+eager_steps_loaded+all_steps_loaded", &[], passed),
        ("in-progress+all_steps_loaded", &[], passed),
        ("success+eager_steps_loaded", &[], passed),
    ];
    for (own, steps, ended) in cases {
        let routes: &[(&str, &[Answer])] = &[("/latest", &active), ("/workflows/", &[verified(own, steps)])];
        let ran = run_with(&["--timeout=2m"], routes);
        assert_eq!(ran.ended(), *ended, "{own} {steps:?}\n{}", ran.err);
        if *ended == failed {
            assert!(ran.message().contains("step \"verify health\""), "{}", ran.message());
        }
        // The first success word is enough, and the verdict says so in its first line and in every report.
        let ran = run_with(&["--timeout=2m", "--until=applied", "--report=junit=FOLDER/j"], routes);
        assert_eq!((ran.ended(), ran.seconds()), (passed, 0), "{own} {steps:?}\n{}", ran.err);
        let first = ran.out.lines().next().unwrap_or_default();
        assert!(first.contains("--until applied") && ran.message().contains("--until applied"), "{first}");
        assert!(std::fs::read_to_string(ran.path("j")).expect("a report").contains("--until applied"));
    }
    // It is taken back meanwhile.
    let latest = [seen(&made(DEPLOY, "active", 1, WORKFLOW)), seen(&made(DEPLOY, "error", 1, WORKFLOW))];
    let workflows = [
        verified("in-progress", &[&running]),
        verified("in-progress", &[&error, &success]),
        verified("error", &[&error]),
    ];
    let ran = run_with(&[], &[("/latest", &latest), ("/workflows/", &workflows)]);
    assert_eq!(ran.ended(), failed, "{}", ran.err);
    // Somebody must approve before it can be verified.
    let asks = [verified("in-progress", &[&format!("approval-awaiting@{inc}")])];
    for (policy, ended) in [("stop", (4, "approval-required", "")), ("wait", (124, "timed-out", "awaiting-approval"))] {
        let policy = format!("--on-approval={policy}");
        let ran = run_with(&[&policy, "--timeout=2m"], &[("/latest", &active), ("/workflows/", &asks)]);
        assert_eq!(ran.ended(), ended, "{}", ran.err);
    }
}

#[test]
fn a_look_for_the_retry_that_fails_is_repeated() {
    const THIRD: &str = "dpl00000000000000000000003";
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let between = seen(&made(NEWER, "queued", 2, "inw00000000000000000000002"));
    let retry = seen(&made(THIRD, "active", 3, WORKFLOW));
    let well = [workflow("success", &["apply=error", "retry=success@dpl00000000000000000000003"])];
    for last in ["error", "retried"] {
        for lost in [http(503, ""), http(503, "").header("retry-after", "20")] {
            let latest = [first("executing"), between.clone()];
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &latest),
                (DEPLOY, &[first(last)]),
                (THIRD, &[lost, retry.clone()]),
                ("/workflows/", &well),
            ];
            let ran = run_with(&["--on-superseded=finish"], routes);
            assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), THIRD), "{last}\n{}", ran.err);
        }
    }
    // But not for ever.
    let latest = [first("executing"), between];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &latest), (DEPLOY, &[first("error")]), (THIRD, &[http(503, "")]), ("/workflows/", &well)];
    let ran = run_with(&["--on-superseded=finish"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.err);
    assert!((60..95).contains(&ran.seconds()), "{}", ran.seconds());
}

#[test]
fn a_retry_keeps_the_build_and_the_commit_that_are_pinned() {
    let of = |id: &str, status: &str, made_at: u32, sha: &str| {
        let document = made(id, status, made_at, WORKFLOW);
        seen(&with(document, "component_build", json!({"vcs_connection_commit": {"sha": sha}})))
    };
    let first = |status| of(DEPLOY, status, 1, "aaaaaaaa");
    // The workflow retries with whatever was built last.
    let latest = [first("executing"), first("error"), of(NEWER, "active", 2, "bbbbbbbb")];
    let workflows = [
        workflow("in-progress", &["apply=in-progress"]),
        workflow("in-progress", &["apply=in-progress"]),
        workflow("success", &["apply=error", "retry=success@dpl00000000000000000000002"]),
    ];
    for pin in ["--build=bld00000000000000000000001", "--commit=aaaaaaaa"] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &latest), (DEPLOY, &[first("error")]), ("/workflows/", &workflows)];
        let ran = run_with(&[pin], routes);
        assert_eq!(
            (ran.ended(), ran.output("deploy-id")),
            ((1, "failed", "deploy-failed"), DEPLOY),
            "{pin}\n{}",
            ran.err
        );
        let ran = run_with(&[pin, "--on-superseded=stop"], routes);
        assert_eq!(ran.ended(), (5, "superseded", ""), "{pin}");
    }
    // A deploy that is pinned by its id is followed to its retry, and the report says so.
    let ran = run_with(&["--deploy=dpl00000000000000000000001"], &[("/latest", &latest), ("/workflows/", &workflows)]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    assert_eq!(ran.target("belief"), "a retry in the same workflow, pins that hold: deploy dpl00000000000000000000001");
}

#[test]
fn what_is_ahead_is_told_and_decides_nothing() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let latest = [mine(""), mine(""), mine("active")];
    let workflows = [
        workflow("pending", &["apply=pending"]),
        workflow("pending", &["apply=pending"]),
        workflow("success", &["apply=success"]),
    ];
    for (answer, told) in [
        (http(200, r#"{"position":3,"queue_depth":5}"#), "its workflow is number 3 of 5 in the queue"),
        (http(200, r#"{"position":0,"queue_depth":0}"#), ""),
        (http(200, r#"{"position":"x"}"#), ""),
        (http(404, ""), ""),
        (http(403, ""), ""),
        (http(500, ""), ""),
    ] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &latest), ("/queue-position", &[answer]), ("/workflows/", &workflows)];
        let ran = run_with(&[], routes);
        assert_eq!((ran.ended(), ran.asked("/queue-position")), ((0, "passed", ""), 1), "{}", ran.err);
        assert_eq!(ran.err.contains("in the queue"), !told.is_empty(), "{}", ran.err);
        assert!(ran.err.contains(told), "{}", ran.err);
    }
    // Which retry it is, and what is not healthy yet.
    let steps = json!([
        {"name": "apply", "group_idx": 1, "status": {"status": "success"}, "step_target_type": "install_deploys",
         "step_target_id": DEPLOY},
        {"name": "verify health", "group_idx": 1, "step_target_type": "install_components",
         "status": {"status": "in-progress", "status_human_description": "Deployment api progressing",
         "metadata": {"is_retry": true, "retry_idx": 2}}}]);
    let verifies =
        seen(&json!({"id": WORKFLOW, "owner_id": INSTALL, "status": {"status": "in-progress"}, "steps": steps}));
    let workflows = [verifies, workflow("success", &["apply=success"])];
    let ran = run_with(&[], &[("/latest", &[mine("active")]), ("/workflows/", &workflows)]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert!(ran.err.contains("step \"verify health\" is in-progress: Deployment api progressing"), "{}", ran.err);
}

/// A deploy and its workflow are read at different moments: what has to be seen twice is seen in two looks.
#[test]
fn what_is_decided_twice_in_one_look_is_seen_once() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let by_id = [mine("planning"), mine("active")];
    let ended = workflow("cancelled", &["apply=success"]);
    let well = workflow("success", &["apply=success"]);
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[mine("error"), mine("active")]), (DEPLOY, &by_id), ("/workflows/", &[ended, well])];
    let ran = run_with(&[], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
}

/// A replica that lags behind still shows the deploy that was retried.
#[test]
fn a_retry_that_the_workflow_names_is_judged_though_the_latest_does_not_show_it() {
    let first = [seen(&made(DEPLOY, "active", 1, WORKFLOW))];
    for (status, ended) in [("active", (0, "passed", "")), ("error", (1, "failed", "deploy-failed"))] {
        let second = [seen(&made(NEWER, status, 2, WORKFLOW))];
        let well = [workflow("success", &["apply=success", "retry=success@dpl00000000000000000000002"])];
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &first), (NEWER, &second), (DEPLOY, &first), ("/workflows/", &well)];
        let ran = run_with(&[], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), (ended, NEWER), "{}", ran.err);
    }
}

/// What a look in between contradicts has to be seen twice anew.
#[test]
fn what_was_contradicted_is_not_seen_twice() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let (dead, runs) = (workflow("cancelled", &["apply=pending"]), workflow("in-progress", &["apply=in-progress"]));
    let well = workflow("success", &["apply=success"]);
    let latest = [mine("planning"), mine("planning"), mine("planning"), mine("active")];
    let workflows = [dead.clone(), runs, dead, well];
    let ran = run_with(&[], &[("/latest", &latest), (DEPLOY, &latest[2..]), ("/workflows/", &workflows)]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
}

#[test]
fn what_a_lagging_replica_says_of_a_workflow_does_not_count() {
    // A person made it go on after its end; a replica has not heard of that.
    let at = |minute: u32, status: &str| {
        let workflow = json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": status == "success",
            "status": {"status": status}, "updated_at": format!("2026-01-14T17:{minute:02}:00Z"),
            "steps": [{"name": "apply", "step_target_type": "install_deploys", "step_target_id": DEPLOY,
                "status": {"status": "success"}}]});
        seen(&workflow)
    };
    let looks = [at(2, "in-progress"), at(1, "success"), at(2, "in-progress")];
    let latest = [seen(&made(DEPLOY, "active", 1, WORKFLOW))];
    let ran = run_with(&["--until=workflow", "--timeout=5m"], &[("/latest", &latest), ("/workflows/", &looks)]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("as it was before"), "{}", ran.err);
}

#[test]
fn a_workflow_that_had_ended_before_the_deploy_was_made_is_of_another_day() {
    // A person retried it: the replica that answers still has the end before.
    let mine = |status| seen(&made(DEPLOY, status, 9, WORKFLOW));
    let ended = |status| {
        let body = workflow(status, &["before=error@"]).answer.expect("an answer").body;
        seen(&with(serde_json::from_slice(&body).expect("JSON"), "updated_at", json!("2026-01-14T16:08:00Z")))
    };
    let well = workflow("success", &["apply=success"]);
    for word in ["executing", "error", "active"] {
        for end in ["error", "failed-pending-retry"] {
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &[mine(word), mine(word), mine(word), mine("active")]),
                (DEPLOY, &[mine(word), mine(word), mine("active")]),
                ("/workflows/", &[ended(end), ended(end), ended(end), well.clone()]),
            ];
            let ran = run_with(&[], routes);
            assert_eq!(ran.ended(), (0, "passed", ""), "{word} {end}\n{}", ran.err);
        }
        // If nothing else comes, it is as it says.
        let routes: &[(&str, &[Answer])] = &[("/latest", &[mine(word)]), ("/workflows/", &[ended("cancelled")])];
        let ran = run_with(&[], routes);
        assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{word}\n{}", ran.err);
        assert!((60..95).contains(&ran.seconds()), "{word} {}", ran.seconds());
    }
}
