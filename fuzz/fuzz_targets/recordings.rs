//! Any text as a recording.
#![no_main]

use deploy_gate::net::recording::Recording;
use deploy_gate::nuon::target::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(recording) = Recording::parse(text) {
        let _ = (recording.of_paths(Target::of_latest), recording.epoch());
    }
});
