//! What an assertion can come to. Pure.

use serde::Serialize;

/// What the document says to an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It holds, and it looked at something.
    True,
    /// It does not hold.
    False,
    /// What would decide it is data that is not there, so it checked nothing.
    Vacuous,
    /// It was not put to the document, since the deploy did not get that far.
    NotEvaluated,
}

impl Truth {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Vacuous => "vacuous",
            Truth::NotEvaluated => "not-evaluated",
        }
    }
}
