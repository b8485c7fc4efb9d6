//! *Latest* is a moving word: only the deploy that was meant is judged.

use serde_json::{Value, json};

use crate::script::*;

/// A deploy of its own id, build and workflow, made at minute `made`.
fn made(id: &str, status: &str, made: u32, workflow: &str) -> Value {
    let mut document = with(document(status), "id", json!(id));
    document["created_at"] = json!(format!("2026-01-14T16:{made:02}:00Z"));
    document["build_id"] = json!(format!("bld0000000000000000000000{made}"));
    if !workflow.is_empty() {
        document["install_workflow_id"] = json!(workflow);
    }
    document
}

fn old(status: &str) -> Answer {
    seen(&made(DEPLOY, status, 1, ""))
}

fn new(status: &str) -> Answer {
    seen(&made(NEWER, status, 2, ""))
}

const BUILD_OF_NEWER: &str = "--build=bld00000000000000000000002";

#[test]
fn a_pinned_run_passes_only_on_the_deploy_that_is_meant() {
    let pins = [
        BUILD_OF_NEWER,
        "--deploy=dpl00000000000000000000002",
        "--after=dpl00000000000000000000001",
        "--after=2026-01-14T16:02:00Z",
        "--after=2026-01-14T17:01:59.5+01:00",
    ];
    for pin in pins {
        let ran = run(&[pin], &[old("active"), old("active"), new(""), new("executing"), new("active")]);
        assert_eq!(ran.ended(), (0, "passed", ""), "{pin}");
        assert_eq!(ran.output("deploy-id"), NEWER, "{pin}");
        assert_eq!(ran.report["targets"][0]["preexisting"], false);
        assert!(!ran.out.contains("warning"), "{pin}: {}", ran.out);
        holds_together(&ran);
        let ran = run(&[pin], &[old("active")]);
        assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 300), "{pin}");
        assert!(
            ran.message().contains(&format!("the latest deploy is {DEPLOY}, not the one you asked for")),
            "{}",
            ran.message()
        );
        assert_eq!(ran.output("deploy-id"), "", "{pin}");
        holds_together(&ran);
    }
}

#[test]
fn all_pins_must_hold() {
    let ran = run(&[BUILD_OF_NEWER, "--after=dpl00000000000000000000002"], &[new("active")]);
    assert_eq!(ran.ended(), (3, "undecided", "never-appeared"));
    let ran = run(&[BUILD_OF_NEWER, "--after=none"], &[new("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(ran.report["targets"][0]["belief"], "pins that hold: build bld00000000000000000000002, after none");
}

#[test]
fn a_commit_is_matched_by_its_first_digits() {
    let of = |sha: &str| with(document("active"), "component_build", json!({"vcs_connection_commit": {"sha": sha}}));
    let ran = run(&["--commit=8FEA7B0"], &[seen(&of("8fea7b0789b8de1af5995b537686dc3a3d502e5c"))]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    for other in ["9fea7b0789b8de1af5995b537686dc3a3d502e5c", "8fea7b", ""] {
        assert_eq!(
            run(&["--commit=8fea7b0"], &[seen(&of(other))]).ended(),
            (3, "undecided", "never-appeared"),
            "{other}"
        );
    }
    assert_eq!(run(&["--commit=8fea7b0"], &[deploy("active")]).ended(), (3, "undecided", "never-appeared"));
}

#[test]
fn a_build_alone_may_have_been_deployed_before() {
    let ran = run(&[BUILD_OF_NEWER], &[new("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert!(ran.out.contains("an earlier deploy can match, too"), "{}", ran.out);
}

#[test]
fn a_deploy_that_is_no_longer_the_latest_is_found_by_its_id() {
    let mine = [old("executing"), old("active")];
    let ran = run_with(&["--deploy=dpl00000000000000000000001"], &[("/latest", &[new("planning")]), (DEPLOY, &mine)]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!((ran.output("deploy-id"), ran.latest().len()), (DEPLOY, 1));
    assert_eq!(ran.report["targets"][0]["superseded_by"], NEWER);
    // One that only plans is never the latest.
    let of_component = |status| seen(&with(made(DEPLOY, status, 1, ""), "component_id", json!(COMPONENT)));
    let ran = run_with(
        &["--deploy=dpl00000000000000000000001"],
        &[("/latest", &[http(404, "")]), (DEPLOY, &[of_component("executing"), of_component("no-drift")])],
    );
    assert_eq!((ran.ended(), ran.output("deploy-id"), ran.latest().len()), ((0, "passed", ""), DEPLOY, 1));
    assert_eq!(ran.report["targets"][0]["superseded_by"], "");
    let ran = run_with(&["--deploy=dpl00000000000000000000001"], &[("/latest", &[http(404, "")])]);
    assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 300));
    assert!(ran.message().starts_with("no deploy yet"), "{}", ran.message());
}

#[test]
fn a_newer_deploy_does_what_the_user_says() {
    let latest = [old("executing"), new("queued"), new("active")];
    let by_id = [old("executing"), old("executing"), old("error")];
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &by_id)];
    let ran = run_with(&["--on-superseded=finish"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert_eq!((ran.output("deploy-id"), ran.latest().len()), (DEPLOY, 2));
    assert_eq!(ran.report["targets"][0]["superseded_by"], NEWER);
    let pinned = run_with(&["--build=bld00000000000000000000001"], routes);
    assert_eq!((pinned.ended(), pinned.output("deploy-id")), ((1, "failed", "deploy-failed"), DEPLOY));
    let ran = run_with(&["--on-superseded=stop"], routes);
    assert_eq!(ran.ended(), (5, "superseded", ""));
    holds_together(&ran);
    for arguments in [&[][..], &["--on-superseded=follow"], &["--after=2026-01-14T15:00:00Z"]] {
        let ran = run_with(arguments, routes);
        // What was left is waited for, and its failure is that of the run: a rollback that is green is no pass.
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), NEWER), "{}", ran.err);
        assert!(ran.message().contains(DEPLOY) && ran.message().contains(NEWER), "{}", ran.message());
        assert_eq!(ran.report["targets"][0]["superseded_by"], "");
        let ends_well: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &[old("executing"), old("active")])];
        let ran = run_with(arguments, ends_well);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
        let belief = ran.report["targets"][0]["belief"].as_str().unwrap_or_default();
        assert!(belief.starts_with(&format!("the newest, which replaced {DEPLOY}")), "{belief}");
        // It is gone: that is said, and does not decide.
        let ran = run_with(arguments, &[("/latest", &latest), (DEPLOY, &[http(404, "")])]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
        assert!(ran.out.contains("cannot be read"), "{}", ran.out);
        for (answer, ended) in [
            (http(403, ""), (3, "undecided", "forbidden")),
            (http(502, ""), (124, "timed-out", "unreachable")),
            (old("executing"), (124, "timed-out", "still-running")),
            (old("failed-pending-retry"), (1, "failed", "deploy-failed")),
        ] {
            let ran = run_with(arguments, &[("/latest", &latest), (DEPLOY, &[answer])]);
            assert_eq!((ran.ended(), ran.output("deploy-id")), (ended, NEWER), "{}", ran.err);
        }
    }
    // What was over before the run began is not asked for.
    let ran = run_with(&[], &[("/latest", &[old("error"), new("queued"), new("active")])]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "it was judged at once");
}

#[test]
fn following_never_leaves_the_pins() {
    let latest = [old("executing"), new("queued"), new("active")];
    let by_id = [old("executing"), old("executing"), old("active")];
    for pin in ["--build=bld00000000000000000000001", "--deploy=dpl00000000000000000000001"] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &by_id)];
        let ran = run_with(&[pin, "--on-superseded=follow"], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), DEPLOY), "{pin}\n{}", ran.err);
        assert_eq!(ran.report["targets"][0]["superseded_by"], NEWER);
        let ran = run_with(&[pin, "--on-superseded=follow"], &[("/latest", &latest), (DEPLOY, &[old("error")])]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), DEPLOY), "{pin}");
        assert!(ran.message().contains(NEWER), "it names both: {}", ran.message());
    }
}

#[test]
fn a_replica_that_lags_behind_is_not_taken_for_news() {
    let ran = run(&[], &[new("planning"), old("active"), old("active"), new("executing"), new("error")]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), NEWER));
    let ran = run(&["--timeout=1m"], &[new("planning"), old("active")]);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"));
}

#[test]
fn what_was_there_before_is_never_taken_whatever_a_replica_shows_in_between() {
    let oldest = |status| seen(&made("dpl00000000000000000000000", status, 0, WORKFLOW));
    let before = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let mine = |status| seen(&made(NEWER, status, 2, WORKFLOW));
    let goes_on = [workflow("in-progress", &["apply=in-progress"])];
    for pin in ["--after=dpl00000000000000000000001"] {
        for status in ["active", "error", "cancelled"] {
            for policy in ["finish", "stop", "follow"] {
                let policy = format!("--on-superseded={policy}");
                // A replica that lags behind by two deploys, then the one before again, then mine.
                for seen_in_between in ["", "active", "error"] {
                    let latest = [before(status), oldest(seen_in_between), before(status), mine(""), mine("active")];
                    let ran = run_with(&[pin, &policy], &[("/latest", &latest), ("/workflows/", &goes_on)]);
                    let case = format!("{pin} {policy} {status} {seen_in_between}\n{}", ran.err);
                    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{case}");
                }
            }
        }
    }
    // The replica that lags behind is the first to answer: what it showed is forgotten.
    let previous = "--after=dpl00000000000000000000001";
    let latest = [oldest("executing"), before("active"), before("active"), mine(""), mine("active")];
    for policy in ["finish", "stop", "follow"] {
        let policy = format!("--on-superseded={policy}");
        let ran = run_with(&[previous, &policy], &[("/latest", &latest), ("/workflows/", &goes_on)]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{policy}\n{}", ran.err);
        holds_together(&ran);
    }
    let ran = run_with(&[previous], &[("/latest", &latest[..3]), ("/workflows/", &goes_on)]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((3, "undecided", "never-appeared"), ""));
    // Without times of creation, nothing shows that a deploy is newer.
    let undated = |id: &str, status: &str| {
        let mut document = made(id, status, 1, WORKFLOW);
        document.as_object_mut().expect("an object").remove("created_at");
        seen(&document)
    };
    let latest = [undated(DEPLOY, "cancelled"), undated(NEWER, "active")];
    for pin in [previous, "--after=2026-01-14T15:00:00Z"] {
        let ran = run_with(&[pin, "--on-superseded=follow"], &[("/latest", &latest), ("/workflows/", &goes_on)]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((3, "undecided", "never-appeared"), ""), "{}", ran.err);
    }
}

#[test]
fn a_retry_in_the_same_workflow_is_followed() {
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let second =
        |status| seen(&with(made(NEWER, status, 2, WORKFLOW), "build_id", json!("bld00000000000000000000001")));
    let latest = [first("executing"), first("error"), first("retried"), second("planning"), second("active")];
    for arguments in [
        &[][..],
        &["--build=bld00000000000000000000001"],
        &["--deploy=dpl00000000000000000000001"],
        &["--on-superseded=stop"],
    ] {
        let ran = run_with(
            arguments,
            &[("/latest", &latest), ("/workflows/", &[workflow("in-progress", &["apply=in-progress"])])],
        );
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{arguments:?}");
        assert_eq!(ran.report["targets"][0]["superseded_by"], "");
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
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 300));
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
fn a_deploy_that_its_workflow_left_behind_is_no_success() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    for (status, steps) in
        [("cancelled", &["apply=pending"]), ("error", &["apply=error"]), ("success", &["apply=success"])]
    {
        for word in ["", "queued", "pending-approval", "retried"] {
            let ran = run_with(&[], &[("/latest", &[mine(word)]), ("/workflows/", &[workflow(status, steps)])]);
            if status == "success" {
                assert_eq!(ran.ended(), (3, "undecided", "left-behind"), "{status} {word}");
                assert!((60..95).contains(&ran.seconds()), "{}", ran.seconds());
            } else {
                assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 2), "{status} {word}");
            }
            assert!(ran.message().contains(&format!("its workflow has ended ({status}")), "{}", ran.message());
            holds_together(&ran);
        }
        // What a word means that the gate does not know, it does not know at the end of the workflow either.
        let ran = run_with(&[], &[("/latest", &[mine("triumphant")]), ("/workflows/", &[workflow(status, steps)])]);
        assert_eq!((ran.ended(), ran.latest().len()), ((3, "undecided", "unknown-status"), 2), "{status}");
        assert!(ran.message().contains("--status 'triumphant=CLASS'"), "{}", ran.message());
        holds_together(&ran);
    }
    // A parked workflow may still be at work on this deploy, in another group of steps.
    let parked = workflow("failed-pending-retry", &["apply=in-progress"]);
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[mine("executing"), mine("executing"), mine("executing"), mine("active")]),
        ("/workflows/", &[parked]),
    ];
    assert_eq!(run_with(&[], routes).ended(), (0, "passed", ""));
    // The two are read at different moments.
    let ran = run_with(
        &[],
        &[
            ("/latest", &[mine("executing"), mine("active")]),
            ("/workflows/", &[workflow("success", &["apply=success"])]),
        ],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    // A server that writes success after each step has not ended the workflow.
    let unfinished = with(
        serde_json::from_slice(&workflow("success", &["apply=pending"]).answer.expect("an answer").body).expect("JSON"),
        "finished",
        json!(false),
    );
    let ran = run_with(&["--timeout=5m"], &[("/latest", &[mine("executing")]), ("/workflows/", &[seen(&unfinished)])]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"));
    assert!(ran.message().contains("step \"apply\" is next"), "{}", ran.message());
}

#[test]
fn a_pinned_workflow_that_ends_without_a_deploy_ends_the_wait() {
    let pin = format!("--workflow={WORKFLOW}");
    let ran =
        run_with(&[&pin], &[("/latest", &[old("active")]), ("/workflows/", &[workflow("error", &["runner=error"])])]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"));
    assert!(
        ran.message().contains("ended (error: about error) without a deploy") && ran.seconds() < 10,
        "{}",
        ran.message()
    );
    assert!(ran.message().contains("step \"runner\" failed"), "{}", ran.message());
    holds_together(&ran);
    let parked = workflow("failed-pending-retry", &["runner=error"]);
    let ran = run_with(&[&pin, "--on-approval=stop"], &[("/latest", &[old("active")]), ("/workflows/", &[parked])]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"), "{}", ran.err);
    let well = workflow("success", &["runner=success"]);
    let ran = run_with(&[&pin], &[("/latest", &[old("active")]), ("/workflows/", &[well])]);
    assert_eq!((ran.ended(), ran.seconds() < 10), ((3, "undecided", "never-appeared"), true), "{}", ran.err);
    // It is looked at again, minute by minute.
    let goes_on = workflow("in-progress", &["runner=in-progress"]);
    let workflows = [goes_on.clone(), goes_on.clone(), goes_on, workflow("error", &["runner=error"])];
    let ran = run_with(&[&pin, "--appear-timeout=30m"], &[("/latest", &[old("active")]), ("/workflows/", &workflows)]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"));
    assert!((180..300).contains(&ran.seconds()), "{}", ran.seconds());
    let mine = seen(&made(NEWER, "active", 2, WORKFLOW));
    let ran = run_with(
        &[&pin],
        &[("/latest", &[old("active"), mine]), ("/workflows/", &[workflow("success", &["apply=success"])])],
    );
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER));
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
fn the_workflow_is_looked_at_at_each_change_and_once_a_minute() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let ran = run_with(
        &["--timeout=10m"],
        &[
            ("/latest", &[mine("planning"), mine("executing")]),
            ("/workflows/", &[workflow("in-progress", &["apply=in-progress"])]),
        ],
    );
    assert!((10..=12).contains(&ran.asked("/workflows/")), "{}", ran.asked("/workflows/"));
    let ran = run_with(&["--timeout=10m"], &[("/latest", &[mine("executing")]), ("/workflows/", &[http(403, "")])]);
    assert_eq!((ran.ended(), ran.asked("/workflows/")), ((124, "timed-out", "still-running"), 1));
    assert_eq!(ran.err.matches("cannot be read").count(), 1, "{}", ran.err);
    let ran = run_with(&["--timeout=10m"], &[("/latest", &[mine("executing")]), ("/workflows/", &[http(500, "")])]);
    assert_eq!(ran.err.matches("cannot be read").count(), 1, "{}", ran.err);
    assert!(ran.asked("/workflows/") > 5);
}

#[test]
fn names_are_resolved_once() {
    let install = json!({"id": INSTALL, "name": "prod eu", "install_components": [{"component_id": COMPONENT, "component": {"name": "api"}}]});
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[deploy("planning"), deploy("active")]), ("/v1/installs/prod%20eu", &[reset(), seen(&install)])];
    let ran = run_with(&["--install=prod eu", "--component=api"], routes);
    assert_eq!((ran.ended(), ran.asked("prod%20eu")), ((0, "passed", ""), 2));
    assert_eq!(ran.report["targets"][0]["install"], INSTALL);
    assert_eq!(ran.report["targets"][0]["component"], COMPONENT);
    // By pages, where the install does not name its components.
    let bare = json!({"id": INSTALL, "name": "prod"});
    let page = |name: &str| http(200, json!([{"component_id": COMPONENT, "component": {"name": name}}]).to_string());
    let pages = [page("other").header("x-nuon-page-next", "true"), page("api")];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[deploy("active")]),
        ("/components?", &pages),
        (DEPLOY, &[deploy("active")]),
        ("/v1/installs/", &[seen(&bare)]),
    ];
    let ran = run_with(&["--component=api"], routes);
    assert_eq!((ran.ended(), ran.asked("offset=1")), ((0, "passed", ""), 1));
    let ran = run_with(&["--component=web"], routes);
    assert_eq!(ran.ended(), (3, "undecided", "not-found"));
    // What is no id would lead to another path.
    for (own, ended) in [(COMPONENT, (0, "passed", "")), ("..", (3, "undecided", "not-found"))] {
        let component = json!({"component_id": "..", "component": {"id": own, "name": "api"}});
        let install = json!({"id": INSTALL, "name": "prod", "install_components": [component]});
        let routes: &[(&str, &[Answer])] = &[
            ("/latest", &[deploy("active")]),
            ("/components?", &[http(200, "[]")]),
            (DEPLOY, &[deploy("active")]),
            ("/v1/installs/", &[seen(&install)]),
        ];
        assert_eq!(run_with(&["--component=api"], routes).ended(), ended);
    }
    for (answer, ended) in [
        (http(404, ""), (3, "undecided", "not-found")),
        (http(401, ""), (3, "undecided", "unauthorized")),
        (http(403, ""), (3, "undecided", "forbidden")),
        (http(502, ""), (124, "timed-out", "unreachable")),
        (seen(&json!({"id": INSTALL, "name": "another"})), (124, "timed-out", "unreachable")),
    ] {
        let ran = run_with(
            &["--install=prod", "--timeout=1m"],
            &[("/v1/installs/prod", &[answer]), ("/latest", &[deploy("active")])],
        );
        assert_eq!(ran.ended(), ended);
        assert_eq!(ran.latest().len(), 0);
        holds_together(&ran);
    }
}

#[test]
fn an_id_of_another_shape_is_a_warning() {
    let ran = run(
        &["--install=inl1", "--build=build-0007"],
        &[seen(&with(document("active"), "build_id", json!("build-0007")))],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert!(
        ran.out.contains("the install inl1 does not look like an id") && ran.out.contains("the build build-0007"),
        "{}",
        ran.out
    );
}

#[test]
fn misuse_of_pins_ends_before_the_first_look() {
    for argument in [
        "--after=",
        "--after=null",
        "--build=dpl",
        "--workflow=",
        "--workflow=@",
        "--build=",
        "--deploy=a b",
        "--workflow=a/b",
        "--commit=main",
        "--commit=8fea7b",
    ] {
        let ran = run(&[argument], &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{argument}");
        let flag = argument.split('=').next().expect("a flag");
        let variable = flag.trim_start_matches('-').to_uppercase();
        assert!(ran.err.contains(flag) && ran.err.contains(&format!("DEPLOY_GATE_{variable}")), "{}", ran.err);
    }
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
        workflow("success", &["apply=success"]),
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
    assert_eq!(
        ran.report["targets"][0]["belief"],
        "a retry in the same workflow, pins that hold: deploy dpl00000000000000000000001"
    );
}

#[test]
fn a_branch_is_no_commit() {
    let of = |sha: &str, git_ref: &str| {
        let build = json!({"vcs_connection_commit": {"sha": sha}, "git_ref": git_ref});
        [seen(&with(document("active"), "component_build", build))]
    };
    let full = "2026011789b8de1af5995b537686dc3a3d502e5c";
    for (sha, git_ref, is_it) in [
        ("", full, true),
        (full, "main", true),
        ("", "20260117-release", false),
        ("ffffffff89b8de1af5995b537686dc3a3d502e5c", "2026011", false),
        ("ffffffff89b8de1af5995b537686dc3a3d502e5c", full, false),
        ("", "2026011", false),
    ] {
        let ran = run(&["--commit=2026011"], &of(sha, git_ref));
        assert_eq!(ran.code == 0, is_it, "{sha} {git_ref}: {}", ran.out);
    }
}

#[test]
fn a_retry_is_followed_though_another_deploy_has_come_in_between() {
    const THIRD: &str = "dpl00000000000000000000003";
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let between = |status| seen(&made(NEWER, status, 2, "inw00000000000000000000002"));
    let retry = |status| seen(&made(THIRD, status, 3, WORKFLOW));
    let goes_on = workflow("in-progress", &["apply=in-progress"]);
    let well = workflow("success", &["apply=success"]);
    for last in ["retried", "error"] {
        for pin in [&format!("--workflow={WORKFLOW}"), "--on-superseded=finish"] {
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &[first("executing"), between("queued"), between("queued"), retry("active")]),
                (DEPLOY, &[first("executing"), first(last)]),
                ("/workflows/", &[goes_on.clone(), goes_on.clone(), goes_on.clone(), well.clone()]),
            ];
            let ran = run_with(&[pin], routes);
            assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), THIRD), "{pin} {last}\n{}", ran.err);
            assert!(ran.err.contains("is retried as"), "{}", ran.err);
            holds_together(&ran);
        }
    }
    // Whatever else there is is not judged in its place.
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[first("executing"), between("active")]),
        (DEPLOY, &[first("executing"), first("error")]),
        ("/workflows/", &[goes_on, workflow("error", &["apply=error"])]),
    ];
    let ran = run_with(&["--on-superseded=finish"], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((1, "failed", "deploy-failed"), DEPLOY));
    // A deploy that was found by its id is followed as well.
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[http(404, ""), retry("active")]),
        (DEPLOY, &[first("executing"), first("retried")]),
        ("/workflows/", &[well]),
    ];
    let ran = run_with(&[&format!("--deploy={DEPLOY}")], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), THIRD), "{}", ran.err);
}

#[test]
fn a_newer_deploy_does_what_the_user_says_though_it_was_seen_first() {
    let pin = format!("--deploy={DEPLOY}");
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let well = [workflow("success", &["apply=success"])];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[new("active")]),
        (DEPLOY, &[mine("executing"), mine("active")]),
        (NEWER, &[new("active")]),
        ("/workflows/", &well),
    ];
    let ran = run_with(&[&pin, "--on-superseded=stop"], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((5, "superseded", ""), 0), "{}", ran.err);
    let ran = run_with(&[&pin, "--on-superseded=follow"], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), DEPLOY), "{}", ran.err);
    let ran = run_with(&[&pin], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), DEPLOY), "{}", ran.err);
    assert_eq!(ran.report["targets"][0]["superseded_by"], NEWER);
    // What it came to is known already, whatever has come since.
    let failed = [workflow("error", &["apply=error"])];
    for policy in ["finish", "stop", "follow"] {
        for (word, workflows, ended) in
            [("error", &failed, (1, "failed", "deploy-failed")), ("active", &well, (0, "passed", ""))]
        {
            for newer in ["active", "executing"] {
                let routes: &[(&str, &[Answer])] =
                    &[("/latest", &[new(newer)]), (DEPLOY, &[mine(word)]), ("/workflows/", workflows)];
                let ran = run_with(&[&pin, &format!("--on-superseded={policy}")], routes);
                let case = format!("{policy} {word} {newer}\n{}", ran.err);
                assert_eq!((ran.ended(), ran.output("deploy-id"), ran.seconds()), (ended, DEPLOY, 0), "{case}");
                assert_eq!(ran.report["targets"][0]["superseded_by"], NEWER, "{case}");
            }
        }
    }
    // One that is newer in the same workflow is its retry.
    let retry = [seen(&made(NEWER, "active", 2, WORKFLOW))];
    let routes: &[(&str, &[Answer])] = &[("/latest", &retry), (DEPLOY, &[mine("error")]), ("/workflows/", &well)];
    let ran = run_with(&[&pin, "--on-superseded=stop"], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    // One that is older comes from a replica that lags behind.
    let pin = format!("--deploy={NEWER}");
    let newer = [seen(&made(NEWER, "executing", 2, WORKFLOW)), seen(&made(NEWER, "active", 2, WORKFLOW))];
    let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active")]), (NEWER, &newer), ("/workflows/", &well)];
    let ran = run_with(&[&pin, "--on-superseded=stop"], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    assert_eq!(ran.report["targets"][0]["superseded_by"], "");
}

#[test]
fn a_deploy_of_another_component_never_appears() {
    let pin = format!("--deploy={NEWER}");
    let foreign = seen(&with(made(NEWER, "active", 2, ""), "component_id", json!("cmp00000000000000000000009")));
    let ran = run_with(&[&pin], &[("/latest", &[old("active")]), (NEWER, &[foreign])]);
    assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 300), "{}", ran.message());
    assert!(ran.message().contains("another component"), "{}", ran.message());
    for (status, reason) in [(401, "unauthorized"), (403, "forbidden"), (400, "bad-answer")] {
        let ran = run_with(&[&pin], &[("/latest", &[old("active")]), (NEWER, &[http(status, "")])]);
        assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", reason), 0));
    }
    // What may be better the next time is asked for again.
    let mine = [http(502, ""), seen(&made(NEWER, "active", 2, ""))];
    let ran = run_with(&[&pin], &[("/latest", &[old("active")]), (NEWER, &mine)]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER));
}

#[test]
fn a_teardown_that_is_expected_may_come_long_after_the_deploy_before() {
    let before = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let teardown = |status| {
        let document = made(NEWER, status, 2, "inw00000000000000000000002");
        seen(&with(document, "install_deploy_type", json!("teardown")))
    };
    let well = [workflow("success", &["apply=success"])];
    for status in ["active", "auto-skipped"] {
        let mut latest = vec![before(status); 12];
        latest.extend([teardown("executing"), teardown("inactive")]);
        let own =
            [seen(&json!({"id": "inw00000000000000000000002", "finished": true, "status": {"status": "success"},
            "steps": [{"name": "destroy", "status": {"status": "success"}}]}))];
        let routes: &[(&str, &[Answer])] = &[
            ("/latest", &latest),
            ("/workflows/inw00000000000000000000001", &well),
            ("/workflows/inw00000000000000000000002", &own),
        ];
        let ran = run_with(&["--expect=teardown"], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
        // A deploy of another type is not yet mine.
        let ran = run_with(&["--expect=teardown"], &[("/latest", &[before(status)]), ("/workflows/", &well)]);
        assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 300), "{}", ran.err);
    }
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
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 60), "{}", ran.err);
}

#[test]
fn that_there_was_none_before_is_no_pin_for_somebody_who_was_told_so_by_mistake() {
    let before = seen(&with(made(DEPLOY, "active", 1, ""), "created_at", json!("2026-01-14T16:59:59Z")));
    let ran = run(&["--after=none"], &[before]);
    assert!(ran.code == 0 && ran.out.contains("had already finished when first seen"), "{}", ran.out);
}

#[test]
fn what_is_older_than_the_one_before_is_never_taken() {
    let oldest = |status| seen(&made("dpl00000000000000000000000", status, 0, ""));
    let pin = format!("--after={DEPLOY}");
    let previous: &[Answer] = &[old("active")];
    // A replica that is two deploys behind answers first.
    for status in ["active", "error", "executing"] {
        let latest = [oldest(status), oldest(status), old("active"), new("executing"), new("active")];
        let ran = run_with(&[&pin], &[("/latest", &latest), (DEPLOY, previous), (NEWER, &[new("active")])]);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{status}\n{}", ran.err);
        assert_eq!(ran.asked(&format!("/deploys/{DEPLOY}")), 1, "it is asked for once");
        holds_together(&ran);
    }
    // It is asked again while there is no usable answer.
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[oldest("active"), new("active")]),
        (DEPLOY, &[http(502, ""), old("active")]),
        (NEWER, &[new("active")]),
    ];
    let ran = run_with(&[&pin], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    // *Newer than X* is true of everything when X is not known: that is never a pass.
    let of_another = seen(&with(made(DEPLOY, "active", 1, ""), "component_id", json!("cmp9")));
    let unshown = {
        let mut document = made(DEPLOY, "active", 1, "");
        document.as_object_mut().expect("an object").remove("install_component_id");
        seen(&document)
    };
    for (lost, ended, longest) in [
        (http(404, ""), (3, "undecided", "not-found"), 10),
        (of_another, (3, "undecided", "not-found"), 10),
        (unshown, (3, "undecided", "not-found"), 10),
        (http(403, ""), (3, "undecided", "forbidden"), 0),
        (http(503, ""), (124, "timed-out", "unreachable"), 600),
        (http(503, "").header("retry-after", "40"), (124, "timed-out", "unreachable"), 600),
    ] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &[new("active")]), (DEPLOY, &[lost])];
        let ran = run_with(&[&pin, "--timeout=10m"], routes);
        assert_eq!((ran.ended(), ran.output("deploy-id")), (ended, ""), "{}", ran.err);
        assert!(ran.seconds() <= longest && ran.message().contains(DEPLOY), "{} {}", ran.seconds(), ran.message());
        holds_together(&ran);
    }
    // Once may be a replica that lags behind.
    for lost in [http(404, ""), http(502, "")] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[new("active")]), (DEPLOY, &[lost, old("active")]), (NEWER, &[new("active")])];
        assert_eq!(run_with(&[&pin], routes).ended(), (0, "passed", ""));
    }
    // It is shown by the latest after all.
    let latest = [oldest("active"), old("active"), new("executing"), new("active")];
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &[http(404, "")]), (NEWER, &[new("active")])];
    let ran = run_with(&[&pin], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    // With another pin as well, and a latest that shows nothing.
    let named = format!("--deploy={NEWER}");
    let by_id = |status| seen(&with(made(NEWER, status, 2, ""), "component_id", json!(COMPONENT)));
    let before = seen(&with(made(DEPLOY, "active", 1, ""), "component_id", json!(COMPONENT)));
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[http(404, "")]), (DEPLOY, &[before]), (NEWER, &[by_id("executing"), by_id("active")])];
    let ran = run_with(&[&pin, &named], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
}

#[test]
fn a_deploy_that_is_found_by_its_id_has_to_be_of_the_other_pins_too() {
    let pin = format!("--deploy={NEWER}");
    let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active")]), (NEWER, &[new("active")])];
    let ran = run_with(&[&pin, BUILD_OF_NEWER], routes);
    assert_eq!(ran.ended(), (0, "passed", ""));
    let ran = run_with(&[&pin, "--build=bld00000000000000000000007"], routes);
    assert_eq!(ran.ended(), (3, "undecided", "never-appeared"), "{}", ran.err);
    // While there is no usable answer about it, it may be there.
    let mut answers = vec![http(502, ""); 8];
    answers.push(new("active"));
    let ran = run_with(&[&pin, "--appear-timeout=10s"], &[("/latest", &[old("active")]), (NEWER, &answers)]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    assert!(ran.seconds() > 10, "{}", ran.seconds());
}

#[test]
fn a_signal_during_any_request_ends_the_run() {
    let signal = fault(deploy_gate::base::source::Fault::Interrupted(deploy_gate::base::clock::Signal::Terminate));
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let newer = seen(&made(NEWER, "executing", 2, ""));
    let goes_on = [workflow("in-progress", &["apply=in-progress"])];
    let (here, gone) = ([signal.clone()], [http(404, "")]);
    let executing_then_error: &[Answer] = &[mine("executing"), mine("error")];
    let retry: &[Answer] = &[mine("executing"), newer, signal];
    let cases: [(&str, &[(&str, &[Answer])]); 8] = [
        ("", &[("/latest", &here)]),
        ("--deploy=dpl00000000000000000000009", &[("/latest", &[mine("active")]), ("/deploys/", &here)]),
        (
            "--after=dpl00000000000000000000009",
            &[("/latest", &[mine("active")]), ("/deploys/dpl00000000000000000000009", &here)],
        ),
        ("--on-superseded=finish", &[("/latest", retry), (DEPLOY, &[mine("error")]), ("/workflows/", &goes_on)]),
        ("", &[("/latest", &[mine("executing")]), ("/workflows/", &here)]),
        ("", &[("/latest", &[mine("error")]), ("/workflows/", &here)]),
        ("", &[("/latest", &[mine("active")]), ("/deploys/", &here), ("/workflows/", &gone)]),
        ("", &[("/latest", &[mine("active")]), ("/workflows/", &here)]),
    ];
    for (pin, routes) in cases {
        let arguments: Vec<&str> = [pin].into_iter().filter(|pin| !pin.is_empty()).collect();
        let ran = run_with(&arguments, routes);
        assert_eq!(ran.ended(), (143, "interrupted", ""), "{pin} {}\n{}", routes.len(), ran.err);
    }
    // A token that is refused ends it as well, at whichever deploy.
    let refused: &[Answer] = &[mine("executing"), seen(&made(NEWER, "executing", 2, "")), http(401, "")];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", refused), (DEPLOY, executing_then_error), ("/workflows/", &goes_on)];
    let ran = run_with(&["--on-superseded=finish"], routes);
    assert_eq!(ran.ended(), (3, "undecided", "unauthorized"), "{}", ran.err);
}

#[test]
fn a_look_for_the_retry_that_fails_is_repeated() {
    const THIRD: &str = "dpl00000000000000000000003";
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let between = seen(&made(NEWER, "queued", 2, "inw00000000000000000000002"));
    let retry = seen(&made(THIRD, "active", 3, WORKFLOW));
    let well = [workflow("success", &["apply=success"])];
    for last in ["error", "retried"] {
        for lost in [http(503, ""), http(503, "").header("retry-after", "20")] {
            let latest = [first("executing"), between.clone(), lost, retry.clone()];
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &latest),
                (DEPLOY, &[first(last)]),
                (THIRD, std::slice::from_ref(&retry)),
                ("/workflows/", &well),
            ];
            let ran = run_with(&["--on-superseded=finish"], routes);
            assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), THIRD), "{last}\n{}", ran.err);
        }
    }
    // But not for ever.
    let latest = [first("executing"), between, http(503, "")];
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &[first("error")]), ("/workflows/", &well)];
    let ran = run_with(&["--on-superseded=finish"], routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.err);
    assert!((60..95).contains(&ran.seconds()), "{}", ran.seconds());
}

#[test]
fn a_deploy_is_found_by_its_id_though_the_latest_asks_for_patience() {
    let gone = http(404, "").header("retry-after", "3");
    let mine = seen(&with(made(DEPLOY, "active", 1, ""), "component_id", json!(COMPONENT)));
    let routes: &[(&str, &[Answer])] = &[("/latest", &[gone]), (DEPLOY, &[mine])];
    let ran = run_with(&[&format!("--deploy={DEPLOY}")], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 3), "{}", ran.err);
}

#[test]
fn what_ci_systems_leave_of_a_value_that_is_not_set_is_no_pin() {
    let left = ["null", "undefined", "None", "$(PREV)", "${{ steps.x.outputs.id }}", "$PREV", "dpl", "''", "\"\"", ""];
    for value in left {
        for flag in ["--after", "--deploy", "--workflow", "--build"] {
            let ran = run(&[&format!("{flag}={value}")], &[deploy("active")]);
            assert_eq!((ran.code, ran.looks.len()), (2, 0), "{flag}={value}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("{INSTALL} {COMPONENT} after={value}\n")).expect("writes");
        let ran = run(&[&format!("--targets={}", file.path().display())], &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "a line with after={value}");
    }
    // The run begins at 17:00.
    let ahead = run(&["--after=2026-01-14T17:05:01Z"], &[deploy("active")]);
    assert!(ahead.code == 2 && ahead.err.contains("is ahead of the clock"), "{}", ahead.err);
    assert_ne!(run(&["--after=2026-01-14T17:05:00Z"], &[deploy("active")]).code, 2);
}

#[test]
fn a_pin_that_is_required_is_one_that_says_which_deploy_is_meant() {
    for flags in [&[][..], &["--build=bld00000000000000000000001"], &["--commit=0123abc"]] {
        let all: Vec<&str> = flags.iter().copied().chain(["--require-pin"]).collect();
        let ran = run(&all, &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{flags:?}");
        assert!(ran.err.contains("--require-pin (DEPLOY_GATE_REQUIRE_PIN)"), "{}", ran.err);
    }
    for pin in ["--after=none", "--after=2026-01-14T15:00:00Z", &format!("--deploy={DEPLOY}")] {
        assert_eq!(run(&[pin, "--require-pin"], &[deploy("active")]).ended(), (0, "passed", ""), "{pin}");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let targets = format!("--targets={}", file.path().display());
    for (second, code) in [("", 2), (" after=none", 0)] {
        let line = |nth: u8, pin: &str| format!("{INSTALL} cmp0000000000000000000000{nth} {pin}\n");
        std::fs::write(file.path(), line(1, "after=none") + &line(2, second)).expect("writes");
        let ran = run(&[&targets, "--require-pin"], &[deploy("active")]);
        assert_eq!(ran.code, code, "{second}\n{}", ran.err);
    }
}

#[test]
fn the_workflow_is_taken_out_of_the_answer_of_the_trigger() {
    let mine = seen(&made(NEWER, "active", 2, WORKFLOW));
    let well = [workflow("success", &["apply=success"])];
    let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active"), mine]), ("/workflows/", &well)];
    let file = tempfile::NamedTempFile::new().expect("a file");
    let gate = |answer: &str| {
        std::fs::write(file.path(), answer).expect("writes");
        run_with(&[&format!("--workflow=@{}", file.path().display()), "--require-pin"], routes)
    };
    for answer in [
        format!("HTTP/2 201\r\nX-Nuon-Install-Workflow-ID: {WORKFLOW}\r\n\r\n\"ok\""),
        json!({"id": NEWER, "workflow_id": WORKFLOW}).to_string(),
    ] {
        let ran = gate(&answer);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
        let belief = format!("pins that hold: workflow {WORKFLOW}");
        assert_eq!(ran.report["targets"][0]["belief"], belief.as_str());
    }
    for answer in ["", "null", r#"{"workflow_id":"undefined"}"#, "HTTP/1.1 500 Internal Server Error\r\n\r\n{}"] {
        let ran = gate(answer);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{answer}\n{}", ran.err);
        assert!(ran.err.contains("--workflow (DEPLOY_GATE_WORKFLOW) @"), "{}", ran.err);
    }
    assert_eq!(run_with(&["--workflow=@/no/such/file"], routes).code, 2);
}

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
fn only_a_word_that_says_nothing_can_be_read_otherwise_and_the_verdict_names_it() {
    for (word, class) in [("error", "success"), ("active", "failure"), ("queued", "success"), ("inactive", "success")] {
        let ran = run(&[&format!("--status={word}={class}")], &[deploy("error")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{word}");
        assert!(ran.err.contains("DEPLOY_GATE_STATUS") && ran.err.contains("is known to be"), "{}", ran.err);
    }
    for word in ["noop", "warming-up", "success", "unknown"] {
        for (class, ended) in [
            ("success", (0, "passed", "")),
            ("failure", (1, "failed", "deploy-failed")),
            ("running", (124, "timed-out", "still-running")),
        ] {
            let ran = run(&["--timeout=1m", &format!("--status={word}={class}")], &[deploy(word)]);
            assert_eq!(ran.ended(), ended, "{word}");
            let says = format!("(read as {class}: --status)");
            assert!(ran.out.lines().next().is_some_and(|line| line.contains(&says)), "{}", ran.out);
            assert!(ran.message().contains(&says), "{}", ran.message());
        }
    }
}

#[test]
fn a_deploy_by_its_id_counts_only_if_it_is_shown_to_be_of_this_component() {
    let by_id = |member: &str, value: Value| {
        let mut document = made(DEPLOY, "active", 1, "");
        document["install_component_id"] = Value::Null;
        document[member] = value;
        seen(&document)
    };
    let pin = format!("--deploy={DEPLOY}");
    for (answer, code) in [
        (by_id("install_component_id", json!("inc00000000000000000000001")), 0),
        (by_id("install_component_id", json!("inc00000000000000000000002")), 124),
        (by_id("install_component_id", json!("")), 124),
        (by_id("component_id", json!(COMPONENT)), 0),
        (by_id("component_id", json!("")), 124),
        (by_id("component_id", json!("cmp00000000000000000000002")), 124),
    ] {
        let latest = [seen(&made(NEWER, "executing", 2, ""))];
        let ran = run_with(&[&pin, "--timeout=1m"], &[("/latest", &latest), (DEPLOY, std::slice::from_ref(&answer))]);
        assert!(ran.code == code || code == 124 && ran.code == 3, "{}\n{}", ran.code, ran.err);
        // As the one by which `wait` completes the document, too.
        let latest = [seen(&made(DEPLOY, "active", 1, ""))];
        let ran = run_with(&["--timeout=1m", "--assert=$.build_id"], &[("/latest", &latest), (DEPLOY, &[answer])]);
        assert_eq!(ran.code, code, "{}", ran.err);
    }
}
