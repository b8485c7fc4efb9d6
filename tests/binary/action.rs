//! The steps of the action, as a runner runs them: the very shell lines of `action.yml`, with the variables of GitHub.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::loopback::{Reply, Server, answer, authority, deploy};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The line of a step of the action.
fn step(id: &str) -> String {
    let text = std::fs::read_to_string(Path::new(ROOT).join("action.yml")).expect("action.yml");
    let action: Value = yaml_serde::from_str(&text).expect("it is YAML");
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["id"] == id).expect("such a step");
    step["run"].as_str().expect("a line").into()
}

/// A step, run as the runner runs one on Linux: from a file, by `sh -e`, in the workspace.
fn run(id: &str, job: &Job) -> Command {
    let file = job.temp.path().join(format!("{id}.sh"));
    std::fs::write(&file, step(id)).expect("writes");
    let mut command = Command::new("sh");
    command.arg("-e").arg(file).current_dir(job.workspace.path()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("GITHUB_ACTIONS", "true");
    command.env("GITHUB_ACTION_PATH", job.action.path()).env("RUNNER_TEMP", job.temp.path());
    command.env("GITHUB_WORKSPACE", job.workspace.path()).env("GATE_COMMAND", "wait");
    for (name, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary")] {
        let file = job.temp.path().join(file);
        std::fs::write(&file, "").expect("writes");
        command.env(name, file);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a job on a runner has: the action, a checkout, a folder for temporary files.
struct Job {
    action: tempfile::TempDir,
    workspace: tempfile::TempDir,
    temp: tempfile::TempDir,
}

impl Job {
    /// A tree with the files that decide, and others in place of the sources.
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        let job = Self { action: folder(), workspace: folder(), temp: folder() };
        let copy = |name: &str| {
            let to = job.action.path().join(name);
            std::fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
            std::fs::copy(Path::new(ROOT).join(name), to).expect("copies");
        };
        ["install.sh", "build.sh", "source.sh", "release.txt"]
            .map(|name| format!("action/{name}"))
            .iter()
            .for_each(|name| copy(name));
        copy("Cargo.toml");
        job.write("Cargo.lock", "");
        job.write("src/main.rs", "fn main() {}\n");
        job
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.action.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("writes");
    }

    fn source(&self) -> String {
        let command = Command::new("sh").arg("action/source.sh").current_dir(self.action.path()).output();
        String::from_utf8(command.expect("it runs").stdout).expect("text").trim().into()
    }

    /// Makes the tree one of a release whose executable has this checksum.
    fn release(&self, url: &str, checksum: &str) {
        let text = format!("version 1.2.3\nurl {url}\nsource {}\n{} {checksum}\n", self.source(), target());
        self.write("action/release.txt", &text);
    }

    /// A folder for `PATH` with only this program in it, beside those of the host but cargo.
    fn path_with(&self, program: &str, script: &str) -> std::ffi::OsString {
        let folder = self.temp.path().join("bin");
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(program);
        std::fs::write(&path, script).expect("writes");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("may be run");
        std::env::join_paths([folder, "/usr/bin".into(), "/bin".into()]).expect("a path")
    }

    /// Where the build of these sources belongs.
    fn folder(&self) -> PathBuf {
        self.temp.path().join(format!("deploy-gate-{}", self.source()))
    }

    /// What the cache of the runner keeps it by; there is no other output than that and the folder.
    fn key(&self) -> String {
        let output = run("install", self).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        let outputs = self.output();
        let (folder, key) = outputs.split_once('\n').expect("two lines");
        assert_eq!(folder, format!("folder={}", self.folder().display()));
        let key = key.trim().strip_prefix("key=").expect("a key");
        assert!(key.ends_with(&self.source()) && key.contains(&target()), "{key}");
        key.into()
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.temp.path().join("output")).expect("outputs")
    }
}

/// The triple of this host's executable in a release.
fn target() -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("{}-{system}", std::env::consts::ARCH)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A `cargo` that says how it was called, and builds what says the version of this tree.
const CARGO: &str = r#"#!/bin/sh
printf '%s\n' "$PWD" "$@"
env | sed 's/^/env /'
mkdir -p "$6/action"
printf '#!/bin/sh\necho "deploy-gate %s"\n' "$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)" >"$6/action/deploy-gate"
chmod +x "$6/action/deploy-gate"
"#;

/// `#!/bin/sh` and an exit code of its own, and its checksum.
const EXECUTABLE: &str = "#!/bin/sh\nexit 42\n";
const CHECKSUM: &str = "9e6d7b0d5d4ef5d9";

#[test]
fn a_release_is_downloaded_and_checked() {
    let (pem, config) = authority();
    let server = Server::start_tls(vec![answer("200 OK", "", EXECUTABLE)], config);
    let job = Job::new();
    let ca = job.temp.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("writes");
    let checksum = {
        let file = job.temp.path().join("executable");
        std::fs::write(&file, EXECUTABLE).expect("writes");
        let sum = Command::new("sh").arg("-c").arg("sha256sum <\"$0\" || shasum -a 256 <\"$0\"").arg(&file).output();
        String::from_utf8(sum.expect("it runs").stdout).expect("text")[..64].to_owned()
    };
    job.release(&server.url("https"), &checksum);
    for _ in 0..2 {
        let output = run("install", &job).env("CURL_CA_BUNDLE", &ca).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        let bin = job.output().trim().strip_prefix("bin=").map(PathBuf::from).expect("the output bin");
        assert_eq!(std::fs::read_to_string(bin).expect("the executable"), EXECUTABLE);
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 1, "the second use in a job finds it there");
    assert!(heads[0].starts_with(&format!("GET /deploy-gate-{} ", target())), "{heads:?}");

    // Whatever has another checksum is neither run nor replaced by something that was built.
    job.release(&server.url("https"), CHECKSUM);
    let output = run("install", &job).env("CURL_CA_BUNDLE", &ca).output().expect("it runs");
    assert!(!output.status.success() && job.output().is_empty());
    assert!(
        said(&output).contains(&format!("has the checksum {checksum}, and should have {CHECKSUM}")),
        "{}",
        said(&output)
    );
}

#[test]
fn a_download_that_fails_is_fatal() {
    let (pem, config) = authority();
    let server = Server::start_tls(vec![answer("404 Not Found", "", "")], config);
    let job = Job::new();
    let ca = job.temp.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("writes");
    job.release(&server.url("https"), CHECKSUM);
    let output = run("install", &job).env("CURL_CA_BUNDLE", &ca).output().expect("it runs");
    assert!(!output.status.success() && said(&output).contains("could not be downloaded"), "{}", said(&output));
    assert!(!said(&output).contains("building"), "{}", said(&output));
}

#[test]
fn other_sources_are_built_apart_from_the_checkout() {
    let job = Job::new();
    job.release("https://127.0.0.1:9", CHECKSUM);
    job.write("src/main.rs", "fn main() { changed(); }\n");
    let path = job.path_with("cargo", CARGO);
    let mut command = run("build", &job);
    command.env("FOLDER", job.folder());
    for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_TARGET_DIR", "CARGO_BUILD_RUSTC", "CARGO_PROFILE_ACTION_LTO"] {
        command.env(name, "planted");
    }
    let output = command.env("PATH", path).env("CARGO_HOME", "/stays").output().expect("it runs");
    let said = said(&output);
    assert!(output.status.success() && said.contains("building it"), "{said}");
    let action = job.action.path().canonicalize().expect("a path");
    assert!(said.contains(&format!("\n{}\nbuild\n--locked\n--profile\naction\n", action.display())), "{said}");
    assert!(!said.contains("planted") && said.contains("env CARGO_HOME=/stays"), "{said}");
}

#[test]
fn what_was_built_of_these_sources_is_not_built_again() {
    let job = Job::new();
    let path = job.path_with("cargo", CARGO);
    let build = |job: &Job| {
        let output = run("build", job).env("FOLDER", job.folder()).env("PATH", &path).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        (said(&output).contains("building it"), job.output())
    };
    let before = job.key();
    let (is_built, outputs) = build(&job);
    let bin = format!("bin={}\n", job.folder().join("deploy-gate").display());
    assert_eq!((is_built, outputs), (true, format!("{bin}built=true\n")));
    assert_eq!(build(&job), (false, bin), "the cache has brought it");

    // A cache that another commit wrote: it is known by its sources.
    let folder = job.folder();
    job.write("src/main.rs", "fn main() { changed(); }\n");
    let after = job.key();
    assert!(before != after && before.starts_with("deploy-gate-"), "{before} {after}");
    std::fs::rename(folder, job.folder()).expect("what the cache brings");
    assert!(build(&job).0, "it is of other sources");
    // One that does not start here, or says another version.
    for broken in ["#!/nowhere\n", "#!/bin/sh\necho deploy-gate 0.0.9\n", ""] {
        std::fs::write(job.folder().join("deploy-gate"), broken).expect("writes");
        assert!(build(&job).0, "{broken}");
    }
}

#[test]
fn without_a_release_and_without_cargo_it_says_what_to_do() {
    let job = Job::new();
    let path = job.path_with("nothing", "");
    let output = run("build", &job).env("PATH", path).env("FOLDER", job.folder()).output().expect("it runs");
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for remedy in ["::error title=", "Pin the action to a release", "install Rust 1.", "container image"] {
        assert!(said.contains(remedy), "no {remedy} in {said}");
    }
}

#[test]
fn a_token_is_masked_and_nothing_else() {
    let job = Job::new();
    let path = job.path_with("nothing", "");
    let masked = |token: &str| {
        let output = run("install", &job).env("PATH", &path).env("NUON_API_TOKEN", token).output().expect("it runs");
        said(&output).lines().filter(|line| line.contains("add-mask")).map(Into::into).collect::<Vec<String>>()
    };
    assert_eq!(masked("0123456789%"), ["::add-mask::0123456789%25"]);
    assert_eq!(masked("first-line\nsecond-line\n"), ["::add-mask::first-line", "::add-mask::second-line"]);
    assert_eq!(masked("short"), [""; 0]);
    assert_eq!(masked(""), [""; 0]);
}

#[test]
fn cancelling_the_step_leaves_every_report_within_two_seconds() {
    // The runner signals the entry process of the step, and nothing else.
    for (replies, signal, code) in [
        (vec![deploy("executing")], rustix::process::Signal::INT, 130),
        (vec![Reply::Silence], rustix::process::Signal::INT, 130),
        (vec![deploy("executing")], rustix::process::Signal::TERM, 143),
    ] {
        let server = Server::start(replies);
        let job = Job::new();
        let reports = ["json", "junit", "markdown", "dotenv", "annotations", "intoto", "dir"];
        let list: String =
            reports.iter().map(|format| format!("{format}={}/{format}\n", job.temp.path().display())).collect();
        let mut command = run("gate", &job);
        command.env("DEPLOY_GATE_BIN", env!("CARGO_BIN_EXE_deploy-gate")).env("DEPLOY_GATE_REPORT", list);
        command
            .env("NUON_API_URL", server.url("http"))
            .env("NUON_INSTALL_ID", "inl00000000000000000000001")
            .env("NUON_COMPONENT_ID", "cmp00000000000000000000001");
        let step = command.spawn().expect("it runs");
        while server.heads().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let cancelled = Instant::now();
        let pid = rustix::process::Pid::from_child(&step);
        rustix::process::kill_process(pid, signal).expect("it is there");
        let output = step.wait_with_output().expect("it ends");
        assert!(cancelled.elapsed() < Duration::from_secs(2), "{:?}", cancelled.elapsed());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(job.output().contains("outcome<<") && job.output().contains("\ninterrupted\n"), "{}", job.output());
        assert!(said(&output).contains("\n::endgroup::\n"), "{}", said(&output));
        let read = |name: &str| std::fs::read_to_string(job.temp.path().join(name)).expect(name);
        assert!(read("summary").contains("Deploy gate: interrupted"));
        assert!(read("markdown").contains("Deploy gate: interrupted"));
        assert!(read("json").contains("\"interrupted\"") && read("junit").contains("type=\"Interrupted\""));
        assert!(read("dotenv").contains("GATE_OUTCOME=interrupted\n") && read("dir/outcome") == "interrupted");
        assert!(read("annotations").starts_with("{\"deploy-gate\":"));
        assert!(read("intoto").contains("\"result\": \"FAILED\""));
    }
}

#[test]
fn a_binary_that_is_there_already_is_taken_and_none_other() {
    let job = Job::new();
    let gate = env!("CARGO_BIN_EXE_deploy-gate");
    std::os::unix::fs::symlink(gate, job.workspace.path().join("gate")).expect("a link");
    for named in [gate, "./gate"] {
        let output = run("install", &job).env("GATE_BINARY", named).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(
            said(&output).contains(&format!("deploy-gate {} is /", env!("CARGO_PKG_VERSION"))),
            "{}",
            said(&output)
        );
        let bin = job.output().trim().strip_prefix("bin=").map(PathBuf::from).expect("a path");
        assert!(bin.is_absolute() && bin.is_file(), "{bin:?}");
    }
    std::fs::write(job.workspace.path().join("text"), "").expect("writes");
    for named in ["./nowhere", "./text", "/bin/echo", "/bin/false"] {
        let output = run("install", &job).env("GATE_BINARY", named).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{named}: {}", said(&output));
        assert!(said(&output).contains("::error") && job.output().is_empty(), "{named}: {}", said(&output));
    }
}

#[test]
fn doctor_takes_the_place_of_the_gate_only_where_it_is_asked_for() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("action.yml")).expect("action.yml");
    assert!(text.contains("GATE_COMMAND: ${{ inputs.doctor == 'true' && 'doctor' || 'wait' }}"), "anything else gates");
    let server = Server::start(vec![answer("200 OK", "", "{}"), answer("403 Forbidden", "", "{\"error\":\"no\"}")]);
    let job = Job::new();
    let mut command = run("gate", &job);
    command.env("DEPLOY_GATE_BIN", env!("CARGO_BIN_EXE_deploy-gate")).env("GATE_COMMAND", "doctor");
    command.env("NUON_API_URL", server.url("http")).env("NUON_API_TOKEN", "token-of-a-test");
    command.env("NUON_INSTALL_ID", "inl00000000000000000000001").env("NUON_COMPONENT_ID", "cmp00000000000000000000001");
    let output = command.output().expect("it runs");
    assert!(
        said(&output).contains("ok       connection")
            && said(&output).contains("doctor is no gate") == output.status.success()
    );
    assert_eq!(job.output(), "", "no outputs that a later step could take for a verdict");
}
