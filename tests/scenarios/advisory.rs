//! `--warn`: assertions that are told, and never decide.

use serde_json::json;

use crate::script::*;

#[test]
fn one_that_is_not_true_is_a_warning_and_the_gate_passes() {
    for (expression, outcome, words) in [
        ("$.install_deploy_type == 'teardown'", "false", "is false: $.install_deploy_type is \"apply\""),
        ("$.release == 'x'", "vacuous", "checked nothing: $ has no \"release\""),
        ("$.list[?count(@.none[*]) != 0]", "not-evaluated", "has no answer: the engines disagree"),
    ] {
        let document = with(document("active"), "list", json!([{"none": []}]));
        let warn = format!("--warn=new rule: {expression}");
        let arguments =
            ["--assert=$.install_deploy_type == 'apply'", &warn, "--ci=github", "--report=junit=FOLDER/junit"];
        let ran = run(&arguments, &[seen(&document)]);
        assert_eq!(ran.ended(), (0, "passed", ""), "{}{}", ran.out, ran.err);
        assert!(ran.message().contains("the assertion is true"), "{}", ran.message());
        let checks = ran.target("assertions");
        assert_eq!((&checks[0]["enforcement"], &checks[0]["outcome"]), (&json!("mandatory"), &json!("true")));
        assert_eq!((&checks[1]["enforcement"], &checks[1]["outcome"]), (&json!("advisory"), &json!(outcome)));
        let warning = format!("the advisory assertion `new rule` {words}");
        assert!(
            ran.target("warnings").to_string().contains(&warning.replace('"', "\\\"")),
            "{}",
            ran.target("warnings")
        );
        assert!(ran.out.contains(&warning), "{}", ran.out);
        assert!(ran.out.contains("::warning title=Deploy gate"), "{}", ran.out);
        let junit = std::fs::read_to_string(ran.path("junit")).expect("a report");
        assert!(junit.contains("failures=\"0\" errors=\"0\"") && junit.contains("<skipped"), "{junit}");
    }
}

#[test]
fn one_that_is_true_is_told_like_the_others() {
    let ran = run(&["--warn=$.install_deploy_type == 'apply'", "--ci=github"], &[deploy("active")]);
    assert_eq!((ran.ended(), ran.target("assertions")[0]["outcome"].clone()), ((0, "passed", ""), json!("true")));
    assert!(ran.out.contains("true          $.install_deploy_type"), "{}", ran.out);
}

#[test]
fn it_decides_nothing_and_waits_for_nothing() {
    // The verdict is that of the deploy.
    let ran = run(&["--warn=$.install_deploy_type == 'teardown'"], &[deploy("error")]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert_eq!(ran.target("assertions")[0]["outcome"], "not-evaluated");
    assert!(!ran.target("warnings").to_string().contains("advisory"));
    // A workflow that goes on, or cannot be read, is not waited for.
    let latest = [seen(&made(DEPLOY, "active", 1, WORKFLOW))];
    let warn = "--warn=!$.workflow.steps[?@.status.status == 'error']";
    for flow in [workflow("in-progress", &["apply=success", "other=in-progress"]), http(502, "")] {
        let ran = run_with(&[warn, "--until=applied"], &[("/latest", &latest), ("/workflows/", &[flow])]);
        assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{}{}", ran.out, ran.err);
    }
    let goes_on = workflow("in-progress", &["apply=success", "other=in-progress"]);
    let ran = run_with(&[warn], &[("/latest", &latest), ("/workflows/", &[goes_on])]);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0), "{}{}", ran.out, ran.err);
}

#[test]
fn one_that_cannot_be_meant_is_misuse() {
    for (arguments, words) in [
        (&["--warn=$.a = 1"][..], "malformed"),
        (&["--warn=$.status_v2 == 'active'"], "--warn (DEPLOY_GATE_WARN)"),
        (&["--warn="], "malformed"),
    ] {
        let ran = run(arguments, &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{}", ran.err);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

#[test]
fn of_many_targets_it_is_told_once_with_how_many_have_it() {
    let components = ["--component=cmp00000000000000000000001", "--component=cmp00000000000000000000002"];
    let arguments =
        [&components[..], &["--warn=rule: $.install_deploy_type == 'teardown'", "-q", "--report=markdown=FOLDER/page"]]
            .concat();
    let ran = run(&arguments, &[deploy("active")]);
    let warning = "2 targets: the advisory assertion `rule` is false";
    assert!(ran.code == 0 && ran.out.contains(warning), "{}{}", ran.out, ran.err);
    let page = std::fs::read_to_string(ran.path("page")).expect("a page");
    assert!(page.contains("Warning (2 targets): the advisory assertion"), "{page}");
}

#[test]
fn one_that_takes_too_long_delays_no_verdict_and_hides_no_other() {
    let list: Vec<serde_json::Value> = (0..40_000).map(|_| json!({"s": "a".repeat(60)})).collect();
    let document = with(document("active"), "outputs", json!({"a": list}));
    let slow = "--warn=slow: !$.outputs.a[?search(@.s, '(a{0,20}){0,20}b')]";
    let ran = run(&["--warn=first: $.install_deploy_type == 'teardown'", slow], &[seen(&document)]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    let outcomes: Vec<_> = (0..2).map(|nth| ran.target("assertions")[nth]["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("false"), json!("not-evaluated")], "{}", ran.out);
    assert!(
        ran.out.contains("the advisory assertion `slow` has no answer: evaluating took longer than 1s"),
        "{}",
        ran.out
    );
}
