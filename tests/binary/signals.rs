//! Signals at every phase of a run.
#![cfg(unix)]

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::loopback::{Reply, Server, deploy, deploy_gate, signal, until};

/// When the signal comes: after so many requests, the last of which may still be open.
struct Phase {
    name: &'static str,
    replies: Vec<Reply>,
    requests: usize,
}

#[test]
fn a_signal_ends_the_run_with_reports_within_two_seconds() {
    let phases = [
        Phase { name: "before the first answer", replies: vec![Reply::Silence], requests: 1 },
        Phase { name: "while waiting", replies: vec![deploy("executing")], requests: 1 },
        Phase { name: "during a later request", replies: vec![deploy("executing"), Reply::Silence], requests: 2 },
        Phase { name: "while the document is completed", replies: vec![deploy("active"), Reply::Silence], requests: 2 },
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for Phase { name, replies, requests } in phases {
        for (word, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
            let server = Server::start(replies.clone());
            let report = folder.path().join("result.json");
            let interval = if requests == 1 { "--interval=30s" } else { "--interval=5ms" };
            let mut command = deploy_gate(&[
                "wait",
                "--install=inl00000000000000000000001",
                "--component=cmp00000000000000000000001",
                interval,
            ]);
            command.args(["--api-url", &server.url("http"), "--report", &format!("json={}", report.display())]);
            let child = command.spawn().expect("it runs");
            until(|| server.heads().len() >= requests);
            let start = Instant::now();
            signal(&child, word);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(code), "{name}");
            assert!(start.elapsed() < Duration::from_secs(2), "{name}: {:?}", start.elapsed());
            let report: serde_json::Value =
                serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
            assert_eq!(report["outcome"], "interrupted", "{name}");
            assert_eq!(report["exit_code"], code, "{name}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    let server = Server::start(vec![deploy("executing")]);
    let mut command = std::process::Command::new("nohup");
    command.args([
        env!("CARGO_BIN_EXE_deploy-gate"),
        "wait",
        "--install=inl00000000000000000000001",
        "--component=cmp00000000000000000000001",
        "--interval=20ms",
    ]);
    command.args(["--max-interval=20ms", "--timeout=20s", "--api-url", &server.url("http")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    until(|| !server.heads().is_empty());
    signal(&child, "HUP");
    let heads = server.heads().len();
    until(|| server.heads().len() > heads + 2);
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(143));
}

/// A pipe that nobody reads, full to the brim.
fn full() -> (UnixStream, UnixStream) {
    let (mut writer, reader) = UnixStream::pair().expect("a pair");
    writer.set_nonblocking(true).expect("a socket");
    while writer.write(&[b'\n'; 4096]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    writer.set_nonblocking(false).expect("a socket");
    (writer, reader)
}

#[test]
fn the_second_signal_ends_the_run_at_once() {
    // The verdict cannot be printed, since nobody reads it: the first signal alone would wait for the reader.
    let server = Server::start(vec![deploy("executing")]);
    let (writer, _reader) = full();
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("result.json");
    let mut command = deploy_gate(&[
        "wait",
        "--install=inl00000000000000000000001",
        "--component=cmp00000000000000000000001",
        "--interval=30s",
    ]);
    command.args(["--api-url", &server.url("http"), "--report", &format!("json={}", report.display())]);
    let mut child = command.stdout(Stdio::from(OwnedFd::from(writer))).spawn().expect("it runs");
    until(|| !server.heads().is_empty());
    signal(&child, "INT");
    let is_whole = || {
        let text = std::fs::read_to_string(&report).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|report| report["outcome"] == "interrupted")
    };
    until(is_whole);
    assert!(child.try_wait().expect("a child").is_none(), "it still wants to print");
    let start = Instant::now();
    signal(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(is_whole(), "the report is still whole");
}

#[cfg(target_os = "linux")]
#[test]
fn there_is_no_core_to_find_the_token_in() {
    let server = Server::start(vec![Reply::Silence]);
    let mut command = deploy_gate(&[
        "wait",
        "--install=inl00000000000000000000001",
        "--component=cmp00000000000000000000001",
        "--api-url",
        &server.url("http"),
    ]);
    let mut child = command.spawn().expect("it runs");
    until(|| !server.heads().is_empty());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    child.kill().expect("it was running");
    child.wait().expect("it ended");
}
