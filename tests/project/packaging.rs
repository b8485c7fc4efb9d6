//! README, `action.yml`, the GitLab component, the examples and the man page say the same as `--help`: a flag that is
//! renamed, or a variable, or an output, breaks a test here until all of them follow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use deploy_gate::base::outcome::exit_codes;
use deploy_gate::cli::parse;
use deploy_gate::judge::assertion::{Assertion, presets};
use deploy_gate::judge::extract::Extract;
use deploy_gate::report::dotenv;
use deploy_gate::report::result::OUTPUTS;
use regex::Regex;
use serde_json::Value;

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).expect("a file of the project")
}

/// Every document of a YAML text.
fn yaml(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").map(|document| yaml_serde::from_str(document).expect("it is YAML"));
    documents.collect()
}

/// Each flag of `wait`: its variable and what `--help` says.
fn flags() -> BTreeMap<String, (String, String)> {
    let command = parse::command();
    let wait = command.find_subcommand("wait").expect("a command");
    let flags = wait.get_arguments().filter_map(|arg| {
        let flag = arg.get_long().filter(|flag| *flag != "help")?;
        let help = arg.get_long_help()?.to_string();
        let (help, variable) = help.split_once(" [env: ").expect("its variable");
        Some((flag.into(), (variable.trim_end_matches(']').into(), help.into())))
    });
    flags.collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("a mapping").keys().cloned().collect()
}

/// The files under a folder, without the recordings.
fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let folders = std::fs::read_dir(root).expect("a folder").flatten().map(|entry| entry.path());
    let folders = folders.filter(|path| path.is_dir() && !path.ends_with("recordings"));
    folders.flat_map(|path| std::fs::read_dir(path).expect("a folder").flatten().map(|entry| entry.path())).collect()
}

#[test]
fn the_inputs_of_the_action_are_the_flags() {
    let action = yaml(&read("action.yml")).remove(0);
    let flags = flags();
    let mut want: BTreeSet<String> = flags.keys().cloned().collect();
    want.extend(["token", "binary", "doctor"].map(Into::into));
    assert_eq!(keys(&action["inputs"]), want);
    let step =
        |id: &str| action["runs"]["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["id"] == id));
    let (install, gate) = (step("install").expect("a step"), step("gate").expect("a step"));
    for (flag, (variable, help)) in &flags {
        let help = help.replace("; repeatable", "; one a line");
        assert_eq!(action["inputs"][flag]["description"], Value::from(help), "{flag}");
        assert_eq!(action["inputs"][flag]["default"], "", "{flag}: an input left out is a variable left out");
        assert_eq!(gate["env"][variable], format!("${{{{ inputs.{flag} || env.{variable} }}}}"), "{flag}");
    }
    assert_eq!(gate["env"]["NUON_API_TOKEN"], "${{ inputs.token || env.NUON_API_TOKEN }}");
    assert_eq!(install["env"]["NUON_API_TOKEN"], gate["env"]["NUON_API_TOKEN"], "masked, wherever it comes from");
    assert_eq!(
        keys(&gate["env"]).len(),
        flags.len() + 3,
        "nothing else reaches the gate but its place and its command"
    );
    for step in action["runs"]["steps"].as_array().expect("steps") {
        let Some(line) = step["run"].as_str() else {
            assert_eq!(step["continue-on-error"], true, "only the cache is another's, and stops nothing");
            continue;
        };
        assert!(line.starts_with("exec ") && !line.contains("${{"), "{line}");
    }
}

#[test]
fn the_outputs_of_the_action_are_the_outputs() {
    let action = yaml(&read("action.yml")).remove(0);
    let mut want: BTreeSet<String> = OUTPUTS.map(Into::into).into();
    want.insert("json".into());
    assert_eq!(keys(&action["outputs"]), want);
    for output in OUTPUTS {
        assert_eq!(action["outputs"][output]["value"], format!("${{{{ steps.gate.outputs.{output} }}}}"));
    }
}

#[test]
fn the_inputs_of_the_component_are_the_flags() {
    let mut component = yaml(&read("templates/deploy-gate.yml"));
    let (job, spec) = (component.pop().expect("a job"), component.pop().expect("a header"));
    let inputs = &spec["spec"]["inputs"];
    let mut flags = flags();
    flags.remove("report").expect("its reports are always the same");
    let own = ["image", "job-name", "stage", "git-strategy"];
    assert_eq!(keys(inputs), flags.keys().map(String::as_str).chain(own).map(Into::into).collect());
    let job = &job["$[[ inputs.job-name ]]"];
    for (flag, (variable, help)) in &flags {
        assert_eq!(inputs[flag]["description"], Value::from(help.replace("; repeatable", "")), "{flag}");
        assert_eq!(inputs[flag]["type"] == "array", help.contains("; repeatable"), "{flag}");
        let value = &job["variables"][format!("GATE_INPUT_{variable}")];
        assert_eq!(value["value"], format!("$[[ inputs.{flag} ]]\n"), "{flag}: in a block of its own");
        assert_eq!(value["expand"], false, "{flag}");
        // Whatever is put there as text must be one line.
        let is_text = inputs[flag]["type"].is_null() && inputs[flag]["options"].is_null();
        assert_eq!(inputs[flag]["regex"].as_str(), is_text.then_some(r"^[^\r\n]*$"), "{flag}");
    }
    let script = job["script"][1].as_str().expect("a line");
    assert!(script.starts_with("deploy-gate wait --report ") && !script.contains("$["), "{script}");
    // An input beats a variable of the project, which is what is left where it is not given.
    let script = job["script"][0].as_str().expect("a script");
    let tell =
        "printf '%s|' \"$NUON_INSTALL_ID\" \"$NUON_COMPONENT_ID\" \"$DEPLOY_GATE_QUIET\" \"$DEPLOY_GATE_ASSERT\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-euc", &format!("{script}\n{tell}")]).envs([
        ("NUON_INSTALL_ID", "inl-project"),
        ("NUON_COMPONENT_ID", "cmp-project"),
        ("DEPLOY_GATE_QUIET", "true"),
        ("DEPLOY_GATE_ASSERT", "$.project"),
        ("GATE_INPUT_NUON_INSTALL_ID", "inl-input\n"),
        ("GATE_INPUT_NUON_COMPONENT_ID", "\n"),
        ("GATE_INPUT_DEPLOY_GATE_QUIET", "false\n"),
        ("GATE_INPUT_DEPLOY_GATE_ASSERT", "[\"$.a == 'b $(c) `d` \\\\'\"]\n"),
    ]);
    let told = String::from_utf8(shell.output().expect("sh runs").stdout).expect("text");
    assert_eq!(told, "inl-input\n|cmp-project|true|[\"$.a == 'b $(c) `d` \\\\'\"]\n|");
}

#[test]
fn the_choices_of_the_component_are_those_of_the_flags() {
    let spec = yaml(&read("templates/deploy-gate.yml")).remove(0);
    let command = parse::command();
    let wait = command.find_subcommand("wait").expect("a command");
    let mut choices = 0;
    for arg in wait.get_arguments().filter(|arg| arg.get_long() != Some("help")) {
        let values = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
        let values: Vec<String> = values.map(|value| value.get_name().into()).collect();
        let input = &spec["spec"]["inputs"][arg.get_long().expect("a flag")];
        if values == ["true", "false"] {
            assert_eq!(input["type"], "boolean", "{arg}");
        } else if !values.is_empty() {
            choices += 1;
            assert_eq!(input["options"], Value::from([vec![String::new()], values].concat()), "{arg}");
        }
    }
    assert!(choices > 5);
}

/// Whatever reads as an assertion or an extract on a line of the pages, the examples, the action and the component.
#[test]
fn what_is_asserted_anywhere_is_checked_without_a_warning() {
    let marks = Regex::new(r#"^(?:- |value: |assert:|DEPLOY_GATE_ASSERT\s*[:=]|--assert )*\s*"#).expect("a pattern");
    let (mut assertions, mut extracts) = (0, 0);
    let more = ["action.yml", "templates/deploy-gate.yml"].map(Into::into);
    for path in files("examples").into_iter().chain(pages()).chain(more) {
        let is_sample = |line: &&str| path.ends_with("docs/assertions.md") && line.starts_with(' ');
        let text = read(&path);
        let in_tables =
            text.lines().filter(|line| line.starts_with("| ")).flat_map(|row| row.split('`').skip(1).step_by(2));
        let in_tables = in_tables.map(|cell| cell.replace("\\|", "|"));
        let lines = text.lines().filter(|line| !is_sample(line)).map(str::to_owned);
        for line in lines.chain(in_tables) {
            let line = marks.replace(line.trim(), "");
            let quoted = line.strip_prefix('\'').and_then(|line| line.split_once('\''));
            let plain = quoted.map_or(&*line, |(quoted, _)| quoted).trim_matches('"');
            let (assertion, extract) = (plain.parse::<Assertion>().ok(), plain.parse::<Extract>().ok());
            assertions += usize::from(assertion.is_some());
            extracts += usize::from(extract.is_some());
            for query in assertion.iter().chain(extract.as_ref().map(Extract::query)) {
                let found = [query.refusals(), query.warnings()].concat();
                assert!(found.is_empty(), "{}: {plain}: {found:?}", path.display());
            }
        }
    }
    assert!(assertions >= 25 && extracts >= 4, "{assertions} assertions and {extracts} extracts");
    for preset in presets::TABLE {
        let preset: Assertion = preset.expression.parse().expect("it parses");
        assert_eq!([preset.refusals(), preset.warnings()].concat(), [""; 0]);
    }
}

#[test]
fn the_man_page_has_every_flag_and_variable() {
    let text = deploy_gate::cli::manual::man().replace('\\', "");
    for (flag, (variable, _)) in flags() {
        assert!(text.contains(&format!("--{flag}")) && text.contains(&variable), "{flag} {variable}");
    }
    for line in exit_codes().lines() {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn the_readme_and_the_examples_know_no_other_flag_and_no_other_variable() {
    let command = parse::command();
    let flags: BTreeSet<&str> =
        command.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
    // Of clap, cargo, docker, gh, cosign, apk, buildkite-agent, kubectl and the Nuon CLI.
    let foreign = [
        "help",
        "release",
        "target",
        "example",
        "rm",
        "user",
        "repo",
        "no-cache",
        "style",
        "context",
        "entrypoint",
        "path",
        "for",
        "output",
        "no-wait",
        "type",
        "predicate",
        "policy",
        "certificate-identity",
        "arg",
        "certificate-oidc-issuer",
        "body-file",
        "input",
    ];
    let mut variables: BTreeSet<String> = self::flags().into_values().map(|(variable, _)| variable).collect();
    variables.extend(OUTPUTS.map(dotenv::key));
    // The token, and outputs that the examples extract.
    variables.extend(
        ["NUON_API_TOKEN", "NUON_APP_ID", "NUON_INSTALL_IDS", "NUON_PREVIEW", "GATE_KIND", "GATE_IMAGE"]
            .map(Into::into),
    );
    let flag = Regex::new(r"(?:^|[\s`(\[])--([a-z][a-z-]+)").expect("a pattern");
    let variable = Regex::new(r"\b(?:DEPLOY_GATE|NUON|GATE)_[A-Z][A-Z_]*\b").expect("a pattern");
    let mut seen = 0;
    for path in files("examples").into_iter().chain(
        pages().into_iter().filter(|page| !page.ends_with("CONTRIBUTING.md") && !page.ends_with("benches/README.md")),
    ) {
        let text = read(&path);
        for found in flag.captures_iter(&text) {
            seen += 1;
            let name = &found[1];
            assert!(flags.contains(name) || foreign.contains(&name), "{}: --{name}", path.display());
        }
        for found in variable.find_iter(&text) {
            assert!(variables.contains(found.as_str()), "{}: {}", path.display(), found.as_str());
        }
    }
    assert!(seen > 50, "{seen}");
}

/// The pages that are read by people.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("a folder").flatten().map(|entry| entry.path());
    let docs = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    ["README.md", "SECURITY.md", "CONTRIBUTING.md", "benches/README.md", "examples/recordings/README.md"]
        .map(|name| root.join(name))
        .into_iter()
        .chain(docs)
        .collect()
}

#[test]
fn every_link_inside_of_the_project_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)#]*)(?:#([^)]*))?\)").expect("a pattern");
    let mut links = 0;
    for page in pages() {
        let text = read(&page);
        for found in link.captures_iter(&text).filter(|found| !found[1].contains("://")) {
            links += 1;
            let to = if found[1].is_empty() { page.clone() } else { page.parent().expect("a folder").join(&found[1]) };
            assert!(to.exists(), "{}: {}", page.display(), &found[0]);
            if let Some(anchor) = found.get(2) {
                let slug = |title: &str| title.to_lowercase().replace(' ', "-").replace([':', ',', '.', '`'], "");
                let target = read(&to);
                let mut titles =
                    target.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
                assert!(titles.any(|title| slug(title) == anchor.as_str()), "{}: {}", page.display(), &found[0]);
            }
        }
    }
    assert!(links > 50, "{links}");
}

#[test]
fn the_readme_is_read_in_two_minutes() {
    let readme = read("README.md");
    let outside: String = readme.split("```").step_by(2).collect();
    let words = outside.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    assert!(words <= 1300, "{words}");
}

#[test]
fn what_is_to_be_pasted_uses_inputs_that_there_are() {
    let action = keys(&yaml(&read("action.yml")).remove(0)["inputs"]);
    let component = keys(&yaml(&read("templates/deploy-gate.yml")).remove(0)["spec"]["inputs"]);
    let readme = read("README.md");
    let snippets = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(text, _)| text);
    let snippets = snippets.map(ToOwned::to_owned);
    let examples = files("examples").into_iter().filter(|path| path.extension().is_some_and(|end| end == "yml"));
    let (mut actions, mut components) = (0, 0);
    for text in snippets.chain(examples.map(read)) {
        let document = yaml(&text).remove(0);
        let jobs = document["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values());
        let steps = jobs.filter_map(|job| job["steps"].as_array()).flatten();
        for step in steps.filter(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("/deploy-gate@"))) {
            actions += 1;
            assert!(keys(&step["with"]).is_subset(&action), "{:?}", step["with"]);
        }
        for include in document["include"].as_array().into_iter().flatten() {
            components += 1;
            assert!(keys(&include["inputs"]).is_subset(&component), "{:?}", include["inputs"]);
        }
    }
    assert!(actions >= 4 && components >= 2, "{actions} {components}");
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_help() {
    let readme = read("README.md");
    let table = readme.split("## Exit codes").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a table");
    let word = Regex::new(r"[a-z]+(?:-[a-z]+)+|\b\d+\b").expect("a pattern");
    for found in
        word.find_iter(&exit_codes()).filter(|found| !["on-approval", "on-superseded"].contains(&found.as_str()))
    {
        assert!(table.contains(found.as_str()), "{} is not in the README", found.as_str());
    }
}
