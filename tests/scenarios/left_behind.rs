//! A workflow that is over, dead or parked while the deploy is not.

use serde_json::{Value, json};

use crate::script::*;

/// A workflow of that word that is not finished, with this metadata.
fn unfinished(status: &str, metadata: &Value, steps: &[&str]) -> Answer {
    let answer = workflow(status, steps).answer.expect("an answer");
    let mut value = with(serde_json::from_slice(&answer.body).expect("JSON"), "finished", json!(false));
    value["status"]["metadata"] = metadata.clone();
    seen(&value)
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
fn a_workflow_that_died_is_over_at_the_second_sight() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let dead = unfinished("error", &json!({"error_message": "no steps"}), &[]);
    let ran = run_with(
        &[],
        &[("/latest", &[mine("")]), ("/steps", &[http(200, "[]")]), ("/workflows/", std::slice::from_ref(&dead))],
    );
    assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 2), "a deploy that is queued");
    assert!(ran.message().contains("its workflow has died (about error)"), "{}", ran.message());
    let ran = run_with(
        &[],
        &[("/latest", &[mine("error")]), ("/steps", &[http(200, "[]")]), ("/workflows/", std::slice::from_ref(&dead))],
    );
    assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 2), "a deploy that failed");
    let pin = format!("--workflow={WORKFLOW}");
    let none: &[(&str, &[Answer])] = &[("/steps", &[http(200, "[]")]), ("/workflows/", std::slice::from_ref(&dead))];
    let ran = run_with(&[&pin], none);
    assert_eq!(
        (ran.ended(), ran.asked("/steps")),
        ((1, "failed", "workflow-failed"), 3),
        "two looks, and one for the reason"
    );
    // What is seen once may be a moment of a normal end, or of a retry.
    let answers =
        [dead.clone(), workflow("in-progress", &["apply=in-progress"]), workflow("success", &["apply=success"])];
    let ran = run_with(
        &[],
        &[
            ("/latest", &[mine("executing"), mine("executing"), mine("active")]),
            ("/steps", &[http(200, "[]")]),
            ("/workflows/", &answers),
        ],
    );
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.message());
    let ran = run_with(
        &["--until=workflow"],
        &[("/latest", &[mine("active")]), ("/steps", &[http(200, "[]")]), ("/workflows/", &[dead])],
    );
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"), "{}", ran.message());
}

#[test]
fn a_workflow_that_is_parked_as_error_is_parked() {
    let mine = |status| seen(&made(DEPLOY, status, 1, WORKFLOW));
    let parked = unfinished("error", &json!({"awaiting_retry": true}), &["apply=error"]);
    for flags in [&[][..], &["--on-approval=stop"]] {
        let ran = run_with(flags, &[("/latest", &[mine("error")]), ("/workflows/", std::slice::from_ref(&parked))]);
        assert_eq!((ran.ended(), ran.latest().len()), ((1, "failed", "deploy-failed"), 1));
        assert!(ran.message().contains("a person can retry it"), "{}", ran.message());
    }
    // The mark stays in the metadata when somebody has retried it.
    let retried = unfinished("in-progress", &json!({"awaiting_retry": true}), &["apply=in-progress"]);
    let answers = [retried, workflow("success", &["apply=success"])];
    let ran = run_with(&[], &[("/latest", &[mine("executing"), mine("active")]), ("/workflows/", &answers)]);
    assert_eq!(ran.ended(), (0, "passed", ""));
}

#[test]
fn a_pinned_workflow_that_ends_without_a_deploy_ends_the_wait() {
    let pin = format!("--workflow={WORKFLOW}");
    let ran =
        run_with(&[&pin], &[("/latest", &[old("active")]), ("/workflows/", &[workflow("error", &["runner=error@"])])]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"));
    assert!(
        ran.message().contains("ended (error: about error), without a deploy") && ran.seconds() < 10,
        "{}",
        ran.message()
    );
    assert!(ran.message().contains("step \"runner\" failed"), "{}", ran.message());
    holds_together(&ran);
    let parked = workflow("failed-pending-retry", &["runner=error@"]);
    let ran = run_with(&[&pin, "--on-approval=stop"], &[("/latest", &[old("active")]), ("/workflows/", &[parked])]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"), "{}", ran.err);
    let well = workflow("success", &["runner=success@"]);
    let ran = run_with(&[&pin], &[("/latest", &[old("active")]), ("/workflows/", &[well])]);
    assert_eq!((ran.ended(), ran.seconds() < 10), ((3, "undecided", "never-appeared"), true), "{}", ran.err);
    assert!(ran.message().contains("--component all"), "{}", ran.message());
    let goes_on = workflow("in-progress", &["runner=in-progress@"]);
    let workflows = [goes_on.clone(), goes_on.clone(), goes_on, workflow("error", &["runner=error@"])];
    // While it goes on, a deploy of it may come, however long that takes.
    let ran = run_with(&[&pin, "--appear-timeout=0"], &[("/latest", &[old("active")]), ("/workflows/", &workflows)]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"));
    assert_eq!(ran.latest().len(), 1, "the latest says nothing of it until the end");
    let mine = [seen(&with(made(NEWER, "active", 2, WORKFLOW), "component_id", json!(COMPONENT)))];
    let routes: &[(&str, &[Answer])] = &[
        ("/latest", &[old("active")]),
        (NEWER, &mine),
        ("/workflows/", &[workflow("success", &["apply=success@dpl00000000000000000000002"])]),
    ];
    let ran = run_with(&[&pin], routes);
    assert_eq!((ran.ended(), ran.output("deploy-id")), ((0, "passed", ""), NEWER));
}
