//! Whatever words the server finds, every report stays what it is, and says what the run said.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::replay::replay;
use crate::script::*;

/// Text that means something to one of the places it can go to, and any other.
fn hostile() -> impl Strategy<Value = String> {
    let loaded = prop::sample::select(vec![
        "::error::x",
        "##[error]x",
        "##vso[task.complete result=Succeeded]",
        "\n::set-output name=outcome::passed",
        "\noutcome<<EOF\npassed\nEOF\n",
        "\nGATE_OUTCOME=passed",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "]]>",
        "</failure></testsuite>",
        "<!--",
        "&#0;",
        "\u{0}",
        "\u{fffe}",
        "```",
        "````\n",
        "|",
        "</details>",
        "![x](https://x)",
        "\r",
        "\u{202e}",
        "section_start:1:x\r",
        "%0A",
        "\u{2028}",
    ]);
    prop::collection::vec(prop_oneof![loaded.prop_map(str::to_owned), any::<String>(), "[ -~\n]{0,20}"], 0..4)
        .prop_map(|parts| parts.concat())
}

/// A run whose every word comes from the server, and its reports.
fn reported(words: &[String], status: &str) -> Ran {
    let word = |index: usize| json!(words[index % words.len()]);
    let mut document = document(status);
    document["status_v2"]["status_human_description"] = word(0);
    document["component_name"] = word(1);
    document["created_by"] = json!({"email": word(2)});
    document["install_workflow_id"] = json!(WORKFLOW);
    let steps = json!([{"id": "s1", "name": word(3), "status": {"status": "error", "status_human_description": word(4),
        "metadata": {"err_message": word(5)}}, "step_target_id": DEPLOY}]);
    let workflow = json!({"id": WORKFLOW, "owner_id": INSTALL, "plan_only": false, "finished": true,
        "status": {"status": "error", "status_human_description": word(0)}, "steps": steps});
    let arguments = [
        "--assert=label: $.component_name == 'what no random word is by chance'",
        "--extract=name=$.component_name",
        "--extract=all=$.status_v2",
        "--report=junit=FOLDER/junit.xml",
        "--report=markdown=FOLDER/report.md",
        "--report=dotenv=FOLDER/report.env",
        "--report=annotations=FOLDER/notes.json",
        "--ci=github",
        "-v",
    ];
    run_with(&arguments, &[("/latest", &[seen(&document)]), ("/workflows/", &[seen(&workflow)])])
}

fn text(ran: &Ran, name: &str) -> String {
    std::fs::read_to_string(ran.path(name)).expect("a report")
}

/// The lines that a runner of GitHub would obey.
fn commands(log: &str) -> Vec<&str> {
    let mut stopped: Option<String> = None;
    let mut obeyed = Vec::new();
    for line in log.lines().map(str::trim_start) {
        if let Some(token) = &stopped {
            if line == format!("::{token}::") {
                stopped = None;
            }
        } else if let Some(token) = line.strip_prefix("::stop-commands::") {
            stopped = Some(token.into());
        } else if line.starts_with("::") || line.starts_with("##[") || line.starts_with("##vso[") {
            obeyed.push(line);
        }
    }
    obeyed
}

/// All of a Markdown text that is not text.
fn skeleton(markdown: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let bone = |event: Event| match event {
        Event::Start(tag @ (Tag::Heading { .. } | Tag::Table(_) | Tag::Link { .. } | Tag::Image { .. })) => {
            Some(format!("{tag:?}"))
        }
        Event::Html(html) | Event::InlineHtml(html) => Some(html.trim().to_owned()),
        Event::Rule
        | Event::TaskListMarker(_)
        | Event::FootnoteReference(_)
        | Event::InlineMath(_)
        | Event::DisplayMath(_) => Some(format!("{event:?}")),
        _ => None,
    };
    let of_github = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    // What is code is shown so, in one of two ways.
    let is_bone = |bone: &String| !["", "<code>", "</code>"].contains(&bone.as_str());
    Parser::new_ext(markdown, of_github).filter_map(bone).filter(is_bone).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_of_the_server_changes_what_a_report_is(
        words in prop::collection::vec(hostile(), 6),
        status in prop::sample::select(vec!["active", "error", "cancelled"]),
    ) {
        let ran = reported(&words, status);
        let plain = reported(&["plain".into()], status);
        prop_assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let outcome = ran.report["outcome"].as_str().expect("an outcome").to_owned();
        holds_together(&ran);

        // GitHub outputs: exactly the same names, each once.
        let names = |ran: &Ran| ran.outputs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        prop_assert_eq!(names(&ran), names(&plain));

        // JUnit: well-formed, the same elements, the same counts.
        let shape = |ran: &Ran| {
            let text = text(ran, "junit.xml");
            let xml = roxmltree::Document::parse(&text).expect("it is XML");
            let of = |node: roxmltree::Node| {
                let counts: Vec<_> = ["tests", "failures", "errors", "skipped"].map(|name| node.attribute(name).map(str::to_owned)).into();
                (node.tag_name().name().to_owned(), counts)
            };
            xml.descendants().filter(roxmltree::Node::is_element).map(of).collect::<Vec<_>>()
        };
        prop_assert_eq!(shape(&ran), shape(&plain));

        // Dotenv: a variable a line, the same ones.
        let variables = |ran: &Ran| {
            text(ran, "report.env").lines().map(|line| line.split_once('=').expect("NAME=value").0.to_owned()).collect::<Vec<_>>()
        };
        let (got, wanted) = (variables(&ran), variables(&plain));
        prop_assert!(got.iter().all(|name| wanted.contains(name)), "{:?}", got);
        prop_assert!(got.windows(2).all(|two| two[0] != two[1]));

        // Markdown: the same headings, tables, links and tags, and text between them.
        let markdown = text(&ran, "report.md");
        let heading = format!("### ❌ Deploy gate: {outcome}");
        prop_assert!(markdown.starts_with(&heading), "{}", markdown);
        prop_assert_eq!(skeleton(&markdown), skeleton(&text(&plain, "report.md")), "{}", markdown);

        // Annotations: JSON.
        let notes: Value = serde_json::from_str(&text(&ran, "notes.json")).expect("JSON");
        prop_assert!(notes.is_object() || notes.is_array());

        // The log and the verdict: no control character, no command but our own.
        for printed in [&ran.out, &ran.err] {
            let control = printed.chars().find(|c| c.is_control() && *c != '\n');
            prop_assert_eq!(control, None, "{:?}", printed);
            for line in commands(printed) {
                let is_ours = ["::group::", "::endgroup::", "::error ", "::error::", "::warning ", "::warning::", "::notice "]
                    .iter().any(|ours| line.starts_with(ours));
                prop_assert!(is_ours, "{:?}", line);
            }
        }
        prop_assert_eq!(commands(&ran.out).len() + commands(&ran.err).len(), commands(&plain.out).len() + commands(&plain.err).len());
    }
}

#[test]
fn no_answer_tells_a_secret_however_it_is_broken() {
    let token = "token-of-the-log-0123456789";
    for body in [
        format!(r#"{{"error":{{"code":1}},"write_token":"{token}"}}"#),
        format!(r#"{{"write_token":"{token}","error":"cut o"#),
        format!(r#"[{{"write_token":"{token}"}}]"#),
        json!({"error": format!(r#"cannot decode {{"write_token":"{token}"}}"#)}).to_string(),
    ] {
        // The script searches all that is printed and written.
        for status in [422, 500, 404, 401] {
            let ran = run(&["--timeout=10s", "--record=FOLDER/r"], &[http(status, &body)]);
            assert_ne!(ran.code, 0);
            assert!(ran.message().contains(&status.to_string()), "{}", ran.message());
        }
    }
}

/// A secret as a server can let it slip.
fn encoded_forms(secret: &str) -> Vec<String> {
    let each = |with: fn(char) -> String| secret.chars().map(with).collect::<String>();
    let base64 = |before: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(format!("{before}{secret}"))
    };
    vec![
        secret.to_owned(),
        format!("write_token={secret}"),
        format!(r#"{{"write_token":"{secret}","more":1}}"#),
        each(|c| format!("{c}\u{1}")),
        each(|c| format!("{c}\n")),
        each(|c| format!("{c}\u{200f}")),
        each(|c| format!("{c}\u{1b}[1m")),
        each(|c| format!("\\u{:04x}", u32::from(c))),
        each(|c| format!("%{:02X}", u32::from(c))),
        each(|c| format!("&#{};", u32::from(c))),
        each(|c| format!("{:02x}", u32::from(c))),
        base64(""),
        base64("a"),
        base64("ab"),
        // What is cut is cut after it was taken out.
        format!("{}{secret}", "x".repeat(190)),
        format!("{}{secret}", "x".repeat(3990)),
    ]
}

#[test]
fn no_secret_is_told_however_it_is_written_and_wherever() {
    for secret in ["token-of-the-user-0123456789", "token-of-the-log-0123456789"] {
        for words in encoded_forms(secret) {
            let words = format!("said {words} and more");
            for status in ["active", "error"] {
                // The script searches all that is printed and written.
                let ran = reported(std::slice::from_ref(&words), status);
                assert_eq!(ran.code, 1, "{}", ran.out);
            }
            for answer in [
                http(403, json!({"error": words}).to_string()),
                http(302, "").header("location", &words),
                http(503, &words),
                http(200, &words),
            ] {
                // The deploy tells what the secret of the log is.
                let answers = [deploy("planning"), answer];
                let ran = run(&["--timeout=10s", "--record=FOLDER/r", "-v"], &answers);
                assert_ne!(ran.code, 0);
            }
        }
    }
}

#[test]
fn what_is_marked_as_sensitive_is_judged_and_never_shown() {
    let outputs = |value: &str| {
        seen(&with(
            document("active"),
            "outputs",
            json!({
                "pw": {"sensitive": true, "type": "string", "value": value},
                "host": {"sensitive": false, "value": "example.com"},
            }),
        ))
    };
    let pw = "hunter2-hunter2";
    let gate = |arguments: &[&str]| {
        let mut all = vec!["--record=FOLDER/r", "--report=markdown=FOLDER/m", "--report=junit=FOLDER/j", "-v"];
        all.extend(arguments);
        let ran = run(&all, &[outputs(pw)]);
        for name in ["r", "m", "j", "result.json", "github"] {
            let text = std::fs::read_to_string(ran.path(name)).expect(name);
            assert!(!text.contains(pw), "{name}: {text}");
        }
        assert!(!ran.out.contains(pw) && !ran.err.contains(pw), "{}{}", ran.out, ran.err);
        ran
    };
    let length = "--assert=length($.outputs.pw.value) == 15";
    let ran = gate(&[
        length,
        "--extract=pw=$.outputs.pw.value",
        "--extract=all=$.outputs",
        "--extract=host=$.outputs.host.value",
    ]);
    assert_eq!(
        (ran.ended(), ran.output("pw"), ran.output("all"), ran.output("host")),
        ((0, "passed", ""), "", "", "example.com")
    );
    assert!(ran.out.contains("the output pw is empty: $.outputs.pw.value is marked as sensitive"), "{}", ran.out);
    for wrong in [
        "--assert=$.outputs.pw.value == 'other'",
        "--assert=$.outputs.pw.value > 5",
        "--assert=$.outputs.pw.value.x == 5",
        "--assert=$.outputs.pw.value[*]",
        "--assert=count($.outputs[*].value) == 9",
        "--assert=$.outputs == $.status_v2",
        "--assert=!$.outputs.pw",
    ] {
        let ran = gate(&[wrong]);
        assert_eq!(ran.code, 1, "{wrong}\n{}", ran.out);
    }
    // A replay does not know it, so it can say nothing about it.
    let ran = gate(&[length]);
    for (assertion, code) in [
        (length, 1),
        ("--assert=$.outputs.pw.value != 'x'", 1),
        ("--assert=!$.outputs[?@.value == 'x']", 1),
        ("--assert=$.outputs.host.value == 'example.com'", 0),
    ] {
        let (ended, out) = replay(ran.path("r"), [assertion]);
        assert_eq!(ended, code, "{assertion}\n{out}");
        assert!(code == 0 || out.starts_with("failed (assertion-vacuous)"), "{out}");
    }
}

/// A server's words must not decide which of its other words are read: what looks like a secret in a commit message, or is
/// one, takes no member, word or type out of what is judged.
#[test]
fn no_text_of_an_answer_changes_what_is_judged() {
    for message in [
        "docs: write_token=install_components",
        "docs: write_token=install_workflow_id explained",
        r#"docs: "write_token": "install_components""#,
        "docs: write_token=step_target_type",
        "parse write_token='abc",
        "set write_token=\"abc\\",
        "write_token=inc00000000000000000000001",
    ] {
        let deploy = with(document("active"), "install_workflow_id", json!(WORKFLOW));
        let deploy =
            with(deploy, "component_build", json!({"vcs_connection_commit": {"sha": "8fea7b0", "message": message}}));
        let step = |name: &str, status: &str, kind: &str, target: &str| json!({"id": name, "name": name, "status": {"status": status}, "step_target_type": kind, "step_target_id": target});
        let flow = |health: &str| {
            seen(
                &json!({"id": WORKFLOW, "owner_id": INSTALL, "finished": true, "status": {"status": if health == "success" { "success" } else { "error" }}, "steps": [
                    step("apply", "success", "install_deploys", DEPLOY),
                    step("verify health", health, "install_components", "inc00000000000000000000001"),
                ]}),
            )
        };
        let gate = |health: &str| {
            let workflow = [flow(health)];
            let latest = [seen(&deploy)];
            run_with(&[], &[("/latest", &latest), (DEPLOY, &latest), ("/workflows/", &workflow)])
        };
        assert_eq!(gate("error").ended(), (1, "failed", "deploy-failed"), "{message}");
        assert_eq!(gate("success").ended(), (0, "passed", ""), "{message}");
    }
}
