//! `deploy-gate doctor`: all that a run needs, and what to do where something is wrong. The network as it is: in
//! `tests/binary/doctor.rs`.

use serde_json::json;

use crate::script::*;

fn refused(status: u16) -> Answer {
    http(status, "{\"error\":\"no\",\"description\":\"not for you\"}")
}

fn absent() -> Answer {
    http(404, "{\"error\":\"record not found\",\"user_error\":true}")
}

/// The answers of a server where all is well.
fn well() -> [(&'static str, Vec<Answer>); 8] {
    let log = with(made(DEPLOY, "active", 1, WORKFLOW), "log_stream", json!({"id": "lgs1"}));
    let component = json!([{"component_id": COMPONENT, "component": {"id": COMPONENT, "name": "api"}}]);
    [
        ("/v1/general/cli-config", vec![http(200, "{\"dashboard_url\":\"https://app\"}")]),
        ("/latest", vec![seen(&made(DEPLOY, "active", 1, WORKFLOW))]),
        ("/deploys/dpl", vec![seen(&log)]),
        ("/components?", vec![http(200, component.to_string())]),
        ("/v1/workflows/", vec![workflow("success", &["apply=success"])]),
        ("/v1/log-streams/", vec![http(200, "[]")]),
        ("/install-groups", vec![http(200, "[]")]),
        (INSTALL, vec![seen(&json!({"id": INSTALL, "name": "one"}))]),
    ]
}

/// The same with another answer for one path.
fn with_answer(path: &str, answer: Answer) -> Ran {
    examined(&[], path, answer)
}

fn examined(arguments: &[&str], path: &str, answer: Answer) -> Ran {
    let mut all = well();
    all.iter_mut().filter(|(own, _)| *own == path).for_each(|(_, answers)| *answers = vec![answer.clone()]);
    let routes: Vec<(&str, &[Answer])> = all.iter().map(|(path, answers)| (*path, answers.as_slice())).collect();
    doctor(arguments, &routes)
}

#[test]
fn where_all_is_well_each_thing_has_its_line() {
    let ran = with_answer("", refused(500));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for (what, found) in [
        ("flags", INSTALL),
        ("assertions", "0 that must be true"),
        ("connection", "https://api.nuon.co answers"),
        ("token", "the server takes it"),
        ("org", "none is sent"),
        ("install", "one"),
        ("component", "api"),
        ("deploy", "the latest, dpl00000000000000000000001: \"active\""),
        ("log", "lgs1"),
        ("workflow", "has ended (success"),
    ] {
        let line = ran.out.lines().find(|line| line.starts_with(&format!("  ok       {what:<12} ")));
        assert!(line.is_some_and(|line| line.contains(found)), "{what}: {}", ran.out);
    }
    assert!(ran.out.ends_with("nothing is wrong; doctor is no gate, and waited for nothing\n"), "{}", ran.out);
    // Nothing is written, and nothing is asked twice.
    assert!(!ran.path("result.json").exists() && !ran.path("github").exists());
    assert_eq!(ran.looks.len(), 7, "{:?}", ran.looks);
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let foreign =
        seen(&json!({"id": WORKFLOW, "owner_id": "inl00000000000000000000009", "status": {"status": "success"}}));
    for (arguments, path, answer, what, words, remedy) in [
        (&[][..], INSTALL, refused(401), "token", "401", "NUON_API_TOKEN"),
        (&[], INSTALL, refused(403), "org", "403", "--org (NUON_ORG_ID)"),
        (&[], INSTALL, absent(), "install", INSTALL, "--install (NUON_INSTALL_ID)"),
        (&[], "/components?", http(200, "[]"), "component", COMPONENT, "--component (NUON_COMPONENT_ID)"),
        (
            &["--deploy=dpl00000000000000000000009"],
            "/deploys/dpl",
            absent(),
            "deploy",
            "404",
            "--deploy (DEPLOY_GATE_DEPLOY)",
        ),
        (&[], "/v1/workflows/", refused(403), "workflow", "403", "--until applied"),
        (
            &["--workflow=inw00000000000000000000001"],
            "/v1/workflows/",
            absent(),
            "workflow",
            "404",
            "--workflow (DEPLOY_GATE_WORKFLOW)",
        ),
        (
            &["--workflow=inw00000000000000000000001"],
            "/v1/workflows/",
            foreign,
            "workflow",
            "another install",
            "--workflow",
        ),
        (
            &["--workflow=inw00000000000000000000001", "--component=all"],
            "/v1/workflows/",
            refused(403),
            "workflow",
            "403",
            "role",
        ),
        (&[], "/latest", refused(500), "deploy", "500", "ask again"),
        (&[], "/latest", refused(403), "org", "403", "--org (NUON_ORG_ID)"),
        (&[], "/components?", refused(500), "component", "500", "ask again"),
        (&[], INSTALL, refused(503), "install", "503", "ask again"),
        (
            &["--after=dpl00000000000000000000009"],
            "/deploys/dpl",
            absent(),
            "after",
            "404",
            "--after (DEPLOY_GATE_AFTER)",
        ),
        (&["--component=nope"], "/components?", http(200, "[]"), "component", "no component \"nope\"", "--component"),
        (&["--component=all"], "/components?", http(200, "[]"), "targets", "is 0", "may not read"),
        (&["--component=all", "--min-targets=2"], "", absent(), "targets", "--min-targets", "may not read"),
        (
            &["--component=all", "--shard=2/2", "--min-pass=2"],
            "/components?",
            http(200, json!([component(1), component(2)]).to_string()),
            "targets",
            "--min-pass",
            "may not read",
        ),
        (&["--branch-run=app/main/abr00000000000000000000001"], "", absent(), "run", "404", "--branch-run"),
    ] {
        let ran = examined(arguments, path, answer);
        assert_eq!(ran.code, 3, "{what} {words}: {}{}", ran.out, ran.err);
        let mut lines = ran.out.lines().skip_while(|line| !line.starts_with(&format!("  failed   {what:<12} ")));
        let (found, told) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert!(found.contains(words), "{what} {words}: {}", ran.out);
        assert!(told.contains(remedy), "{what} {remedy}: {}", ran.out);
        assert!(ran.out.ends_with("something is wrong\n"), "{}", ran.out);
    }
}

/// A component of the install.
fn component(number: u8) -> serde_json::Value {
    json!({"component_id": format!("cmp{number:023}"), "component": {"id": format!("cmp{number:023}")}})
}

#[test]
fn what_only_hinders_is_a_warning() {
    for (path, answer, what) in [
        ("/v1/log-streams/", refused(403), "log"),
        ("/v1/general/cli-config", http(200, "<html>log in</html>"), "connection"),
    ] {
        let ran = with_answer(path, answer);
        assert_eq!(ran.code, 0, "{}", ran.out);
        assert!(ran.out.contains(&format!("  warning  {what:<12} ")), "{}", ran.out);
    }
    // Without the list, whether the install has the component is not known.
    let ran = with_answer("/components?", refused(403));
    assert!(ran.code == 0 && ran.out.contains("  warning  component    "), "{}", ran.out);
    // No deploy yet is no fault.
    let ran = with_answer("/latest", absent());
    assert!(ran.code == 0 && ran.out.contains("none yet"), "{}", ran.out);
}

#[test]
fn an_install_may_be_given_by_its_name_and_a_workflow_as_a_whole() {
    let mut all = well();
    all[7] = ("/v1/installs/one", vec![seen(&json!({"id": INSTALL, "name": "one"}))]);
    let routes: Vec<(&str, &[Answer])> = all.iter().map(|(path, answers)| (*path, answers.as_slice())).collect();
    let ran = doctor(&["--install=one", "--component=all", "--workflow=inw00000000000000000000001"], &routes);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn what_a_branch_run_updates_is_looked_at_too() {
    let run = seen(
        &json!({"id": "inw00000000000000000000009", "owner_type": "app_branches", "status": {"status": "in-progress"},
        "app_branch_runs": [{"id": "abr00000000000000000000001", "workflow_id": "inw00000000000000000000009"}]}),
    );
    let listed = http(200, json!([{"install_id": INSTALL, "workflow_id": WORKFLOW}]).to_string());
    let routes: [(&str, &[Answer]); 4] = [
        ("/v1/general/cli-config", &[http(200, "{}")]),
        ("/install-groups", &[listed]),
        ("/runs/", &[run]),
        (INSTALL, &[refused(403)]),
    ];
    let ran = doctor(&["--branch-run=app/main/abr00000000000000000000001"], &routes);
    assert!(ran.code == 3 && ran.out.contains("  failed   org"), "{}{}", ran.out, ran.err);
    // One that is over updates no more installs.
    let over = seen(
        &json!({"id": "inw00000000000000000000009", "owner_type": "app_branches", "status": {"status": "success"},
        "finished": true, "app_branch_runs": [{"id": "abr00000000000000000000001", "workflow_id": "inw00000000000000000000009"}]}),
    );
    let routes: [(&str, &[Answer]); 3] =
        [("/v1/general/cli-config", &[http(200, "{}")]), ("/install-groups", &[http(200, "[]")]), ("/runs/", &[over])];
    let ran = doctor(&["--branch-run=app/main/abr00000000000000000000001"], &routes);
    assert!(ran.code == 3 && ran.out.contains("the number of targets is 0"), "{}{}", ran.out, ran.err);
}

#[test]
fn offline_is_a_lint_that_asks_nothing() {
    let ran = doctor(&["--offline", "--assert=$.install_deploy_type == 'apply'", "--warn=$.sttus == 'x'"], &[]);
    assert_eq!((ran.code, ran.looks.len()), (0, 0), "{}", ran.err);
    assert!(
        ran.out.contains("1 that must be true, 1 advisory") && ran.out.contains("warning  assertions"),
        "{}",
        ran.out
    );
    for wrong in ["--assert=$.status_v2 == 'active'", "--assert-file=/nowhere", "--workflow=null", "--require-pin"] {
        let ran = doctor(&["--offline", wrong], &[]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{wrong}: {}", ran.err);
    }
}
