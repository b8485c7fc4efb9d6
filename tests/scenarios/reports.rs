//! Every report of one result, word for word: `tests/golden/`. `UPDATE_GOLDEN=1 cargo test` writes them anew.

#![expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]

use std::collections::BTreeMap;
use std::path::Path;

use crate::replay::replay;
use serde_json::Value;

/// A run, and what the reports of it are called.
const RUNS: [(&str, &str, &[&str]); 6] = [
    (
        "assertion-false",
        "apply-success-with-approval",
        &[
            "--require=not-plan-only",
            "--assert=right component: $.component_name == 'api' || $.component_name == 'web'",
            "--assert=$.status_v2.state == 'active'",
            "--assert=count($.workflow.steps[*]) > 3",
            "--extract=steps=$.workflow.steps[*].name",
            "--extract=type=$.install_deploy_type",
        ],
    ),
    ("deploy-failed", "error-during-plan", &["--assert=$.plan_only == false"]),
    (
        "followed",
        "superseded-by-newer-deploy",
        &["--on-superseded=follow", "--after=2026-01-01T00:00:00Z", "--extract=name=$.component_name"],
    ),
    ("timed-out", "stuck-waiting-for-approval", &["--timeout=10m", "--assert=$.plan_only == false"]),
    ("many-targets", "two-components", &["--assert=$.plan_only == false", "--extract=name=$.component_name"]),
    ("approval-required", "stuck-waiting-for-approval", &["--on-approval=stop", "--extract=name=$.component_name"]),
];

#[test]
fn reports_are_as_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (name, recording, flags) in RUNS {
        let golden = root.join("tests/golden").join(name);
        for (file, text) in reports(&root.join(format!("examples/recordings/{recording}.jsonl")), flags) {
            let path = golden.join(&file);
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                std::fs::write(&path, &text).expect("writes");
            }
            let want = std::fs::read_to_string(&path).unwrap_or_default();
            if text != want {
                wrong.push(format!("{}\n--- is\n{text}\n--- was\n{want}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All that a replay says and writes, by file.
fn reports(recording: &Path, flags: &[&str]) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let reports = FILES.map(|(format, file)| format!("--report={format}={}", place(file).display()));
    let flags = reports.into_iter().chain(flags.iter().map(ToString::to_string));
    let (code, verdict) = replay(recording, flags);
    let read = |path: &Path| std::fs::read_to_string(path).expect("a report");
    let mut all = BTreeMap::from([("verdict.txt".into(), verdict)]);
    for (format, file) in FILES {
        if format == "dir" {
            for entry in std::fs::read_dir(place(file)).expect("a folder").flatten() {
                all.insert(format!("{file}/{}", entry.file_name().to_string_lossy()), read(&entry.path()));
            }
        } else {
            all.insert(file.into(), read(&place(file)));
        }
    }
    // The delimiter is random.
    let github = all.get_mut("github.txt").expect("step outputs");
    let delimiter = github.lines().next().and_then(|line| line.split_once("<<")).expect("a heredoc").1.to_owned();
    *github = github.replace(&delimiter, "DELIMITER");
    agree(&all, code);
    all
}

const FILES: [(&str, &str); 8] = [
    ("json", "result.json"),
    ("junit", "junit.xml"),
    ("markdown", "summary.md"),
    ("github", "github.txt"),
    ("dotenv", "deploy-gate.env"),
    ("annotations", "annotations.json"),
    ("intoto", "statement.json"),
    ("dir", "outputs"),
];

/// No two reports tell different stories.
fn agree(all: &BTreeMap<String, String>, code: u8) {
    let result: Value = serde_json::from_str(&all["result.json"]).expect("JSON");
    let outcome = result["outcome"].as_str().expect("an outcome");
    assert_eq!(result["exit_code"], code);
    assert_eq!(all["outputs/outcome"], outcome);
    assert_eq!(all["outputs/exit-code"], code.to_string());
    assert!(all["verdict.txt"].starts_with(outcome));
    assert!(all["summary.md"].starts_with("### ") && all["summary.md"].contains(&format!("Deploy gate: {outcome}")));
    assert!(all["deploy-gate.env"].contains(&format!("GATE_OUTCOME={outcome}\n")));
    assert!(all["github.txt"].starts_with(&format!("outcome<<DELIMITER\n{outcome}\nDELIMITER\n")));
    let statement: Value = serde_json::from_str(&all["statement.json"]).expect("JSON");
    assert_eq!(statement["predicate"]["result"] == "FAILED", code != 0);
    let is_green = all["junit.xml"].contains(r#"failures="0" errors="0""#);
    assert_eq!(is_green, code == 0);
}
