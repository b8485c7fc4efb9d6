//! What every answer and every status come to, and that reports are true to it.

use std::time::Duration;

use deploy_gate::base::source::Fault;
use serde_json::json;

use crate::script::*;

#[test]
fn a_deploy_from_nothing_to_active() {
    let ran = run(
        &[
            "--assert",
            "applied: $.install_deploy_type == 'apply'",
            "--assert=$.build_id == 'bld00000000000000000000001'",
        ],
        &[
            http(404, r#"{"error":"record not found","description":"not found"}"#),
            deploy(""),
            deploy("planning"),
            http(502, "<html>"),
            deploy("executing"),
            deploy("active"),
        ],
    );
    let short = |text: &str| {
        text.replace(DEPLOY, "DPL").replace(INSTALL, "INL").replace(COMPONENT, "CMP").replace(BUILD, "BLD")
    };
    assert_eq!(
        short(&ran.out),
        "passed: deploy DPL is \"active\", all 2 assertions are true\n\
         \x20 true          applied: $.install_deploy_type == 'apply'\n\
         \x20 true          $.build_id == 'BLD'\n\
         \x20 install       INL\n\
         \x20 component     CMP\n\
         \x20 deploy        DPL\n\
         \x20 status        active\n\
         \x20 build         BLD\n\
         \x20 chosen by     latest, no pin, last changed 1h10s ago\n\
         \x20 6 polls in 10.8s, exit code 0\n"
    );
    let err = short(&ran.err);
    let log: Vec<&str> = err.lines().map(|line| line[10..].split(" (trace").next().unwrap_or_default()).collect();
    assert_eq!(
        log,
        [
            "waiting up to 1h for INL / CMP at https://api.nuon.co",
            "no deploy yet (404 Not Found: record not found: not found)",
            "deploy DPL is queued",
            "deploy DPL is \"planning\", about planning",
            "no usable answer: 502 Bad Gateway",
            "deploy DPL is \"executing\", about executing",
            "deploy DPL is \"active\", about active",
        ]
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    for (name, value) in [
        ("deploy-id", DEPLOY),
        ("build-id", BUILD),
        ("workflow-id", ""),
        ("status", "active"),
        ("polls", "6"),
        ("url", ""),
    ] {
        assert_eq!(ran.output(name), value);
    }
    assert_eq!(ran.target("preexisting"), false);
    holds_together(&ran);
}

#[test]
fn every_status_has_its_ending() {
    // Class, exit code and reason with --expect apply, for a deploy that stays as it is.
    let cases = [
        ("success", 0, ""),
        ("nothing-to-do", 0, ""),
        ("failure", 1, "deploy-failed"),
        ("replaced", 124, "still-running"),
        ("parked", 1, "deploy-failed"),
        ("running", 124, "still-running"),
        ("unknown", 124, "unknown-status"),
    ];
    for row in deploy_gate::nuon::deploy::TABLE {
        let ran = run(&["--timeout=10m"], &[deploy(row.status)]);
        let (_, code, reason) =
            cases.iter().find(|(class, ..)| *class == row.class.name()).expect("every class has a case");
        assert_eq!((ran.ended().0, ran.ended().2), (*code, *reason), "{}", row.status);
        assert_eq!(ran.seconds(), if *code == 124 { 600 } else { 0 }, "{}", row.status);
        holds_together(&ran);
    }
}

#[test]
fn an_unknown_status_is_said_once_and_never_passes() {
    let ran = run(&["--timeout=1m"], &[deploy("triumphant")]);
    assert_eq!(ran.ended(), (124, "timed-out", "unknown-status"));
    assert!(ran.message().contains("--status 'triumphant=CLASS'"), "{}", ran.message());
    assert_eq!(ran.err.matches("warning:").count(), 1, "{}", ran.err);
    let ran = run(&["--timeout=1m", "--status=triumphant=success"], &[deploy("triumphant")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
}

#[test]
fn the_legacy_status_is_never_judged() {
    let legacy = with(document(""), "status", json!("active"));
    let ran = run(&["--timeout=30s"], &[seen(&legacy)]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"));
}

#[test]
fn a_teardown_passes_only_where_one_is_expected() {
    let teardown = |status| seen(&with(document(status), "install_deploy_type", json!("teardown")));
    let cases = [
        (vec![], teardown("inactive"), (1, "failed", "deploy-failed")),
        (vec![], teardown("active"), (1, "failed", "deploy-failed")),
        (vec!["--expect=teardown"], teardown("inactive"), (0, "passed", "")),
        (vec!["--expect=teardown"], deploy("inactive"), (3, "undecided", "never-appeared")),
        (vec!["--expect=teardown", "--timeout=1m"], deploy("active"), (3, "undecided", "never-appeared")),
        (vec!["--expect=teardown"], teardown("error"), (1, "failed", "deploy-failed")),
    ];
    for (arguments, answer, ended) in cases {
        assert_eq!(run(&arguments, &[answer]).ended(), ended, "{arguments:?}");
    }
}

#[test]
fn every_answer_has_its_ending() {
    let retry = |status| http(status, "").header("retry-after", "7200");
    let cases = [
        (http(401, r#"{"error":"token expired"}"#), (3, "undecided", "unauthorized"), 0),
        (http(403, ""), (3, "undecided", "forbidden"), 0),
        (http(404, "404 page not found"), (3, "undecided", "never-appeared"), 300),
        (http(200, r#"{"install_id":"","plan_only":false}"#), (3, "undecided", "never-appeared"), 300),
        (http(400, ""), (3, "undecided", "bad-answer"), 0),
        (http(418, ""), (3, "undecided", "bad-answer"), 0),
        (http(302, "").header("location", "https://elsewhere.example/"), (3, "undecided", "bad-answer"), 0),
        (http(408, ""), (124, "timed-out", "unreachable"), 3600),
        (http(409, ""), (124, "timed-out", "unreachable"), 3600),
        (http(425, ""), (124, "timed-out", "unreachable"), 3600),
        (http(429, ""), (124, "timed-out", "unreachable"), 3600),
        (http(500, ""), (124, "timed-out", "unreachable"), 3600),
        (http(599, ""), (124, "timed-out", "unreachable"), 3600),
        (retry(429), (124, "timed-out", "unreachable"), 0),
        (http(200, "not JSON"), (124, "timed-out", "unreachable"), 3600),
        (http(200, &br#"{"id":"dpl1","x":"#[..]), (124, "timed-out", "unreachable"), 3600),
        (http(200, b"{\"id\":\"dpl1\",\"x\":\"\xff\"}"), (124, "timed-out", "unreachable"), 3600),
        (seen(&with(document("active"), "install_id", json!("inl2"))), (124, "timed-out", "unreachable"), 3600),
        (http(200, document("active").to_string().replace("false", "1e999")), (124, "timed-out", "unreachable"), 3600),
        // What is nested too deep can never be read; what is not JSON at all may be a page of a proxy.
        (http(200, format!(r#"{{"id":{}{}}}"#, "[".repeat(1000), "]".repeat(1000))), (3, "undecided", "bad-answer"), 0),
        (http(200, format!(r#"{{"id":{}"#, "[".repeat(100_000))), (124, "timed-out", "unreachable"), 3600),
        (http(200, format!("{}<html>", "[".repeat(200))), (124, "timed-out", "unreachable"), 3600),
        (http(403, "").header("retry-after", "5"), (124, "timed-out", "unreachable"), 3600),
        (http(403, r#"{"error":"API Rate Limit exceeded"}"#), (124, "timed-out", "unreachable"), 3600),
        (fault(Fault::TooLarge), (3, "undecided", "bad-answer"), 0),
        (fault(Fault::Final("a bad certificate".into())), (3, "undecided", "bad-answer"), 0),
        (reset(), (124, "timed-out", "unreachable"), 3600),
    ];
    for (answer, ended, seconds) in cases {
        let words = format!("{:?}", answer.answer).chars().take(120).collect::<String>();
        let ran = run(&[], &[answer]);
        assert_eq!((ran.ended(), ran.seconds()), (ended, seconds), "{words}");
        assert!(ran.message().contains("trace"), "{words}: {}", ran.message());
        holds_together(&ran);
    }
}

#[test]
fn the_last_look_is_exactly_at_the_deadline() {
    let ran = run(&["--timeout=10m"], &[deploy("executing")]);
    assert_eq!(ran.latest().last(), Some(&Duration::from_secs(600)));
    let mut answers = vec![deploy("executing"); ran.latest().len() - 1];
    answers.push(deploy("active"));
    assert_eq!(run(&["--timeout=10m"], &answers).ended(), (0, "passed", ""));
    let ran = run(&["--timeout=0"], &[deploy("executing")]);
    assert_eq!((ran.latest().len(), ran.ended()), (1, (124, "timed-out", "still-running")));
}

#[test]
fn the_last_look_is_whole_each_request_of_it_within_its_own_limit() {
    let routes: &[(&str, &[Answer])] = &[("/latest", &[deploy("executing")]), (DEPLOY, &[deploy("active").takes(20)])];
    let mut latest = vec![deploy("executing"); run_with(&["--timeout=1m"], routes).latest().len() - 1];
    latest.push(deploy("active").takes(20));
    let routes: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &[deploy("active").takes(20)])];
    let ran = run_with(&["--timeout=1m"], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 100));
    latest.pop();
    latest.push(deploy("active").takes(500));
    let ran = run(&["--timeout=1m"], &latest);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 90));
}

#[test]
fn looks_are_close_after_each_change() {
    let statuses = ["planning"; 12].iter().chain(&["executing"; 3]).chain(&["active"]);
    let ran = run(&[], &statuses.map(|status| deploy(status)).collect::<Vec<_>>());
    let waits: Vec<u64> = ran.latest().windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(waits[10] >= 24, "they grow: {waits:?}");
    assert!(waits[12] <= 2, "and begin again at a change: {waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 30), "{waits:?}");
}

#[test]
fn retry_after_is_a_floor_that_no_interval_clamps() {
    let busy = http(429, "").header("retry-after", "100");
    let ran = run(&[], &[busy.clone(), deploy("active")]);
    assert_eq!(ran.latest()[1], Duration::from_secs(100));
    let ran = run(&[], &[http(503, "").header("retry-after", "Wed, 14 Jan 2026 17:02:00 GMT"), deploy("active")]);
    assert_eq!(ran.latest()[1], Duration::from_secs(120));
    let ran = run(&["--timeout=99s"], &[busy]);
    assert_eq!((ran.ended(), ran.looks.len(), ran.seconds()), ((124, "timed-out", "unreachable"), 1, 0));
    assert!(ran.message().contains("asks to wait 1m40s (Retry-After)"), "{}", ran.message());
}

#[test]
fn a_deploy_may_take_its_time_to_appear_but_not_for_ever() {
    let none = || http(404, "");
    let ran = run(&["--appear-timeout=20s"], &[none()]);
    assert_eq!(
        (ran.ended(), ran.latest().last()),
        ((3, "undecided", "never-appeared"), Some(&Duration::from_secs(20)))
    );
    let ran = run(&["--timeout=10s"], &[none()]);
    assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 10));
    // A server that cannot be reached says nothing about the deploy.
    let ran = run(&["--appear-timeout=1s"], &[reset(), reset(), reset(), deploy("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    // A deploy that was seen and is gone has not "not appeared yet".
    let ran = run(&["--appear-timeout=1s", "--timeout=1m"], &[deploy("planning"), none()]);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"));
    assert!(
        ran.message().contains("when last seen, deploy dpl00000000000000000000001 is \"planning\""),
        "{}",
        ran.message()
    );
}

#[test]
fn a_dead_deploy_ends_the_wait_at_once() {
    let ran = run(&["--assert=$.install_deploy_type == 'apply'"], &[deploy("planning"), deploy("error")]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert_eq!(ran.latest().len(), 2);
    assert_eq!(ran.message(), "deploy dpl00000000000000000000001 ended as \"error\": about error");
    assert_eq!(ran.target("assertions")[0]["outcome"], "not-evaluated");
    holds_together(&ran);
}

#[test]
fn an_assertion_decides_when_the_deploy_is_there() {
    let cases = [
        ("$.install_deploy_type == 'apply'", (0, "passed", "")),
        ("$.install_deploy_type == 'teardown'", (1, "failed", "assertion-false")),
        ("!$.workflow.steps[?@.status.status == 'error']", (1, "failed", "assertion-vacuous")),
        ("count($.runner_jobs[*]) == 0", (1, "failed", "assertion-vacuous")),
        ("$.status_v2.state == 'active'", (1, "failed", "assertion-vacuous")),
    ];
    for (assertion, ended) in cases {
        let ran = run(&["--assert", assertion], &[deploy("active")]);
        assert_eq!(ran.ended(), ended, "{assertion}");
        holds_together(&ran);
    }
    let ran = run(&["--assert=$.install_deploy_type == 'teardown'", "--assert=!$.gone.x"], &[deploy("active")]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"));
    let if_there = "--assert=!$.oci_artifact || match($.oci_artifact.tag, 'v.*')";
    assert_eq!(run(&[if_there], &[deploy("active")]).ended(), (0, "passed", ""));
    let tagged = |tag: &str| [seen(&with(document("active"), "oci_artifact", serde_json::json!({"tag": tag})))];
    assert_eq!(run(&[if_there], &tagged("v1")).ended(), (0, "passed", ""));
    assert_eq!(run(&[if_there], &tagged("main")).ended(), (1, "failed", "assertion-false"));
    let ran = run(&["--require=no-failed-steps"], &[deploy("active")]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
}

#[test]
fn a_vacuous_assertion_says_what_is_missing() {
    let ran = run(&["--assert=$.status_v2.state == 'active'"], &[deploy("active")]);
    assert_eq!(
        ran.message(),
        "`$.status_v2.state == 'active'` checked nothing: $.status_v2 has no \"state\"; did you mean \"status\" or \
         \"status_human_description\"?"
    );
    let missing = &ran.target("assertions")[0]["queries"][0]["missing"];
    assert_eq!(missing["exists"], "$.status_v2");
    assert_eq!(missing["nearest"][0], "status");
}

#[test]
fn engines_that_disagree_leave_the_gate_undecided() {
    let document = with(document("active"), "list", json!([{"none": []}]));
    for (compared, selected) in [("!= 0", "jsonpath-rust selects 1"), ("== 0", "jsonpath-rust selects nothing")] {
        let ran = run(&[&format!("--assert=$.list[?count(@.none[*]) {compared}]")], &[seen(&document)]);
        assert_eq!(ran.ended(), (3, "undecided", "engines-disagree"));
        assert!(ran.message().contains(selected), "{}", ran.message());
    }
}

#[test]
fn a_deploy_that_was_over_before_is_judged_with_a_warning() {
    let ran = run(&[], &[deploy("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(ran.target("preexisting"), true);
    assert!(
        ran.out.contains(
            "warning       deploy dpl00000000000000000000001 had already finished when first seen, last changed 1h ago"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn a_server_that_asks_to_be_left_alone_for_ever_is() {
    let for_ever = http(429, "").header("retry-after", "18446744073709551615");
    let ran = run(&[], &[deploy("executing").takes(1), for_ever.clone()]);
    assert_eq!((ran.ended(), ran.latest().len()), ((124, "timed-out", "unreachable"), 2));
    assert!(ran.message().contains("past the deadline"), "{}", ran.message());
    holds_together(&ran);
    // It is not known whether there is a deploy.
    for answer in [for_ever, http(404, "").header("retry-after", "7200")] {
        let ran = run(&[], &[answer]);
        assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 0), "{}", ran.message());
    }
}
