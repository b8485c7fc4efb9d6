//! *Latest* is a moving word: only the deploy that was meant is judged.

use serde_json::{Value, json};

use crate::script::*;

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
        assert_eq!(ran.target("preexisting"), false);
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
fn a_deploy_that_is_no_longer_the_latest_is_found_by_its_id() {
    let mine = [old("executing"), old("active")];
    let ran = run_with(&["--deploy=dpl00000000000000000000001"], &[("/latest", &[new("planning")]), (DEPLOY, &mine)]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!((ran.output("deploy-id"), ran.latest().len()), (DEPLOY, 1));
    assert_eq!(ran.target("superseded_by"), NEWER);
    // One that only plans is never the latest.
    let of_component = |status| seen(&with(made(DEPLOY, status, 1, ""), "component_id", json!(COMPONENT)));
    let ran = run_with(
        &["--deploy=dpl00000000000000000000001"],
        &[("/latest", &[http(404, "")]), (DEPLOY, &[of_component("executing"), of_component("no-drift")])],
    );
    assert_eq!((ran.ended(), ran.output("deploy-id"), ran.latest().len()), ((0, "passed", ""), DEPLOY, 1));
    assert_eq!(ran.target("superseded_by"), "");
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
    assert_eq!(ran.target("superseded_by"), NEWER);
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
        assert_eq!(ran.target("superseded_by"), "");
        let ends_well: &[(&str, &[Answer])] = &[("/latest", &latest), (DEPLOY, &[old("executing"), old("active")])];
        let ran = run_with(arguments, ends_well);
        assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER), "{}", ran.err);
        let belief = ran.target("belief").as_str().unwrap_or_default();
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
        assert_eq!(ran.target("superseded_by"), NEWER);
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
fn a_retry_is_followed_though_another_deploy_has_come_in_between() {
    const THIRD: &str = "dpl00000000000000000000003";
    let first = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let between = |status| seen(&made(NEWER, status, 2, "inw00000000000000000000002"));
    let retry = |status| seen(&made(THIRD, status, 3, WORKFLOW));
    let goes_on = workflow("in-progress", &["apply=in-progress"]);
    let well = workflow("success", &["apply=error", "retry=success@dpl00000000000000000000003"]);
    for last in ["retried", "error"] {
        for pin in [&format!("--workflow={WORKFLOW}"), "--on-superseded=finish"] {
            let routes: &[(&str, &[Answer])] = &[
                ("/latest", &[first("executing"), between("queued"), between("queued"), retry("active")]),
                (DEPLOY, &[first("executing"), first(last)]),
                (THIRD, &[retry("active")]),
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
    assert_eq!(ran.target("superseded_by"), NEWER);
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
                assert_eq!(ran.target("superseded_by"), NEWER, "{case}");
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
    assert_eq!(ran.target("superseded_by"), "");
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
        ("--on-superseded=follow", &[("/latest", retry), (DEPLOY, &[mine("error")]), ("/workflows/", &goes_on)]),
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
    let ran = run_with(&["--build=bld00000000000000000000001", "--on-superseded=follow"], routes);
    assert_eq!(ran.ended(), (3, "undecided", "unauthorized"), "{}", ran.err);
}

#[test]
fn a_deploy_is_found_by_its_id_though_the_latest_asks_for_patience() {
    let gone = http(404, "").header("retry-after", "3");
    let mine = seen(&with(made(DEPLOY, "active", 1, ""), "component_id", json!(COMPONENT)));
    let routes: &[(&str, &[Answer])] = &[("/latest", &[gone]), (DEPLOY, &[mine])];
    let ran = run_with(&[&format!("--deploy={DEPLOY}")], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{}", ran.err);
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
        // As the one by which `wait` completes the document, too: it is asked for again, or does without.
        let latest = [seen(&made(DEPLOY, "active", 1, ""))];
        let ran = run_with(&["--timeout=1m", "--assert=$.component_id"], &[("/latest", &latest), (DEPLOY, &[answer])]);
        assert!((ran.code == 0) == ran.target("document").to_string().contains("component_id"), "{}", ran.err);
    }
}
