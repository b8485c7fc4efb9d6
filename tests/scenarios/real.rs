//! What a running control plane answered (December 2025), cut to what the gate reads: whenever the gate begins, at any
//! half second of it, it ends as it should, and soon after the story has ended.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::replay::replay;

/// How long after its end a story may be told: the longest interval, and a second look, in milliseconds.
const LATE: u64 = 40_000;
/// How far apart the beginnings are, in milliseconds.
const STEP: usize = 500;

/// Which exit codes may come of a gate that begins then (in milliseconds).
type Codes = fn(u64) -> &'static [u8];

/// The workflow as a whole.
const WHOLE: &[&str] = &["--component=all"];

/// Recording, its workflow, flags, exit codes, and words that the verdict must have.
const TABLE: &[(&str, &str, &[&str], Codes, &str)] = &[
    ("success-approve-all", "inwcp1osn4a33qj1utepi0v1le", &[], |_| &[0], ""),
    // Nobody has to act where everything is approved.
    ("success-approve-all", "inwcp1osn4a33qj1utepi0v1le", &["--on-approval=stop"], |_| &[0], ""),
    ("image", "inw4xgi33s8dpm0f4n8r2u3992", &[], |_| &[0], ""),
    ("fail-plan", "inwem1niu040f222iid8j7tfdn", &[], |_| &[1], "job failed with status failed"),
    ("fail-apply-then-retry", "inwejmvinwbcc67gv2gca33l06", &[], retried, ""),
    ("noop-plan", "inw0oe7otm52ylnygws0f9sz0e", &[], |_| &[0], "nothing to do"),
    ("plan-only", "inwu7mg2gsolf5ecd0ughctxra", &[], |_| &[1], "a plan: nothing was deployed"),
    ("prompt-approve", "inw9i61000g12ifx7tmrd3ggz6", &[], |_| &[0], ""),
    ("prompt-approve", "inw9i61000g12ifx7tmrd3ggz6", &["--on-approval=stop"], asked_for_approval, ""),
    ("prompt-deny", "inwz3mcs0f71mo3fuzkwq5x3lj", &[], |_| &[1], ""),
    ("prompt-deny", "inwz3mcs0f71mo3fuzkwq5x3lj", &["--on-approval=stop"], denied, ""),
    ("teardown", "inwis6tq0yueb3cp4i7ygqptai", &[], |_| &[1], ""),
    ("teardown", "inwis6tq0yueb3cp4i7ygqptai", &["--expect=teardown"], |_| &[0], ""),
    ("deploy-all-ok", "inw45egskjtndq6ft98jvhlhux", &["--component=cmptzzynzfd8zjkjbkc1e4o7vo"], |_| &[0], ""),
    ("deploy-all-ok", "inw45egskjtndq6ft98jvhlhux", &["--component=cmp1d14x7v6zffgnfm6f2dm0iw"], |_| &[0], ""),
    ("deploy-all-ok", "inw45egskjtndq6ft98jvhlhux", &["--component=cmpvzoikljz1wiz2ajfkk95tmn"], |_| &[0], ""),
    ("deploy-all-ok", "inw45egskjtndq6ft98jvhlhux", &["--component=cmpi4dzsdbhm8s7i8d52kfzwi3"], |_| &[0], ""),
    ("deploy-all-ok", "inw45egskjtndq6ft98jvhlhux", WHOLE, |_| &[0], "deploys       4 active"),
    ("success-approve-all", "inwcp1osn4a33qj1utepi0v1le", WHOLE, |_| &[0], "deploys       1 active"),
    ("fail-plan", "inwem1niu040f222iid8j7tfdn", WHOLE, |_| &[1], ""),
    ("fail-apply-then-retry", "inwejmvinwbcc67gv2gca33l06", WHOLE, retried_soon, ""),
    ("noop-plan", "inw0oe7otm52ylnygws0f9sz0e", WHOLE, |_| &[0], ""),
    ("plan-only", "inwu7mg2gsolf5ecd0ughctxra", WHOLE, |_| &[1], "only plans"),
    ("prompt-approve", "inw9i61000g12ifx7tmrd3ggz6", WHOLE, |_| &[0], ""),
    ("prompt-deny", "inwz3mcs0f71mo3fuzkwq5x3lj", WHOLE, |_| &[1], ""),
    ("teardown", "inwis6tq0yueb3cp4i7ygqptai", WHOLE, |_| &[0], "deploys       1 inactive"),
    ("cancel-apply", "inwq4t355u1yqsr8vr78yqv8og", WHOLE, |_| &[1], ""),
    ("deploy-of-failed-build", "inwvd33uviw27ur0k6jwriek46", WHOLE, |_| &[1], ""),
    ("forgotten-active", "inwh47bj3gja86okpei31xyra8", WHOLE, |_| &[3], "it was deleted"),
    ("cancel-apply", "inwq4t355u1yqsr8vr78yqv8og", &[], |_| &[1], ""),
    ("deploy-of-failed-build", "inwvd33uviw27ur0k6jwriek46", &[], |_| &[1], "component build is in an error state"),
    ("forgotten-active", "inwh47bj3gja86okpei31xyra8", &[], |_| &[3], "it was deleted"),
    ("forgotten-active", "", &[], |_| &[3], "it was deleted"),
];

/// A person retries it at 44 s.
fn retried(begin: u64) -> &'static [u8] {
    match begin {
        ..43_500 => &[1],
        43_500..=45_500 => &[0, 1],
        _ => &[0],
    }
}

/// A failure is seen twice, so that one that begins just before that sees the retry.
fn retried_soon(begin: u64) -> &'static [u8] {
    if (38_000..43_500).contains(&begin) { &[0, 1] } else { retried(begin) }
}

fn asked_for_approval(begin: u64) -> &'static [u8] {
    if begin < 38_000 { &[0, 4] } else { &[0] }
}

fn denied(begin: u64) -> &'static [u8] {
    if begin < 36_500 { &[1, 4] } else { &[1] }
}

/// The answers as a gate finds them that begins later: what holds then is there from the beginning.
fn begun_at(lines: &[Value], begin: u64) -> String {
    let at = |line: &Value| line["at_ms"].as_u64().expect("a time");
    let mut all: Vec<Value> = Vec::new();
    for line in lines {
        let mut line = line.clone();
        if at(&line) <= begin {
            all.retain(|before| before["path"] != line["path"]);
        }
        line["at_ms"] = at(&line).saturating_sub(begin).into();
        all.push(line);
    }
    all.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn whenever_the_gate_begins_it_ends_as_it_should() {
    let folder = Path::new("/dev/shm");
    let folder = if folder.is_dir() { tempfile::tempdir_in(folder) } else { tempfile::tempdir() }.expect("a folder");
    let starts: usize = std::thread::scope(|scope| {
        let rows: Vec<_> = TABLE.iter().enumerate().collect();
        let shares = [0, 1].map(|nth| rows.iter().skip(nth).step_by(2).copied().collect::<Vec<_>>());
        let threads = shares.map(|share| {
            let folder = folder.path();
            scope.spawn(move || share.into_iter().map(|(number, row)| every_start(folder, number, row)).sum::<usize>())
        });
        threads.into_iter().map(|thread| thread.join().expect("no wrong end")).sum()
    });
    assert!(starts > 1500, "{starts}");
}

fn every_start(folder: &Path, number: usize, row: &(&str, &str, &[&str], Codes, &str)) -> usize {
    let (name, workflow, flags, codes, words) = *row;
    let recording = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/real/{name}.jsonl"));
    let text = std::fs::read_to_string(recording).expect("a recording");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let end = lines.iter().filter_map(|line| line["at_ms"].as_u64()).max().unwrap_or_default();
    let (file, report) = (folder.join(format!("{number}.jsonl")), folder.join(format!("{number}.json")));
    let pin = Some(format!("--workflow={workflow}")).filter(|_| !workflow.is_empty());
    let install =
        lines.iter().find_map(|line| line["path"].as_str()?.split('/').nth(3).filter(|id| id.starts_with("inl")));
    let install = flags.iter().any(|flag| flag.starts_with("--component")).then(|| install.unwrap_or_default());
    let all: Vec<String> = flags
        .iter()
        .map(|flag| (*flag).to_owned())
        .chain(pin)
        .chain(install.map(|install| format!("--install={install}")))
        .chain(["--timeout=20m".to_owned(), format!("--report=json={}", report.display())])
        .collect();
    let mut starts = 0;
    for begin in (0..=end + STEP as u64).step_by(STEP) {
        std::fs::write(&file, begun_at(&lines, begin)).expect("writes");
        let (code, out) = replay(&file, &all);
        let result: Value = serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("JSON");
        let late = result["duration_ms"].as_u64().expect("a number").saturating_sub(end.saturating_sub(begin));
        assert!(codes(begin).contains(&code), "{name} {flags:?} from {begin}: {code}\n{out}");
        assert!(late <= LATE, "{name} {flags:?} from {begin}: {late} ms late\n{out}");
        // A reason is told by its cause.
        let wrapped = ["child workflow execution error", "retryable:", "runID"].iter().any(|word| out.contains(word));
        assert!(!wrapped, "{name} {flags:?} from {begin}:\n{out}");
        assert!(out.contains(words), "{name} {flags:?} from {begin}: no {words:?} in\n{out}");
        let link = result["targets"][0]["timeline"].to_string();
        assert!(!link.contains("write_token"), "{name}");
        starts += 1;
    }
    starts
}
