//! What a command prints in place of running a gate, and what misuse is told as.

use crate::base::file::is_loss;
use crate::base::outcome::{self, Ending};
use crate::run::world::World;
use crate::text::escape;

/// What to print on stderr, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed {
    /// Whole lines.
    pub text: String,
    /// Never 0.
    pub code: u8,
}

/// Misuse: nothing was asked.
pub fn misuse(why: String) -> Failed {
    // Files hold words that came from the network.
    let lines: Vec<String> = why.lines().map(escape::line).collect();
    Failed { text: format!("error: {}\n", lines.join("\n")), code: outcome::MISUSE }
}

/// Prints what a command was asked for, and returns the exit code: `code`, unless it did not arrive.
pub fn print(text: &str, code: u8, world: &mut World<'_>) -> u8 {
    match world.out.write_all(text.as_bytes()).and_then(|()| world.out.flush()) {
        Err(error) if is_loss(&error) => Ending::OutputNotWritten.code(),
        _ => code,
    }
}
