//! Test results, in the dialect that GitLab, Jenkins and the actions for GitHub all read. Pure.
//!
//! GitLab shows the text of an element and not its `message`, so both have it. Names hold neither times nor values:
//! they are how a test is found again in the next run.

use super::cases::{Case, End, cases};
use super::result::Report;
use crate::text::escape::xml;

/// Renders one suite: a case for the deploy and one for each assertion.
pub fn render(report: &Report) -> String {
    let cases = cases(report);
    let count = |wanted: fn(&End) -> bool| cases.iter().filter(|case| wanted(&case.end)).count();
    // The whole of all suites has no count of what was skipped, by the schema of Jenkins.
    let numbers = format!(
        r#"tests="{}" failures="{}" errors="{}" time="{:.3}""#,
        cases.len(),
        count(|end| matches!(end, End::Failure { .. })),
        count(|end| matches!(end, End::Error { .. })),
        report.seconds(),
    );
    let skipped = count(|end| matches!(end, End::Warning(_) | End::Skipped(_)));
    let started = report.started_at.as_ref().map_or_else(String::new, |time| format!(r#" timestamp="{}""#, xml(time)));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"deploy-gate\" {numbers}>\n  <testsuite name=\"deploy-gate\" {numbers} skipped=\"{skipped}\"{started}>\n"
    );
    cases.iter().for_each(|case| text.push_str(&self::case(case)));
    text + "  </testsuite>\n</testsuites>\n"
}

fn case(case: &Case) -> String {
    let open = format!(
        r#"    <testcase classname="{}" name="{}" time="{:.3}""#,
        case.class.name(),
        xml(&case.name),
        case.seconds
    );
    let (element, kind, lines) = match &case.end {
        End::Passed(said) if said.is_empty() => return format!("{open}/>\n"),
        End::Passed(said) => {
            return format!("{open}>\n      <system-out>{}</system-out>\n    </testcase>\n", xml(said));
        }
        // The schema of Jenkins has no text in it.
        End::Warning(lines) | End::Skipped(lines) => {
            let why = xml(&lines.join("; "));
            return format!("{open}>\n      <skipped message=\"{why}\"/>\n    </testcase>\n");
        }
        End::Failure { kind, lines } => ("failure", kind, lines),
        End::Error { kind, lines } => ("error", kind, lines),
    };
    let text: Vec<String> = lines.iter().map(|line| xml(line)).collect();
    format!(
        "{open}>\n      <{element} type=\"{kind}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
        text[0],
        text.join("\n")
    )
}
