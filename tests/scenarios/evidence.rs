//! `--report intoto=FILE`: what was tested, by its digest, and what came of it.

use serde_json::{Value, json};

use crate::script::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const DIGEST: &str = "89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567";

fn statement(ran: &Ran) -> Value {
    serde_json::from_str(&std::fs::read_to_string(ran.path("all.intoto")).expect("a report")).expect("JSON")
}

/// A deploy of a commit, with an artifact.
fn built(status: &str, commit: &str, digest: &str) -> Answer {
    let document =
        with(document(status), "component_build", json!({"id": "bld1", "vcs_connection_commit": {"sha": commit}}));
    seen(&with(document, "oci_artifact", json!({"repository": "shop/api", "tag": "v1", "digest": digest})))
}

#[test]
fn it_is_about_the_artifact_and_the_commit() {
    let ran = run(
        &["--assert=api: $.oci_artifact.tag == 'v1'", "--after=none"],
        &[built("executing", COMMIT, ""), built("active", COMMIT, &format!("sha256:{DIGEST}"))],
    );
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    let statement = statement(&ran);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    let subject = json!([
        {"name": "build bld00000000000000000000001", "digest": {"gitCommit": COMMIT}},
        {"name": "shop/api:v1", "digest": {"sha256": DIGEST}},
    ]);
    assert_eq!(statement["subject"], subject);
    let predicate = &statement["predicate"];
    assert_eq!(predicate["result"], "PASSED", "{predicate}");
    assert_eq!(predicate["passedTests"], json!(["the deploy succeeds", "#1 api: $.oci_artifact.tag == 'v1'"]));
    assert_eq!((&predicate["warnedTests"], &predicate["failedTests"]), (&json!([]), &json!([])));
    // By `printf %s "$.oci_artifact.tag == 'v1'" | sha256sum`.
    let configured = "120ed13f77da5ae71ef4114c2129fa7a36fd47bedfb070fb7023a0fabd88409a";
    assert_eq!(predicate["configuration"][1]["digest"]["sha256"], configured);
}

#[test]
fn what_has_no_digest_is_known_by_the_document_or_by_its_row() {
    // Neither is a digest.
    let ran = run(&[], &[built("active", "abc1234", "sha256:g123")]);
    let statement_of = statement(&ran);
    assert_eq!(statement_of["subject"][0]["name"], format!("deploy {DEPLOY}"));
    assert_eq!(statement_of["subject"][0]["digest"]["sha256"].as_str().map(str::len), Some(64));
    // No pin: nothing shows that it is the right one.
    assert_eq!(statement_of["predicate"]["result"], "WARNED");
    let ran = run(&["--appear-timeout=0s"], &[http(404, "{\"error\":\"none\"}")]);
    let statement_of = statement(&ran);
    assert_eq!(statement_of["subject"][0]["name"], format!("{INSTALL} / {COMPONENT}"));
    assert_eq!(statement_of["predicate"]["result"], "FAILED");
    assert_eq!(statement_of["predicate"]["failedTests"], json!(["the deploy succeeds"]));
}

#[test]
fn no_other_end_than_a_pass_is_one() {
    for (status, arguments) in [
        ("error", &[][..]),
        ("executing", &["--timeout=1m"]),
        ("active", &["--assert=$.install_deploy_type == 'teardown'"]),
        ("active", &["--assert=!$.nothing.there"]),
    ] {
        let ran = run(arguments, &[built(status, COMMIT, "")]);
        assert_ne!(ran.code, 0);
        assert_eq!(statement(&ran)["predicate"]["result"], "FAILED", "{status} {arguments:?}");
        assert_ne!(statement(&ran)["predicate"]["failedTests"], json!([]), "{status} {arguments:?}");
    }
}

#[test]
fn an_advisory_assertion_is_a_test_that_warned() {
    let ran = run(
        &["--warn=old: $.install_deploy_type == 'teardown'", "--after=none"],
        &[deploy("executing"), built("active", COMMIT, "")],
    );
    let predicate = statement(&ran)["predicate"].clone();
    assert_eq!((ran.code, &predicate["result"]), (0, &json!("WARNED")));
    assert_eq!(predicate["warnedTests"], json!(["#1 old: $.install_deploy_type == 'teardown'"]));
    assert_eq!(predicate["configuration"][1]["annotations"]["enforcement"], "advisory");
}

#[test]
fn a_weaker_question_is_no_plain_pass() {
    for arguments in [&["--until=applied", "--after=none"][..], &["--status=warming-up=success", "--after=none"]] {
        let word = if arguments[0].contains("status") { "warming-up" } else { "active" };
        let ran = run(arguments, &[built("executing", COMMIT, ""), built(word, COMMIT, "")]);
        let predicate = statement(&ran)["predicate"].clone();
        assert_eq!((ran.code, &predicate["result"]), (0, &json!("WARNED")), "{arguments:?} {}", ran.out);
        assert_eq!(predicate["configuration"][0]["name"], "read otherwise");
    }
    // Nor is one target of two.
    let components =
        ["--component=cmp00000000000000000000001", "--component=cmp00000000000000000000002", "--min-pass=1"];
    let ran = run_with(
        &components,
        &[
            ("cmp00000000000000000000001", &[built("active", COMMIT, "")]),
            ("cmp00000000000000000000002", &[deploy("executing")]),
            (INSTALL, &[seen(&json!({"id": INSTALL}))]),
        ],
    );
    assert_eq!((ran.code, &statement(&ran)["predicate"]["result"]), (0, &json!("WARNED")), "{}", ran.out);
    // Nor is a shard that has none.
    let ran = run(&["--shard=2/2"], &[built("active", COMMIT, "")]);
    assert_eq!((ran.code, &statement(&ran)["predicate"]["result"]), (0, &json!("WARNED")), "{}{}", ran.out, ran.err);
    let ran = run(&["--component=all", "--min-targets=0"], &[deploy("active")]);
    assert_eq!((ran.code, ran.looks.len()), (2, 0), "{}", ran.err);
}

#[test]
fn a_teardown_that_went_well_is_no_deploy_that_succeeded() {
    let gone = |status| {
        with(
            with(document(status), "install_deploy_type", json!("teardown")),
            "created_at",
            json!("2026-01-14T17:00:01Z"),
        )
    };
    let ran = run(&["--expect=teardown", "--after=none"], &[seen(&gone("executing")), seen(&gone("inactive"))]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    assert_eq!(statement(&ran)["predicate"]["passedTests"], json!(["the teardown succeeds"]));
}
