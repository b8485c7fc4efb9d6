//! One renderer a format. Pure.

use super::result::Report;
use super::{annotations, dotenv, github, intoto, junit, markdown};
use crate::text::escape;

/// A format of reports that are one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The whole result, described by `schema/result.v1.json`.
    Json,
    /// Test results.
    Junit,
    /// A page for people.
    Markdown,
    /// Step outputs of GitHub Actions.
    Github,
    /// Variables for later jobs of GitLab.
    Dotenv,
    /// Links on the job page of GitLab.
    Annotations,
    /// An unsigned attestation.
    Intoto,
}

/// The report in a format; `delimiter` ends each output of GitHub's file.
pub fn render(report: &Report, format: Format, delimiter: &str) -> String {
    match format {
        Format::Json => serde_json::to_string_pretty(report)
            .map_or_else(|error| error.to_string(), |json| escape::json(&json) + "\n"),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report),
        Format::Github => github::render(&report.outputs(), delimiter),
        Format::Dotenv => dotenv::render(&report.outputs()).0,
        Format::Annotations => annotations::render(report).0,
        Format::Intoto => intoto::render(report),
    }
}
