//! The second engine alone, for `benches/run`: reads a document and tests RFC 9535 expressions with `serde_json_path`.

#![allow(clippy::disallowed_methods, reason = "a program of its own")]

use std::process::ExitCode;

use serde_json::Value;
use serde_json_path::JsonPath;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let text = std::fs::read(arguments.next().unwrap_or_default()).unwrap_or_default();
    let Ok(document) = serde_json::from_slice::<Value>(&text) else { return ExitCode::from(2) };
    let root = Value::Array(vec![document]);
    let holds = |expression: String| {
        let path = JsonPath::parse(&format!("$[?{}]", expression.replacen('$', "@", 1)));
        path.is_ok_and(|path| !path.query(&root).is_empty())
    };
    ExitCode::from(u8::from(!arguments.all(holds)))
}
