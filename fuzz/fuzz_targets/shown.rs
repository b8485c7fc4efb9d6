//! Any words of a server, where a person or a CI system reads them: no line speaks to the system, and what is between
//! backticks in a Markdown text is a URL, and nothing else.
#![no_main]

use deploy_gate::text::escape;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let line = escape::line(text);
    assert!(!line.contains(['\n', '\r', '\u{1b}']) && !line.trim_start().starts_with("::"));
    assert!(!["##[", "##vso[", "##teamcity["].iter().any(|command| line.contains(command)));
    assert_eq!(escape::line(&line), line);
    let markdown = escape::markdown(text);
    assert!(!markdown.contains(['\n', '|']) && markdown.matches('`').count() % 2 == 0);
    assert!(markdown.split('`').skip(1).step_by(2).all(|url| url.starts_with("http")));
    let code = escape::code(text);
    assert!(!code.contains(['\n', '|']));
    let xml = escape::xml(text);
    assert!(!xml.contains(['<', '>', '"']));
});
