//! Links on the job page of GitLab (`artifacts:reports:annotations`). Pure.

use serde_json::json;

use super::result::Report;
use crate::text::escape;

/// Renders a link to each deploy whose page is known.
pub fn render(report: &Report) -> String {
    let links: Vec<_> = report
        .targets
        .iter()
        .filter(|verdict| !verdict.url.is_empty())
        .map(|verdict| {
            let deploy = verdict.deploy.as_ref().map_or("", |deploy| deploy.id.as_str());
            let label = escape::line(&format!("deploy {deploy}: {}", verdict.ending.outcome().name()));
            json!({"external_link": {"label": label, "url": escape::url(&verdict.url)}})
        })
        .collect();
    escape::json(&json!({"deploy-gate": links}).to_string()) + "\n"
}
