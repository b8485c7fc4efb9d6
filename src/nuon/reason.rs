//! The server's errors in words: composed ones, the checks of a verification, a build that failed. Pure.

use serde_json::Value;

use crate::text::format;

/// How many sections of an error, or checks of a verification, are told.
const SECTIONS: usize = 5;
/// How long each of them may be, in characters.
const LINE: usize = 300;

/// An error as the server composes it for people: what went wrong, and a line for each of its sections.
pub fn composite(error: &Value) -> Vec<String> {
    let text = |value: &Value| {
        let words = value.as_str().unwrap_or_default().replace("```", " ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let sections = error["sections"].as_array().map(Vec::as_slice).unwrap_or_default();
    let section = |section: &Value| match (text(&section["heading"]), text(&section["body"])) {
        (heading, body) if heading.is_empty() || body.is_empty() => heading + &body,
        (heading, body) => format!("{heading}: {body}"),
    };
    let lines = std::iter::once(text(&error["message"])).chain(sections.iter().take(SECTIONS).map(section));
    lines.filter(|line| !line.is_empty()).map(|line| format::cut(&line, LINE)).collect()
}

/// The checks of a verification that did not find what they look at healthy.
pub fn checks(checks: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_bad = |check: &&Value| !matches!(check["health"].as_str(), None | Some("" | "healthy" | "not-applicable"));
    let told = |check: &Value| {
        let message = match check["message"].as_str() {
            None | Some("") => String::new(),
            Some(message) => format!(": {message}"),
        };
        let line = format!("{} {} is {}{message}", text(&check["kind"]), text(&check["name"]), text(&check["health"]));
        format::cut(&line, LINE)
    };
    let checks = checks.as_array().map(Vec::as_slice).unwrap_or_default();
    checks.iter().filter(is_bad).take(SECTIONS).map(told).collect()
}

/// Why the build failed, if it did.
pub fn build(build: &Value) -> Vec<String> {
    let status = &build["status_v2"];
    let word = status["status"].as_str().or(build["status"].as_str()).unwrap_or_default();
    if !matches!(word, "error" | "policy_failed") {
        return Vec::new();
    }
    let mut words = composite(&build["composite_error"]);
    let description = status["status_human_description"].as_str().or(build["status_description"].as_str());
    let description = description.filter(|words| !words.is_empty()).unwrap_or(word);
    words.push(format!("the build: {}", format::cut(description, LINE)));
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_is_told_in_lines_however_it_is_composed() {
        let error = json!({"message": "Build failed", "sections": [
            {"heading": "Why", "body": "```\nno\n  space\n```"}, {"heading": "", "body": "alone"}, {"heading": "Empty"}]});
        assert_eq!(composite(&error), ["Build failed", "Why: no space", "alone", "Empty"].map(str::to_owned));
        assert_eq!(composite(&json!({"message": "x".repeat(1_000_000)}))[0].chars().count(), LINE + 1);
        for nothing in [json!(null), json!({}), json!([1]), json!({"message": 1, "sections": "x"})] {
            assert_eq!(composite(&nothing), [""; 0], "{nothing}");
        }
        let bad = json!([{"kind": "Pod", "name": "a", "health": "unhealthy", "message": "OOM"}, {"health": "healthy"},
            {"kind": "Job", "name": "b", "health": "progressing"}, "x", {}]);
        assert_eq!(checks(&bad), ["Pod a is unhealthy: OOM", "Job b is progressing"]);
        assert_eq!(
            build(&json!({"status_v2": {"status": "error", "status_human_description": "no"}})),
            ["the build: no"]
        );
        assert_eq!(build(&json!({"status": "active"})), [""; 0]);
    }
}
