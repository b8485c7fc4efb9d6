//! `deploy-gate explain`: the tables that the gate works by, printed. Pure.

use serde::Serialize;

use crate::base::outcome::{self, ExitCode, Reason};
use crate::cli::args::{ExplainArgs, Topic};
use crate::cli::output::{Failed, misuse};
use crate::judge::assertion::presets::{self, Preset};
use crate::judge::catalogue::Subject;
use crate::judge::field::{self, Field};
use crate::nuon::{deploy, workflow};

/// What `deploy-gate explain` prints.
///
/// # Errors
/// What there is, where something was asked for that is not.
pub fn explain(explain: &ExplainArgs) -> Result<String, Failed> {
    table(explain).map_err(misuse)
}

fn table(explain: &ExplainArgs) -> Result<String, String> {
    match &explain.topic {
        Topic::Status { word: None } => {
            let rows = deploy::TABLE.iter().map(|row| Status::Deploy(*row));
            print(&rows.chain(workflow::TABLE.iter().map(Status::Workflow)).collect::<Vec<_>>(), explain.json, status)
        }
        Topic::Status { word: Some(word) } => {
            let workflows = workflow::TABLE.iter().filter(|row| row.workflow == word);
            let rows = std::iter::once(Status::Deploy(deploy::row_of(word))).chain(workflows.map(Status::Workflow));
            print(&rows.collect::<Vec<_>>(), explain.json, status)
        }
        Topic::Preset { name: None } => print(presets::TABLE, explain.json, preset),
        Topic::Preset { name: Some(name) } => print(&[*presets::find(name)?], explain.json, preset),
        Topic::Field { query, workflow } => {
            let subject = if *workflow { Subject::Workflow } else { Subject::Deploy };
            print(&field::fields(query.as_deref(), subject)?, explain.json, member)
        }
        Topic::ExitCode { code: None } => print(outcome::TABLE, explain.json, exit_code),
        Topic::ExitCode { code: Some(word) } => {
            let rows: Vec<ExitCode> = outcome::TABLE.iter().filter(|row| row.is(word)).copied().collect();
            if rows.is_empty() {
                let codes = outcome::TABLE.iter().map(|row| row.code.to_string()).collect::<Vec<_>>().join(", ");
                return Err(format!("the gate never exits with {word}; it does with {codes}"));
            }
            print(&rows, explain.json, exit_code)
        }
    }
}

/// A word of the server.
#[derive(Serialize)]
#[serde(untagged)]
enum Status<'w> {
    Deploy(deploy::Row<'w>),
    Workflow(&'w workflow::Row),
}

fn status(row: &Status<'_>) -> String {
    match row {
        Status::Deploy(row) => {
            let status = if row.status.is_empty() { "(absent)" } else { row.status };
            let note = if row.note.is_empty() { String::new() } else { format!("; {}", row.note) };
            format!("{status:<22} {:<14} {}{note}\n", row.class.name(), row.class.effect())
        }
        Status::Workflow(row) => {
            let status = if row.workflow.is_empty() { "(any other)" } else { row.workflow };
            format!("workflow {status:<22} {:<29} {}\n", row.with, row.means)
        }
    }
}

fn preset(preset: &Preset) -> String {
    let Preset { name, meaning, expression, of_workflow, .. } = preset;
    format!("{name}: {meaning}\n  {expression}\n  of a workflow: {of_workflow}\n")
}

fn member(field: &Field) -> String {
    let words = field.words.iter().copied().collect::<Vec<_>>().join(", ");
    let words = if words.is_empty() { words } else { format!(": {words}") };
    let left_out = match (field.may_be_left_out, field.is.as_str()) {
        (true, "true or false") => ", absent when false",
        (true, "a number") => ", absent when 0",
        _ => "",
    };
    format!("{:<44} {}{words}{left_out} ({})\n", field.query, field.is, field.answer)
}

fn exit_code(row: &ExitCode) -> String {
    let reason = |reason: &Reason| format!("       {:<18} {}\n", reason.reason, reason.meaning);
    let reasons: String = row.reasons.iter().map(reason).collect();
    format!("{:<4} {}: {}\n{reasons}", row.code, row.outcome, row.meaning)
}

fn print<T: Serialize>(rows: &[T], json: bool, row: impl Fn(&T) -> String) -> Result<String, String> {
    let text = match json {
        true => serde_json::to_string_pretty(rows).map_err(|error| error.to_string())? + "\n",
        false => rows.iter().map(row).collect(),
    };
    Ok(text)
}
