//! The binary itself, over real sockets, with real signals.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::loopback::{LATEST, Reply, Server, TOKEN, answer, deploy, deploy_gate, header, ran, until, wait};

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
fn a_token_that_the_server_echoes_in_escapes_is_not_shown() {
    const STRANGE: &str = "tok&secret<12345>/\"abc";
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    // As Go and as others write it in JSON.
    for escaped in [
        r#"tok\u0026secret\u003c12345\u003e/\"abc"#,
        r#"tok\u0026secret\u003C12345\u003E\/\"abc"#,
        r#"tok&secret<12345>/\"abc"#,
    ] {
        let echo = format!(r#"{{"error":"bad token {escaped}"}}"#);
        let server = Server::start(vec![answer("500 Error", "", &echo), answer("401 Unauthorized", "", echo)]);
        let arguments = ["-v", "--record", &file("r"), "--report", &format!("json={}", file("j"))];
        let (code, out, err) = ran(wait(&server.url("http"), &arguments).env("NUON_API_TOKEN", STRANGE));
        assert_eq!(code, 3);
        assert!(out.contains("bad token [token]") && !err.contains("secret"), "{out}{err}");
        for name in ["r", "j"] {
            let text = std::fs::read_to_string(file(name)).expect("a file");
            assert!(text.contains("[token]") && !text.contains("secret"), "{text}");
        }
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
    // A pipe, as `<(…)` is one, is read once.
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).expect("a pipe");
    let server = Server::start(vec![deploy("planning"), deploy("active")]);
    let mut child = wait(&server.url("http"), &["--token-file", &pipe.to_string_lossy()]).spawn().expect("it runs");
    std::fs::write(&pipe, "from-a-pipe\n").expect("it is read");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(server.heads().iter().all(|head| header(head, "authorization") == "Bearer from-a-pipe"));
    // A token that was given where its file belongs is not told.
    for token in ["token0123456789", "token/0123456789", "/token0123456789"] {
        let (code, out, err) = ran(&mut wait(&server.url("http"), &["--token-file", token]));
        assert!(code == 2 && err.contains("--token-file") && !(out + &err).contains("0123456789"), "{err}");
    }
}

#[test]
fn a_job_that_ends_before_the_gate_is_warned_of() {
    let server = Server::start(vec![deploy("active")]);
    for (limit, is_said) in [("3600", true), ("600", true), ("3601", false), ("", false), ("1h", false)] {
        let (code, _, err) = ran(wait(&server.url("http"), &["--timeout=1h"]).env("CI_JOB_TIMEOUT", limit));
        assert_eq!((code, err.contains("(CI_JOB_TIMEOUT)")), (0, is_said), "{limit}: {err}");
    }
}

#[test]
fn the_nuon_clis_file_is_the_last_fallback() {
    let server = Server::start(vec![deploy("active")]);
    let home = tempfile::tempdir().expect("a folder");
    let yaml = format!(
        "api_url: {}\napi_token: token-of-file\norg_id: org1\ninstall_id: inl00000000000000000000001\ndebug: true\n",
        server.url("http")
    );
    std::fs::write(home.path().join(".nuon"), yaml).expect("writes");
    let arguments = ["wait", "--component=cmp00000000000000000000001", "--timeout=0"];
    let (code, out, err) = ran(deploy_gate(&arguments).env_remove("NUON_API_TOKEN").env("HOME", home.path()));
    assert_eq!(code, 0, "{out}{err}");
    let variables = [("NUON_ORG_ID", "org2"), ("NUON_INSTALL_ID", "inl00000000000000000000002"), ("NUON_API_URL", "")];
    ran(deploy_gate(&arguments).env("HOME", home.path()).envs(variables));
    let heads = server.looks();
    assert!(heads[0].starts_with(&format!("GET {LATEST} ")), "{heads:?}");
    assert_eq!(
        (header(&heads[0], "authorization"), header(&heads[0], "x-nuon-org-id")),
        ("Bearer token-of-file", "org1")
    );
    assert!(heads[1].contains("/inl00000000000000000000002/") && heads[1].contains(TOKEN), "{heads:?}");
    assert_eq!(header(&heads[1], "x-nuon-org-id"), "org2");
    // What is given and empty does not lead to another place than the file does.
    for flag in ["--api-url=", "--org="] {
        let (code, out, err) = ran(deploy_gate(&arguments).arg(flag).env("HOME", home.path()));
        assert!(code == 2 && err.contains(flag.trim_end_matches('=')), "{out}{err}");
    }
    let (code, _, err) = ran(&mut deploy_gate(&arguments));
    assert_eq!(code, 2);
    assert!(
        err.contains("--install") && err.contains("NUON_INSTALL_ID") && err.contains("install_id in ~/.nuon"),
        "{err}"
    );
    // Some images have no home.
    let (code, _, err) = ran(wait(&server.url("http"), &[]).env("HOME", "/dev/null"));
    assert_eq!(code, 0, "{err}");
    std::fs::write(home.path().join(".nuon"), "api_token: [secret-in-file\n").expect("writes");
    let (code, _, err) = ran(deploy_gate(&arguments).env("HOME", home.path()));
    assert!(code == 2 && err.contains("NUON_CONFIG_FILE") && !err.contains("secret-in-file"), "{err}");
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
        "failed: `$.plan_only == false` is false: $.plan_only is true\n\
         \x20 status        \"error\": failure, which does not decide here\n\
         \x20 false         $.plan_only == false\n"
    );
    let (code, out, _) = check(planned, &["--assert", "planned: $.plan_only == true"]);
    assert!(code == 0 && out.starts_with("passed: the assertion is true\n"), "{out}");
    assert_eq!(check(planned, &["--assert=!$.gone.x"]).0, 1);
    assert_eq!(check(planned, &["--assert=!$.oci_artifact || !$.oci_artifact.tag"]).0, 0);
    assert_eq!(check(planned, &[]).0, 2);
    // What only warns cannot fail.
    let advisory = "--warn=$.plan_only == false";
    let (code, _, err) = check(planned, &[advisory]);
    assert!(code == 2 && err.contains("--warn alone never fails"), "{err}");
    let (code, out, _) = check(planned, &["--assert=$.plan_only == true", advisory]);
    let warning = "warning       the advisory assertion `$.plan_only == false` is false: $.plan_only is true";
    assert!(code == 0 && out.contains(warning), "{out}");
    assert_eq!(check("[]", &["--assert=$.a"]).0, 2);
    assert_eq!(check("", &["--assert=$.a"]).0, 2);
    // One of a workflow is known by its steps.
    let workflow = r#"{"id":"inw1","plan_only":false,"finished":true,"status":{"status":"success"},"steps":[{"status":{"status":"success"}}]}"#;
    let (code, out, err) = check(workflow, &["--require=no-failed-steps", "--assert=$.finished == true"]);
    assert!(code == 0 && out.contains("1 steps, none failed") && out.contains("has ended (success)"), "{out}{err}");
    let (code, _, err) = check(workflow, &["--assert=$.workflow.finished == true"]);
    assert!(code == 1 && err.is_empty(), "{err}");
    assert_eq!(check(r#"{"l":[{"n":[]}]}"#, &["--assert=$.l[?count(@.n[*]) != 0]"]).0, 3);
    let mut command = deploy_gate(&["check", "-", "--assert=$.plan_only == true"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(planned.as_bytes()).expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(ran(&mut deploy_gate(&["check", "/nowhere", "--assert=$.a"])).0, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(file("loud"), r#"{"id":"x","a\n::error::pwned\n##vso[x]":1,"a\n::error::pwned\n##vso[x]":2}"#)
        .expect("writes");
    let (code, _, err) = ran(&mut deploy_gate(&["check", &file("loud"), "--assert=$.a"]));
    assert!(code == 2 && err.contains("is there twice"), "{err}");
    assert!(!err.contains("##") && !err.lines().any(|line| line.trim_start().starts_with("::")), "{err}");
    // To some a carriage return ends a line, to others it does not.
    std::fs::write(file("lines"), "# c\r$.plan_only == true\n$.id\n").expect("writes");
    std::fs::write(file("plain"), planned).expect("writes");
    let (code, _, err) = ran(&mut deploy_gate(&["check", &file("plain"), "--assert-file", &file("lines")]));
    assert!(code == 2 && err.contains("line 1") && err.contains("carriage return"), "{err}");
}

#[test]
fn latest_prints_the_id_for_after() {
    let asked = |replies: Vec<Reply>, arguments: &[&str]| {
        let server = Server::start_with_install(replies);
        let mut command = deploy_gate(&[
            "latest",
            "--install=inl00000000000000000000001",
            "--component=cmp00000000000000000000001",
            "--api-url",
            &server.url("http"),
        ]);
        (ran(command.args(arguments)), server.heads().len())
    };
    let latest = |reply: Reply, arguments: &[&str]| asked(vec![reply], arguments).0;
    assert_eq!(asked(vec![deploy("active")], &[]).1, 1, "one look");
    let (code, out, err) = latest(deploy("active"), &[]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "dpl1\n", ""));
    // None, where the install is there; what cannot be read is never none.
    let gone = || answer("404 Not Found", "", "{}");
    let install = answer("200 OK", "", r#"{"id":"inl00000000000000000000001","name":"prod"}"#);
    for (arguments, printed) in [(&[][..], "none\n"), (&["--json"], "null\n")] {
        let ((code, out, _), requests) = asked(vec![gone(), install.clone()], arguments);
        assert_eq!((code, out.as_str(), requests), (0, printed, 2));
    }
    let bad = [
        (gone(), "not-found: "),
        (answer("403 Forbidden", "", "{}"), "forbidden: "),
        (answer("502 Bad Gateway", "", ""), "bad-answer: 502"),
    ];
    for (reply, reason) in bad {
        let ((code, out, err), _) = asked(vec![gone(), reply], &[]);
        assert!(code == 3 && out.is_empty() && err.starts_with(reason), "{out}{err}");
    }
    let secret =
        answer("200 OK", "", r#"{"id":"dpl1","install_component_id":"i","log_stream":{"write_token":"s3cr3t"}}"#);
    let (code, out, _) = latest(secret, &["--json"]);
    assert_eq!(
        (code, serde_json::from_str(&out).ok()),
        (0, Some(serde_json::json!({"id": "dpl1", "install_component_id": "i", "log_stream": {}})))
    );
    // As `wait` completes it: from the deploy by its id and from its workflow, whose own answer alone counts.
    let seen = r#"{"id":"dpl1","install_component_id":"inc1","workflow_id":"inw1","plan_only":false,"workflow":{"plan_only":false}}"#;
    let detail =
        r#"{"id":"dpl1","component_id":"cmp00000000000000000000001","component_name":"api","workflow":{"steps":[]}}"#;
    let workflow = r#"{"id":"inw1","plan_only":true,"steps":[{"name":"s"}]}"#;
    let replies = |last: Reply| vec![answer("200 OK", "", seen), answer("200 OK", "", detail), last];
    let ((code, out, _), requests) = asked(replies(answer("200 OK", "", workflow)), &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, requests, &document["component_name"], &document["plan_only"]),
        (0, 3, &"api".into(), &true.into())
    );
    assert_eq!(document["workflow"], serde_json::from_str::<serde_json::Value>(workflow).expect("JSON"));
    // Without one of its parts it is none: `check` could not tell why that is missing.
    for status in ["403 Forbidden", "404 Not Found", "502 Bad Gateway"] {
        let ((code, out, err), _) = asked(replies(answer(status, "", "{}")), &["--json"]);
        assert!(code == 3 && out.is_empty() && err.contains(&status[..3]), "{out}{err}");
    }
    let ((code, out, err), _) = asked(vec![answer("200 OK", "", r#"{"error":"db down"}"#)], &[]);
    assert!(code == 3 && out.is_empty() && err.contains("db down"), "{out}{err}");
    let loud = "{\"id\":\"dpl1\",\"install_component_id\":\"i\",\"a\":\"##[error]x \u{202e}\u{9b}\",\"##vso[task.complete]\":1}";
    let (code, out, _) = latest(answer("200 OK", "", loud), &["--json"]);
    assert_eq!((code, serde_json::from_str::<serde_json::Value>(&out).ok()), (0, serde_json::from_str(loud).ok()));
    assert!(!out.contains("##") && !out.contains(['\u{202e}', '\u{9b}']), "{out:?}");
    for (reply, reason) in [
        (answer("401 Unauthorized", "", "{}"), "unauthorized: "),
        (answer("502 Bad Gateway", "", "<html>"), "bad-answer: 502"),
    ] {
        let (code, out, err) = latest(reply, &[]);
        assert!(code == 3 && out.is_empty() && err.starts_with(reason), "{out}{err}");
    }
}

#[test]
fn the_tables_are_printed() {
    let (code, out, _) = ran(&mut deploy_gate(&["explain", "status"]));
    assert!(code == 0 && out.starts_with("active                 success        terminal, passes"), "{out}");
    let (_, out, _) = ran(&mut deploy_gate(&["explain", "status", "--json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
    assert!(rows.contains(&serde_json::json!({"status": "cancelled", "class": "failure"})), "{out}");
    assert!(rows.contains(&serde_json::json!({"workflow": "cancelled", "means": "over, failed"})), "{out}");
    let (_, out, _) = ran(&mut deploy_gate(&["explain", "preset", "--json"]));
    let presets: Vec<serde_json::Value> = serde_json::from_str(&out).expect("JSON");
    assert_eq!(presets.len(), 4);
    for (words, code, told) in [
        (&["preset"][..], 0, "no-failed-steps: "),
        (&["preset", "not-plan-only"], 0, "not-plan-only: the workflow does not only plan"),
        (&["preset", "applied"], 2, "there are not-plan-only, no-failed-steps"),
        (&["status", "noop"], 0, "noop                   failure"),
        (&["status", "warming-up"], 0, "warming-up             unknown"),
        (&["status", "failed-pending-retry"], 0, "failed-pending-retry   parked"),
        (&["exit-code"], 0, "124  timed-out"),
        (&["exit-code", "4"], 0, "4    approval-required: nobody has answered an approval"),
        (&["exit-code", "left-behind"], 0, "left-behind        its workflow has ended"),
        (&["exit-code", "7"], 2, "never exits with 7"),
        (&["field"], 0, "\n$.workflow                                   an object (workflows/{id})\n"),
        (
            &["field", "workflow.steps"],
            0,
            "\n$.workflow.steps[*].retried                  true or false, absent when false (",
        ),
        (&["field", "$.install_deploy_type"], 0, "a word: apply, recover, sync-image, teardown (deploys/latest)"),
        (&["field", "$.workflow.stps"], 2, "did you mean `$.workflow.steps`?"),
        (&["field", "$.a == 1"], 2, "is not one query"),
    ] {
        let (ended, out, err) = ran(deploy_gate(&["explain"]).args(words));
        assert!(ended == code && format!("{out}{err}").contains(told), "{words:?}: {out}{err}");
    }
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

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_not_taken_for_unset() {
    use std::os::unix::ffi::OsStrExt;
    let server = Server::start(vec![deploy("active")]);
    for (name, value) in [
        ("DEPLOY_GATE_ASSERT", b"$.plan_only == true || $.x == '\xe9'".as_slice()),
        ("DEPLOY_GATE_WORKFLOW", b"inw\xff"),
        ("DEPLOY_GATE_UNTIL", b"workflow\xff"),
        ("NUON_ORG_ID", b"org\xff"),
    ] {
        let mut command = wait(&server.url("http"), &[]);
        let (code, out, err) = ran(command.env(name, std::ffi::OsStr::from_bytes(value)));
        assert_eq!((code, out.as_str()), (2, ""), "{name}");
        assert!(err.contains(name) && err.contains("UTF-8"), "{err}");
    }
    assert_eq!(server.heads().len(), 0);
    // What is not for the gate may be anything.
    let mut command = wait(&server.url("http"), &[]);
    assert_eq!(ran(command.env("SOMETHING", std::ffi::OsStr::from_bytes(b"\xff"))).0, 0);
}

#[test]
fn misuse_on_github_is_an_annotation_and_an_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("outputs");
    for (arguments, has_outputs) in [
        (&["wait", "--install=a", "--component=b", "--assert=$.plan_only = false"][..], true),
        (&["wait", "--no-such-flag"], true),
        (&["replay", "/nowhere"], true),
        (&["check", "/nowhere"], false),
    ] {
        std::fs::write(&file, "earlier=1\n").expect("writes");
        let mut command = deploy_gate(arguments);
        let (code, out, err) = ran(command.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &file));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        let annotations: Vec<&str> = err.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(annotations.len(), 1, "{err}");
        assert!(annotations[0].starts_with("::error title=Deploy gate%3A misuse::error: "), "{err}");
        let outputs = std::fs::read_to_string(&file).expect("outputs");
        assert!(outputs.starts_with("earlier=1\n"), "{outputs}");
        assert_eq!(outputs.contains("exit-code<<ghadelimiter_misuse\n2\n"), has_outputs, "{arguments:?}: {outputs}");
        assert_eq!(outputs.contains("deploy-id<<ghadelimiter_misuse\n\n"), has_outputs, "{outputs}");
    }
    let (_, _, err) = ran(deploy_gate(&["wait", "--no-such-flag"]).env("TF_BUILD", "True"));
    assert!(err.contains("##vso[task.logissue type=error]Deploy gate: misuse: error: "), "{err}");
    let (_, _, err) = ran(&mut deploy_gate(&["wait", "--no-such-flag"]));
    assert!(!err.contains("::"), "{err}");
}

#[test]
fn a_variable_of_blanks_unsets_nothing() {
    for (name, value) in [
        ("DEPLOY_GATE_WORKFLOW", "\n"),
        ("DEPLOY_GATE_DEPLOY", "  "),
        ("DEPLOY_GATE_AFTER", "\t"),
        ("DEPLOY_GATE_COMMIT", " "),
        ("DEPLOY_GATE_TIMEOUT", " "),
        ("NUON_INSTALL_ID", " "),
    ] {
        let server = Server::start(vec![deploy("active")]);
        let mut command = wait(&server.url("http"), &[]);
        if name == "NUON_INSTALL_ID" {
            command =
                deploy_gate(&["wait", "--component=cmp00000000000000000000001", "--api-url", &server.url("http")]);
        }
        let (code, _, err) = ran(command.env(name, value));
        assert_eq!((code, server.heads().len()), (2, 0), "{name}: {err}");
        assert!(err.contains(name), "{name}: {err}");
    }
    let server = Server::start(vec![deploy("active")]);
    let mut command = wait(&server.url("http"), &[]);
    assert_eq!(ran(command.env("DEPLOY_GATE_WORKFLOW", "").env("DEPLOY_GATE_ASSERT", " \n")).0, 0);
}
