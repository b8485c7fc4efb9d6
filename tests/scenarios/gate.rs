//! What every answer and every status come to, and that reports are true to it.

use std::ffi::OsString;
use std::time::Duration;

use deploy_gate::World;
use deploy_gate::base::clock::{Signal, VirtualClock};
use deploy_gate::base::environment::Variables;
use deploy_gate::base::source::Fault;
use serde_json::json;

use crate::replay::replay;
use crate::script::*;

#[test]
fn a_deploy_from_nothing_to_active() {
    let ran = run(
        &[
            "--assert",
            "applied: $.install_deploy_type == 'apply'",
            "--assert=$.build_id == 'bld00000000000000000000001'",
        ],
        &[
            http(404, r#"{"error":"record not found","description":"not found"}"#),
            deploy(""),
            deploy("planning"),
            http(502, "<html>"),
            deploy("executing"),
            deploy("active"),
        ],
    );
    let short = |text: &str| {
        text.replace(DEPLOY, "DPL").replace(INSTALL, "INL").replace(COMPONENT, "CMP").replace(BUILD, "BLD")
    };
    assert_eq!(
        short(&ran.out),
        "passed: deploy DPL is \"active\", all 2 assertions are true\n\
         \x20 true          applied: $.install_deploy_type == 'apply'\n\
         \x20 true          $.build_id == 'BLD'\n\
         \x20 install       INL\n\
         \x20 component     CMP\n\
         \x20 deploy        DPL\n\
         \x20 status        active\n\
         \x20 build         BLD\n\
         \x20 chosen by     latest, no pin, last changed 1h10s ago\n\
         \x20 6 polls in 10.8s, exit code 0\n"
    );
    let err = short(&ran.err);
    let log: Vec<&str> = err.lines().map(|line| line[10..].split(" (trace").next().unwrap_or_default()).collect();
    assert_eq!(
        log,
        [
            "waiting up to 1h for INL / CMP at https://api.nuon.co",
            "no deploy yet (404 Not Found: record not found: not found)",
            "deploy DPL is queued",
            "deploy DPL is \"planning\", about planning",
            "no usable answer: 502 Bad Gateway",
            "deploy DPL is \"executing\", about executing",
            "deploy DPL is \"active\", about active",
        ]
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    for (name, value) in [
        ("deploy-id", DEPLOY),
        ("build-id", BUILD),
        ("workflow-id", ""),
        ("status", "active"),
        ("polls", "6"),
        ("url", ""),
    ] {
        assert_eq!(ran.output(name), value);
    }
    assert_eq!(ran.report["targets"][0]["preexisting"], false);
    holds_together(&ran);
}

#[test]
fn every_status_has_its_ending() {
    // Class, exit code and reason with --expect apply, for a deploy that stays as it is.
    let cases = [
        ("success", 0, ""),
        ("nothing-to-do", 0, ""),
        ("failure", 1, "deploy-failed"),
        ("replaced", 124, "still-running"),
        ("parked", 1, "deploy-failed"),
        ("running", 124, "still-running"),
        ("unknown", 124, "unknown-status"),
    ];
    for row in deploy_gate::nuon::deploy::TABLE {
        let ran = run(&["--timeout=10m"], &[deploy(row.status)]);
        let (_, code, reason) =
            cases.iter().find(|(class, ..)| *class == row.class.name()).expect("every class has a case");
        assert_eq!((ran.ended().0, ran.ended().2), (*code, *reason), "{}", row.status);
        assert_eq!(ran.seconds(), if *code == 124 { 600 } else { 0 }, "{}", row.status);
        holds_together(&ran);
    }
}

#[test]
fn an_unknown_status_is_said_once_and_never_passes() {
    let ran = run(&["--timeout=1m"], &[deploy("triumphant")]);
    assert_eq!(ran.ended(), (124, "timed-out", "unknown-status"));
    assert!(ran.message().contains("--status 'triumphant=CLASS'"), "{}", ran.message());
    assert_eq!(ran.err.matches("warning:").count(), 1, "{}", ran.err);
    let ran = run(&["--timeout=1m", "--status=triumphant=success"], &[deploy("triumphant")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
}

#[test]
fn the_legacy_status_is_never_judged() {
    let legacy = with(document(""), "status", json!("active"));
    let ran = run(&["--timeout=30s"], &[seen(&legacy)]);
    assert_eq!(ran.ended(), (124, "timed-out", "still-running"));
}

#[test]
fn a_teardown_passes_only_where_one_is_expected() {
    let teardown = |status| seen(&with(document(status), "install_deploy_type", json!("teardown")));
    let cases = [
        (vec![], teardown("inactive"), (1, "failed", "deploy-failed")),
        (vec![], teardown("active"), (1, "failed", "deploy-failed")),
        (vec!["--expect=teardown"], teardown("inactive"), (0, "passed", "")),
        (vec!["--expect=teardown"], deploy("inactive"), (3, "undecided", "never-appeared")),
        (vec!["--expect=teardown", "--timeout=1m"], deploy("active"), (3, "undecided", "never-appeared")),
        (vec!["--expect=teardown"], teardown("error"), (1, "failed", "deploy-failed")),
    ];
    for (arguments, answer, ended) in cases {
        assert_eq!(run(&arguments, &[answer]).ended(), ended, "{arguments:?}");
    }
}

#[test]
fn every_answer_has_its_ending() {
    let retry = |status| http(status, "").header("retry-after", "7200");
    let cases = [
        (http(401, r#"{"error":"token expired"}"#), (3, "undecided", "unauthorized"), 0),
        (http(403, ""), (3, "undecided", "forbidden"), 0),
        (http(404, "404 page not found"), (3, "undecided", "never-appeared"), 300),
        (http(200, r#"{"install_id":"","plan_only":false}"#), (3, "undecided", "never-appeared"), 300),
        (http(400, ""), (3, "undecided", "bad-answer"), 0),
        (http(418, ""), (3, "undecided", "bad-answer"), 0),
        (http(302, "").header("location", "https://elsewhere.example/"), (3, "undecided", "bad-answer"), 0),
        (http(408, ""), (124, "timed-out", "unreachable"), 3600),
        (http(409, ""), (124, "timed-out", "unreachable"), 3600),
        (http(425, ""), (124, "timed-out", "unreachable"), 3600),
        (http(429, ""), (124, "timed-out", "unreachable"), 3600),
        (http(500, ""), (124, "timed-out", "unreachable"), 3600),
        (http(599, ""), (124, "timed-out", "unreachable"), 3600),
        (retry(429), (124, "timed-out", "unreachable"), 0),
        (http(200, "not JSON"), (124, "timed-out", "unreachable"), 3600),
        (http(200, &br#"{"id":"dpl1","x":"#[..]), (124, "timed-out", "unreachable"), 3600),
        (http(200, b"{\"id\":\"dpl1\",\"x\":\"\xff\"}"), (124, "timed-out", "unreachable"), 3600),
        (seen(&with(document("active"), "install_id", json!("inl2"))), (124, "timed-out", "unreachable"), 3600),
        (http(200, document("active").to_string().replace("false", "1e999")), (124, "timed-out", "unreachable"), 3600),
        (http(200, format!(r#"{{"id":{}"#, "[".repeat(100_000))), (3, "undecided", "bad-answer"), 0),
        (fault(Fault::TooLarge), (3, "undecided", "bad-answer"), 0),
        (fault(Fault::Final("a bad certificate".into())), (3, "undecided", "bad-answer"), 0),
        (reset(), (124, "timed-out", "unreachable"), 3600),
    ];
    for (answer, ended, seconds) in cases {
        let words = format!("{:?}", answer.answer).chars().take(120).collect::<String>();
        let ran = run(&[], &[answer]);
        assert_eq!((ran.ended(), ran.seconds()), (ended, seconds), "{words}");
        assert!(ran.message().contains("trace"), "{words}: {}", ran.message());
        holds_together(&ran);
    }
}

#[test]
fn the_last_look_is_exactly_at_the_deadline() {
    let ran = run(&["--timeout=10m"], &[deploy("executing")]);
    assert_eq!(ran.latest().last(), Some(&Duration::from_secs(600)));
    let mut answers = vec![deploy("executing"); ran.latest().len() - 1];
    answers.push(deploy("active"));
    assert_eq!(run(&["--timeout=10m"], &answers).ended(), (0, "passed", ""));
    let ran = run(&["--timeout=0"], &[deploy("executing")]);
    assert_eq!((ran.looks.len(), ran.ended()), (1, (124, "timed-out", "still-running")));
}

#[test]
fn a_request_may_outlast_the_deadline_by_two_seconds() {
    let ran = run(&["--timeout=1m"], &[deploy("executing"), deploy("active").takes(500)]);
    assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 62));
}

#[test]
fn looks_are_close_after_each_change() {
    let statuses = ["planning"; 12].iter().chain(&["executing"; 3]).chain(&["active"]);
    let ran = run(&[], &statuses.map(|status| deploy(status)).collect::<Vec<_>>());
    let waits: Vec<u64> = ran.latest().windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!(waits[10] >= 24, "they grow: {waits:?}");
    assert!(waits[12] <= 2, "and begin again at a change: {waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 30), "{waits:?}");
}

#[test]
fn retry_after_is_a_floor_that_no_interval_clamps() {
    let busy = http(429, "").header("retry-after", "100");
    let ran = run(&[], &[busy.clone(), deploy("active")]);
    assert_eq!(ran.latest()[1], Duration::from_secs(100));
    let ran = run(&[], &[http(503, "").header("retry-after", "Wed, 14 Jan 2026 17:02:00 GMT"), deploy("active")]);
    assert_eq!(ran.latest()[1], Duration::from_secs(120));
    let ran = run(&["--timeout=99s"], &[busy]);
    assert_eq!((ran.ended(), ran.looks.len(), ran.seconds()), ((124, "timed-out", "unreachable"), 1, 0));
    assert!(ran.message().contains("asks to wait 1m40s (Retry-After)"), "{}", ran.message());
}

#[test]
fn a_deploy_may_take_its_time_to_appear_but_not_for_ever() {
    let none = || http(404, "");
    let ran = run(&["--appear-timeout=20s"], &[none()]);
    assert_eq!(
        (ran.ended(), ran.latest().last()),
        ((3, "undecided", "never-appeared"), Some(&Duration::from_secs(20)))
    );
    let ran = run(&["--timeout=10s"], &[none()]);
    assert_eq!((ran.ended(), ran.seconds()), ((3, "undecided", "never-appeared"), 10));
    // A server that cannot be reached says nothing about the deploy.
    let ran = run(&["--appear-timeout=1s"], &[reset(), reset(), reset(), deploy("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    // A deploy that was seen and is gone has not "not appeared yet".
    let ran = run(&["--appear-timeout=1s", "--timeout=1m"], &[deploy("planning"), none()]);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"));
    assert!(
        ran.message().contains("when last seen, deploy dpl00000000000000000000001 is \"planning\""),
        "{}",
        ran.message()
    );
}

#[test]
fn a_dead_deploy_ends_the_wait_at_once() {
    let ran = run(&["--assert=$.install_deploy_type == 'apply'"], &[deploy("planning"), deploy("error")]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    assert_eq!(ran.latest().len(), 2);
    assert_eq!(ran.message(), "deploy dpl00000000000000000000001 ended as \"error\": about error");
    assert_eq!(ran.report["targets"][0]["assertions"][0]["outcome"], "not-evaluated");
    holds_together(&ran);
}

#[test]
fn an_assertion_decides_when_the_deploy_is_there() {
    let cases = [
        ("$.install_deploy_type == 'apply'", (0, "passed", "")),
        ("$.install_deploy_type == 'teardown'", (1, "failed", "assertion-false")),
        ("!$.workflow.steps[?@.status.status == 'error']", (1, "failed", "assertion-vacuous")),
        ("count($.runner_jobs[*]) == 0", (1, "failed", "assertion-vacuous")),
        ("$.status_v2.state == 'active'", (1, "failed", "assertion-vacuous")),
    ];
    for (assertion, ended) in cases {
        let ran = run(&["--assert", assertion], &[deploy("active")]);
        assert_eq!(ran.ended(), ended, "{assertion}");
        holds_together(&ran);
    }
    let ran = run(&["--assert=$.install_deploy_type == 'teardown'", "--assert=!$.gone.x"], &[deploy("active")]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-false"));
    let if_there = "--assert=!$.oci_artifact || match($.oci_artifact.tag, 'v.*')";
    assert_eq!(run(&[if_there], &[deploy("active")]).ended(), (0, "passed", ""));
    let tagged = |tag: &str| [seen(&with(document("active"), "oci_artifact", serde_json::json!({"tag": tag})))];
    assert_eq!(run(&[if_there], &tagged("v1")).ended(), (0, "passed", ""));
    assert_eq!(run(&[if_there], &tagged("main")).ended(), (1, "failed", "assertion-false"));
    let ran = run(&["--require=no-failed-steps"], &[deploy("active")]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
}

#[test]
fn a_vacuous_assertion_says_what_is_missing() {
    let ran = run(&["--assert=$.status_v2.state == 'active'"], &[deploy("active")]);
    assert_eq!(
        ran.message(),
        "`$.status_v2.state == 'active'` checked nothing: $.status_v2 has no \"state\"; did you mean \"status\" or \
         \"status_human_description\"?"
    );
    let missing = &ran.report["targets"][0]["assertions"][0]["queries"][0]["missing"];
    assert_eq!(missing["exists"], "$.status_v2");
    assert_eq!(missing["nearest"][0], "status");
}

#[test]
fn engines_that_disagree_leave_the_gate_undecided() {
    let document = with(document("active"), "list", json!([{"none": []}]));
    let ran = run(&["--assert=$.list[?count(@.none[*]) != 0]"], &[seen(&document)]);
    assert_eq!(ran.ended(), (3, "undecided", "engines-disagree"));
    assert!(ran.message().contains("jsonpath-rust selects 1"), "{}", ran.message());
}

#[test]
fn a_deploy_that_was_over_before_is_judged_with_a_warning() {
    let ran = run(&[], &[deploy("active")]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(ran.report["targets"][0]["preexisting"], true);
    assert!(
        ran.out.contains(
            "warning       deploy dpl00000000000000000000001 had already finished when first seen, last changed 1h ago"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn a_signal_ends_the_run_with_reports() {
    for (signal, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let ran = run_until(&[], &[("/latest", &[deploy("executing")])], Some((47, signal)));
        assert_eq!((ran.ended(), ran.seconds()), ((code, "interrupted", ""), 47));
        assert_eq!(ran.message(), "deploy dpl00000000000000000000001 is \"executing\"");
        holds_together(&ran);
        let ran = run(&[], &[deploy("planning"), fault(Fault::Interrupted(signal))]);
        assert_eq!(ran.ended(), (code, "interrupted", ""));
        holds_together(&ran);
    }
}

#[test]
fn the_log_says_after_1_2_and_5_minutes_and_then_every_5_that_nothing_has_changed() {
    let times = |ran: &Ran| ran.err.lines().map(|line| line[..8].trim().to_owned()).collect::<Vec<_>>();
    let ran = run(&["--timeout=21m"], &[deploy("executing")]);
    assert_eq!(times(&ran), ["+0:00", "+0:00", "+1:00", "+2:00", "+5:00", "+10:00", "+15:00", "+20:00"], "{}", ran.err);
    // A change begins again.
    let ran =
        run(&["--timeout=3m", "--interval=30s", "--max-interval=30s"], &[deploy("planning"), deploy("executing")]);
    assert_eq!(times(&ran).len(), 5, "{}", ran.err);
    let ran = run(&["--timeout=5m", "-q"], &[deploy("executing")]);
    assert_eq!(ran.err, "");
}

#[test]
fn nothing_from_the_network_speaks_to_the_ci_system() {
    let words = "x\n::error::y ##[add-mask]e ##vso[task.complete]\r\u{1b}[31m";
    let document = with(
        document("error"),
        "status_v2",
        json!({"status": format!("error\n::set-output name=outcome::passed{words}"), "status_human_description": words}),
    );
    let ran = run(&["--timeout=3s", "-v"], &[http(500, words), seen(&document)]);
    for text in [&ran.out, &ran.err] {
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
        assert!(
            !text.contains("##[") && !text.contains("##vso[") && !text.contains('\u{1b}') && !text.contains('\r'),
            "{text}"
        );
    }
    assert_eq!(ran.output("outcome"), "timed-out");
    assert_eq!(ran.outputs.len(), 12);
    holds_together(&ran);
    for ci in ["github", "gitlab", "azure", "buildkite"] {
        let ran = run(&["--timeout=3s", "-v", &format!("--ci={ci}")], &[http(500, words), seen(&document)]);
        let said = format!("{}{}", ran.err, ran.out);
        let commands = said.lines().filter(|line| {
            let starts = ["::", "--- ", "+++ "].iter().any(|command| line.trim_start().starts_with(command));
            starts || ["##[", "##vso[", "\u{1b}"].iter().any(|command| line.contains(command))
        });
        // Two marks of the group and the annotation, where the system knows one.
        let own = if matches!(ci, "github" | "azure") { 3 } else { 2 };
        assert_eq!(commands.count(), own, "{said}");
        holds_together(&ran);
    }
}

#[test]
fn each_ci_system_is_spoken_to_in_its_own_words() {
    let cases: [(&str, &str, &str, &str); 4] = [
        (
            "github",
            "::group::Deploy gate\n",
            "::endgroup::\n",
            "::error title=Deploy gate%3A failed (assertion-false)::`$.install_deploy_type == 'teardown' || '100%25' == '1'` is false: $.install_deploy_type is \"apply\"\n",
        ),
        (
            "gitlab",
            "\u{1b}[0Ksection_start:1768410000:deploy_gate\r\u{1b}[0KDeploy gate\n",
            "\u{1b}[0Ksection_end:1768410000:deploy_gate\r\u{1b}[0K\n",
            "",
        ),
        (
            "azure",
            "##[group]Deploy gate\n",
            "##[endgroup]\n",
            "##vso[task.logissue type=error]Deploy gate: failed (assertion-false): `$.install_deploy_type == 'teardown' || '100%AZP25' == '1'` is false: $.install_deploy_type is \"apply\"\n",
        ),
        ("buildkite", "--- Deploy gate\n", "+++ Deploy gate\n", ""),
    ];
    for (ci, begin, end, annotation) in cases {
        let ran = run(
            &["--assert=$.install_deploy_type == 'teardown' || '100%' == '1'", &format!("--ci={ci}")],
            &[deploy("active")],
        );
        assert!(ran.err.starts_with(begin) && ran.err.ends_with(end), "{:?}", ran.err);
        assert!(ran.out.ends_with(&format!("exit code 1\n{annotation}")), "{:?}", ran.out);
        let quiet = run(&["-q", &format!("--ci={ci}")], &[deploy("active")]);
        assert_eq!(quiet.err, "");
    }
    let ran = run(&["--ci=github"], &[deploy("active")]);
    assert!(ran.out.contains("\n::notice title=Deploy gate%3A passed::deploy "), "{}", ran.out);
    let ran = run(&["--ci=none"], &[deploy("error")]);
    assert!(!ran.out.contains("::error") && !ran.err.contains("::group"), "{}", ran.out);
}

#[test]
fn colours_are_of_the_verdict_only() {
    let ran = run(&["--color=always", "--assert=$.install_deploy_type == 'teardown'"], &[deploy("active")]);
    assert!(ran.out.starts_with("\u{1b}[31mfailed (assertion-false): "), "{:?}", ran.out);
    assert!(
        ran.out.contains("\n  \u{1b}[31mfalse\u{1b}[0m         $.install_deploy_type == 'teardown'\n"),
        "{:?}",
        ran.out
    );
    let ran = run(&["--color=always"], &[deploy("active")]);
    assert!(ran.out.starts_with("\u{1b}[32mpassed: "), "{:?}", ran.out);
    assert!(!ran.report.to_string().contains("\u{1b}") && !ran.err.contains('\u{1b}'));
}

#[test]
fn secrets_in_a_document_are_not_seen() {
    let document = with(document("active"), "log_stream", json!({"id": "log1", "write_token": "s3cr3t"}));
    let arguments =
        ["--assert=$.log_stream.id == 'log1'", "--assert=!$.log_stream.write_token", "--record=FOLDER/r", "-v"];
    let ran = run(&arguments, &[seen(&document), http(200, r#"{"id":"d","write_token":"s3cr3t"#), seen(&document)]);
    assert_eq!(ran.ended(), (0, "passed", ""));
    let recording = std::fs::read_to_string(ran.path("r")).expect("a recording");
    for text in [&ran.out, &ran.err, &recording, &ran.report.to_string()] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_recording_of_a_run_replays_to_the_same_end() {
    let answers =
        [reset(), http(404, ""), deploy(""), http(503, "<html>").header("retry-after", "9"), deploy("active")];
    let ran = run(&["--record=FOLDER/r.jsonl"], &answers);
    let (code, out) = replay(ran.path("r.jsonl"), [""; 0]);
    assert_eq!((code, ran.code), (0, 0));
    assert!(out.starts_with("passed: deploy dpl00000000000000000000001 is \"active\""));
}

#[test]
fn a_report_that_cannot_be_written_is_no_pass() {
    // /dev/full takes an open, but no byte.
    let ran = run(&["--report=json=/dev/full"], &[deploy("active")]);
    assert_eq!(ran.ended(), (3, "undecided", "output-not-written"));
    assert!(ran.message().contains("/dev/full could not be written"), "{}", ran.message());
    holds_together(&ran);
    let ran = run(&["--report=json=/dev/full"], &[deploy("error")]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    let ran = run(&["--record=/dev/full"], &[deploy("active")]);
    assert_eq!(ran.ended(), (3, "undecided", "output-not-written"));
}

#[test]
fn a_result_of_an_earlier_run_is_gone_before_the_first_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.json");
    std::fs::write(&path, r#"{"outcome":"passed"}"#).expect("writes");
    let arguments = [
        "deploy-gate",
        "wait",
        "--install=inl00000000000000000000001",
        "--component=cmp00000000000000000000001",
        "--timeout=0",
    ]
    .map(OsString::from);
    let report = OsString::from(format!("--report=json={}", path.display()));
    let mut before_the_first_look = None;
    deploy_gate::run(
        &[&arguments[..], &[report]].concat(),
        &mut World {
            variables: &Variables::new(),
            clock: &mut VirtualClock::default(),
            hire: &mut |_, _| panic!("one target is no fleet"),
            connect: &mut |_| {
                before_the_first_look = std::fs::read_to_string(&path).ok();
                let routes = vec![("/latest".into(), [deploy("executing")].into())];
                Box::new(Script { routes, latest: None, clock: VirtualClock::default(), looks: Looks::default() })
            },
            out: &mut Vec::new(),
            err: &mut Vec::new(),
            screens: Default::default(),
            seed: 1,
        },
    );
    assert_eq!(before_the_first_look.as_deref(), Some(""));
    assert!(std::fs::read_to_string(&path).expect("a result").contains("\"timed-out\""));
}

#[test]
fn misuse_ends_before_the_first_look() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--api-url=ftp://x"], &["--api-url", "NUON_API_URL", "https://api.nuon.co"]),
        (&["--api-url=https://user:token@x"], &["--api-url", "NUON_API_URL", "NUON_API_TOKEN"]),
        (&["--token-file=/nowhere"], &["--token-file", "NUON_API_TOKEN_FILE", "/nowhere"]),
        (&["--ca-file=/nowhere"], &["--ca-file", "DEPLOY_GATE_CA_FILE"]),
        (&["--config=/nowhere"], &["--config", "NUON_CONFIG_FILE"]),
        (&["--assert-file=/nowhere"], &["--assert-file", "DEPLOY_GATE_ASSERT_FILE"]),
        (&["--assert-file=/dev/null"], &["--assert-file", "it would check nothing"]),
        (&["--report=json=/proc/nowhere/x"], &["--report", "DEPLOY_GATE_REPORT", "/proc/nowhere/x"]),
        (&["--report=json=FOLDER"], &["--report", "it is a folder"]),
        (&["--report=json=FOLDER/a", "--report=json=FOLDER/a"], &["--report", "overwrite each other"]),
        (&["--report=json=FOLDER/a", "--record=FOLDER/a"], &["--record", "a report would overwrite it"]),
        (&["--report=dir=FOLDER", "--record=FOLDER/outcome"], &["--record", "a report would overwrite it"]),
        (&["--record=/proc/nowhere/x"], &["--record", "DEPLOY_GATE_RECORD"]),
        (&["--org=a b"], &["--org", "NUON_ORG_ID"]),
        (&["--interval=2s", "--max-interval=1s"], &["--interval", "DEPLOY_GATE_INTERVAL", "DEPLOY_GATE_MAX_INTERVAL"]),
        (&["--assert="], &["--assert", "DEPLOY_GATE_ASSERT", "eaten by a shell"]),
    ];
    for (arguments, words) in cases {
        let ran = run(arguments, &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len(), ran.out.as_str()), (2, 0, ""), "{arguments:?}");
        for word in *words {
            assert!(ran.err.contains(word), "{arguments:?}: no {word} in {}", ran.err);
        }
        assert!(!ran.err.contains("user:token"), "{}", ran.err);
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_for_ever_is() {
    let for_ever = http(429, "").header("retry-after", "18446744073709551615");
    let ran = run(&[], &[deploy("executing").takes(1), for_ever.clone()]);
    assert_eq!((ran.ended(), ran.latest().len()), ((124, "timed-out", "unreachable"), 2));
    assert!(ran.message().contains("past the deadline"), "{}", ran.message());
    holds_together(&ran);
    // It is not known whether there is a deploy.
    for answer in [for_ever, http(404, "").header("retry-after", "7200")] {
        let ran = run(&[], &[answer]);
        assert_eq!((ran.ended(), ran.seconds()), ((124, "timed-out", "unreachable"), 0), "{}", ran.message());
    }
}
