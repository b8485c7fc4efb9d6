//! Hard surroundings: tokens that are replaced, names that look like ids, machines that sleep, addresses that are wrong.

use std::io::Write;

use serde_json::json;

use crate::script::*;

#[test]
fn a_token_file_that_is_just_being_written_is_read_again() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all("\u{feff}another-token-0123456789\r\n".as_bytes()).expect("writes");
    let flag = format!("--token-file={}", file.path().display());
    let refused = || http(401, r#"{"error":"token expired"}"#);
    let times = |ran: &Ran| ran.latest().iter().map(std::time::Duration::as_secs).collect::<Vec<_>>();

    let ran = run(&[&flag], &[deploy("planning"), refused(), refused(), deploy("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    let (first, again) = (times(&ran)[1], [times(&ran)[2], times(&ran)[3]]);
    assert_eq!(again, [first + 2, first + 12]);
    assert!(ran.err.contains("401: the token file is read again in 2s"), "{}", ran.err);

    let ran = run(&[&flag], &[deploy("planning"), refused()]);
    assert_eq!((ran.ended(), times(&ran).len()), ((3, "undecided", "unauthorized"), 4));
    // It was never right; or nothing replaces it.
    assert_eq!(times(&run(&[&flag], &[refused()])), [0]);
    assert_eq!(times(&run(&[], &[deploy("planning"), refused()])).len(), 2);
}

#[test]
fn a_machine_that_slept_past_the_deadline_looks_no_more() {
    let ran = run_asleep(&["--timeout=10m"], &[deploy("executing"), deploy("active")], (1, 3600));
    assert_eq!((ran.ended(), ran.latest().len()), ((124, "timed-out", "unreachable"), 1));
    assert!(ran.message().contains("it was not polled before the deadline"), "{}", ran.message());
    assert!(ran.message().contains("is \"executing\""), "{}", ran.message());
    let ran = run_asleep(&["--timeout=2h"], &[deploy("executing"), deploy("active")], (1, 3600));
    assert_eq!(ran.ended(), (0, "passed", ""));
}

#[test]
fn a_name_that_begins_like_an_id_is_a_name() {
    let entry = |id: &str, name: &str| json!({"component_id": id, "component": {"name": name}});
    let install = |components: &[serde_json::Value]| {
        seen(&json!({"id": INSTALL, "name": "inlet", "install_components": components}))
    };
    let gate = |component: &str, components: &[serde_json::Value]| {
        let routes: &[(&str, &[Answer])] = &[
            ("/latest", &[deploy("active")]),
            (DEPLOY, &[deploy("active")]),
            ("/components?", &[http(200, "[]")]),
            ("/v1/installs/inl", &[install(components)]),
        ];
        run_with(&["--install=inlet", &format!("--component={component}")], routes)
    };
    let ran = gate("cmpapi", &[entry(COMPONENT, "cmpapi"), entry("cmp00000000000000000000002", "web")]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert_eq!((ran.target("install"), ran.target("component")), (&json!(INSTALL), &json!(COMPONENT)));
    // An id is an id, though another component has it for its name.
    let ran = gate("cmpapi", &[entry(COMPONENT, "cmpapi"), entry("cmpapi", "web")]);
    assert_eq!(ran.target("component"), "cmpapi");
    // Shapes change: what nobody has for a name is taken as it is.
    for answer in [http(403, ""), http(404, r#"{"error":"not found"}"#)] {
        let routes: &[(&str, &[Answer])] =
            &[("/latest", &[deploy("active")]), (DEPLOY, &[deploy("active")]), ("/v1/installs/inl", &[answer])];
        let ran = run_with(&["--install=inl2", "--component=cmp2", "--until=applied"], routes);
        assert_eq!(ran.target("component"), "cmp2");
        assert!(ran.err.contains("the component cmp2 does not look like an id"), "{}", ran.err);
    }
}

#[test]
fn a_404_that_is_not_of_the_api_is_said_to_be_none() {
    for body in ["<html><h1>404 Not Found</h1></html>", "404 page not found", ""] {
        let ran = run(&[], &[http(404, body)]);
        assert_eq!(ran.ended(), (3, "undecided", "never-appeared"));
        let first = ran.err.lines().nth(1).unwrap_or_default();
        assert!(first.contains("that is no answer of the API; is --api-url (NUON_API_URL) right?"), "{first}");
        assert!(ran.message().contains("is --api-url (NUON_API_URL) right?"), "{}", ran.message());
    }
    let ran = run(&[], &[http(404, r#"{"error":"not found","user_error":true}"#)]);
    assert!(!ran.err.contains("--api-url"), "{}", ran.err);
}

#[test]
fn a_pin_that_does_not_hold_is_named() {
    let names = |arguments: &[&str], answer: Answer, words: &str| {
        let ran = run(arguments, &[answer]);
        assert_eq!(ran.ended(), (3, "undecided", "never-appeared"));
        assert!(ran.message().contains(words), "{words}: {}", ran.message());
    };
    let built =
        |sha: &str| seen(&with(document("active"), "component_build", json!({"vcs_connection_commit": {"sha": sha}})));
    let deploy_of = format!("--deploy={DEPLOY}");
    names(
        &[&deploy_of, BUILD_OF_NEWER],
        deploy("active"),
        &format!(
            "deploy {DEPLOY} is not the one you asked for (build bld00000000000000000000002, deploy {DEPLOY}: its build is {BUILD})"
        ),
    );
    names(
        &["--commit=8fea7b0"],
        built("9fea7b0789b8de1af5995b537686dc3a3d502e5c"),
        "(commit 8fea7b0: its commit is 9fea7b0789b8de1af5995b537686dc3a3d502e5c)",
    );
    names(&["--commit=8fea7b0"], deploy("active"), "it names no commit");
    names(&["--after=2026-01-14T16:30:00Z"], deploy("active"), "it was made at 2026-01-14T16:00:00Z");
    names(&[&format!("--after={DEPLOY}")], deploy("active"), "it is the one before");
    names(&["--expect=teardown"], deploy("active"), "it is no teardown but \"apply\"");
}

#[test]
fn clocks_that_differ_are_said_where_a_pin_is_a_time() {
    let at = |date: &str| deploy("active").header("date", date);
    let after = "--after=2026-01-14T15:59:00Z";
    for (date, words) in [
        ("Wed, 14 Jan 2026 17:00:45 GMT", "the server's clock is 45s ahead of this machine's"),
        ("Wed, 14 Jan 2026 16:50:00 GMT", "the server's clock is 10m behind this machine's"),
    ] {
        let ran = run(&[after], &[at(date)]);
        assert_eq!(ran.ended(), (0, "passed", ""));
        assert!(ran.err.contains(words) && ran.target("warnings").to_string().contains(words), "{}", ran.err);
        // No other pin depends on it.
        let ran = run(&[&format!("--deploy={DEPLOY}")], &[at(date)]);
        assert!(ran.target("warnings").as_array().is_some_and(Vec::is_empty), "{}", ran.err);
    }
    // A response may be under way for long.
    for (date, takes) in [("Wed, 14 Jan 2026 17:00:29 GMT", 0), ("Wed, 14 Jan 2026 17:00:01 GMT", 25), ("yesterday", 0)]
    {
        let ran = run(&[after], &[at(date).takes(takes)]);
        assert!(!ran.err.contains("clock"), "{}", ran.err);
    }
}
