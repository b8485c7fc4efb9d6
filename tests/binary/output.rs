//! What the binary prints and writes: a terminal, files of CI systems, disks that are full, links.

use std::io::Read;

use crate::loopback::{Server, deploy, deploy_gate, ran, wait};

/// The log, as somebody at a terminal gets it.
#[cfg(unix)]
#[test]
fn on_a_terminal_there_is_a_live_view_and_a_line_a_change() {
    let server = Server::start(vec![deploy("planning"), deploy("planning"), deploy("executing"), deploy("active")]);
    let seen = at_a_terminal(&mut wait(&server.url("http"), &[]), 0);
    assert!(seen.contains("deploy dpl1 is \"planning\", next look in "), "{seen:?}");
    assert!(seen.contains("+0:00  deploy dpl1 is \"active\"\r\n"), "{seen:?}");
    assert!(seen.trim_end().ends_with("\u{1b}[J"), "the live view is gone at the end: {seen:?}");
}

/// What somebody at a terminal sees of the log of a command that ends with this code.
#[cfg(unix)]
fn at_a_terminal(command: &mut std::process::Command, code: i32) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal");
    let name = ptsname(&terminal, Vec::new()).expect("its name").into_string().expect("it is text");
    let screen = std::fs::OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    command.env("TERM", "xterm").stderr(screen.try_clone().expect("a copy"));
    let reader = std::thread::spawn(move || {
        let mut seen = Vec::new();
        // A terminal whose other end is closed reports an error after the last byte.
        let _ = std::fs::File::from(terminal).read_to_end(&mut seen);
        seen
    });
    let out = command.output().expect("it runs");
    assert_eq!(out.status.code(), Some(code));
    // It holds a copy of the screen.
    command.stderr(std::process::Stdio::null());
    drop(screen);
    String::from_utf8_lossy(&reader.join().expect("no panic")).into_owned()
}

/// Where each is comes first, so that a narrow terminal does not cut it.
#[cfg(unix)]
#[test]
fn on_a_terminal_many_targets_are_a_table() {
    let server = Server::start(vec![deploy("planning"), deploy("executing")]);
    let components: Vec<String> = (2..=13).map(|nth| format!("--component=cmp{nth:023}")).collect();
    let mut arguments: Vec<&str> = components.iter().map(String::as_str).collect();
    arguments.extend(["--timeout=2s", "--jobs=1"]);
    let seen = at_a_terminal(&mut wait(&server.url("http"), &arguments), 124);
    assert!(seen.contains("0 of 13 targets passed, 13 still waiting"), "{seen:?}");
    assert!(seen.contains("\n  not seen yet     cmp00000000000000000000002\r\n"), "{seen:?}");
    assert!(seen.contains("and 3 more"), "{seen:?}");
}

#[test]
fn a_file_of_github_that_is_not_there_is_no_pass_and_no_wait() {
    let server = Server::start(vec![deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let result = folder.path().join("result.json");
    let gate = |variable: &str| {
        let mut command = wait(&server.url("http"), &[]);
        command.arg(format!("--report=json={}", result.display()));
        let ran = ran(command.env("GITHUB_ACTIONS", "true").env(variable, folder.path().join("gone")));
        assert!(!folder.path().join("gone").exists(), "nobody would read it");
        (ran.0, ran.1, std::fs::read_to_string(&result).expect("a result"))
    };
    let (code, out, result) = gate("GITHUB_OUTPUT");
    assert!(code == 3 && out.starts_with("undecided (output-not-written): GITHUB_OUTPUT "), "{out}");
    assert!(result.contains("output-not-written") && server.heads().is_empty(), "{result}");
    // Nobody asked for the summary, and nothing depends on it.
    let (code, out, result) = gate("GITHUB_STEP_SUMMARY");
    assert!(code == 0 && out.contains("  warning       GITHUB_STEP_SUMMARY "), "{out}");
    assert!(result.contains("GITHUB_STEP_SUMMARY"), "{result}");
}

#[test]
fn a_report_on_stdout_leaves_the_verdict_to_stderr() {
    let server = Server::start(vec![deploy("active")]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &["--report=json=-"]));
    let result: serde_json::Value = serde_json::from_str(&out).expect("JSON and nothing else");
    assert_eq!((code, &result["outcome"]), (0, &"passed".into()));
    assert!(err.contains("\npassed: deploy dpl1"), "{err}");
    for (reports, words) in [
        (&["--report=json=-", "--report=junit=-"][..], "two reports would be mixed"),
        (&["--report=dir=-"], "dir is a folder"),
    ] {
        let (code, _, err) = ran(&mut wait(&server.url("http"), reports));
        assert!(code == 2 && err.contains(words), "{err}");
    }
    let mut command = wait(&server.url("http"), &["--report=json=-"]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    assert_eq!(command.stdout(full).output().expect("it runs").status.code(), Some(3));
}

#[test]
fn a_disk_that_is_full_when_the_files_of_github_are_written_is_no_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    for (full, code) in [("GITHUB_OUTPUT", 3), ("GITHUB_STEP_SUMMARY", 0)] {
        let server = Server::start(vec![deploy("active")]);
        let junit = folder.path().join("junit.xml");
        let mut command = wait(&server.url("http"), &[]);
        command.arg(format!("--report=junit={}", junit.display()));
        // /dev/full takes an open, but no byte.
        let (ended, out, _) = ran(command.env("GITHUB_ACTIONS", "true").env(full, "/dev/full"));
        assert!(ended == code && out.contains("/dev/full could not be written"), "{out}");
        // What could be written says the same.
        let is_pass = std::fs::read_to_string(junit).expect("a report").contains("failures=\"0\" errors=\"0\"");
        assert_eq!((is_pass, out.starts_with("undecided (output-not-written): ")), (code == 0, code == 3), "{out}");
    }
}

#[test]
fn what_is_printed_and_what_others_wrote_survives_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/recordings/sync-image-success.jsonl");
    for report in ["json=/dev/stdout".into(), format!("json={}", file("log").display())] {
        std::fs::write(file("log"), "earlier\n").expect("writes");
        let log = std::fs::OpenOptions::new().append(true).open(file("log")).expect("opens");
        let (code, _, err) =
            ran(deploy_gate(&["replay", recording, "--report", &report, "--report=junit=/dev/stderr"]).stdout(log));
        assert!(code == 0 && err.contains("<testsuites"), "{err}");
        let log = std::fs::read_to_string(file("log")).expect("a log");
        assert!(log.starts_with("earlier\n{") && log.contains("\n}\npassed: "), "{log}");
    }
    std::fs::write(file("outputs"), "earlier=1\n").expect("writes");
    let mut command = deploy_gate(&["replay", recording, "--report=json=./outputs"]);
    command.current_dir(folder.path()).env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", file("outputs"));
    let (code, _, err) = ran(&mut command);
    assert!(code == 2 && err.contains("the file of GITHUB_OUTPUT"), "{err}");
    assert!(std::fs::read_to_string(file("outputs")).expect("outputs").starts_with("earlier=1\noutcome<<"));
}

#[cfg(unix)]
#[test]
fn a_report_to_a_named_pipe_is_refused_before_the_first_request() {
    let server = Server::start(vec![deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).expect("a pipe");
    for report in ["json", "github"] {
        let (code, _, err) = ran(&mut wait(&server.url("http"), &[&format!("--report={report}={}", pipe.display())]));
        assert!(code == 2 && err.contains("named pipe"), "{err}");
    }
    assert!(server.heads().is_empty());
}

#[test]
fn a_report_never_overwrites_what_the_run_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let recording = std::fs::read("examples/recordings/sync-image-success.jsonl").expect("a recording");
    std::fs::write(path("r.jsonl"), &recording).expect("writes");
    std::fs::write(path("asserts"), "$.plan_only == false\n").expect("writes");
    std::fs::write(path("outcome"), "$.plan_only == false\n").expect("writes");
    std::fs::hard_link(path("asserts"), path("link")).expect("a link");
    for (input, report) in [
        ("asserts", format!("json={}", path("r.jsonl"))),
        ("asserts", format!("json={}", path("./asserts"))),
        ("asserts", format!("json={}", path("link"))),
        ("outcome", format!("dir={}", folder.path().display())),
    ] {
        let flags = [format!("--assert-file={}", path(input)), format!("--report={report}")];
        let (code, _, err) = ran(deploy_gate(&["replay", &path("r.jsonl")]).args(&flags));
        assert!(code == 2 && err.contains("it would overwrite"), "{report}: {err}");
        assert_eq!(std::fs::read(path("r.jsonl")).expect("it is there"), recording);
        assert_eq!(std::fs::read_to_string(path(input)).expect("it is there"), "$.plan_only == false\n");
    }
    // Whatever the file is for, and whatever would be written there.
    let server = Server::start(vec![deploy("active")]);
    std::fs::write(path(".nuon"), "api_token: token-0123456789\n").expect("writes");
    std::fs::write(path("token"), "token-0123456789").expect("writes");
    std::fs::write(path("trigger"), r#"{"workflow_id":"inw00000000000000000000001"}"#).expect("writes");
    for (input, flags) in [
        ("asserts", [format!("--assert-file={}", path("asserts")), format!("--record={}", path("asserts"))]),
        ("token", [format!("--token-file={}", path("token")), format!("--record={}", path("token"))]),
        ("trigger", [format!("--workflow=@{}", path("trigger")), format!("--report=github={}", path("trigger"))]),
        (".nuon", ["--ci=none".into(), format!("--report=json={}", path(".nuon"))]),
    ] {
        let before = std::fs::read(path(input)).expect("it is there");
        let (code, _, err) = ran(wait(&server.url("http"), &[&flags[0], &flags[1]]).env("HOME", folder.path()));
        assert!(code == 2 && err.contains("it would overwrite"), "{input}: {err}");
        assert_eq!(std::fs::read(path(input)).expect("it is there"), before);
    }
    assert!(server.heads().is_empty());
}

#[test]
fn what_is_added_to_a_file_begins_on_a_line_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (outputs, summary) = (folder.path().join("outputs"), folder.path().join("summary"));
    let text = |path| std::fs::read_to_string(path).expect("it is there");
    let server = Server::start(vec![deploy("active")]);
    for flags in [&["--ci=github"][..], &["--timeout=soon"]] {
        for file in [&outputs, &summary] {
            std::fs::write(file, "before=x").expect("writes");
        }
        let variables = [("GITHUB_OUTPUT", &outputs), ("GITHUB_STEP_SUMMARY", &summary)];
        ran(wait(&server.url("http"), flags).env("GITHUB_ACTIONS", "true").envs(variables));
        assert!(text(&outputs).starts_with("before=x\noutcome<<"), "{}", text(&outputs));
        assert!(["before=x", "before=x\n### "].iter().any(|start| text(&summary).starts_with(start)));
        assert!(!text(&summary).contains("before=x#"), "{}", text(&summary));
    }
}

#[test]
fn a_byte_order_mark_at_the_head_of_a_file_is_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_mark = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, [b"\xef\xbb\xbf", bytes].concat()).expect("writes");
        path.to_string_lossy().into_owned()
    };
    let recording = std::fs::read("examples/recordings/sync-image-success.jsonl").expect("a recording");
    let (recording, asserts) = (with_mark("r.jsonl", &recording), with_mark("a", b"$.plan_only == false\n"));
    let (code, out, err) = ran(&mut deploy_gate(&["replay", &recording, "--assert-file", &asserts]));
    assert_eq!(code, 0, "{out}{err}");
    let document = with_mark("d.json", br#"{"id":"dpl1","plan_only":false}"#);
    let (code, out, err) = ran(&mut deploy_gate(&["check", &document, "--assert-file", &asserts]));
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn booleans_are_written_as_people_write_them() {
    for (value, is_quiet) in
        [("True", true), ("yes", true), ("1", true), ("ON", true), ("no", false), ("0", false), ("off", false)]
    {
        let mut command = deploy_gate(&["replay", "examples/recordings/sync-image-success.jsonl"]);
        let (code, _, err) = ran(command.env("DEPLOY_GATE_QUIET", value));
        assert_eq!((code, err.is_empty()), (0, is_quiet), "{value}: {err}");
    }
    let mut command = deploy_gate(&["replay", "examples/recordings/sync-image-success.jsonl"]);
    assert_eq!(ran(command.env("DEPLOY_GATE_QUIET", "maybe")).0, 2);
}
