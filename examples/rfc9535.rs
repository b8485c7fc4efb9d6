//! Runs the RFC 9535 compliance suite through the gate's own code as extracts do, and prints how many cases it answered
//! rightly, refused, or answered wrongly. Exits 1 if any answer was wrong. Each query is put below `outputs`, where the
//! catalogue of the document knows no names.
//!
//! `cargo run --example rfc9535 -- SUITE.json`, with the `cts.json` of jsonpath-standard/jsonpath-compliance-test-suite.

use std::process::ExitCode;

use deploy_gate::judge::assertion::Assertion;
use deploy_gate::judge::document::Document;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

/// One case: an invalid selector, or what it selects from a document, in one or several possible orders.
#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    #[serde(default)]
    document: Value,
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    results: Vec<Value>,
    #[serde(default)]
    invalid_selector: bool,
}

enum Answer {
    Right,
    Refused(String),
    Wrong(String),
}

/// The same below `outputs`, where a deploy document takes any names.
fn below_outputs(selector: &str) -> String {
    let (mut text, mut quote, mut is_escaped) = (String::new(), None, false);
    for c in selector.chars() {
        text.push(c);
        match (c, quote) {
            ('$', None) => text.push_str("['outputs']"),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text
}

fn answer(case: &Case) -> Answer {
    let query = match Assertion::query(&below_outputs(&case.selector)) {
        Ok(_) if case.invalid_selector => return Answer::Wrong("accepted".into()),
        Err(_) if case.invalid_selector => return Answer::Right,
        Ok(query) => query,
        Err(why) => return Answer::Refused(why),
    };
    if let Some(why) = query.told_refusals().into_iter().next() {
        return Answer::Refused(why);
    }
    let document = Document::any(serde_json::json!({"outputs": case.document}));
    let selected: Value = match query.select(&document) {
        Ok(selected) => selected.values().next().into_iter().flatten().copied().cloned().collect(),
        Err(why) => return Answer::Refused(why),
    };
    let possible: Vec<&Value> = case.result.iter().chain(&case.results).collect();
    if possible.contains(&&selected) { Answer::Right } else { Answer::Wrong(format!("selected {selected}")) }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("the path of the suite's cts.json is missing")?;
    let suite: Suite = serde_json::from_slice(&std::fs::read(path)?)?;
    let (mut right, mut refused, mut wrong) = (0, 0, 0);
    for case in &suite.tests {
        match answer(case) {
            Answer::Right => right += 1,
            Answer::Refused(why) => {
                refused += 1;
                println!("refused  {}: {}\n         {why}", case.name, case.selector);
            }
            Answer::Wrong(why) => {
                wrong += 1;
                println!("wrong    {}: {}\n         {why}", case.name, case.selector);
            }
        }
    }
    println!("{} cases: {right} right, {refused} refused, {wrong} wrong", suite.tests.len());
    Ok(if wrong == 0 && right > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
