//! Which deploys a pin means, and what is no pin.

use serde_json::json;

use crate::script::*;

#[test]
fn all_pins_must_hold() {
    let ran = run(&[BUILD_OF_NEWER, "--after=dpl00000000000000000000002"], &[new("active")]);
    assert_eq!(ran.ended(), (3, "undecided", "never-appeared"));
    let ran = run(&[BUILD_OF_NEWER, "--after=none"], &[new("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(ran.target("belief"), "pins that hold: build bld00000000000000000000002, after none");
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
fn names_are_resolved_once() {
    let install = json!({"id": INSTALL, "name": "prod eu", "install_components": [{"component_id": COMPONENT, "component": {"name": "api"}}]});
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[deploy("planning"), deploy("active")]), ("/v1/installs/prod%20eu", &[reset(), seen(&install)])];
    let ran = run_with(&["--install=prod eu", "--component=api"], routes);
    assert_eq!((ran.ended(), ran.asked("prod%20eu")), ((0, "passed", ""), 2));
    assert_eq!(ran.target("install"), INSTALL);
    assert_eq!(ran.target("component"), COMPONENT);
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
    let mine = [seen(&made(NEWER, "active", 2, WORKFLOW))];
    let well = [workflow("success", &["apply=success@dpl00000000000000000000002"])];
    let routes: &[(&str, &[Answer])] = &[("/latest", &[old("active")]), (NEWER, &mine), ("/workflows/", &well)];
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
        assert_eq!(ran.target("belief"), belief.as_str());
    }
    for answer in ["", "null", r#"{"workflow_id":"undefined"}"#, "HTTP/1.1 500 Internal Server Error\r\n\r\n{}"] {
        let ran = gate(answer);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{answer}\n{}", ran.err);
        assert!(ran.err.contains("--workflow (DEPLOY_GATE_WORKFLOW) @"), "{}", ran.err);
    }
    assert_eq!(run_with(&["--workflow=@/no/such/file"], routes).code, 2);
}

#[test]
fn what_was_there_before_is_never_taken_whatever_a_replica_shows_in_between() {
    let oldest = |status| seen(&made("dpl00000000000000000000000", status, 0, WORKFLOW));
    let before = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let mine = |status| seen(&made(NEWER, status, 2, WORKFLOW));
    let goes_on = [workflow("in-progress", &["before=success", "apply=in-progress@dpl00000000000000000000002"])];
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
