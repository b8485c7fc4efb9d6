//! The gate as the Nuon CLI starts an extension: by its own name, in the user's folder, with the CLI's login in variables.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};

use crate::loopback::{Server, TOKEN, deploy, header, ran};

/// `nuon gate …`, with what the CLI adds to the user's variables.
fn nuon_gate(arguments: &[&str], url: &str, folder: &Path) -> Command {
    let extension = folder.join("nuon-ext-gate");
    std::fs::create_dir_all(&extension).expect("a folder");
    let binary = extension.join("nuon-ext-gate");
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_deploy-gate"), &binary);
    let config = folder.join(".nuon");
    std::fs::write(&config, "api_token: another\n").expect("writes");
    let mut command = Command::new(binary);
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command.env("NUON_API_URL", url).env("NUON_API_TOKEN", TOKEN).env("NUON_ORG_ID", "org1").env("NUON_APP_ID", "app1");
    command.env("NUON_INSTALL_ID", "inl00000000000000000000001").env("NUON_CONFIG_FILE", config);
    command.env("NUON_EXT_NAME", "gate").env("NUON_EXT_DIR", extension);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn it_waits_with_the_login_and_the_install_of_the_cli() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(vec![deploy("planning"), deploy("active")]);
    let arguments = ["wait", "--component=cmp00000000000000000000001", "--interval=5ms", "--report=json=result.json"];
    let (code, out, err) = ran(&mut nuon_gate(&arguments, &server.url("http"), folder.path()));
    assert_eq!(code, 0, "{out}{err}");
    let head = &server.heads()[0];
    assert_eq!(header(head, "authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(header(head, "x-nuon-org-id"), "org1");
    assert!(folder.path().join("result.json").is_file(), "a path is of the user's folder");
    let server = Server::start(vec![deploy("error")]);
    let (code, ..) = ran(&mut nuon_gate(&arguments, &server.url("http"), folder.path()));
    assert_eq!(code, 1, "the exit code passes through");
}

#[test]
fn usage_and_hints_say_what_the_user_has_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| ran(&mut nuon_gate(arguments, "http://127.0.0.1:1", folder.path()));
    for (arguments, words) in [
        (&["--help"][..], "Usage: nuon gate <COMMAND>"),
        (&["wait", "--help"], "Usage: nuon gate wait [OPTIONS]"),
        (&["wait", "--help"], "  nuon gate wait --workflow @trigger.txt"),
        (&["check", "-h"], "Usage: nuon gate check"),
        (&["wait", "--component=a", "--jbs=1"], "Usage: nuon gate wait"),
        (&["wait"], "Usage: nuon gate wait"),
    ] {
        let (_, out, err) = run(arguments);
        assert!((out.clone() + &err).contains(words), "{arguments:?}: {out}{err}");
        assert!(!(out.clone() + &err).contains("deploy-gate wait"), "{arguments:?}: {out}{err}");
    }
    assert_eq!(run(&["--version"]).1, concat!("deploy-gate ", env!("CARGO_PKG_VERSION"), "\n"));
    // A name that is none changes nothing.
    let mut command = nuon_gate(&["--help"], "", folder.path());
    assert!(ran(command.env("NUON_EXT_NAME", "$(x) ")).1.contains("Usage: deploy-gate <COMMAND>"));
}

#[test]
fn the_cli_finds_what_it_looks_for() {
    let read = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name);
    let about = read("nuon-ext.toml");
    assert!(about.starts_with("[extension]\nname = \"gate\"\n"), "{about}");
    assert!(about.contains("\n[extension.auth]\nrequires_token = true\n"), "{about}");
    // In Go's words, and each of the executable that belongs to it.
    let release = read(".github/workflows/release.yml");
    assert!(release.contains(r#"cp "$gate" "dist/nuon-ext-gate-$NUON$SUFFIX""#), "{release}");
    for (target, nuon, suffix) in [
        ("x86_64-unknown-linux-musl", "linux-amd64", ""),
        ("aarch64-unknown-linux-musl", "linux-arm64", ""),
        ("x86_64-apple-darwin", "darwin-amd64", ""),
        ("aarch64-apple-darwin", "darwin-arm64", ""),
        ("x86_64-pc-windows-msvc", "windows-amd64", ", suffix: .exe"),
    ] {
        let line = release.lines().find(|line| line.contains(&format!("target: {target},"))).expect(target);
        assert!(line.contains(&format!(" nuon: {nuon},")) && line.contains(suffix), "{line}");
    }
}
