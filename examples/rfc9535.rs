//! Runs the RFC 9535 compliance suite through the gate's own assertion code, and prints how many cases it answered
//! rightly, refused, or answered wrongly. Exits 1 if any answer was wrong.
//!
//! `cargo run --example rfc9535 -- SUITE.json`, with the `cts.json` of jsonpath-standard/jsonpath-compliance-test-suite.

use std::process::ExitCode;
use std::sync::Arc;

use deploy_gate::judge::assertion::{Assertion, Evaluation, Truth};
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

fn answer(case: &Case) -> Answer {
    let assertion = match Assertion::exactly(&case.selector) {
        // An assertion may hold several queries; a case of the suite is one.
        Ok(assertion) if assertion.expression.queries[0].span == (0..case.selector.len()) => assertion,
        Ok(_) if case.invalid_selector => return Answer::Right,
        Ok(_) => return Answer::Wrong("read as more than one query".into()),
        Err(_) if case.invalid_selector => return Answer::Right,
        Err(malformed) => return Answer::Refused(malformed.why),
    };
    if case.invalid_selector {
        return Answer::Wrong("accepted".into());
    }
    let document = Arc::new(Document::any(case.document.clone()));
    let selected: Value = match assertion.select(&document) {
        Ok(selected) => selected[0].iter().copied().cloned().collect(),
        Err(why) => return Answer::Refused(why),
    };
    let possible: Vec<&Value> = case.result.iter().chain(&case.results).collect();
    if !possible.contains(&&selected) {
        return Answer::Wrong(format!("selected {selected}"));
    }
    let want = if selected.as_array().is_some_and(|nodes| !nodes.is_empty()) { Truth::True } else { Truth::False };
    match Evaluation::start([assertion], &document).finish() {
        // That it checked nothing is for the gate to say, not for the suite.
        Ok(checks) if [want, Truth::Vacuous].contains(&checks[0].outcome) => Answer::Right,
        Ok(checks) => Answer::Wrong(format!("judged {}", checks[0].outcome.name())),
        Err(why) => Answer::Refused(why),
    }
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
