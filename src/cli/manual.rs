//! What is read about the gate in a terminal: the ends of `--help`, shell completions and the man page. Pure.

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::base::outcome;
use crate::cli::args::{self, Stop};

/// What a user of `wait` looks for beside its flags: title and text.
const SECTIONS: [(&str, &str); 3] = [
    (
        "EXAMPLES",
        "\
Gate the deploy that was just triggered:
  rm -f trigger.txt
  curl -sS -i -o trigger.txt -X POST …
  deploy-gate wait --workflow @trigger.txt --require-pin
Gate whatever is deployed after this point in time:
  after=$(date -u +%FT%TZ); …; deploy-gate wait --after \"$after\"
Fail if it was only planned, if a step failed, or if it is of the wrong kind:
  deploy-gate wait --require not-plan-only --require no-failed-steps \\
    --assert '$.install_deploy_type == \"apply\"'
Try assertions against a recorded deploy, without an account:
  deploy-gate replay FILE.jsonl --assert '$.plan_only == false'",
    ),
    (
        "ENVIRONMENT",
        "\
Every flag has a variable, named beside it; a flag beats its variable, and an
empty variable counts as unset. A variable of a repeatable flag takes one entry
a line, or a JSON array of strings.
NUON_API_TOKEN                        the API token
HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
NO_PROXY                              proxies, as curl reads them
NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR when to use colors",
    ),
    (
        "FILES",
        "\
~/.nuon  the Nuon CLI's config file: api_url, api_token, org_id, install_id",
    ),
];

/// What `--help` of a gate ends with.
pub fn sections() -> String {
    let sections = SECTIONS.iter().map(|(title, text)| format!("{title}\n{}\n\n", indented(text)));
    sections.collect::<String>() + &exit_status()
}

/// The exit codes under their title.
pub fn exit_status() -> String {
    format!("EXIT STATUS\n{}", outcome::exit_codes())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The script that completes `deploy-gate` in a shell.
pub fn completions(shell: Shell) -> Stop {
    // The script for bash writes the dash of the name in two ways, and then finds nothing after the first word; so it is
    // made for a name without one.
    let name = if shell == Shell::Bash { "deploygate" } else { NAME };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), name, &mut script);
    let script = String::from_utf8_lossy(&script).replace(" deploygate\n", &format!(" {NAME}\n"));
    Stop { text: script, code: 0 }
}

/// The name of the program.
const NAME: &str = env!("CARGO_PKG_NAME");

/// One page for all commands, as roff.
pub fn man() -> Stop {
    let command = args::command().after_long_help("");
    let page = Man::new(command.clone());
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
