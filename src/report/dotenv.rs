//! Variables for later jobs of GitLab (`artifacts:reports:dotenv`), whose dialect has no quotes. Pure.
//!
//! One line that is not `NAME=value` makes GitLab refuse the whole file; what it would lose or expand is left out.
//! <https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv>

/// How many variables GitLab takes by default.
const MOST: usize = 20;
/// How long the name of a variable may be there.
const LONGEST: usize = 255;
/// How many bytes: GitLab takes less than 5 KB.
const LARGEST: usize = 4096;

/// Renders the outputs. Also gives the names of those that are left empty since this dialect cannot carry them.
pub fn render<'o>(outputs: &[(&'o str, String)]) -> (String, Vec<&'o str>) {
    let names = outputs.iter().map(|(name, _)| key(name).len() + "=\n".len());
    let mut left = LARGEST.saturating_sub(names.sum());
    let (mut text, mut left_out) = (String::new(), Vec::new());
    for (name, value) in outputs {
        // GitLab expands `$NAME` and `%NAME%` in later jobs: a text of the server could fetch a token.
        let is_lost = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '$' | '%');
        let carried = Some(value.as_str()).filter(|value| !value.contains(is_lost) && value.len() <= left);
        if carried.is_none() {
            left_out.push(*name);
        }
        let carried = carried.unwrap_or_default();
        left -= carried.len();
        text.push_str(&format!("{}={carried}\n", key(name)));
    }
    (text, left_out)
}

/// The variable of an output; those of the gate's own flags begin otherwise.
pub fn key(output: &str) -> String {
    format!("GATE_{}", output.to_uppercase().replace('-', "_"))
}

/// Whether these outputs can all be variables.
///
/// # Errors
/// There are too many, or one has a name that something else has.
pub fn names(outputs: &[&str]) -> Result<(), String> {
    if outputs.len() > MOST {
        let own = super::result::OUTPUTS.len();
        return Err(format!(
            "--report dotenv takes at most {MOST} variables, so at most {} --extract (DEPLOY_GATE_EXTRACT) beside the {own} outputs",
            MOST - own
        ));
    }
    for (index, output) in outputs.iter().enumerate() {
        let key = key(output);
        if key.len() > LONGEST {
            return Err(format!(
                "--extract (DEPLOY_GATE_EXTRACT) {output}: --report dotenv takes names of at most {LONGEST} characters, \
                 and GATE_ stands before them"
            ));
        }
        if outputs[..index].iter().any(|other| self::key(other) == key) {
            return Err(format!(
                "--extract (DEPLOY_GATE_EXTRACT) {output}: --report dotenv would write it as {key}, which another output \
                 has, too; choose another name"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::result::OUTPUTS;

    #[test]
    fn a_name_is_no_longer_than_gitlab_takes() {
        let long = "x".repeat(250);
        assert!(names(&[&long]).is_ok());
        assert!(names(&[&format!("{long}y")]).expect_err("256 characters").contains("255"));
    }

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
        let want = "GATE_OUTCOME=passed\nGATE_STATUS=a=b\"'\nGATE_TAG=\nGATE_TEXT=\nGATE_LONG=\nGATE_N=1\n";
        assert_eq!((text.as_str(), left_out), (want, vec!["tag", "text", "long"]));
    }

    #[test]
    fn no_two_outputs_are_one_variable() {
        names(&OUTPUTS).expect("the outputs of every run");
        let error = names(&[&OUTPUTS[..], &["exit_code"]].concat()).expect_err("twice");
        assert!(error.contains("exit_code") && error.contains("another output"), "{error}");
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
                prop_assert!(left_out.contains(name) && carried.is_empty() || carried == value);
            }
        }
    }
}
