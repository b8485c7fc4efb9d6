//! An error text as a person reads it. The server's are chains of some 2,000 characters in which each wrapper repeats the
//! rest. Pure.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::format;

/// How long a chain is told at most, in characters.
const CHAIN: usize = 300;
/// The text without wrappers and repeats, outermost first; one without wrappers as it is.
pub fn cause(text: &str) -> String {
    let Some(plain) = unwrapped(text) else { return text.into() };
    let mut told = HashSet::new();
    let parts: Vec<&str> = plain
        .split(": ")
        .map(|part| part.trim().trim_end_matches(':'))
        .map(|part| part.strip_prefix("error executing step ").unwrap_or(part))
        .filter(|part| !part.is_empty() && told.insert(*part))
        .collect();
    let whole = parts.join(": ");
    let Some(innermost) = parts.last().filter(|_| whole.chars().count() > CHAIN) else { return whole };
    let left = CHAIN.saturating_sub(innermost.chars().count() + " …: ".chars().count());
    if left == 0 {
        return format::cut(innermost, CHAIN);
    }
    let head: String = whole.chars().take(left).collect();
    format!("{} …: {innermost}", head.trim_end_matches([' ', ':']))
}

/// The text without its wrappers, if it has any.
fn unwrapped(text: &str) -> Option<String> {
    // One that is not closed is the rest.
    static WRAPPERS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\s*(?:(?:child workflow execution|activity) error \(|\(type: )[^)]*\)?").ok());
    match WRAPPERS.as_ref()?.replace_all(text, "") {
        Cow::Borrowed(_) => None,
        Cow::Owned(plain) => Some(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_told_without_its_wrappers_and_repeats() {
        let inner = "unable to execute deploy: job failed with status failed";
        let chain = format!(
            "error executing step apply web: child workflow execution error (type: X, workflowID: w, runID: r): {inner} \
             (type: withStack, retryable: true): {inner} (type: api, retryable: false): job failed with status failed"
        );
        assert_eq!(cause(&chain), "apply web: unable to execute deploy: job failed with status failed");
        for plain in ["", "Error: Unsupported argument (line 3)", "a: a: a", "unclosed ("] {
            assert_eq!(cause(plain), plain);
        }
        assert_eq!(cause("x: activity error (type: y"), "x");
        assert_eq!(cause("activity error (a): activity error (b): "), "");
    }

    #[test]
    fn however_long_it_is_the_innermost_cause_is_whole() {
        let long = |parts: usize| (0..parts).map(|nth| format!("part {nth}: ")).collect::<String>();
        let told = cause(&format!("{}activity error (x): the cause", long(100_000)));
        assert!(told.starts_with("part 0: part 1: ") && told.ends_with(" …: the cause"), "{told}");
        assert!(told.chars().count() <= CHAIN, "{}", told.chars().count());
        assert_eq!(cause(&format!("a: activity error (x): {}", "é".repeat(1000))).chars().count(), CHAIN + 1);
        assert!(cause(&"activity error (".repeat(100_000)).is_empty());
        assert!(cause(&"activity error (a): ".repeat(100_000)).is_empty());
    }
}
