//! The CI systems: how each is known, and how it is spoken to. Presentation only; never the verdict. Pure.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::base::environment::Variables;
use crate::base::outcome::Ending;
use crate::report::render::Format;
use crate::report::result::Report;
use crate::text::escape;
use crate::text::format;

/// How much of an annotation is shown: GitHub cuts at 4096 characters.
const ANNOTATION: usize = 2000;

/// `--ci`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// What the variables of the CI system say.
    #[default]
    Auto,
    /// No groups, no annotations.
    None,
    /// GitHub Actions, and Gitea and Forgejo, which imitate it.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure Pipelines.
    Azure,
    /// Buildkite.
    Buildkite,
}

impl Ci {
    /// The CI system that the gate runs in, if it was told to find out.
    pub fn found(self, variables: &Variables) -> Self {
        let is = |name: &str| variables.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match self {
            Ci::Auto if is_like_github(variables) => Ci::Github,
            Ci::Auto if is("GITLAB_CI") => Ci::Gitlab,
            Ci::Auto if is("TF_BUILD") => Ci::Azure,
            Ci::Auto if is("BUILDKITE") => Ci::Buildkite,
            Ci::Auto => Ci::None,
            told => told,
        }
    }

    /// Whether the log is that of a CI system, be it one that is not spoken to: nearly all say `CI`.
    pub fn reads_the_log(self, variables: &Variables) -> bool {
        let says_ci = variables.get("CI").is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
        self != Ci::None || says_ci || variables.contains_key("JENKINS_URL")
    }

    /// What begins a group of lines.
    pub fn group(self, title: &str, now: Option<Timestamp>) -> String {
        let title = escape::line(title);
        match self {
            Ci::Github => format!("::group::{title}\n"),
            Ci::Gitlab => format!("\u{1b}[0Ksection_start:{}:deploy_gate\r\u{1b}[0K{title}\n", seconds(now)),
            Ci::Azure => format!("##[group]{title}\n"),
            Ci::Buildkite => format!("--- {title}\n"),
            Ci::Auto | Ci::None => String::new(),
        }
    }

    /// What ends it. On Buildkite that is the next group, which stays open.
    pub fn end_group(self, now: Option<Timestamp>) -> String {
        match self {
            Ci::Github => "::endgroup::\n".into(),
            Ci::Gitlab => format!("\u{1b}[0Ksection_end:{}:deploy_gate\r\u{1b}[0K\n", seconds(now)),
            Ci::Azure => "##[endgroup]\n".into(),
            Ci::Buildkite => "+++ Deploy gate\n".into(),
            Ci::Auto | Ci::None => String::new(),
        }
    }

    /// The page of the run of the CI system that the gate is a part of; `""` where that is not known.
    pub fn run_url(self, variables: &Variables) -> String {
        let value = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let url = match self {
            Ci::Github => value("GITHUB_SERVER_URL")
                .zip(value("GITHUB_REPOSITORY"))
                .zip(value("GITHUB_RUN_ID"))
                .map(|((server, repository), run)| format!("{server}/{repository}/actions/runs/{run}")),
            Ci::Gitlab => value("CI_JOB_URL"),
            Ci::Azure => value("SYSTEM_COLLECTIONURI")
                .zip(value("SYSTEM_TEAMPROJECT"))
                .zip(value("BUILD_BUILDID"))
                .map(|((collection, project), build)| format!("{collection}{project}/_build/results?buildId={build}")),
            Ci::Buildkite => value("BUILDKITE_BUILD_URL"),
            // Jenkins says it so.
            Ci::Auto | Ci::None => value("BUILD_URL").filter(|_| value("JENKINS_URL").is_some()),
        };
        url.unwrap_or_default()
    }

    /// The one annotation of a run: the verdict. A pass with warnings is one.
    pub fn annotation(self, report: &Report) -> String {
        let checks = report.targets.iter().flat_map(|verdict| &verdict.assertions);
        let failed = checks.filter(|check| check.has_failed());
        let more = failed.filter(|check| !report.message.contains(check.name()));
        let more = more.map(|check| format!("`{}` is {}", check.name(), check.outcome.name()));
        let is_pass = report.ending == Ending::Passed;
        let warnings: Vec<&String> = report.targets.iter().flat_map(|verdict| &verdict.warnings).collect();
        let kind = match (is_pass, warnings.is_empty()) {
            (true, true) => Kind::Notice,
            (true, false) => Kind::Warning,
            (false, _) => Kind::Error,
        };
        let warned = warnings.into_iter().filter(|_| is_pass).map(|warning| format!("warning: {warning}"));
        let words: Vec<String> = std::iter::once(report.message.clone()).chain(more).chain(warned).collect();
        self.annotate(kind, &format!("Deploy gate: {}", report.ending.heading()), &words.join("; "))
    }

    /// A warning beside the run.
    pub fn warning(self, title: &str, words: &str) -> String {
        self.annotate(Kind::Warning, title, words)
    }

    /// The annotation of a command that was used wrongly.
    pub fn misuse(self, words: &str) -> String {
        let words: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        self.annotate(Kind::Error, "Deploy gate: misuse", &words.join(" "))
    }

    /// A line that the CI system shows beside the run; Azure has none for what is well.
    fn annotate(self, kind: Kind, title: &str, words: &str) -> String {
        let words = escape::line(&format::cut(words, ANNOTATION));
        let name = kind.name();
        match (self, kind) {
            (Ci::Github, _) => {
                let title = github(title).replace(':', "%3A").replace(',', "%2C");
                format!("::{name} title={title}::{}\n", github(&words))
            }
            (Ci::Azure, Kind::Warning | Kind::Error) => {
                let words = format!("{title}: {words}").replace('%', "%AZP25");
                format!("##vso[task.logissue type={name}]{words}\n")
            }
            _ => String::new(),
        }
    }
}

/// How loud an annotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Notice,
    Warning,
    Error,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Notice => "notice",
            Kind::Warning => "warning",
            Kind::Error => "error",
        }
    }
}

/// The data of a workflow command of GitHub.
fn github(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn seconds(now: Option<Timestamp>) -> i64 {
    now.map_or(0, Timestamp::as_second)
}

fn is_like_github(variables: &Variables) -> bool {
    ["GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"]
        .iter()
        .any(|name| variables.get(*name).is_some_and(|value| value == "true"))
}

/// Whether the user asked the CI system for a talkative run.
pub fn is_debugging(variables: &Variables) -> bool {
    let is = |name: &str, value: &str| variables.get(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
    is("RUNNER_DEBUG", "1") || is("SYSTEM_DEBUG", "true") || is("CI_DEBUG_TRACE", "true")
}

/// The files that GitHub, and what imitates it, shares between the steps of a job.
pub fn shared_files(variables: &Variables) -> Vec<(Format, &'static str, PathBuf)> {
    [(Format::Github, "GITHUB_OUTPUT"), (Format::Markdown, "GITHUB_STEP_SUMMARY")]
        .into_iter()
        .filter(|_| is_like_github(variables))
        .filter_map(|(format, name)| Some((format, name, variables.get(name).filter(|path| !path.is_empty())?.into())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_is_found_by_its_variables() {
        let cases: &[(&[(&str, &str)], Ci)] = &[
            (&[], Ci::None),
            (&[("CI", "true")], Ci::None),
            (&[("GITHUB_ACTIONS", "true")], Ci::Github),
            (&[("FORGEJO_ACTIONS", "true")], Ci::Github),
            (&[("GITHUB_ACTIONS", "false")], Ci::None),
            (&[("GITLAB_CI", "true")], Ci::Gitlab),
            (&[("TF_BUILD", "True")], Ci::Azure),
            (&[("BUILDKITE", "true")], Ci::Buildkite),
        ];
        for (variables, want) in cases {
            let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(Ci::Auto.found(&variables), *want, "{variables:?}");
            assert_eq!(Ci::None.found(&variables), Ci::None);
        }
    }
}
