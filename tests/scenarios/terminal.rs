//! What somebody at a terminal sees; a CI system that has one sees a log.

use serde_json::{Value, json};

use crate::script::*;

const UTF8: (&str, &str) = ("LANG", "C.UTF-8");

/// A workflow whose steps began at seconds of 16:59, and have ended at 17:00 if their word says so.
fn steps(own: &str, steps: &[(&str, &str)]) -> Answer {
    let step = |(index, (name, word)): (usize, &(&str, &str))| {
        let is_done = !matches!(*word, "pending" | "in-progress");
        let began =
            if *word == "pending" { "0001-01-01T00:00:00Z".into() } else { format!("2026-01-14T16:59:{index:02}Z") };
        json!({"id": name, "name": name, "status": {"status": word}, "started_at": began,
            "finished_at": if is_done { "2026-01-14T17:00:00Z" } else { "0001-01-01T00:00:00Z" },
            "step_target_type": "install_deploys", "step_target_id": DEPLOY})
    };
    let steps: Vec<Value> = steps.iter().enumerate().map(step).collect();
    seen(
        &json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": own == "success", "status": {"status": own}, "steps": steps}),
    )
}

fn watched(variables: &[(&str, &str)]) -> Ran {
    let mine = |word| seen(&made(DEPLOY, word, 1, WORKFLOW));
    let runs = steps("in-progress", &[("plan", "success"), ("apply api", "in-progress"), ("verify", "pending")]);
    let well = steps("success", &[("plan", "success"), ("apply api", "success"), ("verify", "success")]);
    let routes: &[(&str, &[Answer])] =
        &[("/latest", &[mine("executing"), mine("active")]), ("/workflows/", &[runs, well])];
    let ran = at_a_terminal(variables, &["--interval=3s"], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    ran
}

#[test]
fn the_steps_of_the_workflow_stand_under_the_status() {
    let ran = watched(&[UTF8]);
    let frame = "   +0:01  deploy dpl00000000000000000000001 is \"executing\", step \"ap…\n\
                 \x20 ✓ plan       1m\n\
                 \x20 ● apply api  1m\n\
                 \x20 ○ verify\r\u{1b}[3A\u{1b}[J";
    assert!(ran.err.contains(frame), "{:?}", ran.err);
    assert!(ran.err.ends_with("\r\u{1b}[3A\u{1b}[J"), "the view is gone at the end: {:?}", ran.err);
    assert!(ran.out.starts_with("\u{1b}[32m✓\u{1b}[0m \u{1b}[32mpassed: "), "{:?}", ran.out);
}

#[test]
fn a_terminal_that_cannot_show_the_marks_has_plain_ones() {
    let ran = watched(&[("LANG", "C"), ("NO_COLOR", "1")]);
    assert!(ran.err.contains("  + plan") && ran.err.contains("  * apply api") && ran.err.contains("  . verify"));
    assert!(ran.out.starts_with("passed: "), "{:?}", ran.out);
}

#[test]
fn a_ci_system_with_a_terminal_gets_a_log() {
    for (name, value) in
        [("CI", "true"), ("CI", "woodpecker"), ("GITHUB_ACTIONS", "true"), ("JENKINS_URL", "https://ci")]
    {
        let ran = watched(&[UTF8, ("NO_COLOR", "1"), (name, value)]);
        assert!(!ran.err.contains('\r') && !ran.err.contains('\u{1b}'), "{name}: {:?}", ran.err);
        assert!(ran.out.starts_with("passed: "), "{name}: {:?}", ran.out);
    }
    assert!(watched(&[UTF8, ("CI", "false")]).err.contains('✓'));
}

#[test]
fn the_mark_of_the_verdict_says_how_it_went() {
    for (word, mark) in [("active", "✓ passed"), ("error", "✗ failed"), ("executing", "! timed-out")] {
        let routes: &[(&str, &[Answer])] = &[("/latest", &[deploy(word)])];
        let ran = at_a_terminal(&[UTF8, ("NO_COLOR", "1")], &["--timeout=1m"], routes);
        assert!(ran.out.starts_with(mark), "{word}: {:?}", ran.out);
    }
}
