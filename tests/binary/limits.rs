//! Documents and assertions that are made to cost: judged or refused within bounds of time and memory, in clear words.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// KiB of address space: what the gate needs, with room for the document several times over.
const MEMORY: u32 = 768 * 1024;
const TIME: Duration = Duration::from_secs(20);

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn what_is_made_to_cost_is_judged_or_refused_within_bounds() {
    let wide: Value =
        (0..200_000).map(|number| (format!("k{number}"), json!(number))).collect::<Vec<_>>().into_iter().collect();
    let square: Value = vec![vec![0; 300]; 30].into();
    // Each level holds all that is below it.
    let bushy = (0..100).fold(json!("x".repeat(10_000)), |inner, level| json!({"k": inner, "l": vec![level; 100]}));
    let refused = "more than the 4000000 that the gate makes room for";
    let cases = [
        (json!({"x": nested(100)}).to_string(), "count($..*..*..*..*) > 1", 3, refused),
        (json!({"x": square}).to_string(), "count($..*..*..*) > 1", 0, "passed"),
        (json!({"x": wide}).to_string(), "count($..*) == 200001", 1, "200002 values"),
        (json!({"k".repeat(500_000): vec![0; 20_000]}).to_string(), "!$..error", 3, refused),
        (json!({"x": bushy}).to_string(), "count($..*) > 3", 0, "passed"),
        (json!({"x": bushy}).to_string(), "$..*", 0, "passed"),
        (format!(r#"{{"x":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000)), "$.x", 2, "recursion limit"),
        (json!({"x": "a".repeat(200_000)}).to_string(), "match($.x, '(a*)*b')", 1, "is false"),
        (json!({"x": "a".repeat(200_000)}).to_string(), "search($.x, '(a|aa)+$')", 0, "passed"),
        (json!({"x": "a"}).to_string(), "search($.x, '((a{1,100}){1,100}){1,100}')", 2, "exceeds size limit"),
        (json!({"x": 1}).to_string(), &"(".repeat(4000), 2, "levels of brackets"),
        (json!({"x": 1}).to_string(), &format!("$.x == '{}'", "x".repeat(5000)), 2, "at most 4096 bytes"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("document.json");
    for (document, assertion, code, why) in cases {
        std::fs::write(&file, document.replacen('{', r#"{"id":"dpl1","#, 1)).expect("writes");
        let start = Instant::now();
        let ran = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_deploy-gate"), "check"])
            .args([file.as_os_str(), "--assert".as_ref(), assertion.as_ref()])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        let shown = assertion.chars().take(60).collect::<String>();
        assert_eq!(ran.status.code(), Some(code), "{shown}: {}", said.chars().take(600).collect::<String>());
        assert!(said.contains(why), "{shown}: {}", said.chars().take(600).collect::<String>());
        assert!(start.elapsed() < TIME, "{shown}: {:?}", start.elapsed());
    }
}

#[test]
fn an_output_that_would_take_for_ever_is_empty_and_a_signal_ends_it() {
    let wide: Value = (0..30_000).map(|number| json!({"k": number})).collect();
    let document = json!({"id": "dpl1", "status_v2": {"status": "active"}, "x": wide});
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("r.jsonl");
    let path = "/v1/installs/inl00000000000000000000001/components/cmp00000000000000000000001/deploys/latest";
    std::fs::write(&recording, json!({"at_ms": 0, "path": path, "status": 200, "body": document}).to_string())
        .expect("writes");
    let replay = |extract: &str| {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &format!("ulimit -v {MEMORY}; exec \"$@\""),
                "sh",
                env!("CARGO_BIN_EXE_deploy-gate"),
                "replay",
            ])
            .args([recording.as_os_str(), "--extract".as_ref(), extract.as_ref()])
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        command
    };
    let ran = replay("x=$..[*,*,*,*][*,*,*,*][*,*,*,*][*,*,*,*]").output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && said.contains("the output x is empty: "), "{said}");
    assert!(said.contains("could select"), "{said}");
    let mut command = replay("x=$..[?count($..*) > 3]");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let log = BufReader::new(child.stderr.take().expect("a pipe"));
    assert!(log.lines().map_while(Result::ok).any(|line| line.contains("is \"active\"")), "it looks");
    let start = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("it lives");
    let status = child.wait().expect("it ends");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // Not all that was asked for is there.
    assert_eq!(status.code(), Some(143));
}
