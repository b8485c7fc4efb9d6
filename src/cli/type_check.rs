//! Assertions and extracts against the catalogue, before anything is asked.

use clap::ValueEnum;

use crate::judge::assertion::Assertion;
use crate::judge::extract::Extract;

/// What to do with an assertion that would check nothing, by the types that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TypeCheck {
    /// Exit 2 before the wait.
    #[default]
    Refuse,
    /// Warn, for servers whose types have moved on; what checked nothing in the end still fails.
    Warn,
}

impl TypeCheck {
    /// Checks an assertion that came from there. What may not have been meant is a warning.
    ///
    /// # Errors
    /// What of it would check nothing, and what to write instead.
    pub fn assertion(self, from: &str, assertion: &Assertion, warnings: &mut Vec<String>) -> Result<(), String> {
        match assertion.refusals().as_slice() {
            [_, ..] if self == TypeCheck::Warn => warnings.extend(assertion.told_refusals()),
            [] => {}
            refusals => {
                return Err(format!(
                    "{from}: this would check nothing\n{}\n(--type-check warn makes it a warning)",
                    refusals.join("\n")
                ));
            }
        }
        warnings.extend(assertion.warnings());
        Ok(())
    }

    /// Checks an extract, likewise.
    ///
    /// # Errors
    /// Why it would select nothing.
    pub fn extract(self, extract: &Extract, warnings: &mut Vec<String>) -> Result<(), String> {
        let from = format!("--extract (DEPLOY_GATE_EXTRACT) {}", extract.name);
        self.assertion(&from, extract.query(), warnings)
    }
}
