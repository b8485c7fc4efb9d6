//! The parsers under any text: they never panic, take what they should, and mean by it what it says.

use std::sync::Arc;
use std::time::Duration;

use deploy_gate::cli::config::NuonFile;
use deploy_gate::cli::trigger::workflow;
use deploy_gate::judge::assertion::{Assertion, Evaluation, Truth};
use deploy_gate::judge::document::Document;
use deploy_gate::net::recording::Recording;
use deploy_gate::nuon::id::DeployId;
use deploy_gate::text::format::{duration, parse_duration, parse_size};
use deploy_gate::text::redact::Secrets;
use deploy_gate::watch::pin::{After, parse_id, parse_workflow};
use proptest::prelude::*;

/// Text near the grammar of assertions.
fn near_assertions() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "$",
        "@",
        ".",
        "..",
        "[",
        "]",
        "*",
        "?",
        "(",
        ")",
        "!",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "'a'",
        "\"b\"",
        "0",
        "-1",
        "1e9",
        "true",
        "null",
        "plan_only",
        "length(",
        "count(",
        "match(",
        "search(",
        "value(",
        ",",
        ":",
        " ",
        "name: ",
        "\\",
        "\u{e9}",
        "[0]",
        "['x']",
        "[1:2]",
        "9007199254740993",
    ]);
    prop::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

/// Text near what the gate takes for a secret.
fn near_secrets() -> impl Strategy<Value = String> {
    let parts = vec![
        "s3cr3t-01",
        "s3cr3t",
        "-01",
        "s",
        "\\",
        "\\\\",
        "\\u",
        "\\u0073",
        "\\u{",
        "}",
        "\\x7",
        "\\U000000",
        "\\1",
        "%",
        "%2",
        "%25",
        "%73",
        "&",
        "&#",
        "&#115;",
        "&amp;",
        "&#x",
        ";",
        "write_token",
        "write_token=",
        "\"write_token\":\"",
        "\"",
        "'",
        "=",
        ":",
        "[",
        "[token]",
        "[token",
        "(",
        "\u{1b}",
        "\u{1b}[",
        "m",
        "é",
        "\u{200b}",
        "\n",
        " ",
        "0",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..12).prop_map(|parts| parts.concat())
}

/// What CI systems and shells make of a value that is not set, as it is or with something around it.
fn left_by_ci_systems() -> impl Strategy<Value = String> {
    let words = vec![
        "null",
        "Null",
        "undefined",
        "None",
        "none",
        "nil",
        "NaN",
        "false",
        "$(PREV)",
        "${{ steps.a.outputs.id }}",
        "${PREV}",
        "$PREV",
        "%PREV%",
        "{{inputs.parameters.x}}",
        "dpl",
        "bld",
        "inw",
        "<nil>",
        "[object Object]",
        "-",
        "0",
        "@",
        "2026-01-14T16:02:09Z",
        "2026-01-14",
        "16:02",
        "dplq3v8h1m5z7c2x9b4n6k0tsw",
    ];
    (prop::sample::select(vec!["", "'", "\"", " ", "\n"]), prop::sample::select(words), 1..3_usize)
        .prop_map(|(around, word, times)| format!("{around}{}{around}", word.repeat(times)))
}

/// An expression, and what it comes to as SQL joins true, false and unknown: here 2, 0 and 1.
fn three_valued() -> impl Strategy<Value = (String, u8)> {
    let basic = prop::sample::select(vec![
        ("$.id == 'dpl1'", 2),
        ("$.plan_only", 2),
        ("count($.steps[*]) == 2", 2),
        ("match($.id, 'dpl.')", 2),
        ("$.id == 'dpl2'", 0),
        ("$.release_id", 0),
        ("$.steps[?@.word == 'error']", 0),
        ("!search($.id, 'dpl')", 0),
        ("$.gone.x == 1", 1),
        ("$.gone.x", 1),
        ("$.nothing != 1", 1),
        ("count($.gone[*]) == 0", 1),
        ("match($.gone, 'x')", 1),
        ("$.steps[?@.word == $.gone.x]", 1),
    ]);
    basic.prop_map(|(text, worth)| (text.to_owned(), worth)).prop_recursive(4, 24, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 2..4);
        let join = |sides: Vec<(String, u8)>, operator: &str, pick: fn(u8, u8) -> u8| {
            let worth = sides.iter().map(|(_, worth)| *worth).reduce(pick).unwrap_or(1);
            let texts: Vec<String> = sides.into_iter().map(|(text, _)| format!("({text})")).collect();
            (texts.join(operator), worth)
        };
        prop_oneof![
            inner.prop_map(|(text, worth)| (format!("!({text})"), 2 - worth)),
            several.clone().prop_map(move |sides| join(sides, " && ", u8::min)),
            several.prop_map(move |sides| join(sides, " || ", u8::max)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_duration_is_the_sum_of_its_parts(hours in 0..8000_u64, minutes in 0..60_u64, seconds in 0..60_u64, millis in 0..1000_u64) {
        let text = format!("{hours}h{minutes}m{seconds}s{millis}ms");
        let whole = Duration::from_secs(hours * 3600 + minutes * 60 + seconds) + Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&text), Ok(whole));
        // Whole seconds are said as they are typed.
        let whole = Duration::from_secs(whole.as_secs());
        prop_assert_eq!(parse_duration(&duration(whole)), Ok(whole));
    }

    #[test]
    fn any_text_is_a_duration_or_a_complaint_that_names_it(text in any::<String>()) {
        match parse_duration(&text) {
            Ok(duration) => prop_assert!(duration <= Duration::from_secs(366 * 24 * 3600)),
            Err(why) => prop_assert!(why.contains(&text)),
        }
    }

    #[test]
    fn a_size_is_its_number_times_its_unit(number in 1..1000_u64, (unit, factor) in prop::sample::select(vec![
        ("", 1), ("B", 1), ("kB", 1000), ("MB", 1_000_000), ("KiB", 1024), ("MiB", 1 << 20),
    ])) {
        prop_assert_eq!(parse_size(&format!("{number}{unit}")), Ok(number * factor));
    }

    #[test]
    fn any_text_is_a_size_or_a_complaint(text in any::<String>()) {
        prop_assert!(parse_size(&text).is_ok_and(|bytes| (1..=1 << 30).contains(&bytes)) || parse_size(&text).is_err());
    }

    #[test]
    fn any_text_is_redacted_once(text in prop_oneof![any::<String>(), near_secrets()]) {
        let secrets = Secrets::default();
        secrets.add("s3cr3t-01");
        let clean = secrets.redact(&text).into_owned();
        prop_assert_eq!(secrets.redact(&clean), clean.as_str(), "{}", text);
        prop_assert!(!clean.contains("s3cr3t-01"), "{}", clean);
        // What is no secret stays.
        let bare = Secrets::default();
        prop_assert!(text.to_lowercase().contains("write") || bare.redact(&text) == text);
    }

    #[test]
    fn a_pin_is_an_id_or_it_is_refused(text in prop_oneof![any::<String>(), left_by_ci_systems()]) {
        let is_id = text.len() >= 10
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        prop_assert_eq!(parse_id::<DeployId>(&text).is_ok(), is_id, "{}", text);
        prop_assert_eq!(parse_workflow(&text).is_ok(), is_id || text.len() > 1 && text.starts_with('@'), "{}", text);
        match text.parse::<After>() {
            Ok(After::Deploy(_)) => prop_assert!(is_id, "{}", text),
            Ok(After::None) => prop_assert_eq!(text.as_str(), "none"),
            Ok(After::Time(_)) => prop_assert!(text.contains(':') && text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)), "{}", text),
            Err(_) => prop_assert!(!is_id, "{}", text),
        }
        // The answer of a trigger gives an id or nothing.
        if let Ok(id) = workflow(&format!(r#"{{"workflow_id":{}}}"#, serde_json::Value::from(text.as_str()))) {
            prop_assert!(is_id && *id == *text, "{}", id);
        }
    }

    #[test]
    fn any_text_is_an_assertion_or_a_complaint(text in prop_oneof![any::<String>(), near_assertions()]) {
        if let Err(why) = text.parse::<Assertion>() {
            prop_assert!(!why.is_empty());
        } else {
            // What asks nothing of the document is no assertion.
            prop_assert!(text.contains(['$', '@']), "{}", text);
        }
    }

    #[test]
    fn an_assertion_is_joined_as_the_truth_table_says((text, worth) in three_valued()) {
        // A negated group inside of a group is one level more than some expressions may have.
        if let Ok(assertion) = text.parse::<Assertion>() {
            let document = serde_json::json!({"id": "dpl1", "plan_only": true, "steps": [{"word": "a"}, {"word": "b"}]});
            let checks = Evaluation::start([assertion], &Arc::new(Document::any(document))).finish().expect("they agree");
            let want = [Truth::False, Truth::Vacuous, Truth::True][usize::from(worth)];
            prop_assert_eq!(checks[0].outcome, want, "{}", text);
        }
    }

    #[test]
    fn any_text_is_a_recording_or_a_complaint(text in any::<String>(), at in any::<i64>(), status in any::<i32>()) {
        let _ = Recording::parse(&text);
        let line = format!("{{\"at_ms\":{at},\"path\":\"/v1\",\"status\":{status}}}");
        let is_one = Recording::parse(&line).is_ok();
        prop_assert_eq!(is_one, at >= 0 && u16::try_from(status).is_ok());
    }

    #[test]
    fn any_text_is_a_file_of_the_nuon_cli_or_a_complaint_without_its_words(text in any::<String>(), token in "[a-z0-9]{20}") {
        let _ = NuonFile::parse(&text);
        if let Err(why) = NuonFile::parse(&format!("api_token: [{token}\n{text}")) {
            prop_assert!(!why.contains(&token), "{}", why);
        }
    }
}
