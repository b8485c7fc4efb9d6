//! Many targets: one verdict, which is a pass only if as many passed as have to.

use std::time::Duration;

use serde_json::{Value, json};

use crate::replay::replay;
use crate::script::{
    Answer, BUILD, INSTALL, Ran, WORKFLOW, document, holds_together, http, run_until, run_with, seen, with,
};

/// The deploy of one component, as the server gives it.
fn deploy(component: usize, status: &str) -> Answer {
    seen(&with(document(status), "id", json!(format!("dpl{component:023}"))))
}

fn path(component: usize) -> String {
    format!("/components/cmp{component:023}/deploys/latest")
}

/// Runs with components from 1 on, each of which answers these statuses, the last one for ever.
fn fleet(flags: &[&str], components: &[&[&str]]) -> Ran {
    let answers: Vec<Vec<Answer>> = (1..)
        .zip(components)
        .map(|(component, statuses)| statuses.iter().map(|status| answer(component, status)).collect())
        .collect();
    fleet_of(flags, &answers)
}

/// A number is a status of HTTP.
fn answer(component: usize, status: &str) -> Answer {
    status.parse().map_or_else(|_| deploy(component, status), |status| http(status, ""))
}

fn fleet_of(flags: &[&str], answers: &[Vec<Answer>]) -> Ran {
    let by_id: Vec<(String, Vec<Answer>)> = (1..)
        .zip(answers)
        .map(|(component, answers)| (format!("/deploys/dpl{component:023}"), vec![answers[answers.len() - 1].clone()]))
        .collect();
    let latest: Vec<(String, Vec<Answer>)> =
        (1..).zip(answers).map(|(nth, answers)| (path(nth), answers.clone())).collect();
    let routes: Vec<(&str, &[Answer])> =
        latest.iter().chain(&by_id).map(|(path, answers)| (path.as_str(), answers.as_slice())).collect();
    let components: Vec<String> = (1..=answers.len()).map(|nth| format!("--component=cmp{nth:023}")).collect();
    let all: Vec<&str> = components.iter().map(String::as_str).chain(flags.iter().copied()).collect();
    run_with(&all, &routes)
}

fn rows(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = ran.report["targets"].as_array().cloned().unwrap_or_default();
    targets.iter().map(|row| (text(&row["outcome"]), text(&row["reason"]))).collect()
}

fn outcomes(ran: &Ran) -> Vec<String> {
    rows(ran).into_iter().map(|(outcome, reason)| if reason.is_empty() { outcome } else { reason }).collect()
}

#[test]
fn a_fleet_passes_when_every_target_has() {
    let ran = fleet(
        &["--assert=$.install_deploy_type == 'apply'"],
        &[&["active"], &["planning", "active"], &["", "executing", "active"]],
    );
    assert_eq!(ran.ended(), (0, "passed", ""));
    assert_eq!(outcomes(&ran), ["passed"; 3]);
    assert_eq!(ran.message(), "all 3 targets passed");
    assert_eq!(ran.report["fleet"], json!({"targets": 3, "passed": 3, "min_pass": 3}));
    assert!(ran.out.contains("\n  targets       3 passed\n"), "{}", ran.out);
    assert!(ran.output("deploy-id").is_empty(), "none speaks for the others");
}

#[test]
fn one_that_does_not_pass_fails_the_fleet_at_once() {
    for (status, code, outcome, reason) in [
        ("error", 1, "failed", "deploy-failed"),
        ("401", 3, "undecided", "unauthorized"),
        ("cancelled", 1, "failed", "deploy-failed"),
    ] {
        let ran = fleet(&[], &[&["active"], &["planning"], &["planning", status]]);
        assert_eq!(ran.ended(), (code, outcome, reason), "{status}");
        assert!(ran.seconds() < 10, "it is known after {} s", ran.seconds());
        assert_eq!(outcomes(&ran), [reason, "not-awaited", "passed"], "the worst first");
    }
}

#[test]
fn nothing_but_enough_passes_is_a_pass() {
    // Statuses, flags, exit code, and how many of the targets were seen to pass.
    let cases: &[(&[&[&str]], &[&str], u8, u64)] = &[
        (&[&["active"], &["active"], &["error"]], &["--min-pass=2"], 0, 2),
        (&[&["active"], &["error"], &["error"]], &["--min-pass=2"], 1, 1),
        (&[&["active"], &["active"], &["error"]], &["--min-pass=66%"], 0, 2),
        (&[&["active"], &["active"], &["error"]], &["--min-pass=67%"], 1, 2),
        (&[&["active"], &["planning"], &["planning"]], &["--min-pass=1"], 0, 1),
        (&[&["active"], &["planning"], &["planning"]], &["--min-pass=2", "--timeout=1m"], 124, 1),
        (&[&["active"], &["active"], &["planning"]], &["--timeout=1m"], 124, 2),
        (&[&["active"], &["unheard-of"], &["error"]], &["--min-pass=2", "--timeout=1m"], 1, 1),
        (&[&["active"], &["503"]], &["--timeout=1m"], 124, 1),
        (&[&["active"], &["404"]], &[], 3, 1),
        (&[&["active"], &["403"]], &["--min-pass=2"], 3, 1),
    ];
    for (statuses, flags, code, passed) in cases {
        let ran = fleet(flags, statuses);
        assert_eq!(
            (ran.code, &ran.report["fleet"]["passed"]),
            (*code, &json!(passed)),
            "{statuses:?} {flags:?} {}",
            ran.out
        );
        assert_eq!(ran.report["exit_code"], *code);
        assert_eq!(ran.out.starts_with("passed: "), *code == 0, "{}", ran.out);
    }
}

#[test]
fn a_vacuous_assertion_about_one_target_fails_the_fleet() {
    let bare = |status: &str| {
        let mut deploy = with(document(status), "id", json!(format!("dpl{:023}", 2)));
        deploy.as_object_mut().expect("an object").remove("build_id");
        seen(&deploy)
    };
    let assert = format!("--assert=$.build_id == '{BUILD}'");
    let ran = fleet_of(&[&assert], &[vec![deploy(1, "active")], vec![bare("active")]]);
    assert_eq!(ran.ended(), (1, "failed", "assertion-vacuous"));
    assert_eq!(outcomes(&ran), ["assertion-vacuous", "passed"]);
}

#[test]
fn a_server_with_too_much_to_do_is_left_alone_by_all() {
    for (header, least) in [(Some("40"), 40), (None, 1)] {
        let busy = match header {
            Some(seconds) => http(429, "").header("retry-after", seconds),
            None => http(429, ""),
        };
        let components: Vec<Vec<Answer>> = (1..=20)
            .map(|nth| match nth {
                3 => vec![busy.clone(), deploy(nth, "active")],
                _ => vec![deploy(nth, "planning"), deploy(nth, "active")],
            })
            .collect();
        let ran = fleet_of(&["--jobs=1"], &components);
        assert_eq!(ran.code, 0, "{}", ran.out);
        let at = |path: String| ran.looks.iter().find(|(_, asked)| asked.ends_with(&path)).map(|(at, _)| *at);
        let busy_at = at(path(3)).expect("was asked");
        let next = ran.looks.iter().map(|(at, _)| *at).find(|at| *at > busy_at).expect("asked again");
        assert!(next >= busy_at + Duration::from_secs(least), "{header:?}: {busy_at:?} {next:?}");
        assert!(ran.err.contains("all targets wait"), "{}", ran.err);
    }
}

#[test]
fn a_server_that_is_busy_beyond_the_deadline_ends_the_run() {
    let busy = || vec![http(429, "").header("retry-after", "3600")];
    let ran = fleet_of(&["--timeout=5m"], &[vec![deploy(1, "planning")], busy(), vec![deploy(3, "planning")]]);
    assert_eq!(ran.code, 124, "{}", ran.out);
    assert!(ran.seconds() < 10, "{}", ran.seconds());
    let ran = fleet_of(
        &["--timeout=5m", "--min-pass=1"],
        &[vec![deploy(1, "planning")], busy(), vec![deploy(3, "planning")]],
    );
    assert_eq!((ran.code, ran.seconds() < 10), (124, true), "{}", ran.out);
    assert_eq!(outcomes(&ran), ["unreachable"; 3]);
}

#[test]
fn first_looks_are_spread_over_the_interval() {
    let components: Vec<Vec<&str>> = vec![vec!["active"]; 100];
    let ran = fleet(&["--interval=10s"], &components.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let first = ran.latest();
    assert_eq!(first.len(), 100);
    assert!(first.windows(2).all(|pair| pair[1] - pair[0] <= Duration::from_millis(101)), "{first:?}");
    assert!((9800..10_000).contains(&first[99].as_millis()), "{:?}", first[99]);
}

#[test]
fn what_cannot_be_looked_at_by_the_deadline_times_out() {
    let slow = |nth| vec![deploy(nth, "planning").takes(3)];
    let components: Vec<Vec<Answer>> = (1..=20).map(slow).collect();
    let ran = fleet_of(&["--timeout=30s", "--min-pass=1"], &components);
    assert_eq!(ran.code, 124, "{}", ran.out);
    assert!(ran.seconds() < 40, "{}", ran.seconds());
}

#[test]
fn a_signal_is_told_of_every_target() {
    let (planning, active) = ([deploy(1, "planning")], [deploy(2, "active")]);
    let (one, two) = (path(1), path(2));
    let by_id = format!("/deploys/dpl{:023}", 2);
    let components: Vec<String> = (1..=2).map(|nth| format!("--component=cmp{nth:023}")).collect();
    let flags: Vec<&str> = components.iter().map(String::as_str).collect();
    let routes: [(&str, &[Answer]); 3] = [(&one, &planning), (&two, &active), (&by_id, &active)];
    let ran = run_until(&flags, &routes, Some((60, deploy_gate::base::clock::Signal::Terminate)));
    assert_eq!(ran.ended(), (143, "interrupted", ""));
    assert_eq!(outcomes(&ran), ["interrupted", "passed"]);
}

#[test]
fn pins_of_a_line_are_for_its_target() {
    let targets = tempfile::NamedTempFile::new().expect("a file");
    let line = |nth: usize, pin: &str| format!("inl00000000000000000000001 cmp{nth:023} {pin}\n");
    let old = format!("after=dpl{:023}", 2);
    std::fs::write(targets.path(), line(1, "") + &line(2, &old)).expect("writes");
    let (one, two) = ([deploy(1, "active")], [deploy(2, "active")]);
    let paths = [path(1), path(2), format!("/deploys/dpl{:023}", 1)];
    let routes: [(&str, &[Answer]); 3] = [(&paths[0], &one), (&paths[1], &two), (&paths[2], &one)];
    let flag = format!("--targets={}", targets.path().display());
    let ran = run_with(&[&flag, "--appear-timeout=1m"], &routes);
    assert_eq!(ran.ended(), (3, "undecided", "never-appeared"), "{}", ran.out);
    assert_eq!(outcomes(&ran), ["never-appeared", "passed"]);
}

#[test]
fn a_deploy_that_is_pinned_in_its_line_is_watched_to_its_end() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let pinned = format!("dpl{:023}", 1);
    std::fs::write(file.path(), format!("inl{:023} cmp{:023} deploy={pinned}\n", 1, 1)).expect("writes");
    let (mine, newer) = ([deploy(1, "executing"), deploy(2, "active")], [deploy(2, "active")]);
    let failed = [deploy(1, "error")];
    let paths = [path(1), format!("/deploys/{pinned}"), format!("/deploys/dpl{:023}", 2)];
    let routes: [(&str, &[Answer]); 3] = [(&paths[0], &mine), (&paths[1], &failed), (&paths[2], &newer)];
    let ran = run_with(&[&format!("--targets={}", file.path().display())], &routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.out);
}

#[test]
fn a_fleet_that_cannot_be_gated_is_refused_before_the_first_request() {
    let file = |text: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("writes");
        file
    };
    let line = |nth: usize| format!("inl{nth:023} cmp{nth:023}\n");
    let (two, none, twice, bad) =
        (file(&(line(1) + &line(2))), file("# none\n"), file(&(line(1) + &line(1))), file(&(line(1) + "inl1\n")));
    let flag = |file: &tempfile::NamedTempFile| format!("--targets={}", file.path().display());
    let (two, none, twice, bad) = (flag(&two), flag(&none), flag(&twice), flag(&bad));
    let cases: &[(&[&str], &str)] = &[
        (&[&none], "no target"),
        (&[&twice], "line 2: the target"),
        (&[&bad], "line 2: \"inl1\" is no target"),
        (&["--targets=/no/such/file"], "cannot be read"),
        (&[&two, "--component=cmp1"], "must not be given"),
        (&[&two, "--shard=0/0"], "--shard"),
        (&[&two, "--shard=auto"], "CI_NODE_INDEX"),
        (&[&two, "--min-pass=3"], "could never be met"),
        (&[&two, "--min-pass=0"], "nothing would have to pass"),
        (&[&two, "--deploy=dpl0000000001"], "is about one target"),
        (&[&two, "--after=dpl0000000001"], "is about one target"),
        (&["--component=cmp1", "--component=cmp1"], "there twice"),
    ];
    for (flags, words) in cases {
        let ran = run_with(flags, &[]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{flags:?}");
        assert!(ran.err.contains(words), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn a_recording_of_many_targets_replays_to_the_same_end() {
    let ran = fleet(&["--record=FOLDER/run.jsonl"], &[&["active"], &["planning", "active"], &["planning", "error"]]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    let recording = ran.folder.path().join("run.jsonl");
    let (code, verdict) = replay(&recording, [""; 0]);
    assert_eq!(code, 1, "{verdict}");
    assert!(verdict.contains("of 3 targets passed"), "{verdict}");
    for (component, code) in [(1, 0), (2, 0), (3, 1)] {
        let only = format!("--component=cmp{component:023}");
        assert_eq!(replay(&recording, [only.as_str()]).0, code, "{only}");
    }
    assert_eq!(replay(&recording, ["--min-pass=2"]).0, 0);
    assert_eq!(replay(&recording, ["--component=cmp9"]).0, 2);
}

#[test]
fn shards_share_the_targets_whatever_their_order() {
    let lines: Vec<String> = (1..=5).map(|nth| format!("inl{nth:023} cmp{nth:023}\n")).collect();
    let reversed: Vec<String> = lines.iter().rev().cloned().collect();
    let mut asked = Vec::new();
    for (index, lines) in [(1, &lines), (2, &reversed)] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), lines.concat()).expect("writes");
        let flags = [format!("--targets={}", file.path().display()), format!("--shard={index}/2")];
        let ran = run_with(&flags.each_ref().map(String::as_str), &[("/latest", &[http(401, "")])]);
        let fleet = &ran.report["fleet"];
        assert_eq!((&fleet["targets"], &fleet["shard"]["of"]), (&json!(5), &json!(2)));
        let rows = ran.report["targets"].as_array().expect("rows").clone();
        asked.extend(rows.iter().map(|row| row["install"].as_str().expect("an install").to_owned()));
    }
    asked.sort();
    let whole = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(whole.path(), lines.concat()).expect("writes");
    // One without a target passes, since the list has some.
    let ran = run_with(&[&format!("--targets={}", whole.path().display()), "--shard=6/6", "--min-pass=1"], &[]);
    assert_eq!((ran.ended(), ran.looks.len()), ((0, "passed", ""), 0), "{}", ran.err);
    holds_together(&ran);
    assert_eq!(asked, (1..=5).map(|nth| format!("inl{nth:023}")).collect::<Vec<_>>());
}

#[test]
fn a_target_that_is_there_under_two_names_counts_once() {
    let install = json!({"id": INSTALL, "name": "prod", "install_components": [
        {"component_id": format!("cmp{:023}", 1), "component": {"name": "api"}},
        {"component_id": format!("cmp{:023}", 2), "component": {"name": "web"}},
    ]});
    let paths = [path(1), path(2), format!("/deploys/dpl{:023}", 1)];
    let (one, two, known) = ([deploy(1, "active")], [deploy(2, "cancelled")], [seen(&install)]);
    let routes: [(&str, &[Answer]); 4] =
        [(&paths[0], &one), (&paths[1], &two), (&paths[2], &one), ("/v1/installs/prod", &known)];
    for lines in [["prod api", "ID 1", "ID 2"], ["ID 1", "prod api", "ID 2"], ["prod api", "PROD 1", "ID 2"]] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let ids = lines.join("\n").replace("ID ", &format!("{INSTALL} cmp{:022}", 0));
        std::fs::write(file.path(), ids.replace("PROD ", &format!("prod cmp{:022}", 0))).expect("writes");
        let ran = run_with(&[&format!("--targets={}", file.path().display()), "--min-pass=2"], &routes);
        assert_ne!(ran.code, 0, "{lines:?}\n{}", ran.out);
        assert!(ran.out.contains("is a target already"), "{lines:?}\n{}", ran.out);
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_for_ever_ends_a_fleet() {
    let busy = http(429, "").header("retry-after", "18446744073709551615");
    let ran = fleet_of(&[], &[vec![busy.clone()], vec![busy]]);
    assert_eq!(ran.ended(), (124, "timed-out", "unreachable"), "{}", ran.out);
}

/// Each outcome of a target beside one that passed, with `--min-pass` and without: every report holds to its schema, and a
/// run that passed has no failure in any of them.
#[test]
fn reports_of_fleets_hold_whatever_became_of_a_target() {
    let others: [(&str, &[&str]); 7] = [
        ("deploy-failed", &["error"]),
        ("forbidden", &["403"]),
        ("never-appeared", &["404"]),
        ("still-running", &["planning"]),
        ("unknown-status", &["unheard-of"]),
        ("unreachable", &["502"]),
        ("assertion-false", &["no-drift"]),
    ];
    let flags = ["--timeout=1m", "--assert=fine: $.status_v2.status != 'no-drift'", "--report=markdown=FOLDER/md"];
    for (reason, statuses) in others {
        for (least, passes) in [(None, false), (Some("--min-pass=1"), true)] {
            // The other one ends first.
            let flags: Vec<&str> = flags.into_iter().chain(least).collect();
            let ran = fleet(&flags, &[&["planning", "planning", "active"], statuses]);
            assert_eq!(ran.code == 0, passes, "{reason}: {}", ran.out);
            holds_together(&ran);
            let (junit, markdown) = (ran.path("all.junit"), ran.path("md"));
            let junit = std::fs::read_to_string(junit).expect("a report");
            assert_eq!(!junit.contains("<failure") && !junit.contains("<error"), passes, "{reason}: {junit}");
            let rows = outcomes(&ran);
            assert!(rows.contains(&reason.into()) || rows.contains(&"not-awaited".into()), "{reason}: {rows:?}");
            assert!(junit.contains("<skipped") || !passes, "{junit}");
            let markdown = std::fs::read_to_string(markdown).expect("a report");
            assert!(!markdown.contains("not-awaited ❌"), "{markdown}");
        }
    }
}

/// A step of [`WORKFLOW`] that makes the deploy of a component.
fn step(nth: usize, status: &str) -> Value {
    json!({"id": format!("iws{nth:023}"), "name": format!("deploy {nth}"), "step_target_type": "install_deploys",
        "step_target_id": format!("dpl{nth:023}"), "status": {"status": status}})
}

/// The deploy that it makes.
fn of_step(nth: usize, status: &str) -> Answer {
    let deploy = with(document(status), "id", json!(format!("dpl{nth:023}")));
    let deploy = with(deploy, "component_id", json!(format!("cmp{nth:023}")));
    let deploy = with(deploy, "install_component_id", json!(format!("inc{nth:023}")));
    seen(&with(deploy, "install_workflow_id", json!(WORKFLOW)))
}

/// A deploy-all of so many components, each pinned to its workflow, seen after so many seconds.
fn deploy_all(components: usize, flags: &[&str]) -> Ran {
    let workflow = |word: &str, finished: bool, at: &dyn Fn(usize) -> &'static str| {
        let steps: Vec<Value> = (1..=components).map(|nth| step(nth, at(nth))).collect();
        seen(&json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": finished, "all_steps_loaded": true,
            "status": {"status": word}, "steps": steps}))
    };
    let running = workflow("in-progress", false, &|nth| if nth == 1 { "in-progress" } else { "pending" });
    let over = workflow("success", true, &|_| "success");
    let mut routes: Vec<(String, Vec<Answer>)> = vec![("/workflows/".into(), [vec![running; 8], vec![over]].concat())];
    for nth in 1..=components {
        let id = format!("/components/cmp{nth:023}/deploys/dpl{nth:023}");
        routes.push((id, vec![of_step(nth, "queued"), of_step(nth, "active")]));
        routes.push((format!("/deploys/dpl{nth:023}"), vec![of_step(nth, "active")]));
        routes.push((path(nth), vec![of_step(nth, "active")]));
    }
    let routes: Vec<(&str, &[Answer])> =
        routes.iter().map(|(path, answers)| (path.as_str(), answers.as_slice())).collect();
    let components: Vec<String> = (1..=components).map(|nth| format!("--component=cmp{nth:023}")).collect();
    let pin = format!("--workflow={WORKFLOW}");
    let all: Vec<&str> =
        components.iter().map(String::as_str).chain([pin.as_str()]).chain(flags.iter().copied()).collect();
    run_with(&all, &routes)
}

#[test]
fn one_look_at_a_workflow_serves_all_its_targets() {
    let ran = deploy_all(30, &[]);
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.out);
    holds_together(&ran);
    let (workflows, installs) =
        (ran.asked("/workflows/inw"), ran.looks.iter().filter(|(_, path)| path.ends_with(INSTALL)).count());
    assert!(workflows <= 10 && installs <= 2, "{workflows} looks at the workflow, {installs} at the install");
    // Each deploy is asked for by the first target that meets it, and by its own at the end; so is the latest.
    assert!(ran.looks.len() <= 3 * 30 + 12, "{} requests", ran.looks.len());
}

/// What has to be seen twice is not confirmed by the look of another target.
#[test]
fn a_shared_look_is_one_sight_for_each_target() {
    let dead = json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": false, "status": {"status": "error"}, "steps": [step(1, "in-progress"), step(2, "in-progress")]});
    let (first, second) = (vec![of_step(1, "executing")], vec![of_step(2, "executing")]);
    for workflow in [vec![seen(&dead)], vec![seen(&dead), http(502, ""), seen(&dead)]] {
        let routes: &[(&str, &[Answer])] = &[
            ("/workflows/", &workflow),
            ("/deploys/dpl00000000000000000000001", &first),
            ("/deploys/dpl00000000000000000000002", &second),
        ];
        let components = ["--component=cmp00000000000000000000001", "--component=cmp00000000000000000000002"];
        let pin = format!("--workflow={WORKFLOW}");
        let ran = run_with(&[components[0], components[1], &pin, "--min-pass=1"], routes);
        assert_eq!((ran.code, outcomes(&ran)), (1, vec!["deploy-failed".to_owned(); 2]), "{}", ran.err);
        let looks: Vec<Duration> =
            ran.looks.iter().filter(|(_, path)| path.contains("/workflows/inw0")).map(|(at, _)| *at).collect();
        assert!(looks[1] - looks[0] >= Duration::from_millis(1600), "{looks:?}");
    }
}

#[test]
fn every_open_target_gets_one_last_look_when_the_outcome_is_certain() {
    let late: &[&str] = &["planning", "planning", "active"];
    // The first look of each; then one fails, and the others are looked at once more.
    let ran = fleet(&[], &[&["planning", "error"], late, &["planning", "active"], &["planning"]]);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"));
    let components = |ran: &Ran, nth: usize| ran.asked(&path(nth));
    assert_eq!([2, 3, 4].map(|nth| components(&ran, nth)), [2, 2, 2], "{:?}", ran.looks);
    assert!(outcomes(&ran).contains(&"not-awaited".into()), "{}", ran.out);
    let last = ran.looks.iter().rposition(|(_, asked)| asked.ends_with(&path(4))).expect("a look");
    assert!(
        last > ran.looks.iter().rposition(|(_, asked)| asked.ends_with(&path(1))).expect("a look"),
        "{:?}",
        ran.looks
    );
    // All are awaited where that is asked for.
    let ran = fleet(&["--no-fail-fast"], &[&["error"], late, &["planning", "active"]]);
    assert_eq!((ran.code, outcomes(&ran)), (1, ["deploy-failed", "passed", "passed"].map(Into::into).to_vec()));
    let ran = fleet(&["--no-fail-fast", "--min-pass=1"], &[&["active"], late, &["planning", "error"]]);
    assert_eq!((ran.code, outcomes(&ran)), (0, ["deploy-failed", "passed", "passed"].map(Into::into).to_vec()));
    assert!(ran.out.starts_with("passed: 2 of 3 targets passed; at least 1 must pass"), "{}", ran.out);
    holds_together(&ran);
    let ran = fleet(&["--no-fail-fast", "--timeout=1m"], &[&["error"], &["planning"]]);
    assert_eq!((ran.seconds(), outcomes(&ran)), (60, ["deploy-failed", "still-running"].map(Into::into).to_vec()));
}

#[test]
fn a_look_that_comes_late_is_not_served_what_is_old() {
    let over = json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": true, "status": {"status": "success"}, "steps": [step(1, "success"), step(2, "success")]});
    // The first target's own deploy takes its time; both looks were due at once.
    let (workflow, first, second) = ([seen(&over)], [of_step(1, "active").takes(20)], [of_step(2, "active")]);
    let routes: &[(&str, &[Answer])] = &[
        ("/workflows/", &workflow),
        ("/deploys/dpl00000000000000000000001", &first),
        ("/deploys/dpl00000000000000000000002", &second),
        ("/cmp00000000000000000000001/deploys/latest", &first),
        ("/cmp00000000000000000000002/deploys/latest", &second),
    ];
    let components = ["--component=cmp00000000000000000000001", "--component=cmp00000000000000000000002"];
    let ran = run_with(&[components[0], components[1], &format!("--workflow={WORKFLOW}")], routes);
    assert_eq!(ran.code, 0, "{}", ran.out);
    // The first target asks which component it is of, the second one what has become of it.
    let looked: Vec<usize> =
        (0..ran.looks.len()).filter(|nth| ran.looks[*nth].1.ends_with("dpl00000000000000000000002")).collect();
    let [_, second] = looked[..] else { panic!("{:?}", ran.looks) };
    let before: Vec<_> = ran.looks[..second].iter().filter(|(_, path)| path.contains("/workflows/inw0")).collect();
    let (at, _) = &ran.looks[second];
    assert!(before.iter().any(|(asked, _)| *asked + Duration::from_secs(1) >= *at), "{:?}", ran.looks);
}

#[test]
fn many_that_end_otherwise_are_told_by_component_or_by_install() {
    let mut routes: Vec<(String, Vec<Answer>)> = Vec::new();
    let mut lines = String::new();
    for install in 1..=3 {
        for component in 1..=2 {
            let id = format!("dpl{install}{component:022}");
            let status = if (install, component) == (2, 1) { "error" } else { "active" };
            let deploy = seen(&with(document(status), "id", json!(id)));
            routes
                .push((format!("inl{install:023}/components/cmp{component:023}/deploys/latest"), vec![deploy.clone()]));
            routes.push((format!("/deploys/{id}"), vec![deploy]));
            lines += &format!("inl{install:023} cmp{component:023}\n");
        }
    }
    let list = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(list.path(), lines).expect("writes");
    let routes: Vec<(&str, &[Answer])> =
        routes.iter().map(|(path, answers)| (path.as_str(), answers.as_slice())).collect();
    let flag = format!("--targets={}", list.path().display());
    let ran = run_with(&[&flag, "--no-fail-fast", "--report=markdown=FOLDER/md"], &routes);
    assert_eq!(ran.ended(), (1, "failed", "deploy-failed"), "{}", ran.out);
    let groups = "  by component  1 deploy-failed, 2 passed  cmp00000000000000000000001\n                3 passed  cmp00000000000000000000002\n";
    assert!(ran.out.contains(groups), "{}", ran.out);
    let page = std::fs::read_to_string(ran.path("md")).expect("a page");
    assert!(page.contains("| 1 deploy-failed, 2 passed | `cmp00000000000000000000001` |"), "{page}");
}
