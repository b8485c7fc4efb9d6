//! Many targets over real sockets: a few threads and connections, and a signal that finds all of them.
#![expect(clippy::disallowed_methods, reason = "the binary is another process, with its own time")]

mod common;

use std::time::{Duration, Instant};

use common::{Reply, Server, answer, deploy, deploy_gate, ran, signal, until};
use serde_json::Value;

/// `wait` for so many components.
fn wait(server: &Server, components: usize, flags: &[&str]) -> std::process::Command {
    let mut command = deploy_gate(&["wait", "--install=inl1"]);
    command.args((1..=components).map(|number| format!("--component=cmp{number}")));
    command.args(["--api-url", &server.url("http"), "--interval=10ms"]).args(flags);
    command
}

#[test]
fn a_fleet_shares_a_few_connections() {
    let server = Server::start(vec![deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("result.json");
    let mut command = wait(&server, 60, &["--jobs=4"]);
    let (code, out, _) = ran(command.arg(format!("--report=json={}", report.display())));
    assert_eq!(code, 0, "{out}");
    let connections = server.connections.load(std::sync::atomic::Ordering::SeqCst);
    assert!((1..=4).contains(&connections), "{connections} connections");
    assert_eq!(server.looks().len(), 60);
    let report: Value = serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
    assert_eq!(report["targets"].as_array().map(Vec::len), Some(60));
    assert_eq!(report["fleet"]["passed"], 60);
}

#[test]
fn targets_come_from_stdin_too() {
    let server = Server::start(vec![deploy("active")]);
    let mut command = deploy_gate(&["wait", "--targets=-", "--api-url", &server.url("http")]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("it runs");
    let lines = b"inl1 cmp1\ninl1 cmp2\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), lines).expect("writes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("passed: all 2 targets passed"), "{output:?}");
}

#[test]
fn a_fleet_is_slowed_as_one() {
    let busy = answer("429 Too Many Requests", "retry-after: 1\r\n", "{}");
    let server = Server::start(vec![deploy("executing"), busy, deploy("active")]);
    let started = Instant::now();
    let (code, _, err) = ran(&mut wait(&server, 20, &["--jobs=1"]));
    assert_eq!(code, 0, "{err}");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert!(err.contains("all targets wait 1s"), "{err}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_fleet_with_reports_within_two_seconds() {
    for replies in [vec![deploy("executing")], vec![deploy("executing"), Reply::Silence]] {
        for (word, code) in [("INT", 130), ("TERM", 143)] {
            let server = Server::start(replies.clone());
            let folder = tempfile::tempdir().expect("a folder");
            let report = folder.path().join("result.json");
            let mut command = wait(&server, 30, &["--jobs=4"]);
            let child = command.arg(format!("--report=json={}", report.display())).spawn().expect("it runs");
            until(|| server.heads().len() >= 5);
            let started = Instant::now();
            signal(&child, word);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
            let report: Value = serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
            let targets = report["targets"].as_array().expect("rows");
            assert!(targets.len() == 30 && targets.iter().all(|row| row["outcome"] == "interrupted"), "{report}");
        }
    }
}

#[test]
fn shards_of_a_pipeline_are_merged_into_one_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(place("targets"), (1..=5).map(|number| format!("inl1 cmp{number}\n")).collect::<String>())
        .expect("writes");
    let gate = |arguments: &[&str], run: &str, node: usize| {
        let mut command = deploy_gate(arguments);
        command.envs([("CI_PIPELINE_ID", run), ("CI_NODE_TOTAL", "3"), ("CI_NODE_INDEX", &node.to_string())]);
        ran(&mut command)
    };
    let results: Vec<String> = (1..=3).map(|node| place(&format!("result-{node}.json"))).collect();
    let server = Server::start(vec![deploy("active")]);
    for (node, status) in [(1, "active"), (2, "active"), (3, "error"), (3, "active")] {
        server.answer_with(vec![deploy(status)]);
        let (targets, report) = (place("targets"), format!("json={}", results[node - 1]));
        let url = server.url("http");
        let flags = ["wait", "--targets", &targets, "--shard=auto", "--report", &report, "--api-url", &url];
        let (code, out, err) = gate(&flags, "77", node);
        assert_eq!(code, i32::from(status == "error"), "{out}{err}");
        let all: Vec<&str> = std::iter::once("merge").chain(results.iter().map(String::as_str)).collect();
        if node == 3 {
            let (whole, out, err) = gate(&all, "77", 1);
            assert_eq!(whole, code, "{out}{err}");
            let (yesterday, _, err) = gate(&all, "78", 1);
            assert_eq!(yesterday, 2, "{err}");
        }
        let (incomplete, out, err) = gate(&["merge", &results[0]], "77", 1);
        assert_eq!(incomplete, 3, "{out}{err}");
    }
}
