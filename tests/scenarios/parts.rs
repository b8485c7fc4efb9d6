//! Parts of the document that fail, lag or come in pages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::script::*;

/// A deploy that names its workflow.
fn mine(status: &str) -> Value {
    with(document(status), "install_workflow_id", json!(WORKFLOW))
}

fn active() -> [Answer; 1] {
    [seen(&mine("active"))]
}

/// A workflow that has succeeded and does not embed its steps.
fn without_steps() -> Value {
    let body = workflow("success", &[]).answer.expect("an answer").body;
    let mut bare: Value = serde_json::from_slice(&body).expect("JSON");
    bare.as_object_mut().expect("an object").remove("steps");
    bare
}

#[test]
fn steps_that_are_not_embedded_are_read_page_by_page() {
    let bare = without_steps();
    let page = |status: &str| http(200, json!([{"name": "s", "status": {"status": status}}]).to_string());
    let pages = [page("success").header("x-nuon-page-next", "true"), page("error")];
    let ran = run_with(
        &["--require=no-failed-steps"],
        &[("/latest", &active()), ("/steps", &pages), ("/workflows/", &[seen(&bare)])],
    );
    assert_eq!((ran.ended(), ran.asked("/steps?limit=100&offset=1")), ((1, "failed", "assertion-false"), 1));
    let ran = run_with(
        &["--require=no-failed-steps", "--until=applied"],
        &[("/latest", &active()), ("/steps", &[http(403, "")]), ("/workflows/", &[seen(&bare)])],
    );
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
}

#[test]
fn parts_that_fail_for_a_while_are_asked_again() {
    let well = workflow("success", &["apply=success"]);
    let ran = run_with(
        &["--assert=$.plan_only == false"],
        &[("/latest", &active()), ("/workflows/", &[http(502, ""), reset(), well])],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    let ran = run_with(
        &["--assert=$.plan_only == false", "--timeout=1m"],
        &[("/latest", &active()), ("/workflows/", &[http(502, "")])],
    );
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 60));
    // Without anything that needs them they are not waited for.
    let ran = run_with(&["--until=applied"], &[("/latest", &active()), ("/workflows/", &[http(502, "")])]);
    assert_eq!((ran.ended(), ran.seconds()), ((0, "passed", ""), 0));
}

#[test]
fn retry_after_of_the_workflow_is_a_floor_for_the_next_look() {
    let busy = http(429, "").header("retry-after", "50");
    // Beside a deploy that runs, and when a failure may not be final.
    for (status, ending) in [("executing", (0, "passed", "")), ("error", (0, "passed", ""))] {
        let ran = run_with(
            &["--interval=1s"],
            &[
                ("/latest", &[seen(&mine(status)), seen(&mine("active"))]),
                ("/v1/workflows/", &[busy.clone(), workflow("success", &["deploy=success"])]),
            ],
        );
        assert_eq!(ran.ended(), ending, "{}", ran.out);
        assert!(ran.latest()[1] >= Duration::from_secs(50), "{:?}", ran.latest());
    }
}

#[test]
fn a_page_that_is_shorter_or_says_nothing_of_the_next_hides_no_step() {
    let bare = without_steps();
    let page = |steps: usize, status: &str| {
        http(200, json!(vec![json!({"name": "s", "status": {"status": status}}); steps]).to_string())
    };
    let gate = |pages: &[(&str, &[Answer])]| {
        let latest: &[Answer] = &active();
        let whole = [seen(&bare)];
        let routes: Vec<(&str, &[Answer])> = [("/latest", latest)]
            .into_iter()
            .chain(pages.iter().copied())
            .chain([("/workflows/", &whole[..])])
            .collect();
        run_with(&["--require=no-failed-steps", "--timeout=1m"], &routes)
    };
    // The server gives fewer than were asked for.
    let first = [page(50, "success").header("x-nuon-page-next", "true")];
    let ran = gate(&[("offset=0", &first), ("offset=50", &[page(1, "error")])]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"), "{}", ran.err);
    // A proxy has dropped the header.
    let ran = gate(&[("offset=0", &[page(100, "success")]), ("offset=100", &[page(1, "error")])]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"), "{}", ran.err);
    // The server knows no pages: all of it, or the same again.
    for steps in [100, 120] {
        let (all, failed) = ([page(steps, "success")], [page(steps, "error")]);
        let ran = gate(&[("/steps", &all)]);
        assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
        assert!(ran.asked("/steps") <= 2, "{}", ran.asked("/steps"));
        assert_eq!(gate(&[("/steps", &failed)]).ended(), (1, "failed", "assertion-false"));
    }
    // It says that there is more, and gives the same again.
    let same = [page(100, "success").header("x-nuon-page-next", "true")];
    let ran = gate(&[("/steps", &same)]);
    assert!(ran.code != 0 && ran.asked("/steps") < 100, "{} {}", ran.asked("/steps"), ran.err);
    // A full page that is the last needs no other.
    let last = [page(100, "success").header("x-nuon-page-next", "false")];
    let ran = gate(&[("offset=0", &last), ("offset=100", &[page(1, "error")])]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    // There is said to be more, and there is not.
    let none = [page(0, "success").header("x-nuon-page-next", "true")];
    let ran = gate(&[("offset=0", &first), ("offset=50", &none)]);
    assert_ne!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_part_that_is_needed_is_asked_for_until_the_deadline() {
    let assertion = "--assert=$.install_deploy_type == 'apply'";
    let well = [workflow("success", &["a=success"])];
    let routes: &[(&str, &[Answer])] = &[("/latest", &active()), (DEPLOY, &[http(500, "")]), ("/workflows/", &well)];
    // A minute of errors is no *no*.
    let ran = run_with(&[assertion], routes);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 3600), "{}", ran.err);
    // What is refused is not there for good.
    let refused: &[(&str, &[Answer])] = &[("/latest", &active()), (DEPLOY, &[http(403, "")]), ("/workflows/", &well)];
    assert_eq!(run_with(&[assertion], refused).ended(), (0, "passed", ""));
    let ran = run_with(&["--assert=$.component_name == 'api'"], refused);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"), "{}", ran.err);
    // Without anything that needs it, it is not waited for.
    assert_eq!(run_with(&[], routes).ended(), (0, "passed", ""));
    // The same for the workflow, whose word a success needs unless the first is enough.
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &active()), (DEPLOY, &[seen(&mine("active"))]), ("/workflows/", &[http(500, "")])];
    for flags in [&[assertion, "--until=applied"][..], &["--until=workflow"], &[]] {
        let ran = run_with(flags, routes);
        assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 3600), "{flags:?} {}", ran.err);
    }
    assert_eq!(run_with(&["--until=applied"], routes).ended(), (0, "passed", ""));
    // It is there again after minutes.
    let mut detail = vec![http(500, ""); 20];
    detail.push(seen(&with(mine("active"), "component_name", json!("api"))));
    let routes: &[(&str, &[Answer])] = &[("/latest", &active()), (DEPLOY, &detail), ("/workflows/", &well)];
    let ran = run_with(&["--assert=$.component_name == 'api'"], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert!(ran.seconds() > 300, "{}", ran.seconds());
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_asked_for_no_other_part() {
    let busy = http(429, "").header("retry-after", "60");
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &active()), (DEPLOY, &[busy]), ("/workflows/", &[workflow("success", &["a=success"])])];
    let ran = run_with(&["--until=applied"], routes);
    assert_eq!((ran.ended(), ran.looks.len()), ((0, "passed", ""), 3), "{:?}", ran.looks);
    let busy = [http(429, "").header("retry-after", "60")];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &active()), (DEPLOY, &[seen(&mine("active"))]), ("/workflows/", &busy)];
    let ran = run_with(&["--timeout=5m"], routes);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"), "{}", ran.err);
    assert_eq!((ran.asked(DEPLOY), ran.latest().len()), (0, 6), "{:?}", ran.looks);
}

#[test]
fn a_part_that_asks_for_patience_gets_it() {
    let patient = http(429, "").header("retry-after", "30");
    let well = [workflow("success", &["a=success"])];
    let detail = [patient.clone(), patient, seen(&mine("active"))];
    let routes: &[(&str, &[Answer])] = &[("/latest", &active()), ("/deploys/dpl", &detail), ("/workflows/", &well)];
    let ran = run_with(&["--assert=$.plan_only == false"], routes);
    assert_eq!((ran.ended(), ran.latest().len()), ((0, "passed", ""), 3), "{}", ran.err);
    assert!(ran.latest().windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(30)), "{:?}", ran.looks);
}

#[test]
fn a_workflow_that_is_awaited_and_not_to_be_seen_at_the_deadline_times_out() {
    let ran = run_with(
        &["--timeout=20s", "--require=no-failed-steps"],
        &[
            ("/latest", &[seen(&mine("active"))]),
            (
                "/v1/workflows/",
                &[workflow("in-progress", &["state=in-progress"]), http(429, "").header("retry-after", "5")],
            ),
        ],
    );
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"), "{}", ran.out);
}

#[test]
fn a_document_is_of_one_moment_when_its_workflow_is_lost_on_the_way() {
    let ran = run_with(
        &["--assert=$.status_v2.status == 'active' || $.workflow.finished == true"],
        &[
            ("/latest", &[seen(&mine("active")), seen(&mine("cancelled"))]),
            // The workflow goes on for a while, and then is not there any more.
            ("/v1/workflows/", &[workflow("in-progress", &["state=in-progress"]), http(404, "")]),
        ],
    );
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.out);
}

#[test]
fn a_mixture_of_two_deploys_is_never_judged() {
    let other = with(mine("active"), "id", json!(NEWER));
    let moved = mine("planning");
    let of_another_install = with(mine("active"), "install_id", json!("inl00000000000000000000009"));
    for strange in [other, moved, of_another_install] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &active()), (DEPLOY, &[seen(&strange)])];
        let ran = run_with(&["--assert=$.id", "--timeout=1m"], routes);
        assert_ne!(ran.code, 0, "{strange}");
        assert_eq!(ran.target("assertions")[0]["outcome"].as_str().filter(|outcome| *outcome == "true"), None);
    }
    let body = workflow("success", &["apply=success"]).answer.expect("an answer").body;
    let foreign: Value = serde_json::from_slice(&body).expect("JSON");
    let foreign = with(with(foreign, "owner_id", json!("inl00000000000000000000009")), "plan_only", json!(false));
    let ran = run_with(
        &["--assert=$.plan_only == false", "--timeout=1m"],
        &[("/latest", &active()), ("/workflows/", &[seen(&foreign)])],
    );
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"));
    assert!(ran.message().contains("of another install"), "{}", ran.message());
    // The deploy moves on between two answers, and comes back.
    let latest = [seen(&mine("active")), seen(&mine("planning")), seen(&mine("active"))];
    let by_id = [seen(&mine("planning")), seen(&mine("active"))];
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &latest), (DEPLOY, &by_id), ("/workflows/", &[workflow("success", &["a=success"])])];
    let ran = run_with(&["--assert=$.plan_only == false"], routes);
    assert_eq!((ran.ended(), ran.latest().len()), ((0, "passed", ""), 3));
}
