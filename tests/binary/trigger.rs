//! The lines of the README that trigger a deploy and gate it, run as they are against servers of either generation.
#![cfg(unix)]

use std::process::{Command, Stdio};

use crate::loopback::{Reply, Server, TOKEN, answer};

const WORKFLOW: &str = "inwnztgar4jedomg55ecfkfgzu";

/// The block of the README that hands the answer of the trigger to the gate.
fn snippet() -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let mut blocks = blocks.filter(|block| block.contains("curl ") && block.contains("@trigger.txt"));
    blocks.next().expect("such a block").to_owned()
}

/// Runs it where a response of an earlier run lies. Returns its exit code, what it said, and what was asked.
fn run(trigger: Reply) -> (Option<i32>, String, Vec<String>) {
    let json = |body: &str| answer("200 OK", "content-type: application/json\r\n", body);
    let deploy = |id: &str, workflow: &str| {
        json(&format!(
            r#"{{"id":"{id}","component_id":"cmp00000000000000000000001","install_workflow_id":"{workflow}","status_v2":{{"status":"active"}}}}"#
        ))
    };
    let mine = "dpl00000000000000000000002";
    let workflow = |status: &str, finished: bool, deploy: &str| {
        json(&format!(
            r#"{{"id":"{WORKFLOW}","finished":{finished},"status":{{"status":"{status}"}},"steps":[{{"name":"apply","step_target_type":"install_deploys","step_target_id":"{deploy}","status":{{"status":"success"}}}}]}}"#
        ))
    };
    let server = Server::start(vec![
        trigger,
        workflow("in-progress", false, ""),
        workflow("success", true, mine),
        deploy(mine, WORKFLOW),
        // Somebody else's deploy is the latest, finished and green.
        deploy("dpl00000000000000000000001", "inw00000000000000000000009"),
        answer("404 Not Found", "", ""),
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_deploy-gate"), folder.path().join("deploy-gate")).expect("a link");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(folder.path().to_path_buf()).chain(std::env::split_paths(&path));
    let earlier = format!("HTTP/1.1 201 Created\r\nX-Nuon-Install-Workflow-ID: {WORKFLOW}\r\n\r\n\"ok\"");
    std::fs::write(folder.path().join("trigger.txt"), earlier).expect("it is written");
    let mut command = Command::new("sh");
    // Without -e, the gate has the last word also where curl failed.
    command.args(["-c", &snippet()]).current_dir(folder.path()).env_clear();
    command.env("PATH", std::env::join_paths(path).expect("a path")).env("NUON_API_TOKEN", TOKEN);
    command.env("NUON_API_URL", server.url("http")).env("NUON_ORG_ID", "org1").env("BUILD", "bld1");
    command
        .env("NUON_INSTALL_ID", "inl00000000000000000000001")
        .env("NUON_COMPONENT_ID", "cmp00000000000000000000001")
        .env("DEPLOY_GATE_INTERVAL", "5ms")
        .env("DEPLOY_GATE_TIMEOUT", "20s");
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr), server.heads())
}

#[test]
fn the_snippet_of_the_readme_pins_what_it_triggered() {
    let header = format!("X-Nuon-Install-Workflow-ID: {WORKFLOW}\r\n");
    let body = format!(r#"{{"id":"dpl00000000000000000000002","workflow_id":"{WORKFLOW}"}}"#);
    for trigger in [answer("201 Created", &header, "\"ok\""), answer("201 Created", "", body)] {
        let (code, said, heads) = run(trigger);
        assert!(code == Some(0) && said.contains("dpl00000000000000000000002 is \"active\""), "{said}");
        assert!(
            heads[0].starts_with(
                "POST /v1/installs/inl00000000000000000000001/components/cmp00000000000000000000001/deploys "
            ),
            "{heads:?}"
        );
        assert!(said.contains(&format!("pins that hold: workflow {WORKFLOW}")), "{said}");
    }
}

#[test]
fn the_snippet_fails_where_the_trigger_was_refused_or_gave_no_id() {
    for (trigger, words) in [
        (answer("409 Conflict", "", r#"{"error":"runner is offline"}"#), "409 Conflict: runner is offline"),
        (answer("401 Unauthorized", "", "{}"), "nothing was triggered: 401"),
        (answer("201 Created", "", r#"{"id":"dpl00000000000000000000002"}"#), "it has id"),
        (answer("201 Created", "", "\"ok\""), "no id of a workflow"),
        (answer("201 Created", "", r#"{"workflow_id":"null"}"#), "is \"null\""),
        (Reply::Last(Vec::new()), "--workflow (DEPLOY_GATE_WORKFLOW)"),
    ] {
        let (code, said, heads) = run(trigger);
        assert!(code == Some(2) && said.contains(words), "{said}");
        assert_eq!(heads.len(), 1, "nothing else was asked: {heads:?}");
    }
}
