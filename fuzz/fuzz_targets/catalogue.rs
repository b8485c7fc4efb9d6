//! Any text as an assertion and as a query of a member, walked through the catalogue: what it warns of is read without
//! trouble, and the walk ends.
#![no_main]

use deploy_gate::cli::type_check::TypeCheck;
use deploy_gate::judge::assertion::Assertion;
use deploy_gate::judge::catalogue::Subject;
use deploy_gate::judge::field;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for subject in [Subject::Deploy, Subject::Workflow] {
        let _ = field::fields(Some(text), subject);
        let Ok(assertion) = text.parse::<Assertion>() else { return };
        let assertion = assertion.about(subject);
        let mut warnings = Vec::new();
        let refused = TypeCheck::Refuse.assertion("--assert", &assertion, &mut warnings).is_err();
        // Where nothing is refused, what would be is a warning.
        let mut all = Vec::new();
        TypeCheck::Warn.assertion("--assert", &assertion, &mut all).expect("only warned of");
        assert!(!refused || !all.is_empty());
    }
});
