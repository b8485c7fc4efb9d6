//! Shell completions and the man page, made from the flags themselves. Pure.

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::{self, Stop};
use crate::verdict;

/// The script that completes `deploy-gate` in a shell.
pub fn completions(shell: Shell) -> Stop {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), env!("CARGO_PKG_NAME"), &mut script);
    Stop { text: String::from_utf8_lossy(&script).into_owned(), code: 0 }
}

/// One page for all commands, as roff.
pub fn man() -> Stop {
    let command = args::command().after_long_help("");
    let page = Man::new(command.clone());
    let mut text = section(|out| page.render_title(out));
    text += &section(|out| page.render_name_section(out));
    text += &section(|out| page.render_synopsis_section(out));
    text += &section(|out| page.render_description_section(out));
    command.get_subcommands().for_each(|subcommand| text += &chapter(subcommand));
    text += ".SH \"EXIT CODES\"\n.nf\n";
    // As it is in --help: the lines are a table.
    verdict::exit_codes().lines().skip(1).for_each(|line| text += &(line.replace('-', "\\-") + "\n"));
    text += ".fi\n";
    Stop { text, code: 0 }
}

/// What a command does and its options, in a section of its own.
fn chapter(command: &Command) -> String {
    let name = command.get_name();
    let page = Man::new(command.clone());
    let about = section(|out| page.render_description_section(out)).replace(".SH DESCRIPTION\n", "");
    let options = section(|out| page.render_options_section(out)).replace(".SH ", ".SS ");
    format!(".SH \"{}\"\n{about}{options}", name.to_uppercase())
}

fn section(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = render(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
