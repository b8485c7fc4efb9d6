//! Many targets over real sockets: a few threads and connections, and a signal that finds all of them.

use std::time::{Duration, Instant};

use crate::loopback::{Reply, Server, answer, deploy, deploy_gate, ran, signal, until};
use serde_json::Value;

/// `wait` for so many components.
fn wait(server: &Server, components: usize, flags: &[&str]) -> std::process::Command {
    let mut command = deploy_gate(&["wait", "--install=inl00000000000000000000001"]);
    command.args((1..=components).map(|number| format!("--component=cmp{number:023}")));
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
fn a_pool_of_threads_records_in_order_of_time() {
    let server = Server::start(vec![deploy("executing"), deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("run.jsonl");
    let mut command = wait(&server, 30, &["--jobs=8", "--until=applied"]);
    let (code, out, _) = ran(command.arg(format!("--record={}", recording.display())));
    assert_eq!(code, 0, "{out}");
    let text = std::fs::read_to_string(&recording).expect("a recording");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let times: Vec<u64> = lines.iter().filter_map(|line| line["at_ms"].as_u64()).collect();
    assert!(times.len() >= 60 && times.is_sorted(), "{times:?}");
    let (code, out, _) = ran(deploy_gate(&["replay", "--until=applied"]).arg(&recording));
    assert!(code == 0 && out.contains("all 30 targets passed"), "{out}");
}

#[test]
fn an_output_that_belongs_to_one_deploy_is_there_and_empty() {
    let server = Server::start(vec![deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("gate.env");
    let mut command = wait(&server, 2, &["--until=applied", "--extract=name=$.id"]);
    let (code, out, _) = ran(command.arg(format!("--report=dotenv={}", report.display())));
    assert_eq!(code, 0, "{out}");
    let report = std::fs::read_to_string(report).expect("a report");
    assert!(report.contains("GATE_OUTCOME=passed\n") && report.contains("GATE_NAME=\n"), "{report}");
}

#[test]
fn targets_come_from_stdin_too() {
    let server = Server::start(vec![deploy("active")]);
    let mut command = deploy_gate(&["wait", "--targets=-", "--api-url", &server.url("http")]);
    command.env("NUON_INSTALL_ID", "inl00000000000000000000009").env("NUON_COMPONENT_ID", "all");
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("it runs");
    let lines = b"inl00000000000000000000001 cmp00000000000000000000001\ninl00000000000000000000001 cmp00000000000000000000002\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), lines).expect("writes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("passed: all 2 targets passed"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("warning: NUON_INSTALL_ID gives way"), "{output:?}");
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
