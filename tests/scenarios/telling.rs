//! What a run tells: its log, CI systems, reports and recordings.

use std::ffi::OsString;

use deploy_gate::World;
use deploy_gate::base::clock::{Signal, VirtualClock};
use deploy_gate::base::disk::RealDisk;
use deploy_gate::base::environment::Variables;
use deploy_gate::base::source::Fault;
use serde_json::json;

use crate::replay::replay;
use crate::script::*;

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
            "::error title=Deploy gate%3A failed (assertion-false)::`$.install_deploy_type == 'teardown' || $.install_deploy_type == '100%25'` is false: $.install_deploy_type is \"apply\"\n",
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
            "##vso[task.logissue type=error]Deploy gate: failed (assertion-false): `$.install_deploy_type == 'teardown' || $.install_deploy_type == '100%AZP25'` is false: $.install_deploy_type is \"apply\"\n",
        ),
        ("buildkite", "--- Deploy gate\n", "+++ Deploy gate\n", ""),
    ];
    for (ci, begin, end, annotation) in cases {
        let ran = run(
            &["--assert=$.install_deploy_type == 'teardown' || $.install_deploy_type == '100%'", &format!("--ci={ci}")],
            &[deploy("active")],
        );
        assert!(ran.err.starts_with(begin) && ran.err.ends_with(end), "{:?}", ran.err);
        assert!(ran.out.ends_with(&format!("exit code 1\n{annotation}")), "{:?}", ran.out);
        let quiet = run(&["-q", &format!("--ci={ci}")], &[deploy("active")]);
        assert_eq!(quiet.err, "");
    }
    let ran = run(&["--ci=github"], &[deploy("planning"), deploy("active")]);
    assert!(ran.out.contains("\n::notice title=Deploy gate%3A passed::deploy "), "{}", ran.out);
    // One that was over before, and that no pin names.
    let was_over = "no assertions to check; warning: deploy dpl00000000000000000000001 had already finished when first seen, last changed 1h ago";
    let ran = run(&["--ci=github"], &[deploy("active")]);
    assert!(ran.out.contains("\n::warning title=Deploy gate%3A passed::deploy "), "{}", ran.out);
    assert!(ran.out.contains(was_over), "{}", ran.out);
    let ran = run(&["--ci=azure"], &[deploy("active")]);
    assert!(ran.out.contains("\n##vso[task.logissue type=warning]Deploy gate: passed: deploy "), "{}", ran.out);
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
    let arguments = ["--assert=$.log_stream.id == 'log1'", "--record=FOLDER/r", "-v"];
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
            disk: &RealDisk,
            connect: &mut |_, _| {
                before_the_first_look = std::fs::read_to_string(&path).ok();
                let routes = vec![("/latest".into(), [deploy("executing")].into())];
                Box::new(Script { routes, latest: None, clock: VirtualClock::default(), looks: Looks::default() })
            },
            out: &mut Vec::new(),
            err: &mut Vec::new(),
            screens: Default::default(),
            size: || (80, 24),
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
        (&["--token-file=/nowhere"], &["--token-file", "NUON_API_TOKEN_FILE", "its name is not shown"]),
        (&["--token-file=FOLDER/none"], &["--token-file", "NUON_API_TOKEN_FILE", "/none cannot be read"]),
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
fn a_long_text_of_the_server_is_cut_everywhere_but_in_the_recording() {
    let mut failed = document("error");
    failed["status_v2"]["status_human_description"] = json!(format!("it broke: {}", "é".repeat(20_000)));
    let reports = ["--report=markdown=FOLDER/md", "--record=FOLDER/recording", "--ci=none"];
    let ran = run(&reports, &[seen(&failed)]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    for (name, text) in [("verdict", &ran.out), ("log", &ran.err), ("result", &ran.report.to_string())] {
        assert!(text.contains("… (40") && !text.contains(&"é".repeat(9_000)), "{name}: {} bytes", text.len());
    }
    for file in ["md", "all.junit", "github"] {
        let text = std::fs::read_to_string(ran.path(file)).expect("a report");
        assert!(!text.contains(&"é".repeat(9_000)), "{file}: {} bytes", text.len());
    }
    let recording = std::fs::read_to_string(ran.path("recording")).expect("a recording");
    assert!(recording.contains(&"é".repeat(20_000)), "{} bytes", recording.len());
}

#[test]
fn a_url_in_the_servers_words_stays_whole() {
    let mut failed = document("error");
    failed["status_v2"]["status_human_description"] = json!("see https://x.co/my_page?a=1&b=2 | [a](b)");
    let ran = run(&["--report=markdown=FOLDER/md"], &[seen(&failed)]);
    let text = std::fs::read_to_string(ran.path("md")).expect("a report");
    assert!(text.contains("see `https://x.co/my_page?a=1&b=2` &#124; &#91;a&#93;(b)"), "{text}");
}

#[test]
fn days_are_told_as_days() {
    let mut old = document("active");
    old["updated_at"] = json!("2026-01-10T16:00:00Z");
    let ran = run(&[], &[seen(&old)]);
    assert!(ran.out.contains("last changed 4 days ago"), "{}", ran.out);
    let ran = run(&["--timeout=30h", "--report=markdown=FOLDER/md"], &[deploy("executing")]);
    let text = std::fs::read_to_string(ran.path("md")).expect("a report");
    assert!(text.contains("axisFormat day %d, %H:%M\n") && text.contains(", 2000-01-02T06:00:00.000\n"), "{text}");
}
