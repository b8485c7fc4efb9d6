//! Shell completions and the man page. Pure.

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::base::outcome;
use crate::cli::parse;
use crate::cli::sections::SECTIONS;

/// The script that completes `deploy-gate` in a shell.
pub fn completions(shell: Shell) -> String {
    // The script for bash writes the dash of the name in two ways, and then finds nothing after the first word; so it is
    // made for a name without one.
    let name = if shell == Shell::Bash { "deploygate" } else { NAME };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut parse::command(), name, &mut script);
    String::from_utf8_lossy(&script).replace(" deploygate\n", &format!(" {NAME}\n"))
}

/// The name of the program.
const NAME: &str = env!("CARGO_PKG_NAME");

/// When the commands and options that the man page shows last changed.
const DATE: &str = "2026-11-28";

/// One page for all commands, as roff.
pub fn man() -> String {
    let command = parse::command().after_long_help("");
    let page = Man::new(command.clone()).date(DATE);
    let mut text = section(|out| page.render_title(out));
    text += &section(|out| page.render_name_section(out));
    text += &section(|out| page.render_synopsis_section(out));
    text += &section(|out| page.render_description_section(out));
    command.get_subcommands().for_each(|subcommand| text += &chapter(subcommand));
    let sections = SECTIONS.iter().map(|(title, text)| (*title, (*text).to_owned()));
    for (title, lines) in sections.chain([("EXIT STATUS", outcome::exit_codes())]) {
        text += &format!(".SH \"{title}\"\n.nf\n");
        // As it is in --help: the lines are a table.
        let escaped = |line: &str| line.replace('\\', "\\e").replace('-', "\\-");
        lines.lines().for_each(|line| text += &format!("{}\n", escaped(line)));
        text += ".fi\n";
    }
    // A break beside a blank line breaks nothing.
    text.replace(".br\n\n.br\n", ".sp\n")
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
