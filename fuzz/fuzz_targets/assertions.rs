//! Any text as an assertion; whatever reads as one is put to a document by both engines.
#![no_main]

use deploy_gate::judge::assertion::Assertion;
use deploy_gate::judge::document::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(assertion) = text.parse::<Assertion>() else { return };
    let document = serde_json::json!({"id": "dpl1", "plan_only": false, "outputs": {"a": [1, 2.5, "x", null, {}]}});
    let _ = assertion.select(&Document::any(document));
});
