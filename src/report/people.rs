//! The verdict for people, on stdout. Pure.

use std::time::Duration;

use super::{Report, Verdict};
use crate::assertion::{Check, Truth};
use crate::color::Paint;
use crate::defuse;
use crate::failure::Failure;
use crate::text;

/// Renders the verdict: outcome and why, then the assertions, those that failed first, then the facts.
pub fn render(report: &Report, paint: Paint) -> String {
    let mut lines = Vec::new();
    let reason = if report.reason.is_empty() { String::new() } else { format!(" ({})", report.reason) };
    lines.push(format!("{}{reason}: {}", report.outcome, report.message));
    for verdict in &report.targets {
        let (failed, others): (Vec<&Check>, Vec<&Check>) =
            verdict.assertions.iter().partition(|check| matches!(check.outcome, Truth::False | Truth::Vacuous));
        for check in failed.into_iter().chain(others) {
            assertion(check, &mut lines);
        }
        if let Some(failure) = &verdict.failure {
            why(failure, &mut lines);
        }
        facts(verdict, &mut lines);
        lines.extend(verdict.warnings.iter().map(|warning| format!("  {:<13} {warning}", "warning")));
    }
    let looks: u32 = report.targets.iter().map(|verdict| verdict.polls).sum();
    lines.push(format!(
        "  {looks} look{} in {}, exit code {}",
        if looks == 1 { "" } else { "s" },
        text::duration(Duration::from_millis(report.duration_ms)),
        report.exit_code
    ));
    painted(&lines, paint)
}

/// The lines, defused, then coloured: the first is the verdict, the others begin with what they are.
pub fn painted(lines: &[String], paint: Paint) -> String {
    let painted = |(index, line): (usize, &String)| {
        let line = defuse::line(line);
        let word: &str = if index == 0 { &line } else { line.trim_start().split("  ").next().unwrap_or_default() };
        let is = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
        let color = match index {
            0 if is(&["passed"]) => Paint::good,
            0 => Paint::bad,
            _ if word == "true" => Paint::good,
            _ if is(&["false", "vacuous", "failed step"]) => Paint::bad,
            _ if word == "warning" => Paint::odd,
            _ => return line + "\n",
        };
        let (before, after) = line.split_at(line.len() - line.trim_start().len() + word.len());
        let (blank, word) = before.split_at(before.len() - before.trim_start().len());
        format!("{blank}{}{after}\n", color(paint, word))
    };
    lines.iter().enumerate().map(painted).collect()
}

/// The lines of one assertion.
pub fn assertion(check: &Check, lines: &mut Vec<String>) {
    let label = if check.label.is_empty() { String::new() } else { format!("{}: ", check.label) };
    lines.push(format!("  {:<13} {label}{}", check.outcome.name(), check.expression));
    for found in &check.queries {
        lines.push(format!("  {:<13} {} -> {}", "", found.query, found.shown()));
        lines.extend(found.note.iter().map(|note| format!("  {:<13} note: {note}", "")));
        if let Some(missing) = &found.missing {
            lines.push(format!("  {:<13} {}", "", missing.why));
        }
    }
}

fn why(failure: &Failure, lines: &mut Vec<String>) {
    if !failure.step.is_empty() {
        lines.push(format!("  {:<13} {}", "failed step", failure.step));
    }
    lines.extend(failure.words.iter().map(|words| format!("  {:<13} {words}", "why")));
    lines.extend(failure.log.iter().map(|line| format!("  {:<13} {line}", "log")));
}

fn facts(verdict: &Verdict, lines: &mut Vec<String>) {
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("  {name:<13} {value}"));
        }
    };
    fact("install", &verdict.install);
    fact("component", &verdict.component);
    if let Some(deploy) = &verdict.deploy {
        fact("deploy", &deploy.id);
        fact("status", &deploy.status);
        fact("build", &deploy.build_id);
        fact("workflow", &deploy.workflow_id);
        fact("commit", &deploy.commit);
        fact("link", &verdict.url);
        fact("which", &verdict.belief);
        fact("superseded by", &verdict.superseded_by);
    }
}
