//! Any text as a duration and as a size.
#![no_main]

use deploy_gate::text::format::{duration, elapsed, parse_duration, parse_size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(parsed) = parse_duration(text) {
        assert!(!duration(parsed).is_empty() && !elapsed(parsed).is_empty());
    }
    let _ = parse_size(text);
});
