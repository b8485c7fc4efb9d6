//! Which deploy is meant. *Latest* is a moving word: a run that looks before its own deploy exists sees the one before,
//! finished and green. Pure.

use std::fmt;

use crate::deploy::Deploy;

/// What the user knows of the deploy that is meant; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Pins {
    /// The deploy must be of this build
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    pub build: Option<String>,
    /// The deploy must be this one
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    pub deploy: Option<String>,
    /// The deploy must belong to this workflow: the header X-Nuon-Install-Workflow-ID of whatever triggered it
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    pub workflow: Option<String>,
    /// The build must be of this commit (7 digits or more)
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// Any deploy but this one, which was the latest before (see `deploy-gate latest`)
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    pub previous: Option<String>,
    /// A deploy that is already finished at the first look is not the one: wait for another
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set, hide_possible_values = true, hide_default_value = true, value_name = "BOOL")]
    pub fresh: bool,
}

/// What `deploy-gate latest` prints where there is no deploy, and `--previous` takes for that.
pub const NONE: &str = "none";

impl Pins {
    /// Whether anything is known of the deploy.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Whether what is known could be true of an earlier deploy too.
    pub fn may_be_old(&self) -> bool {
        let rules_out = self.previous.as_deref().is_some_and(|previous| previous != NONE);
        self.deploy.is_none() && self.workflow.is_none() && !rules_out && !self.fresh
    }

    /// Whether all that can be told from the deploy itself holds for it.
    pub fn hold(&self, deploy: &Deploy) -> bool {
        let is = |pin: &Option<String>, got: &str| pin.as_deref().is_none_or(|pin| pin == got);
        let of_commit = |sha: &String| {
            let build = deploy.component_build.as_ref();
            // What was asked for can be a branch, whose name may look like the beginning of a commit.
            let git_ref = build.and_then(|build| build.git_ref.as_deref()).filter(|git_ref| is_full_commit(git_ref));
            let commit = if deploy.commit().is_empty() { git_ref.unwrap_or_default() } else { deploy.commit() };
            commit.to_lowercase().starts_with(&sha.to_lowercase())
        };
        is(&self.build, deploy.build_id.as_deref().unwrap_or_default())
            && is(&self.deploy, deploy.id())
            && is(&self.workflow, deploy.workflow())
            && self.commit.as_ref().is_none_or(of_commit)
            && self.previous.as_deref() != Some(deploy.id())
    }

    /// The same for a retry of the deploy that is meant, which has an id of its own.
    pub fn hold_for_retry(&self, retry: &Deploy) -> bool {
        Self { deploy: None, ..self.clone() }.hold(retry)
    }
}

/// Whether a text is a whole commit id, of either kind that git has.
fn is_full_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("build", &self.build),
            ("deploy", &self.deploy),
            ("workflow", &self.workflow),
            ("commit", &self.commit),
            ("previous", &self.previous),
        ];
        let mut pins: Vec<String> =
            named.into_iter().filter_map(|(name, pin)| Some(format!("{name} {}", pin.as_ref()?))).collect();
        pins.extend(self.fresh.then(|| "fresh".to_owned()));
        f.write_str(&pins.join(", "))
    }
}

/// Reads `--commit`.
///
/// # Errors
/// What would be right.
pub fn parse_commit(text: &str) -> Result<String, String> {
    let is_sha = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sha { Ok(text.into()) } else { Err("it should be a commit id of 7 or more hexadecimal digits".into()) }
}

/// Reads the id of `--previous` and the like.
///
/// # Errors
/// What would be right.
pub fn parse_id(text: &str) -> Result<String, String> {
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#\\".contains(&byte));
    if is_id {
        Ok(text.into())
    } else {
        Err("it should be an id of three letters and 23 letters or digits; did the command that should give it fail?"
            .into())
    }
}

/// Whether an id has the shape that the server gives them: a prefix, and 23 letters and digits.
pub fn is_shaped(id: &str, prefix: &str) -> bool {
    id.len() == 26
        && id.starts_with(prefix)
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_pins_rule_an_earlier_deploy_out() {
        let id = || Some("x".to_owned());
        let pins = Pins::default;
        assert!(pins().may_be_old());
        assert!(Pins { build: id(), commit: id(), ..pins() }.may_be_old());
        for pins in [
            Pins { deploy: id(), ..pins() },
            Pins { workflow: id(), ..pins() },
            Pins { previous: id(), ..pins() },
            Pins { fresh: true, ..pins() },
        ] {
            assert!(!pins.may_be_old(), "{pins}");
        }
    }
}
