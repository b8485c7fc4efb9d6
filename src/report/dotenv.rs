//! Variables for later jobs of GitLab (`artifacts:reports:dotenv`), whose dialect has no quotes. Pure.
//!
//! One line that is not `NAME=value` makes GitLab refuse the whole file, and `$` in a value is expanded in later jobs.
//! <https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv>

use clap::CommandFactory;

use crate::args::{Cli, variable};

/// How many variables GitLab takes by default.
const MOST: usize = 20;
/// How many bytes: GitLab takes less than 5 KB.
const LARGEST: usize = 4096;

/// Renders the outputs. Also gives the names of those that are left empty since this dialect cannot carry them.
pub fn render<'o>(outputs: &[(&'o str, String)]) -> (String, Vec<&'o str>) {
    let names = outputs.iter().map(|(name, _)| key(name).len() + "=\n".len());
    let mut left = LARGEST.saturating_sub(names.sum());
    let (mut text, mut left_out) = (String::new(), Vec::new());
    for (name, value) in outputs {
        let carried = Some(value.replace('$', "$$"))
            .filter(|value| !value.chars().any(|c| c.is_whitespace() || c.is_control()) && value.len() <= left);
        if carried.is_none() {
            left_out.push(*name);
        }
        let carried = carried.unwrap_or_default();
        left -= carried.len();
        text.push_str(&format!("{}={carried}\n", key(name)));
    }
    (text, left_out)
}

/// The variable of an output. Those that a later gate would take for its own flags are told apart.
pub fn key(output: &str) -> String {
    match output {
        "status" | "commit" => format!("DEPLOY_GATE_DEPLOY_{}", output.to_uppercase()),
        output => format!("DEPLOY_GATE_{}", output.to_uppercase().replace('-', "_")),
    }
}

/// Whether these outputs can all be variables.
///
/// # Errors
/// There are too many, or one has a name that something else has.
pub fn names(outputs: &[&str]) -> Result<(), String> {
    if outputs.len() > MOST {
        let own = super::OUTPUTS.len();
        return Err(format!(
            "--report dotenv takes at most {MOST} variables, so at most {} --extract (DEPLOY_GATE_EXTRACT) beside the {own} outputs",
            MOST - own
        ));
    }
    let command = Cli::command();
    let flags = command.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long);
    let flags: Vec<String> = flags.map(variable).collect();
    for (index, output) in outputs.iter().enumerate() {
        let key = key(output);
        let clash = if flags.contains(&key) {
            "a later gate would read as its own flag"
        } else if outputs[..index].iter().any(|other| self::key(other) == key) {
            "another output has, too"
        } else {
            continue;
        };
        return Err(format!(
            "--extract (DEPLOY_GATE_EXTRACT) {output}: --report dotenv would write it as {key}, which {clash}; choose another name"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::OUTPUTS;

    #[test]
    fn values_are_carried_exactly_or_not_at_all() {
        let long = "x".repeat(5000);
        let outputs = [
            ("outcome", "passed"),
            ("status", "a=b\"'"),
            ("tag", "$HOME"),
            ("text", "a b"),
            ("long", &long),
            ("n", "1"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let (text, left_out) = render(&outputs);
        let want = "DEPLOY_GATE_OUTCOME=passed\nDEPLOY_GATE_DEPLOY_STATUS=a=b\"'\nDEPLOY_GATE_TAG=$$HOME\nDEPLOY_GATE_TEXT=\nDEPLOY_GATE_LONG=\nDEPLOY_GATE_N=1\n";
        assert_eq!((text.as_str(), left_out), (want, vec!["text", "long"]));
    }

    #[test]
    fn no_variable_is_a_flag_of_a_later_gate() {
        names(&OUTPUTS).expect("the outputs of every run");
        for (name, word) in [("timeout", "its own flag"), ("Assert", "its own flag"), ("exit_code", "another output")] {
            let error = names(&[&OUTPUTS[..], &[name]].concat()).expect_err(name);
            assert!(error.contains(word) && error.contains(name), "{error}");
        }
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        names(&[&OUTPUTS[..], &many[..8]].concat()).expect("20 in all");
        names(&[&OUTPUTS[..], &many].concat()).expect_err("21 in all");
    }

    proptest! {
        #[test]
        fn no_value_starts_a_variable(values in prop::collection::vec(any::<String>(), OUTPUTS.len())) {
            let outputs: Vec<(&str, String)> = OUTPUTS.into_iter().zip(values).collect();
            let (text, left_out) = render(&outputs);
            let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
            prop_assert_eq!(lines.len(), OUTPUTS.len());
            prop_assert!(text.len() <= LARGEST && text.ends_with('\n') && !text.contains(['\r', '\0']));
            for ((name, value), (variable, carried)) in outputs.iter().zip(lines) {
                prop_assert_eq!(&key(name), variable);
                prop_assert!(left_out.contains(name) && carried.is_empty() || carried.replace("$$", "$") == *value);
            }
        }
    }
}
