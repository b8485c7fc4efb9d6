//! A page for people: the summary of a step on GitHub, an annotation of Buildkite, a comment. Pure.
//!
//! The verdict is in the heading, what failed comes before what did not, and the words come before their signs. GitHub
//! drops a summary that is too large as a whole, so the page has a limit and says what it left out.

use std::time::Duration;

use super::result::{MemberSeen, Moment, Report, Tool, Verdict};
use crate::base::outcome::{Ending, Outcome};
use crate::judge::assertion::{Check, Enforcement, Truth, presets};
use crate::nuon::deploy::Class;
use crate::text::escape::{block, code, markdown, mermaid, url};
use crate::text::format;

/// How many bytes the page has at most.
const LARGEST: usize = 64 << 10;
/// How many rows a table has at most.
const ROWS: usize = 50;
/// How many of many targets are told in full.
const TOLD: usize = 3;
/// How many warnings of many targets are told.
const WARNINGS: usize = 10;
/// How many characters of a text are shown in a table.
const CELL: usize = 300;

/// A page with a limit.
struct Page {
    text: String,
    left_out: bool,
}

impl Page {
    /// Adds a block if there is room for it and for what the page ends with.
    fn push(&mut self, block: &str) -> bool {
        let room = self.text.len() + block.len() + 200 <= LARGEST;
        if room {
            self.text.push_str(block);
        }
        self.left_out |= !room;
        room
    }

    /// Adds what is folded away at first.
    fn details(&mut self, summary: &str, fill: impl FnOnce(&mut Self)) {
        if self.push(&format!("<details><summary>{summary}</summary>\n\n")) {
            fill(self);
            self.text.push_str("</details>\n\n");
        }
    }

    /// Adds a table, as much of it as there is room for.
    fn table(&mut self, head: &str, rows: &[String]) {
        let columns = head.matches('|').count() - 1;
        if !self.push(&format!("{head}\n|{}\n", "---|".repeat(columns))) {
            return;
        }
        let shown = rows.iter().take(ROWS).take_while(|row| self.push(&format!("{row}\n"))).count();
        if shown < rows.len() {
            self.push(&format!("\n{} more rows are in the JSON result.\n", rows.len() - shown));
        }
        self.push("\n");
    }
}

/// Renders the page.
pub fn render(report: &Report) -> String {
    let mut page = Page { text: String::new(), left_out: false };
    let sign = match report.ending.outcome() {
        Outcome::Passed => "✅",
        // A person must act; that is no failure.
        Outcome::ApprovalRequired => "✋",
        _ => "❌",
    };
    page.push(&format!("### {sign} Deploy gate: {}\n\n", report.ending.heading()));
    page.push(&format!("{}\n\n", markdown(&format::cut(&report.message, 2000))));
    match report.only() {
        Some(verdict) => target(report, verdict, &mut page),
        None => fleet(report, &mut page),
    }
    if page.left_out {
        page.text.push_str("There was more; it is in the JSON result.\n\n");
    }
    page.text.push_str(&format!("deploy-gate {}\n", Tool::THIS.version));
    page.text
}

/// A row a target, the worst first, then in full the first of those that failed.
fn fleet(report: &Report, page: &mut Page) {
    let row = |verdict: &Verdict| {
        let sign = match verdict.ending {
            Ending::Passed => " ✅",
            // Nobody looked.
            Ending::NotAwaited => "",
            _ => " ❌",
        };
        let word = verdict.ending.word();
        let deploy = verdict.deploy.as_ref().map_or_else(String::new, |deploy| code(&deploy.id));
        let linked = if verdict.url.is_empty() { deploy } else { format!("[{deploy}](<{}>)", url(&verdict.url)) };
        let message = markdown(&format::cut(&verdict.message, CELL));
        format!("| {word}{sign} | {} | {} | {linked} | {message} |", code(&verdict.install), code(&verdict.component))
    };
    if !report.targets.is_empty() {
        page.push(&format!("{}\n\n", report.counts()));
    }
    let (of, groups) = report.groups();
    if !groups.is_empty() {
        let rows: Vec<String> = groups.iter().map(|(name, counts)| format!("| {counts} | {} |", code(name))).collect();
        page.table(&format!("| | By {of} |"), &rows);
    }
    let warnings = report.warnings(0).into_iter().take(WARNINGS).map(|(words, count)| {
        let of = if count == 1 { String::new() } else { format!(" ({count} targets)") };
        format!("- Warning{of}: {}\n", markdown(&format::cut(words, 1000)))
    });
    let warnings: String = warnings.collect();
    if !warnings.is_empty() {
        page.push(&(warnings + "\n"));
    }
    let rows: Vec<String> = report.targets.iter().map(row).collect();
    page.table("| | Install | Component | Deploy | |", &rows);
    let took = format::duration(Duration::from_millis(report.duration_ms));
    page.push(&format!("{took}, {} polls, exit code {}\n\n", report.polls(), report.ending.code()));
    for verdict in report.targets.iter().take(TOLD).filter(|verdict| verdict.ending.outcome() == Outcome::Failed) {
        let name = format!("{} / {}", code(&verdict.install), code(&verdict.component));
        page.push(&format!("#### {name}\n\n"));
        target(report, verdict, page);
    }
}

fn target(report: &Report, verdict: &Verdict, page: &mut Page) {
    let facts = facts(report, verdict);
    page.table("| | |", &facts);
    let warnings: String = verdict
        .warnings
        .iter()
        .map(|warning| format!("- Warning: {}\n", markdown(&format::cut(warning, 1000))))
        .collect();
    if !warnings.is_empty() {
        page.push(&(warnings + "\n"));
    }
    assertions(&verdict.assertions, page);
    if let Some(failure) = &verdict.failure {
        let step = (!failure.step.is_empty()).then(|| format!("The failed step is {}.\n\n", code(&failure.step)));
        page.push(&step.unwrap_or_default());
        let words: Vec<String> = failure.told().iter().map(|words| format::cut(words, 1000)).collect();
        if !words.is_empty() {
            page.push(&(block(&words) + "\n"));
        }
    }
    members(&verdict.deploys, page);
    timeline(report, verdict, page);
    if let Some(failure) = verdict.failure.as_ref().filter(|failure| !failure.log.is_empty()) {
        let lines: Vec<String> = failure.log.iter().map(|line| format::cut(line, 500)).collect();
        page.details(&format!("The last {} lines of the deploy's log", lines.len()), |page| {
            page.push(&(block(&lines) + "\n"));
        });
    }
}

/// A row a deploy of a workflow that is gated as a whole, those first that did not end well.
fn members(deploys: &[MemberSeen], page: &mut Page) {
    if deploys.is_empty() {
        return;
    }
    let row = |member: &MemberSeen| {
        let (deploy, sign) = (&member.deploy, if member.ended_well { "✅" } else { "❌" });
        let words = markdown(&format::cut(&deploy.status_description, CELL));
        format!("| {} {sign} | {} | {} | {words} |", code(&deploy.status), markdown(member.name()), code(&deploy.id))
    };
    let (well, others): (Vec<&MemberSeen>, Vec<&MemberSeen>) = deploys.iter().partition(|member| member.ended_well);
    let rows: Vec<String> = others.into_iter().chain(well).map(row).collect();
    page.table("| | Component | Deploy | |", &rows);
}

fn assertions(checks: &[Check], page: &mut Page) {
    if checks.is_empty() {
        return;
    }
    let (failed, others): (Vec<&Check>, Vec<&Check>) = checks.iter().partition(|check| check.has_failed());
    let row = |check: &&Check| {
        let sign = match check.outcome {
            Truth::True => " ✅",
            Truth::False | Truth::Vacuous if check.enforcement == Enforcement::Advisory => " ⚠️",
            Truth::False | Truth::Vacuous => " ❌",
            Truth::NotEvaluated => "",
        };
        let title = match presets::of(check) {
            Some(preset) => code(preset.name),
            None if check.label.is_empty() => code(&format::cut(&check.expression, CELL)),
            None => format!("{}: {}", markdown(&check.label), code(&format::cut(&check.expression, CELL))),
        };
        if presets::of(check).is_some() {
            return format!(
                "| {}{sign} | {title} | {} |",
                check.outcome.name(),
                markdown(&format::cut(&check.told(), CELL))
            );
        }
        let found = check.decisive().into_iter().map(|found| match &found.missing {
            Some(missing) => markdown(&format::cut(&missing.why, CELL)),
            None => {
                format!("{} → {}", code(&format::cut(&found.query, CELL)), code(&format::cut(&found.shown(), CELL)))
            }
        });
        let mut found: Vec<String> = found.collect();
        found.dedup();
        format!("| {}{sign} | {title} | {} |", check.outcome.name(), found.join("<br>"))
    };
    let rows: Vec<String> = failed.iter().chain(&others).map(row).collect();
    page.table("| | Assertion | What it found |", &rows);
}

fn facts(report: &Report, verdict: &Verdict) -> Vec<String> {
    let mut rows = Vec::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(format!("| {name} | {value} |"));
        }
    };
    fact("Install", code(&verdict.install));
    match &verdict.workflow {
        Some(workflow) => {
            let id = code(&workflow.id);
            let linked = if verdict.url.is_empty() { id } else { format!("[{id}](<{}>)", url(&verdict.url)) };
            fact("Workflow", linked);
            fact("Status", code(&workflow.status));
        }
        None => fact("Component", code(&verdict.component)),
    }
    if let (Some(deploy), None) = (&verdict.deploy, &verdict.workflow) {
        let id = code(&deploy.id);
        let linked = if verdict.url.is_empty() { id } else { format!("[{id}](<{}>)", url(&verdict.url)) };
        fact("Deploy", linked);
        let words = markdown(&format::cut(&deploy.status_description, CELL));
        fact(
            "Status",
            [code(&deploy.status), words].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        );
        fact("Build", code(&deploy.build_id));
        fact("Workflow", code(&deploy.workflow_id));
        fact("Commit", code(&deploy.commit));
        fact("Which deploy", markdown(&verdict.belief));
        fact("Superseded by", code(&verdict.superseded_by));
    }
    let polls = if verdict.polls == 1 { "poll" } else { "polls" };
    let took = format::duration(Duration::from_millis(report.duration_ms));
    fact("Took", format!("{took}, {} {polls}, exit code {}", verdict.polls, report.ending.code()));
    rows
}

/// The statuses as a chart and as a table. Times are since the start of the run.
fn timeline(report: &Report, verdict: &Verdict, page: &mut Page) {
    let moments = &verdict.timeline;
    if moments.is_empty() {
        return;
    }
    let is_of_steps = verdict.workflow.is_some();
    let chart = if is_of_steps { steps(moments, report.duration_ms) } else { chart(moments, report.duration_ms) };
    page.push(&chart);
    let row = |moment: &Moment| {
        let status = if moment.status.is_empty() { "*none yet*".into() } else { code(&moment.status) };
        let at = format::elapsed(Duration::from_millis(moment.at_ms));
        let words = markdown(&format::cut(&moment.description, CELL));
        match moment.step.as_str() {
            "" => format!("| {at} | {} | {status} | {words} |", code(&moment.deploy)),
            step => format!("| {at} | {} | {status} | |", markdown(&format::cut(step, CELL))),
        }
    };
    let rows: Vec<String> = moments.iter().map(row).collect();
    page.details(&format!("Changes of status: {}", rows.len()), |page| {
        let of = if is_of_steps { "Step" } else { "Deploy" };
        page.table(&format!("| After | {of} | Status | |"), &rows);
    });
}

/// How a Gantt chart begins. Its calendar is made up, so that it shows the time since the start wherever it is read.
fn gantt(end_ms: u64) -> String {
    let axis = if end_ms < DAY_MS { "%H:%M:%S" } else { "day %d, %H:%M" };
    format!("```mermaid\ngantt\n    dateFormat YYYY-MM-DDTHH:mm:ss.SSS\n    axisFormat {axis}\n    todayMarker off\n")
}

/// A bar of such a chart. The number keeps a name from being a word of the chart's language.
fn bar(number: usize, name: &str, class: Class, (start, end): (u64, u64)) -> String {
    let kind = match class {
        Class::Success | Class::NothingToDo => "done, ",
        Class::Failure => "crit, ",
        Class::Replaced | Class::Parked | Class::Unknown => "active, crit, ",
        Class::Running => "active, ",
    };
    let end = end.max(start);
    let point = if end == start { "milestone, " } else { "" };
    format!("    {number}. {} :{point}{kind}{}, {}\n", mermaid(name).trim(), calendar(start), calendar(end))
}

/// The steps of a workflow as a chart: from when each was first seen at work to when it was seen to have ended.
fn steps(moments: &[Moment], end_ms: u64) -> String {
    let mut bars: Vec<(&str, Class, u64, u64)> = Vec::new();
    for moment in moments {
        let open = bars.iter_mut().rev().find(|(step, class, ..)| *step == moment.step && *class == Class::Running);
        match open {
            Some((_, class, _, end)) if moment.class != Class::Running => (*class, *end) = (moment.class, moment.at_ms),
            Some(_) => {}
            None if moment.class == Class::Running => bars.push((&moment.step, moment.class, moment.at_ms, end_ms)),
            None => bars.push((&moment.step, moment.class, moment.at_ms, moment.at_ms)),
        }
    }
    let bars = &bars[bars.len().saturating_sub(ROWS)..];
    let told = bars
        .iter()
        .enumerate()
        .map(|(index, (step, class, start, end))| bar(index + 1, &format::cut(step, CELL), *class, (*start, *end)));
    format!("{}{}```\n\n", gantt(end_ms), told.collect::<String>())
}

/// The statuses of deploys as a chart.
fn chart(moments: &[Moment], end_ms: u64) -> String {
    let moments = &moments[moments.len().saturating_sub(ROWS)..];
    let mut text = gantt(end_ms);
    let mut section = Some(&moments[0].deploy).filter(|first| moments.iter().all(|moment| moment.deploy == **first));
    for (index, moment) in moments.iter().enumerate() {
        if section != Some(&moment.deploy) {
            section = Some(&moment.deploy);
            // There is room for some ten characters.
            text.push_str(&format!("    section {}\n", format::cut(&mermaid(&moment.deploy), 10)));
        }
        let end = moments.get(index + 1).map_or(end_ms, |next| next.at_ms);
        let status = if moment.status.is_empty() { "none yet" } else { &moment.status };
        text.push_str(&bar(index + 1, status, moment.class, (moment.at_ms, end)));
    }
    text + "```\n\n"
}

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

fn calendar(ms: u64) -> String {
    let (days, seconds) = (ms / DAY_MS, ms / 1000);
    format!(
        "2000-01-{:02}T{:02}:{:02}:{:02}.{:03}",
        days.min(30) + 1,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        ms % 1000
    )
}
