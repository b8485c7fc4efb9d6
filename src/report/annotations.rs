//! Links on the job page of GitLab (`artifacts:reports:annotations`). Pure.

use serde_json::{Value, json};

use super::result::Report;
use crate::text::escape;

/// How many links GitLab takes, and how many bytes; it fails the job over more.
const MOST: usize = 1000;
const LARGEST: usize = 80_000;

/// Renders a link to each deploy whose page is known, the worst first, as many as GitLab takes. Also gives how many are
/// left out.
pub fn render(report: &Report) -> (String, usize) {
    let links: Vec<_> = report
        .targets
        .iter()
        .filter(|verdict| !verdict.url.is_empty())
        .map(|verdict| {
            let deploy = verdict.deploy.as_ref().map_or("", |deploy| deploy.id.as_str());
            let what = match &verdict.workflow {
                Some(workflow) => format!("workflow {}", workflow.id),
                None => format!("deploy {deploy}"),
            };
            let label = escape::line(&format!("{what}: {}", verdict.ending.outcome().name()));
            json!({"external_link": {"label": label, "url": escape::url(&verdict.url)}})
        })
        .collect();
    let mut bytes = 0;
    let fits = |link: &&Value| {
        bytes += escape::json(&link.to_string()).len() + ",".len();
        bytes < LARGEST - r#"{"deploy-gate":[]}"#.len()
    };
    let taken = links.iter().take(MOST).take_while(fits).count();
    let text = escape::json(&json!({"deploy-gate": links[..taken]}).to_string()) + "\n";
    (text, links.len() - taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::VirtualClock;
    use crate::base::outcome::Ending;
    use crate::nuon::target::Target;
    use crate::report::result::Verdict;

    #[test]
    fn there_are_no_more_links_than_gitlab_takes() {
        for (targets, url, least) in [(3, 40, 3), (1200, 20, 900), (1200, 400, 150)] {
            let path = "/v1/installs/inl1/components/cmp1/deploys/latest";
            let target = Target::of_latest(path).expect("a target");
            let verdict = |_| Verdict {
                url: format!("https://x/{}", "a".repeat(url)),
                ..Verdict::unknown(&target, Ending::Passed, "it is there")
            };
            let verdicts = (0..targets).map(verdict).collect();
            let report = Report::new(Ending::Passed, "all".into(), verdicts, None, &VirtualClock::new(None));
            let (text, left_out) = render(&report);
            let links: Value = serde_json::from_str(&text).expect("JSON");
            let shown = links["deploy-gate"].as_array().expect("a list").len();
            assert!(text.len() <= 81_920 && shown <= 1000 && shown >= least, "{shown} links, {} bytes", text.len());
            assert_eq!(shown + left_out, targets);
        }
    }
}
