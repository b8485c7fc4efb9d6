//! Every recording under `examples/recordings` replays to the outcome that it is named for.

use std::collections::BTreeSet;
use std::path::Path;

use crate::replay::replay;
use crate::script::*;
use serde_json::Value;

/// Recording, flags, exit code, outcome, reason, and a word that the verdict must say.
const TABLE: &[(&str, &[&str], u8, &str, &str, &str)] = &[
    ("api-errors", &[], 3, "undecided", "unauthorized", "auth token was empty"),
    ("apply-success-with-approval", &[], 0, "passed", "", "\"active\""),
    (
        "apply-success-with-approval",
        &[
            "--until=workflow",
            "--require=not-plan-only",
            "--require=no-failed-steps",
            "--require=no-failed-actions",
            "--require=not-teardown",
        ],
        0,
        "passed",
        "",
        "all 4 assertions are true",
    ),
    ("apply-success-with-approval", &["--on-approval=stop"], 4, "approval-required", "", "is waiting for approval"),
    (
        "approved-by-a-person",
        &["--workflow=inw9i61000g12ifx7tmrd3ggz6", "--until=workflow", "--require=no-failed-steps"],
        0,
        "passed",
        "",
        "4 steps, none failed",
    ),
    (
        "approved-by-a-person",
        &["--workflow=inw9i61000g12ifx7tmrd3ggz6", "--on-approval=stop"],
        4,
        "approval-required",
        "",
        "is waiting for approval",
    ),
    ("approval-denied", &[], 1, "failed", "deploy-failed", "approval-denied"),
    ("approval-awaiting", &["--on-approval=stop"], 4, "approval-required", "", "is waiting for approval"),
    ("approval-awaiting", &["--timeout=5m"], 124, "timed-out", "awaiting-approval", "is waiting for approval"),
    ("auto-retry-2026", &[], 1, "failed", "deploy-failed", "the workflow is parked"),
    ("auto-retry-2026", &["--on-approval=stop"], 1, "failed", "deploy-failed", "a person can retry it"),
    ("auto-skipped", &[], 0, "passed", "", "nothing to do"),
    ("cancelled", &[], 1, "failed", "deploy-failed", "cancelled"),
    ("error-during-plan", &[], 1, "failed", "deploy-failed", "Unsupported argument"),
    ("failed-build", &[], 1, "failed", "deploy-failed", "How to fix: Fix what caused the build to fail"),
    ("failed-build", &["--on-approval=stop"], 1, "failed", "deploy-failed", "Build for api failed"),
    ("install-gone", &[], 3, "undecided", "not-found", "it was deleted"),
    ("mine-is-not-latest", &["--workflow=inwieqh524yng5by1a2rogubbb"], 0, "passed", "", "superseded by"),
    ("no-deploy-yet", &[], 0, "passed", "", "\"active\""),
    ("noop", &[], 1, "failed", "deploy-failed", "build is not deployable"),
    (
        "stale-latest-then-new",
        &["--workflow=inws94v5fsr1kcg7c4cii4tcbj"],
        0,
        "passed",
        "",
        "dpl5cch3ye02z5htin39z80st5",
    ),
    ("stale-latest-then-new", &["--deploy=dpl5cch3ye02z5htin39z80st5"], 0, "passed", "", "dpl5cch3ye02z5htin39z80st5"),
    ("stale-latest-then-new", &["--after=dplt1q46e81rb8yqxgi2dv1cto"], 0, "passed", "", "dpl5cch3ye02z5htin39z80st5"),
    ("parked-as-error", &[], 1, "failed", "deploy-failed", "a person can retry it"),
    ("parked-as-error", &["--on-approval=stop"], 1, "failed", "deploy-failed", "a person can retry it"),
    (
        "plan-only",
        &["--workflow=inw4r7wjyax4r3o9aj2xkvndme"],
        1,
        "failed",
        "deploy-failed",
        "a plan: nothing was deployed",
    ),
    ("plan-superseded", &["--deploy=dplujzde8gxd6ncf10epf91dho"], 0, "passed", "", "a retry in the same workflow"),
    ("plan-superseded", &["--workflow=inwujzde8gxd6ncf10epf91dho"], 0, "passed", "", "\"active\""),
    (
        "rollback-takes-its-place",
        &[],
        1,
        "failed",
        "deploy-failed",
        "deploy dpldddddddddddddddddddddd1 ended as \"error\": unable to deploy; a later deploy, dpldddddddddddddddddddddd2,",
    ),
    (
        "rollback-takes-its-place",
        &["--build=bldnnnnnnnnnnnnnnnnnnnnnnn", "--on-superseded=follow"],
        1,
        "failed",
        "deploy-failed",
        "dpldddddddddddddddddddddd2 has replaced it",
    ),
    (
        "rollback-takes-its-place",
        &["--workflow=inwaaaaaaaaaaaaaaaaaaaaaaa"],
        1,
        "failed",
        "deploy-failed",
        "dpldddddddddddddddddddddd2 has replaced it",
    ),
    ("stale-latest-then-new", &["--after=2026-01-14T15:00:00Z"], 0, "passed", "", "dpl5cch3ye02z5htin39z80st5"),
    (
        "stale-latest-then-new",
        &["--after=dplt1q46e81rb8yqxgi2dv1cto", "--appear-timeout=1m"],
        3,
        "undecided",
        "never-appeared",
        "dplt1q46e81rb8yqxgi2dv1cto",
    ),
    (
        "stale-latest-then-new",
        &["--until=applied"],
        0,
        "passed",
        "",
        "warning       deploy dplt1q46e81rb8yqxgi2dv1cto had already finished when first seen",
    ),
    ("stuck-waiting-for-approval", &[], 124, "timed-out", "awaiting-approval", "is waiting for approval"),
    (
        "superseded-by-newer-deploy",
        &["--deploy=dplpnffm971kc8tcmj4p4g4uh6"],
        0,
        "passed",
        "",
        "superseded by dpldwan95ci0ro71ddyxrgirnf",
    ),
    (
        "superseded-by-newer-deploy",
        &["--deploy=dplpnffm971kc8tcmj4p4g4uh6"],
        0,
        "passed",
        "",
        "deploy        dplpnffm971kc8tcmj4p4g4uh6",
    ),
    ("superseded-by-newer-deploy", &[], 0, "passed", "", "deploy        dpldwan95ci0ro71ddyxrgirnf"),
    ("superseded-by-newer-deploy", &["--on-superseded=stop"], 5, "superseded", "", "replaces"),
    ("sync-image-success", &["--require=not-teardown"], 0, "passed", "", "\"active\""),
    ("teardown-inactive", &["--after=dplbrzgofwufvri67myhbj324i"], 1, "failed", "deploy-failed", "inactive"),
    ("teardown-inactive", &["--expect=teardown"], 0, "passed", "", "inactive"),
    ("two-pipelines", &["--after=2026-01-14T15:59:55Z"], 3, "undecided", "ambiguous", "pin yours with --workflow"),
    ("two-pipelines", &["--workflow=inwp8ix4ea4q9om4894zjoj7ya"], 0, "passed", "", "\"active\""),
    ("workflow-died", &[], 1, "failed", "deploy-failed", "its workflow has died"),
    ("workflow-died", &["--on-approval=stop", "--until=applied"], 1, "failed", "deploy-failed", "has died"),
    ("two-components", &[], 1, "failed", "deploy-failed", "1 of 2 targets passed, and all must pass"),
    ("two-components", &["--min-pass=1"], 0, "passed", "", "1 of 2 targets passed; at least 1 must pass"),
    ("verify-health-fails", &[], 1, "failed", "deploy-failed", "component is unhealthy: Deployment api/api"),
    ("verify-health-fails", &["--on-approval=stop"], 1, "failed", "deploy-failed", "failed step   verify health api"),
    ("verify-health-passes", &["--timeout=4m"], 124, "timed-out", "still-running", "step \"verify health api\" is"),
    ("verify-health-passes", &[], 0, "passed", "", "\"active\", no assertion"),
    (
        "verify-health-passes",
        &["--until=applied", "--timeout=2m"],
        0,
        "passed",
        "",
        "(its health is not verified: --until applied)",
    ),
    ("zero-document-200", &[], 0, "passed", "", "\"active\""),
];

/// The path of an example.
fn example(name: &str) -> String {
    format!("{}/examples/recordings/{name}.jsonl", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_readme_says_how_each_recording_ends() {
    let readme = include_str!("../../examples/recordings/README.md");
    let rows = readme.lines().filter(|line| line.contains(".jsonl` |"));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (code, out) = replay(example(cells[1].trim_end_matches(".jsonl")), cells[3].split_whitespace());
        assert_eq!(code.to_string(), cells[4], "{row}\n{out}");
        count += 1;
    }
    assert_eq!(count, TABLE.iter().map(|(name, ..)| name).collect::<BTreeSet<_>>().len());
}

#[test]
fn every_recording_ends_as_it_is_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recordings");
    let scratch = tempfile::tempdir().expect("a folder");
    for (name, flags, code, outcome, reason, word) in TABLE {
        let report = scratch.path().join("result.json");
        let json = format!("--report=json={}", report.display());
        let (got, out) = replay(example(name), flags.iter().copied().chain([json.as_str()]));
        let result: Value = serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
        assert_eq!(
            (got, &result["outcome"], &result["reason"]),
            (*code, &(*outcome).into(), &(*reason).into()),
            "{name} {flags:?}\n{out}"
        );
        assert!(out.contains(word), "{name} {flags:?}: no {word} in\n{out}");
        assert!(!out.contains("write_token") && !result.to_string().contains("write_token"), "{name}");
    }
    let files = std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
    let files: BTreeSet<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(files, TABLE.iter().map(|(name, ..)| (*name).into()).collect(), "each file is in the table");
}

/// A document that says one thing twice is none in the run, and none in its replay.
#[test]
fn a_recording_keeps_what_was_ambiguous() {
    let twice = with(document("active"), "log_stream", Value::Null).to_string();
    let twice = twice.replacen('{', r#"{"release_id":"one","release_id":"other","#, 1);
    let flags = ["--timeout=1m", "--until=applied", "--record=FOLDER/recording"];
    let ran = run(&flags, &[http(200, twice)]);
    let (code, verdict) = replay(ran.path("recording"), &flags[..2]);
    assert_eq!((ran.code, code), (124, 124), "{}{verdict}", ran.out);
    assert!(verdict.contains("is there twice"), "{verdict}");
}
