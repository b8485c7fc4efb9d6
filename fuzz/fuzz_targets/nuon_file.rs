//! Any text as the file of the Nuon CLI.
#![no_main]

use deploy_gate::cli::config::NuonFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = NuonFile::parse(text);
});
