//! What is beside my deploy: others that match the same pins, and the install that may be gone.

use serde_json::{Value, json};

use crate::script::*;

const MINE: &str = "inw00000000000000000000001";
const THEIRS: &str = "inw00000000000000000000002";
const PINS: [&str; 3] = ["--after=2026-01-14T15:00:00Z", "--after=none", "--commit=aaaaaaaa"];

fn deploy(id: &str, status: &str, minute: u32, workflow: &str) -> Value {
    let document = made(id, status, minute, workflow);
    let document = with(document, "component_build", json!({"vcs_connection_commit": {"sha": "aaaaaaaa"}}));
    // It was last changed during the run, which begins at 17:00.
    with(document, "updated_at", json!("2026-01-14T17:00:10Z"))
}

fn well(id: &str, deploy: &str) -> Answer {
    ended(id, deploy, "success")
}

fn ended(id: &str, deploy: &str, word: &str) -> Answer {
    seen(&json!({"id": id, "owner_id": INSTALL, "finished": word != "in-progress", "status": {"status": word},
        "updated_at": "2026-01-14T17:00:10Z", "steps": [{"name": "apply", "status": {"status": "success"},
        "step_target_type": "install_deploys", "step_target_id": deploy}]}))
}

/// Mine is the newer one and active; theirs is as given, and so is the list.
fn beside(pin: &str, theirs: &[Answer], workflow: Answer, list: &Answer) -> Ran {
    let mine = seen(&deploy(NEWER, "active", 2, MINE));
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", std::slice::from_ref(&mine)),
        ("/deploys?", std::slice::from_ref(list)),
        (NEWER, std::slice::from_ref(&mine)),
        (DEPLOY, theirs),
        ("/workflows/inw00000000000000000000001", &[well(MINE, NEWER)]),
        ("/workflows/inw00000000000000000000002", &[workflow]),
    ];
    run_with(&[pin, "--timeout=5m"], routes)
}

#[test]
fn a_failed_deploy_that_matches_as_well_makes_a_pass_ambiguous() {
    let list = |status: &str| {
        let all = [deploy(NEWER, "active", 2, MINE), deploy(DEPLOY, status, 1, THEIRS)];
        http(200, json!(all).to_string()).header("x-nuon-page-next", "false")
    };
    let theirs = |status: &str| [seen(&deploy(DEPLOY, status, 1, THEIRS))];
    for pin in PINS {
        let ran = beside(pin, &theirs("error"), ended(THEIRS, DEPLOY, "error"), &list("error"));
        assert_eq!(ran.ended(), (3, "undecided", "ambiguous"), "{pin}\n{}", ran.err);
        let message = ran.message();
        assert!([DEPLOY, NEWER, MINE, THEIRS, "--workflow"].iter().all(|word| message.contains(word)), "{message}");
        holds_together(&ran);
        let ran = beside(pin, &theirs("active"), well(THEIRS, DEPLOY), &list("active"));
        assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{pin}\n{}", ran.err);
        // One that goes on is waited for.
        let goes_on = [theirs("executing"), theirs("active")].concat();
        let ran = beside(pin, &goes_on, well(THEIRS, DEPLOY), &list("executing"));
        assert_eq!(ran.ended(), (0, "passed", ""), "{pin}\n{}", ran.err);
        assert!(ran.seconds() > 0 && ran.err.contains(DEPLOY), "{}", ran.err);
        let ran = beside(pin, &theirs("executing"), ended(THEIRS, DEPLOY, "in-progress"), &list("executing"));
        assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{pin}\n{}", ran.err);
    }
    // Nobody else's deploy satisfies a pin that identifies, and none is asked about without a pin.
    for pin in ["--deploy=dpl00000000000000000000002", "--interval=2s"] {
        let ran = beside(pin, &theirs("error"), ended(THEIRS, DEPLOY, "error"), &list("error"));
        assert_eq!((ran.ended(), ran.asked("/deploys?")), ((0, "passed", ""), 0), "{pin}\n{}", ran.err);
    }
}

#[test]
fn a_list_that_is_refused_is_ambiguous_and_one_that_fails_is_asked_for_again() {
    let theirs = [seen(&deploy(DEPLOY, "active", 1, THEIRS))];
    let strange = http(200, r#"[{"id":""}]"#);
    let endless = http(200, json!([deploy(NEWER, "active", 2, MINE)]).to_string()).header("x-nuon-page-next", "true");
    for (list, ended) in [
        (http(403, ""), (3, "undecided", "ambiguous")),
        (http(400, ""), (3, "undecided", "ambiguous")),
        (http(502, ""), (124, "timed-out", "unreachable")),
        (strange, (124, "timed-out", "unreachable")),
        (endless, (124, "timed-out", "unreachable")),
    ] {
        let ran = beside("--after=none", &theirs, well(THEIRS, DEPLOY), &list);
        assert_eq!(ran.ended(), ended, "{}", ran.err);
    }
}

#[test]
fn what_was_over_before_the_run_began_may_be_yesterdays() {
    let old = |status: &str| seen(&made(DEPLOY, status, 1, ""));
    let pin = "--build=bld00000000000000000000001";
    // A failure is not final before the time in which the redeploy may come.
    let ran = run_with(&[pin], &[("/latest", &[old("cancelled")]), (DEPLOY, &[old("cancelled")])]);
    assert_eq!((ran.ended(), ran.seconds()), ((1, "failed", "deploy-failed"), 300), "{}", ran.err);
    let again = |status: &str| seen(&with(made(NEWER, status, 2, ""), "build_id", json!(BUILD)));
    let latest = [old("cancelled"), old("cancelled"), again("executing"), again("active")];
    let ran = run_with(&[pin], &[("/latest", &latest), (NEWER, &[again("active")])]);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
    // A pass is one, with a warning.
    let ran = run_with(&[pin], &[("/latest", &[old("active")]), (DEPLOY, &[old("active")])]);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{}", ran.err);
    assert!(ran.out.contains("had already finished when first seen"), "{}", ran.out);
    // Beside one that passes, it is left out.
    let list = [
        deploy(NEWER, "active", 2, MINE),
        with(deploy(DEPLOY, "error", 1, ""), "updated_at", json!("2026-01-14T12:00:00Z")),
    ];
    let list = http(200, json!(list).to_string());
    let ran = beside("--commit=aaaaaaaa", &[old("error")], well(THEIRS, DEPLOY), &list);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
}

#[test]
fn an_install_that_is_gone_is_not_found_whatever_its_deploys_are() {
    let install = format!("/v1/installs/{INSTALL}");
    let gone =
        http(404, r#"{"error":"unable to get install: record not found","user_error":true,"description":"not found"}"#);
    let run = |status: &str, answers: &[Answer]| {
        // The path of the install is the end of that route, and of no other.
        let deploys = [seen(&made(DEPLOY, status, 1, ""))];
        let routes: &[(&str, &[Answer])] =
            &[("/deploys", &deploys), ("/workflows/", &[http(404, "")]), (&install, answers)];
        run_with(&["--timeout=5m"], routes)
    };
    for status in ["active", "executing", "error", "pending-approval"] {
        let ran = run(status, std::slice::from_ref(&gone));
        assert_eq!(ran.ended(), (3, "undecided", "not-found"), "{status}\n{}", ran.err);
        assert!(ran.seconds() < 5 && ran.asked(&install) > 0 && ran.latest().len() == 2, "{}", ran.seconds());
        assert!(ran.message().contains("--org") && ran.message().contains("deleted"), "{}", ran.message());
    }
    // Once may be a replica that lags behind; and no other answer decides anything.
    let there = http(200, json!({"id": INSTALL}).to_string());
    for answers in
        [vec![gone.clone(), there.clone()], vec![http(403, "")], vec![http(404, "404 page not found")], vec![there]]
    {
        assert_eq!(run("active", &answers).ended(), (0, "passed", ""));
    }
    // From the first such answer on, nothing but a second look ends the run.
    let ran = run("active", &[gone.clone(), http(502, "")]);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 300), "{}", ran.err);
    // It may go while the deploy runs.
    let ran = run("executing", &[http(200, json!({"id": INSTALL}).to_string()), gone]);
    assert_eq!(ran.ended(), (3, "undecided", "not-found"), "{}", ran.err);
    assert!(ran.seconds() >= 60, "{}", ran.seconds());
}

#[test]
fn a_latest_that_lags_is_no_failure_while_the_deploy_by_its_id_is_well() {
    let latest = |status| [seen(&made(DEPLOY, status, 1, MINE))];
    for word in ["executing", "error", "warming-up"] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &latest(word)), (DEPLOY, &latest("active")), ("/workflows/", &[well(MINE, DEPLOY)])];
        let ran = run_with(&["--timeout=5m"], routes);
        assert_eq!((ran.ended(), ran.seconds() < 90), ((0, "passed", ""), true), "{word}\n{}", ran.err);
    }
    // By its id as well: that is how it is.
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &latest("error")), (DEPLOY, &latest("error")), ("/workflows/", &[well(MINE, DEPLOY)])];
    assert_eq!(run_with(&[], routes).ended(), (1, "failed", "deploy-failed"));
}

#[test]
fn a_component_without_a_health_gate_does_not_need_its_workflow() {
    for (kind, ended) in [
        ("terraform_module", (0, "passed", "")),
        ("docker_build", (0, "passed", "")),
        ("helm_chart", (3, "undecided", "forbidden")),
        ("kubernetes_manifest", (3, "undecided", "forbidden")),
        ("unknown", (3, "undecided", "forbidden")),
    ] {
        let document = with(
            made(DEPLOY, "active", 1, MINE),
            "component_build",
            json!({"component_config_connection": {"type": kind}}),
        );
        let by_id = [seen(&document)];
        let routes: &[(&str, &[Answer])] = &[
            ("/latest", &[seen(&made(DEPLOY, "active", 1, MINE))]),
            (DEPLOY, &by_id),
            ("/workflows/", &[http(403, "")]),
        ];
        let ran = run_with(&[], routes);
        assert_eq!(ran.ended(), ended, "{kind}\n{}", ran.err);
    }
}
