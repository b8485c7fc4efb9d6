//! The CI systems: how each is known, and how it is spoken to. Presentation only; never the verdict. Pure.

use std::path::PathBuf;

use crate::args::Variables;
use crate::report::files::Format;

/// The files that GitHub, and what imitates it, shares between the steps of a job.
pub fn shared_files(variables: &Variables) -> Vec<(Format, &'static str, PathBuf)> {
    let is_github = ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"]
        .iter()
        .any(|name| variables.get(*name).is_some_and(|value| value == "true"));
    [(Format::Github, "GITHUB_OUTPUT"), (Format::Markdown, "GITHUB_STEP_SUMMARY")]
        .into_iter()
        .filter(|_| is_github)
        .filter_map(|(format, name)| Some((format, name, variables.get(name).filter(|path| !path.is_empty())?.into())))
        .collect()
}
