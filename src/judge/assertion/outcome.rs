//! What all assertions come to. Pure.

use super::check::Check;
use super::truth::Truth;
use crate::base::outcome::Ending;

/// What the checks come to.
pub fn ending(checks: &[Check], so_far: &str) -> (Ending, String) {
    let failed = |outcome: Truth| checks.iter().find(|check| check.outcome == outcome);
    if let Some(check) = failed(Truth::False) {
        return (Ending::AssertionFalse, format!("`{}` {}", check.name(), check.told()));
    }
    if let Some(check) = checks.iter().find(|check| check.outcome != Truth::True) {
        return (Ending::AssertionVacuous, format!("`{}` {}", check.name(), check.told()));
    }
    let all = match checks.len() {
        0 => "no assertions to check".into(),
        1 => "the assertion is true".into(),
        count => format!("all {count} assertions are true"),
    };
    let message = if so_far.is_empty() { all } else { format!("{so_far}, {all}") };
    (Ending::Passed, message)
}
