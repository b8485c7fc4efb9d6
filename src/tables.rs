//! `deploy-gate statuses` and `deploy-gate presets`: the tables that the gate works by, printed. Pure.

use serde::Serialize;

use crate::args::Stop;
use crate::assertion::presets;
use crate::deploy;

/// What `deploy-gate statuses` prints.
pub fn statuses(json: bool) -> Stop {
    if json {
        return as_json(deploy::TABLE);
    }
    let mut text = String::new();
    for row in deploy::TABLE {
        let status = if row.status.is_empty() { "(absent)" } else { row.status };
        let note = if row.note.is_empty() { String::new() } else { format!("; {}", row.note) };
        text.push_str(&format!("{status:<22} {:<14} {}{note}\n", row.class.name(), row.class.effect()));
    }
    print(text)
}

/// What `deploy-gate presets` prints.
pub fn presets(json: bool) -> Stop {
    if json {
        return as_json(presets::TABLE);
    }
    let texts =
        presets::TABLE.iter().map(|preset| format!("{}: {}\n  {}\n", preset.name, preset.meaning, preset.expression));
    print(texts.collect::<Vec<_>>().join("\n"))
}

fn as_json<T: Serialize>(table: &[T]) -> Stop {
    print(serde_json::to_string_pretty(table).map_or_else(|error| error.to_string(), |json| json + "\n"))
}

fn print(text: String) -> Stop {
    Stop { text, code: 0 }
}
