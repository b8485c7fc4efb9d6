//! `--branch-run APP/BRANCH/RUN`: every install that a run of an app branch updates, and the run itself.

use serde_json::{Value, json};

use crate::script::*;

const RUN: &str = "abr00000000000000000000001";
const OF_RUN: &str = "inw00000000000000000000009";
const ONE: (&str, &str) = ("inl00000000000000000000001", "inw00000000000000000000001");
const TWO: (&str, &str) = ("inl00000000000000000000002", "inw00000000000000000000002");

/// The workflow of the run.
fn run_is(status: &str, step: &str) -> Answer {
    let finished = matches!(status, "success" | "error");
    seen(&json!({
        "id": OF_RUN, "owner_id": "abb1", "owner_type": "app_branches", "plan_only": false, "finished": finished,
        "status": {"status": status}, "steps": [{"id": "s1", "name": "deploy install group: all", "status": {"status": step}}],
        "app_branch_runs": [{"id": RUN, "workflow_id": OF_RUN}],
    }))
}

/// What it updates: installs, and the workflows that do it.
fn updates(all: &[(&str, &str)]) -> Answer {
    let entry = |(install, workflow): &(&str, &str)| json!({"install_id": install, "install_group_id": "aig1", "workflow_id": workflow});
    seen(&Value::Array(all.iter().map(entry).collect()))
}

/// The workflow of an install.
fn flow((install, workflow): (&str, &str), status: &str) -> Answer {
    let finished = matches!(status, "success" | "error");
    let word = if status == "in-progress" { "in-progress" } else { "success" };
    seen(&json!({
        "id": workflow, "owner_id": install, "plan_only": false, "finished": finished, "status": {"status": status},
        "steps": [{"id": "s1", "name": "update", "status": {"status": word}, "step_target_type": "install_states"}],
    }))
}

/// Gates the run.
fn gate(arguments: &[&str], run: &[Answer], updated: &[Answer], flows: [&[Answer]; 2]) -> Ran {
    let flag = format!("--branch-run=shop/main/{RUN}");
    let arguments: Vec<&str> = [&[flag.as_str()], arguments].concat();
    let installs = [ONE, TWO].map(|(install, _)| [seen(&json!({"id": install}))]);
    let routes: &[(&str, &[Answer])] = &[
        ("/install-groups", updated),
        ("/v1/apps/shop/branches/main/runs/", run),
        (ONE.1, flows[0]),
        (TWO.1, flows[1]),
        (ONE.0, &installs[0]),
        (TWO.0, &installs[1]),
    ];
    run_with(&arguments, routes)
}

#[test]
fn it_passes_when_the_run_and_every_install_that_it_updates_ended_well() {
    let running = || run_is("in-progress", "in-progress");
    let ran = gate(
        &["--require=no-failed-steps", "--assert=$.install.id != ''"],
        &[running(), running(), running(), running(), run_is("success", "success")],
        &[updates(&[]), updates(&[ONE, (TWO.0, "")]), updates(&[ONE, TWO])],
        [&[flow(ONE, "in-progress"), flow(ONE, "success")], &[flow(TWO, "in-progress"), flow(TWO, "success")]],
    );
    assert_eq!(ran.ended(), (0, "passed", ""), "{}{}", ran.out, ran.err);
    assert_eq!(ran.report["fleet"], json!({"targets": 2, "passed": 2, "min_pass": 2}));
    let mut rows: Vec<_> = ran.report["targets"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (&row["install"], &row["workflow"]["id"]))
        .collect();
    rows.sort_by_key(|row| row.0.to_string());
    assert_eq!(rows, [(&json!(ONE.0), &json!(ONE.1)), (&json!(TWO.0), &json!(TWO.1))]);
    assert!(ran.err.contains(&format!("{} is updated by workflow {}", TWO.0, TWO.1)), "{}", ran.err);
    assert!(
        ran.err
            .lines()
            .next()
            .is_some_and(|line| line.contains(&format!("every install that branch run {RUN} of shop/main updates")))
    );
}

#[test]
fn it_fails_as_soon_as_an_install_does_and_never_passes_before_the_run_has_ended() {
    let running = [run_is("in-progress", "in-progress")];
    let listed = [updates(&[ONE, (TWO.0, "")])];
    let ran = gate(&[], &running, &listed, [&[flow(ONE, "error")], &[]]);
    assert_eq!(ran.ended(), (1, "failed", "workflow-failed"), "{}", ran.out);
    assert!(ran.seconds() < 60 && ran.message().contains(ONE.0), "{}", ran.message());
    // Where the run has failed as well, the install is why.
    let ran = gate(&[], &[run_is("error", "error")], &[updates(&[ONE])], [&[flow(ONE, "error")], &[]]);
    assert!(ran.code == 1 && ran.message().contains(ONE.0), "{}", ran.message());
    let ran = gate(&["--timeout=5m"], &running, &listed, [&[flow(ONE, "success")], &[]]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{}", ran.out);
}

#[test]
fn a_run_that_does_not_end_well_is_no_pass() {
    let well: [&[Answer]; 2] = [&[flow(ONE, "success")], &[flow(TWO, "success")]];
    let both = [updates(&[ONE, TWO])];
    for (run, updated, arguments, ended, words) in [
        (
            run_is("error", "error"),
            &both,
            &[][..],
            (1, "failed", "workflow-failed"),
            "step \"deploy install group: all\" failed",
        ),
        (run_is("cancelled", "cancelled"), &both, &[], (1, "failed", "workflow-failed"), "cancelled"),
        (
            run_is("failed-pending-retry", "error"),
            &both,
            &[],
            (1, "failed", "workflow-failed"),
            "a person can retry it",
        ),
        (
            run_is("in-progress", "approval-awaiting"),
            &both,
            &["--on-approval=stop"],
            (4, "approval-required", ""),
            "waiting for approval",
        ),
        (
            run_is("success", "success"),
            &[updates(&[])],
            &[],
            (3, "undecided", "never-appeared"),
            "the number of targets is 0",
        ),
        (
            run_is("success", "success"),
            &both,
            &["--min-targets=3"],
            (3, "undecided", "never-appeared"),
            "--min-targets",
        ),
        (run_is("success", "success"), &[updates(&[ONE, (TWO.0, "")])], &[], (3, "undecided", "never-appeared"), TWO.0),
        (run_is("success", "success"), &[http(403, "{\"error\":\"no\"}")], &[], (3, "undecided", "forbidden"), "no"),
        (run_is("success", "success"), &[http(200, "{}")], &[], (124, "timed-out", "unreachable"), "list of installs"),
        (run_is("success", "success"), &[http(200, "[{}]")], &[], (124, "timed-out", "unreachable"), "has no id"),
        (http(404, "{\"error\":\"run not found\"}"), &both, &[], (3, "undecided", "not-found"), "run not found"),
        (http(403, "{\"error\":\"no\"}"), &both, &[], (3, "undecided", "forbidden"), "no"),
        (
            seen(&json!({"id": "inw00000000000000000000008", "finished": true, "status": {"status": "success"}})),
            &both,
            &[],
            (124, "timed-out", "unreachable"),
            "does not show that it is about the run",
        ),
    ] {
        let arguments: Vec<&str> = [&["--timeout=5m"], arguments].concat();
        let ran = gate(&arguments, &[run], updated, well);
        assert_eq!(ran.ended(), ended, "{words}: {}{}", ran.out, ran.err);
        assert!(ran.message().contains(words), "{words}: {}", ran.message());
    }
}

#[test]
fn an_install_that_was_listed_and_is_no_more_has_not_been_updated() {
    let running = || run_is("in-progress", "in-progress");
    let ran = gate(
        &[],
        &[running(), running(), run_is("success", "success")],
        &[updates(&[ONE, (TWO.0, "")]), updates(&[ONE, (TWO.0, "")]), updates(&[ONE])],
        [&[flow(ONE, "success")], &[]],
    );
    assert_eq!(ran.ended(), (3, "undecided", "never-appeared"), "{}{}", ran.out, ran.err);
    assert!(ran.message().contains(TWO.0), "{}", ran.message());
}

#[test]
fn what_a_lagging_replica_says_of_a_run_does_not_count() {
    let at = |minute: u32, status: &str| {
        seen(&json!({
            "id": OF_RUN, "owner_id": "abb1", "owner_type": "app_branches", "finished": status == "success",
            "status": {"status": status}, "updated_at": format!("2026-01-14T17:{minute:02}:00Z"),
            "app_branch_runs": [{"id": RUN, "workflow_id": OF_RUN}],
        }))
    };
    let run = [at(2, "in-progress"), at(1, "success"), at(2, "in-progress")];
    let ran = gate(&["--timeout=5m"], &run, &[updates(&[ONE])], [&[flow(ONE, "success")], &[]]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_run_is_also_found_by_its_workflow() {
    let flag = format!("--branch-run=shop/main/{OF_RUN}");
    let routes: &[(&str, &[Answer])] = &[
        (&format!("/runs/{RUN}/install-groups"), &[updates(&[ONE])]),
        (&format!("/runs/{OF_RUN}"), &[run_is("success", "success")]),
        (ONE.1, &[flow(ONE, "success")]),
        (ONE.0, &[seen(&json!({"id": ONE.0}))]),
    ];
    let ran = run_with(&[&flag, "--require-pin"], routes);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}{}", ran.out, ran.err);
}

#[test]
fn what_is_no_run_is_misuse() {
    for (flags, words) in [
        (&["--branch-run=shop/main"][..], "APP/BRANCH/RUN"),
        (&["--branch-run=shop/main/null"], "null"),
        (&["--branch-run=shop/main/"], "APP/BRANCH/RUN"),
        (&["--branch-run=shop/../abr00000000000000000000001"], "APP/BRANCH/RUN"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--install=inl1"], "--install"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--component=all"], "--component"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--workflow=inw00000000000000000000001"], "--workflow"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--after=none"], "--after"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--shard=1/2"], "--shard"),
        (&["--branch-run=shop/main/abr00000000000000000000001", "--targets=x"], "--targets"),
    ] {
        let ran = run(flags, &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{flags:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn a_recording_of_it_replays_by_the_same_flag() {
    let flag = format!("--branch-run=shop/main/{RUN}");
    let flows: [&[Answer]; 2] = [&[flow(ONE, "in-progress"), flow(ONE, "success")], &[flow(TWO, "success")]];
    let run = [run_is("in-progress", "in-progress"), run_is("success", "success")];
    let ran = gate(&["--record=FOLDER/recording"], &run, &[updates(&[ONE]), updates(&[ONE, TWO])], flows);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    let (code, verdict) = crate::replay::replay(ran.path("recording"), [&flag]);
    assert!(code == 0 && verdict.contains("all 2 targets passed"), "{verdict}");
    let (code, verdict) = crate::replay::replay(ran.path("recording"), [&flag, "--min-targets=3"]);
    assert!(code == 3 && verdict.contains("never-appeared"), "{verdict}");
}
