//! What a command prints in place of running a gate, and what misuse is told as.

use std::ffi::OsString;

use crate::base::file::is_loss;
use crate::base::outcome::{self, Ending};
use crate::report::ci::{self, Ci};
use crate::report::render::Format;
use crate::report::{github, result};
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

impl Failed {
    /// Prints it, and returns the exit code. A CI system is told of misuse in its own words, too, and gets the code as an
    /// output of the step: there is no report to do that.
    pub fn tell(self, arguments: &[OsString], world: &mut World<'_>) -> u8 {
        let mut text = self.text;
        if self.code == outcome::MISUSE {
            text.push_str(&Ci::Auto.found(world.variables).misuse(&text));
            if arguments.iter().any(|argument| argument == "wait" || argument == "replay") {
                add_output(world);
            }
        }
        // There is nothing else to tell it to.
        let _ = world.err.write_all(text.as_bytes()).and_then(|()| world.err.flush());
        self.code
    }
}

/// Gives the step all its outputs, empty but for the exit code. Where that fails, the code itself still tells.
fn add_output(world: &World<'_>) {
    let value = |name| if name == "exit-code" { outcome::MISUSE.to_string() } else { String::new() };
    let outputs = result::OUTPUTS.map(|name| (name, value(name)));
    for (format, _, path) in ci::shared_files(world.variables) {
        if format == Format::Github
            && let Ok(mut file) = world.disk.append(&path)
        {
            let _ = file.write(github::render(&outputs, "ghadelimiter_misuse").as_bytes());
        }
    }
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
