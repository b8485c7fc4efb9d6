//! What `--help` and the man page end with. Pure.

use crate::base::outcome;

/// What a user of `wait` looks for beside its flags: title and text.
pub const SECTIONS: [(&str, &str); 3] = [
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
