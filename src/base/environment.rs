//! What surrounds a run: variables, and where its streams lead to.

use std::collections::BTreeMap;

/// The environment, as the gate sees it.
pub type Variables = BTreeMap<String, String>;

/// Where a stream leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// A terminal.
    Terminal,
    /// Anything else: a file, a pipe, the log of a CI system.
    #[default]
    File,
}
