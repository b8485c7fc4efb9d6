//! The completions complete: each script is read by its shell, which is asked for `--on-s`.
#![cfg(unix)]
#![expect(clippy::print_stderr, reason = "a shell that is not here is said")]

use std::process::{Command, Output, Stdio};

/// Whether a shell is here; where CI runs, it has to be.
fn has(shell: &str) -> bool {
    let there = Command::new(shell).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "{shell} is missing");
    if !there {
        eprintln!("skipped: there is no {shell}");
    }
    there
}

fn script(shell: &str, folder: &std::path::Path) -> String {
    let Output { stdout, .. } =
        Command::new(env!("CARGO_BIN_EXE_deploy-gate")).args(["completions", shell]).output().expect("it runs");
    // Where zsh looks for it; the others do not mind.
    let path = folder.join("_deploy-gate");
    std::fs::write(&path, stdout).expect("writes");
    path.display().to_string()
}

fn said(command: &mut Command) -> String {
    let Output { stdout, stderr, .. } = command.stdin(Stdio::null()).output().expect("it runs");
    String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr)
}

#[test]
fn bash_completes_the_flags_of_a_command() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ask = format!(
        "source '{}'; f=$(complete -p deploy-gate | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
         COMP_WORDS=(deploy-gate wait --on-s); COMP_CWORD=2; $f deploy-gate --on-s wait; echo \"${{COMPREPLY[@]}}\"; \
         COMP_WORDS=(deploy-gate explain exit-); COMP_CWORD=2; $f deploy-gate exit- explain; echo \"${{COMPREPLY[@]}}\"",
        script("bash", folder.path())
    );
    let said = said(Command::new("bash").args(["--norc", "-c", &ask]));
    assert_eq!(said.trim(), "--on-superseded\nexit-code");
}

#[test]
fn fish_completes_the_flags_of_a_command() {
    if !has("fish") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let ask = format!("source '{}'; complete -C 'deploy-gate wait --on-s'", script("fish", folder.path()));
    let said = said(Command::new("fish").args(["--no-config", "-c", &ask]).env("HOME", folder.path()));
    assert!(said.starts_with("--on-superseded\t"), "{said}");
}

#[test]
fn zsh_completes_the_flags_of_a_command() {
    if !has("zsh") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    script("zsh", folder.path());
    // Only a zsh that believes in a terminal completes.
    let ask = format!(
        "zmodload zsh/zpty; zpty z TERM=dumb zsh -f -i; \
         zpty -w z \"PS1=; fpath=('{}' \\$fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy\"; \
         zpty -r z line '*ready*'; zpty -w -n z $'deploy-gate wait --on-s\\t'; \
         zpty -r z part '*superseded*'; print -rn -- \"$part\"; zpty -d z",
        folder.path().display()
    );
    let mut zsh = Command::new("timeout");
    zsh.args(["30", "zsh", "-f", "-c", &ask]).env("HOME", folder.path());
    let said = said(&mut zsh);
    assert!(said.contains("--on-superseded"), "{said:?}");
}
