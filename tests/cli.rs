//! The binary itself, over real sockets, with real signals.

#![expect(clippy::disallowed_methods, reason = "the binary is another process, with its own time")]

mod common;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{Reply, Server, answer, authority, deploy, document};

const TOKEN: &str = "secret-token-0123456789";
const LATEST: &str = "/v1/installs/inl1/components/cmp1/deploys/latest";

/// The binary with a clean environment.
fn deploy_gate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-gate"));
    command.args(arguments).env_clear().env("NUON_API_TOKEN", TOKEN).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `deploy-gate wait` at a server, looking often.
fn wait(url: &str, arguments: &[&str]) -> Command {
    let mut command = deploy_gate(&["wait", "--install=inl1", "--component=cmp1"]);
    // A default for tests that would wait for ever if they failed; a flag beats it.
    command.env("DEPLOY_GATE_TIMEOUT", "20s");
    command.args(["--interval=5ms", "--max-interval=5ms", "--api-url", url]).args(arguments);
    command
}

fn ran(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    let (out, err) = (text(stdout), text(stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN), "{out}{err}");
    (status.code().expect("it ends by itself"), out, err)
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or("no such header")
}

/// The log, as somebody at a terminal gets it.
#[cfg(unix)]
#[test]
fn on_a_terminal_there_is_a_live_line_and_a_line_a_change() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let server = Server::start(vec![deploy("planning"), deploy("planning"), deploy("executing"), deploy("active")]);
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal");
    let name = ptsname(&terminal, Vec::new()).expect("its name").into_string().expect("it is text");
    let screen = std::fs::OpenOptions::new().read(true).write(true).open(name).expect("its other end");
    let mut command = wait(&server.url("http"), &[]);
    command.env("TERM", "xterm").stderr(screen.try_clone().expect("a copy"));
    let out = command.output().expect("it runs");
    assert_eq!(out.status.code(), Some(0));
    drop((command, screen));
    let mut seen = Vec::new();
    // A terminal whose other end is closed reports an error after the last byte.
    let _ = std::fs::File::from(terminal).read_to_end(&mut seen);
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("deploy dpl1 is \"planning\", next look in "), "{seen:?}");
    assert!(seen.contains("+0:00  deploy dpl1 is \"active\"\r\n"), "{seen:?}");
    assert!(seen.trim_end().ends_with("\u{1b}[2K"), "the live line is gone at the end: {seen:?}");
}

#[test]
fn a_file_of_github_that_is_not_there_is_no_pass_and_no_wait() {
    let server = Server::start(vec![deploy("active")]);
    let folder = tempfile::tempdir().expect("a folder");
    let result = folder.path().join("result.json");
    for missing in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        let mut command = wait(&server.url("http"), &[]);
        command.arg(format!("--report=json={}", result.display()));
        let (code, out, _) = ran(command.env("GITHUB_ACTIONS", "true").env(missing, folder.path().join("gone")));
        assert_eq!(code, 3);
        assert!(out.starts_with(&format!("undecided (output-not-written): {missing} ")), "{out}");
        assert!(!folder.path().join("gone").exists(), "nobody would read it");
        let result = std::fs::read_to_string(&result).expect("a result");
        assert!(result.contains("output-not-written"), "{result}");
    }
    assert_eq!(server.heads().len(), 0);
}

#[test]
fn a_disk_that_is_full_when_the_files_of_github_are_written_is_no_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    for full in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        let server = Server::start(vec![deploy("active")]);
        let junit = folder.path().join("junit.xml");
        let mut command = wait(&server.url("http"), &[]);
        command.arg(format!("--report=junit={}", junit.display()));
        // /dev/full takes an open, but no byte.
        let (code, out, _) = ran(command.env("GITHUB_ACTIONS", "true").env(full, "/dev/full"));
        assert_eq!(code, 3);
        assert!(
            out.starts_with("undecided (output-not-written): ") && out.contains("/dev/full could not be written"),
            "{out}"
        );
        // What could be written does not say that the gate passed.
        assert!(std::fs::read_to_string(junit).expect("a report").contains("type=\"Undecided\""));
    }
}

#[test]
fn a_deploy_from_nothing_to_active_over_one_connection() {
    let server = Server::start(vec![
        answer("404 Not Found", "", r#"{"error":"record not found"}"#),
        deploy(""),
        deploy("planning"),
        answer("502 Bad Gateway", "", "<html><h1>502</h1></html>"),
        deploy("executing"),
        deploy("active"),
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let (outputs, summary) = (folder.path().join("outputs"), folder.path().join("summary"));
    std::fs::write(&outputs, "earlier=1\n").expect("writes");
    std::fs::write(&summary, "of another step\n").expect("writes");
    let mut command = wait(&server.url("http"), &["--org=org1", "--assert=$.plan_only == false"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
    command.arg(format!("--report=markdown={}", summary.display()));
    let (code, out, err) = ran(&mut command);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("passed: deploy dpl1 is \"active\", the assertion is true\n"), "{out}");
    let outputs = std::fs::read_to_string(outputs).expect("outputs");
    assert!(outputs.starts_with("earlier=1\noutcome<<ghadelimiter_") && outputs.contains("\npassed\n"), "{outputs}");
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(summary.starts_with("of another step\n### ✅ Deploy gate: passed\n"), "{summary}");
    assert_eq!(summary.matches("###").count(), 1, "asked for twice, written once");
    let heads = server.heads();
    assert_eq!(server.looks().len(), 6);
    assert!(heads[5].starts_with(&format!("GET {LATEST} HTTP/1.1\r\n")), "{heads:?}");
    for head in &heads {
        assert_eq!(header(head, "authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(header(head, "x-nuon-org-id"), "org1");
        assert_eq!(header(head, "user-agent"), concat!("deploy-gate/", env!("CARGO_PKG_VERSION")));
        assert_eq!(header(head, "accept-encoding"), "gzip");
        assert_eq!(header(head, "x-nuon-trace-id").len(), 36);
    }
    assert_ne!(header(&heads[0], "x-nuon-trace-id"), header(&heads[1], "x-nuon-trace-id"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn https_needs_a_certificate_that_verifies() {
    let (pem, config) = authority();
    let server = Server::start_tls(vec![deploy("planning"), deploy("active")], config);
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("writes");
    let (code, out, _) = ran(&mut wait(&server.url("https"), &[]));
    assert_eq!(code, 3, "{out}");
    assert!(out.starts_with("undecided (bad-answer): the server's certificate does not verify"), "{out}");
    assert!(out.contains("--ca-file (DEPLOY_GATE_CA_FILE)") && server.heads().is_empty(), "{out}");
    let (code, out, err) = ran(&mut wait(&server.url("https"), &["--ca-file", &ca.to_string_lossy()]));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2, "one for each run");
}

#[test]
fn broken_answers_are_asked_again() {
    let whole = document("active");
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", whole.len(), &whole[..20]);
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n", whole.len());
    let whole_but_no_end = Reply::Last(chunked.clone().into_bytes());
    let server = Server::start(vec![
        Reply::Last(Vec::new()),
        Reply::Last(cut.into_bytes()),
        whole_but_no_end,
        Reply::Last(b"SSH-2.0-nonsense\r\n".to_vec()),
        answer("200 OK", "", ""),
        answer("200 OK", "content-encoding: gzip\r\n", "not gzip"),
        Reply::Bytes(format!("{chunked}0\r\n\r\n").into_bytes()),
    ]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.looks().len()), (0, 7), "{out}{err}");
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let (code, out, _) = ran(&mut wait("http://127.0.0.1:1", &["--timeout=300ms"]));
    assert_eq!(code, 124, "{out}");
    assert!(out.starts_with("timed-out (unreachable): no usable answer at the last look:"), "{out}");
}

#[test]
fn a_server_that_never_answers_is_left_at_the_deadline() {
    for reply in [Reply::Silence, Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec())] {
        let server = Server::start(vec![reply]);
        let start = Instant::now();
        let (code, out, _) = ran(&mut wait(&server.url("http"), &["--timeout=1s"]));
        assert!(matches!(code, 3 | 124), "{out}");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    }
}

#[test]
fn a_body_that_is_too_large_is_not_taken() {
    let zeros = vec![b' '; 1 << 20];
    let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    let mut bomb = Vec::new();
    let mut gzip = flate2::write::GzEncoder::new(&mut bomb, flate2::Compression::best());
    (0..64).for_each(|_| gzip.write_all(&zeros).expect("compresses"));
    gzip.finish().expect("compresses");
    let long = format!(r#"{{"id":"dpl1","status_v2":{{"status":"active"}},"x":"{}"}}"#, "x".repeat(20_000_000));
    for reply in
        [Reply::Endless(head, zeros), answer("200 OK", "content-encoding: gzip\r\n", bomb), answer("200 OK", "", long)]
    {
        let server = Server::start(vec![reply]);
        let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
        assert_eq!(code, 3, "{out}{err}");
        assert!(out.starts_with("undecided (bad-answer): the answer is larger than --max-body"), "{out}");
    }
    let server = Server::start(vec![answer("200 OK", "", document("active"))]);
    assert_eq!(ran(&mut wait(&server.url("http"), &["--max-body=10"])).0, 3);
}

#[test]
fn the_token_never_leaves_the_origin() {
    let elsewhere = Server::start(vec![deploy("active")]);
    let away = answer("302 Found", &format!("location: {}{LATEST}\r\n", elsewhere.url("http")), "");
    let server = Server::start(vec![away]);
    let (code, out, _) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!(code, 3, "{out}");
    assert!(elsewhere.heads().is_empty(), "{out}");
    let server = Server::start(vec![answer("307 Temporary Redirect", "location: /v2/here\r\n", ""), deploy("active")]);
    assert_eq!(ran(&mut wait(&server.url("http"), &[])).0, 0);
    let heads = server.heads();
    assert!(heads[1].starts_with("GET /v2/here ") && heads[1].contains(TOKEN), "{heads:?}");
    let server = Server::start(vec![answer("302 Found", "location: /again\r\n", "")]);
    let (code, out, _) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.heads().len()), (3, 5), "{out}");
}

#[test]
fn a_token_over_plain_http_stays_on_this_machine() {
    let (code, _, err) = ran(&mut wait("http://api.example", &[]));
    assert_eq!(code, 2);
    assert!(err.contains("--allow-http") && err.contains("NUON_API_URL"), "{err}");
    // Through a proxy on this machine, so that nothing leaves it here either.
    let proxy = Server::start(vec![answer("503 No", "", "")]);
    let mut command = wait("http://api.example", &["--allow-http", "--timeout=0"]);
    let (code, _, err) = ran(command.env("HTTP_PROXY", proxy.url("http")));
    assert_eq!((code, proxy.heads().len()), (124, 1), "{err}");
}

#[test]
fn a_token_that_the_server_echoes_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let echo = format!(r#"{{"error":"bad token {TOKEN}"}}"#);
    let server = Server::start(vec![answer("500 Error", "x-y: z\r\n", &echo), answer("401 Unauthorized", "", echo)]);
    let arguments = ["-v", "--record", &file("r"), "--report", &format!("json={}", file("j"))];
    let (code, out, _) = ran(&mut wait(&server.url("http"), &arguments));
    assert_eq!(code, 3);
    assert!(out.contains("bad token [token]"), "{out}");
    for name in ["r", "j"] {
        let text = std::fs::read_to_string(file(name)).expect("a file");
        assert!(text.contains("[token]") && !text.contains(TOKEN), "{text}");
    }
}

#[test]
fn a_token_file_is_read_again_for_every_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "first-token\n").expect("writes");
    let server = Server::start(vec![deploy("planning")]);
    let mut command = wait(&server.url("http"), &["--token-file", &token.to_string_lossy()]);
    let mut child = command.spawn().expect("it runs");
    until(|| server.heads().iter().any(|head| head.contains("Bearer first-token\r\n")));
    std::fs::write(&token, "second-token").expect("writes");
    until(|| server.heads().iter().any(|head| head.contains("Bearer second-token\r\n")));
    child.kill().expect("it was running");
    child.wait().expect("it ended");
    let server = Server::start(vec![deploy("active")]);
    let mut command = wait(&server.url("http"), &["--token-file=-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(b"from-stdin\n").expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(header(&server.heads()[0], "authorization"), "Bearer from-stdin");
}

/// Waits for something that another process does.
fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_nuon_clis_file_is_the_last_fallback() {
    let server = Server::start(vec![deploy("active")]);
    let home = tempfile::tempdir().expect("a folder");
    let yaml = format!(
        "api_url: {}\napi_token: token-of-file\norg_id: org1\ninstall_id: inl1\ndebug: true\n",
        server.url("http")
    );
    std::fs::write(home.path().join(".nuon"), yaml).expect("writes");
    let arguments = ["wait", "--component=cmp1", "--timeout=0"];
    let (code, out, err) = ran(deploy_gate(&arguments).env_remove("NUON_API_TOKEN").env("HOME", home.path()));
    assert_eq!(code, 0, "{out}{err}");
    let variables = [("NUON_ORG_ID", "org2"), ("NUON_INSTALL_ID", "inl2"), ("NUON_API_URL", "")];
    ran(deploy_gate(&arguments).env("HOME", home.path()).envs(variables));
    let heads = server.looks();
    assert!(heads[0].starts_with(&format!("GET {LATEST} ")), "{heads:?}");
    assert_eq!(
        (header(&heads[0], "authorization"), header(&heads[0], "x-nuon-org-id")),
        ("Bearer token-of-file", "org1")
    );
    assert!(heads[1].contains("/inl2/") && heads[1].contains(TOKEN), "{heads:?}");
    assert_eq!(header(&heads[1], "x-nuon-org-id"), "org2");
    let (code, _, err) = ran(&mut deploy_gate(&arguments));
    assert_eq!(code, 2);
    assert!(
        err.contains("--install") && err.contains("NUON_INSTALL_ID") && err.contains("install_id in ~/.nuon"),
        "{err}"
    );
    std::fs::write(home.path().join(".nuon"), "api_token: [secret-in-file\n").expect("writes");
    let (code, _, err) = ran(deploy_gate(&arguments).env("HOME", home.path()));
    assert!(code == 2 && err.contains("NUON_CONFIG_FILE") && !err.contains("secret-in-file"), "{err}");
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let proxy = Server::start(vec![answer("503 No", "", "")]);
    let server = Server::start(vec![deploy("active")]);
    let arguments = ["--timeout=100ms"];
    let (code, ..) = ran(wait(&server.url("http"), &arguments).env("HTTP_PROXY", proxy.url("http")));
    assert_eq!((code, server.heads().len()), (124, 0));
    let authority = server.url("http").replace("http://", "");
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{:?}", proxy.heads());
    assert!(!proxy.heads()[0].contains(TOKEN));
    let variables = [("HTTP_PROXY", proxy.url("http")), ("NO_PROXY", "127.0.0.1".into())];
    assert_eq!(ran(wait(&server.url("http"), &arguments).envs(variables)).0, 0);
}

#[cfg(unix)]
fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_with_reports_within_two_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    for (reply, name, code) in
        [(deploy("executing"), "INT", 130), (deploy("executing"), "TERM", 143), (Reply::Silence, "TERM", 143)]
    {
        let server = Server::start(vec![reply]);
        let report = folder.path().join("result.json");
        let mut command = deploy_gate(&["wait", "--install=inl1", "--component=cmp1", "--interval=30s"]);
        command.args(["--api-url", &server.url("http"), "--report", &format!("json={}", report.display())]);
        let child = command.spawn().expect("it runs");
        until(|| !server.heads().is_empty());
        let start = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(code));
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        let report: serde_json::Value =
            serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
        assert_eq!((&report["outcome"], &report["exit_code"]), (&"interrupted".into(), &code.into()));
    }
}

#[test]
fn check_judges_a_saved_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("deploy.json");
    let check = |text: &str, arguments: &[&str]| {
        std::fs::write(&file, text).expect("writes");
        ran(deploy_gate(&["check", &file.to_string_lossy()]).args(arguments))
    };
    let planned = r#"{"id":"dpl1","plan_only":true,"status_v2":{"status":"error"}}"#;
    let (code, out, _) = check(planned, &["--assert=$.plan_only == false"]);
    assert_eq!(code, 1);
    assert_eq!(
        out,
        "failed: `$.plan_only == false` is false: $.plan_only -> true\n\
         \x20 status        \"error\": failure, which does not decide here\n\
         \x20 false         $.plan_only == false\n\
         \x20               $.plan_only -> true\n"
    );
    let (code, out, _) = check(planned, &["--assert", "planned: $.plan_only == true"]);
    assert!(code == 0 && out.starts_with("passed: the assertion is true\n"), "{out}");
    assert_eq!(check(planned, &["--assert=!$.gone.x"]).0, 1);
    assert_eq!(check(planned, &["--allow-vacuous", "--assert=!$.gone.x"]).0, 0);
    assert_eq!(check(planned, &[]).0, 2);
    assert_eq!(check("[]", &["--assert=$.a"]).0, 2);
    assert_eq!(check("", &["--assert=$.a"]).0, 2);
    assert_eq!(check(r#"{"l":[{"n":[]}]}"#, &["--assert=$.l[?count(@.n[*]) != 0]"]).0, 3);
    let mut command = deploy_gate(&["check", "-", "--assert=$.plan_only == true"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(planned.as_bytes()).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(ran(&mut deploy_gate(&["check", "/nowhere", "--assert=$.a"])).0, 2);
}

#[test]
fn latest_prints_the_id_for_previous() {
    let latest = |reply, arguments: &[&str]| {
        let server = Server::start(vec![reply]);
        let mut command =
            deploy_gate(&["latest", "--install=inl1", "--component=cmp1", "--api-url", &server.url("http")]);
        let ran = ran(command.args(arguments));
        assert_eq!(server.heads().len(), 1, "one look");
        ran
    };
    let (code, out, err) = latest(deploy("active"), &[]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "dpl1\n", ""));
    let (code, out, _) = latest(answer("404 Not Found", "", "{}"), &[]);
    assert_eq!((code, out.as_str()), (0, "none\n"));
    let secret = answer("200 OK", "", r#"{"id":"dpl1","log_stream":{"write_token":"s3cr3t"}}"#);
    let (code, out, _) = latest(secret, &["--json"]);
    assert_eq!((code, serde_json::from_str(&out).ok()), (0, Some(serde_json::json!({"id": "dpl1", "log_stream": {}}))));
    assert_eq!(latest(answer("404 Not Found", "", "{}"), &["--json"]).1, "null\n");
    for (reply, reason) in [
        (answer("401 Unauthorized", "", "{}"), "unauthorized: 401"),
        (answer("502 Bad Gateway", "", "<html>"), "bad-answer: 502"),
    ] {
        let (code, out, err) = latest(reply, &[]);
        assert!(code == 3 && out.is_empty() && err.starts_with(reason), "{out}{err}");
    }
}

#[test]
fn the_tables_are_printed() {
    let (code, out, _) = ran(&mut deploy_gate(&["statuses"]));
    assert!(code == 0 && out.starts_with("active                 success        terminal, passes"), "{out}");
    let (_, out, _) = ran(&mut deploy_gate(&["statuses", "--json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
    assert!(rows.contains(&serde_json::json!({"status": "cancelled", "class": "failure"})), "{out}");
    let (_, out, _) = ran(&mut deploy_gate(&["presets", "--json"]));
    let presets: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
    assert_eq!(presets.len(), 4);
    assert!(ran(&mut deploy_gate(&["presets"])).1.contains("no-failed-steps: "));
}

#[test]
fn help_tells_the_exit_codes() {
    for arguments in [&["--help"][..], &["wait", "--help"], &["help", "replay"]] {
        let (code, out, _) = ran(&mut deploy_gate(arguments));
        assert!(code == 0 && out.contains("124  timed-out"), "{out}");
    }
    assert_eq!(ran(&mut deploy_gate(&["--version"])).1, format!("deploy-gate {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ran(&mut deploy_gate(&[])).0, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_verdict_that_cannot_be_printed_is_no_pass() {
    let server = Server::start(vec![deploy("active")]);
    let full = || std::fs::File::create("/dev/full").expect("it opens");
    let mut command = wait(&server.url("http"), &[]);
    assert_eq!(command.stdout(full()).status().expect("it runs").code(), Some(3));
    assert_eq!(wait(&server.url("http"), &[]).stderr(full()).status().expect("it runs").code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_report_replaces_what_a_link_leads_to_and_others_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    std::fs::write(&file, "old").expect("writes");
    std::os::unix::fs::symlink(&file, &link).expect("links");
    let server = Server::start(vec![deploy("active")]);
    assert_eq!(ran(&mut wait(&server.url("http"), &["--report", &format!("json={}", link.display())])).0, 0);
    assert!(is_link(&link) && std::fs::read_to_string(&file).expect("reads").contains("\"passed\""));
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o644);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left behind");
}

#[cfg(unix)]
fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

#[test]
fn completions_and_the_man_page_know_every_flag() {
    let (code, page, _) = ran(&mut deploy_gate(&["man"]));
    assert!(code == 0 && page.starts_with(".ie"), "{page}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, _) = ran(&mut deploy_gate(&["completions", shell]));
        assert!(code == 0 && script.contains("appear-timeout"), "{shell}: {script}");
    }
    assert_eq!(ran(&mut deploy_gate(&["completions", "tcsh"])).0, 2);
}
