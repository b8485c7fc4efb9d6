//! A script of answers in; log, verdict, files and exit code out.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use deploy_gate::World;
use deploy_gate::base::clock::{Clock, Signal, VirtualClock};
use deploy_gate::base::disk::RealDisk;
use deploy_gate::base::environment::{Screen, Variables};
use deploy_gate::base::source::{Fault, Request, Response, Source};
use regex::{Captures, Regex};
use serde_json::{Value, json};

/// What a script answers to one look.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) answer: Result<Response, Fault>,
    /// How long it takes.
    takes: Duration,
}

pub(crate) fn http(status: u16, body: impl AsRef<[u8]>) -> Answer {
    let response = Response { status, headers: Vec::new(), body: body.as_ref().to_vec() };
    Answer { answer: Ok(response), takes: Duration::ZERO }
}

pub(crate) fn fault(fault: Fault) -> Answer {
    Answer { answer: Err(fault), takes: Duration::ZERO }
}

pub(crate) fn reset() -> Answer {
    fault(Fault::Transient("connection reset".into()))
}

impl Answer {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.answer {
            response.headers.push((name.into(), value.into()));
        }
        self
    }

    pub(crate) fn takes(mut self, seconds: u64) -> Self {
        self.takes = Duration::from_secs(seconds);
        self
    }
}

/// A deploy document as the server gives it; `""` is a deploy whose `status_v2` is absent.
pub(crate) fn document(status: &str) -> Value {
    let mut document = json!({
        "id": DEPLOY, "install_id": "", "install_component_id": "inc00000000000000000000001", "build_id": BUILD,
        "install_deploy_type": "apply", "plan_only": false, "status": "legacy", "outputs": {},
        "created_at": "2026-01-14T16:00:00Z", "updated_at": "2026-01-14T16:00:00Z",
        "log_stream": {"id": "lgs1", "write_token": WRITE_TOKEN},
    });
    if !status.is_empty() {
        document["status_v2"] = json!({"status": status, "status_human_description": format!("about {status}")});
    }
    document
}

pub(crate) fn with(mut document: Value, member: &str, value: Value) -> Value {
    document[member] = value;
    document
}

pub(crate) fn seen(document: &Value) -> Answer {
    http(200, document.to_string())
}

pub(crate) fn deploy(status: &str) -> Answer {
    seen(&document(status))
}

/// A deploy of its own id, build and workflow, made at minute `made`.
pub(crate) fn made(id: &str, status: &str, made: u32, workflow: &str) -> Value {
    let mut document = with(document(status), "id", json!(id));
    document["created_at"] = json!(format!("2026-01-14T16:{made:02}:00Z"));
    document["build_id"] = json!(format!("bld0000000000000000000000{made}"));
    if !workflow.is_empty() {
        document["install_workflow_id"] = json!(workflow);
    }
    document
}

/// The deploy that was there first.
pub(crate) fn old(status: &str) -> Answer {
    seen(&made(DEPLOY, status, 1, ""))
}

/// The deploy that came after it.
pub(crate) fn new(status: &str) -> Answer {
    seen(&made(NEWER, status, 2, ""))
}

pub(crate) const BUILD_OF_NEWER: &str = "--build=bld00000000000000000000002";

/// A workflow as the server gives it, with steps as `name=status`, or `name=status@deploy` of another deploy, or of none.
pub(crate) fn workflow(status: &str, steps: &[&str]) -> Answer {
    let finished = matches!(status, "success" | "error");
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            let (name, status) = step.split_once('=').expect("name=status");
            let (status, deploy) = status.split_once('@').unwrap_or((status, DEPLOY));
            let words = json!({"err_message": format!("{name} broke")});
            json!({"id": name, "name": name, "status": {"status": status, "metadata": words}, "step_target_type": "install_deploys", "step_target_id": deploy})
        })
        .collect();
    seen(&json!({
        "id": WORKFLOW, "owner_id": INSTALL, "plan_only": false, "finished": finished,
        "status": {"status": status, "status_human_description": format!("about {status}")}, "steps": steps,
    }))
}

pub(crate) const INSTALL: &str = "inl00000000000000000000001";
pub(crate) const COMPONENT: &str = "cmp00000000000000000000001";
pub(crate) const DEPLOY: &str = "dpl00000000000000000000001";
pub(crate) const NEWER: &str = "dpl00000000000000000000002";
pub(crate) const WORKFLOW: &str = "inw00000000000000000000001";
const TOKEN: &str = "token-of-the-user-0123456789";
const WRITE_TOKEN: &str = "token-of-the-log-0123456789";
pub(crate) const BUILD: &str = "bld00000000000000000000001";

/// Answers in order, the last one for ever, for each path that ends or begins so. A path without any is answered 404,
/// but a deploy by its id like the last look at the latest if that was it.
pub(crate) struct Script {
    pub(crate) routes: Vec<(String, VecDeque<Answer>)>,
    pub(crate) latest: Option<Response>,
    pub(crate) clock: VirtualClock,
    pub(crate) looks: Looks,
}

/// How long one request may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// When each path was asked.
pub(crate) type Looks = std::rc::Rc<std::cell::RefCell<Vec<(Duration, String)>>>;

impl Source for Script {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        self.looks.borrow_mut().push((self.clock.now(), request.path.clone()));
        let route = self.routes.iter_mut().find(|(path, _)| request.path.contains(path.as_str()));
        let answer = match route {
            Some((_, answers)) if answers.len() > 1 => answers.pop_front(),
            Some((_, answers)) => answers.front().cloned(),
            None => {
                let listed = request.path.contains("/deploys?").then(|| http(200, "[]"));
                let latest = self.latest.clone().filter(|latest| {
                    let document: Value = serde_json::from_slice(&latest.body).unwrap_or_default();
                    request.path.ends_with(document["id"].as_str().unwrap_or("no id"))
                });
                listed.or(Some(Answer {
                    answer: Ok(latest.unwrap_or(Response { status: 404, ..Response::default() })),
                    takes: Duration::ZERO,
                }))
            }
        };
        let answer = answer.expect("a route has an answer");
        let within = request.within.min(REQUEST_TIMEOUT);
        self.clock.sleep(answer.takes.min(within));
        if answer.takes > within {
            return Err(Fault::Transient("no whole answer in time".into()));
        }
        if request.path.ends_with("/latest") {
            self.latest = answer.answer.clone().ok();
        }
        answer.answer
    }
}

/// A clock that brings a signal at some time.
pub(crate) struct Ringing {
    pub(crate) clock: VirtualClock,
    at: Duration,
    signal: Signal,
}

impl Clock for Ringing {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn utc(&self) -> Option<jiff::Timestamp> {
        self.clock.utc()
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        if self.now() + wait < self.at {
            return self.clock.sleep(wait);
        }
        let left = self.at.saturating_sub(self.now());
        self.clock.sleep(left);
        Some(self.signal)
    }
}

/// A clock of a machine that sleeps once.
struct Sleepy {
    clock: VirtualClock,
    at: Duration,
    sleeps: Duration,
}

impl Clock for Sleepy {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn utc(&self) -> Option<jiff::Timestamp> {
        self.clock.utc()
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        let end = self.now() + wait;
        let is_asleep = self.now() < self.at && self.at <= end;
        self.clock.sleep(if is_asleep { wait + self.sleeps } else { wait })
    }
}

/// What came of a run.
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) report: Value,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) looks: Vec<(Duration, String)>,
    pub(crate) folder: tempfile::TempDir,
}

impl Ran {
    pub(crate) fn ended(&self) -> (u8, &str, &str) {
        let word = |name: &str| self.report[name].as_str().unwrap_or_default();
        (self.code, word("outcome"), word("reason"))
    }

    pub(crate) fn message(&self) -> &str {
        self.report["message"].as_str().unwrap_or_default()
    }

    /// A member of the only, or worst, target of the result.
    pub(crate) fn target(&self, name: &str) -> &Value {
        &self.report["targets"][0][name]
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.iter().rev().find(|(output, _)| output == name).map_or("no such output", |(_, value)| value)
    }

    /// When the latest deploy was looked at.
    pub(crate) fn latest(&self) -> Vec<Duration> {
        self.looks.iter().filter(|(_, path)| path.ends_with("/latest")).map(|(at, _)| *at).collect()
    }

    /// How often a path that contains this was asked.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.looks.iter().filter(|(_, asked)| asked.contains(path)).count()
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.report["duration_ms"].as_u64().unwrap_or_default() / 1000
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Runs `wait` with these answers for the latest deploy.
pub(crate) fn run(arguments: &[&str], answers: &[Answer]) -> Ran {
    run_until(arguments, &[("/latest", answers)], None)
}

/// Runs `wait` with answers for each path.
pub(crate) fn run_with(arguments: &[&str], routes: &[(&str, &[Answer])]) -> Ran {
    run_until(arguments, routes, None)
}

pub(crate) fn run_until(arguments: &[&str], routes: &[(&str, &[Answer])], signal: Option<(u64, Signal)>) -> Ran {
    run_by(arguments, routes, |clock| match signal {
        None => Box::new(clock),
        Some((at, signal)) => Box::new(Ringing { clock, at: Duration::from_secs(at), signal }),
    })
}

/// Runs `wait` on a machine that sleeps from second `at` on, for so many seconds.
pub(crate) fn run_asleep(arguments: &[&str], answers: &[Answer], (at, sleeps): (u64, u64)) -> Ran {
    run_by(arguments, &[("/latest", answers)], |clock| {
        Box::new(Sleepy { clock, at: Duration::from_secs(at), sleeps: Duration::from_secs(sleeps) })
    })
}

/// Runs `doctor` with answers for each path.
pub(crate) fn doctor(arguments: &[&str], routes: &[(&str, &[Answer])]) -> Ran {
    run_as("doctor", arguments, (&[], Screen::File), routes, |clock| Box::new(clock))
}

fn run_by(arguments: &[&str], routes: &[(&str, &[Answer])], time: impl FnOnce(VirtualClock) -> Box<dyn Clock>) -> Ran {
    run_as("wait", arguments, (&[], Screen::File), routes, time)
}

/// Runs `wait` before somebody at a terminal of 70 columns, with these variables.
pub(crate) fn at_a_terminal(variables: &[(&str, &str)], arguments: &[&str], routes: &[(&str, &[Answer])]) -> Ran {
    run_as("wait", arguments, (variables, Screen::Terminal), routes, |clock| Box::new(clock))
}

fn run_as(
    command: &str,
    arguments: &[&str],
    (variables, screen): (&[(&str, &str)], Screen),
    routes: &[(&str, &[Answer])],
    time: impl FnOnce(VirtualClock) -> Box<dyn Clock>,
) -> Ran {
    let clock = VirtualClock::new("2026-01-14T17:00:00Z".parse().ok());
    let mut clock_of_run = time(clock.clone());
    // In memory where there is such a place: reports are synced to the disk.
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
    let (json, github) = (folder.path().join("result.json"), folder.path().join("github"));
    let place = |text: &&str| OsString::from(text.replace("FOLDER", &folder.path().to_string_lossy()));
    let mut all: Vec<OsString> = ["deploy-gate".into(), command.into()].into();
    let is_list = |argument: &&str| argument.starts_with("--targets") || argument.starts_with("--branch-run");
    for (flag, id) in [("--install", INSTALL), ("--component", COMPONENT)] {
        if !arguments.iter().any(|argument| argument.starts_with(flag) || is_list(argument)) {
            all.push(format!("{flag}={id}").into());
        }
    }
    all.push(format!("--report=json={}", json.display()).into());
    all.push(format!("--report=github={}", github.display()).into());
    for format in OTHERS {
        all.push(format!("--report={format}={}", folder.path().join(format!("all.{format}")).display()).into());
    }
    all.extend(arguments.iter().map(place));
    let looks = std::rc::Rc::default();
    let routes: Vec<(String, VecDeque<Answer>)> =
        routes.iter().map(|(path, answers)| ((*path).into(), answers.iter().cloned().collect())).collect();
    let new =
        || Script { routes: routes.clone(), latest: None, clock: clock.clone(), looks: std::rc::Rc::clone(&looks) };
    let mut script = Some(new());
    let all_variables = [("NUON_API_TOKEN", TOKEN)].into_iter().chain(variables.iter().copied());
    let variables: Variables = all_variables.map(|(name, value)| (name.into(), value.into())).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = deploy_gate::run(
        &all,
        &mut World {
            variables: &variables,
            clock: &mut *clock_of_run,
            connect: &mut |_, _| Box::new(script.take().expect("one source")),
            disk: &RealDisk,
            out: &mut out,
            err: &mut err,
            screens: (screen, screen),
            size: || (70, 24),
            seed: 1,
        },
    );
    tells_no_secret("the verdict", &out);
    tells_no_secret("the log", &err);
    files_tell_no_secret(folder.path());
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    let report = serde_json::from_str(&text(&json)).unwrap_or_default();
    if code != 2 && command == "wait" {
        keep(folder.path());
    }
    let looks = looks.borrow().clone();
    Ran {
        code,
        out: String::from_utf8(out).expect("the verdict is text"),
        err: String::from_utf8(err).expect("the log is text"),
        report,
        outputs: github_outputs(&text(&github)),
        looks,
        folder,
    }
}

/// The formats that every run writes beside those that tests read.
const OTHERS: [&str; 4] = ["junit", "annotations", "intoto", "markdown"];

/// Copies the reports of a run to where the programs that read them can be asked whether they do: `.ci/run` does so with
/// the schemas of others.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]
fn keep(folder: &std::path::Path) {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let Some(kept) = std::env::var_os("KEEP_REPORTS") else { return };
    let run = RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    for (name, kind) in [
        ("result.json", "json"),
        ("all.junit", "xml"),
        ("all.annotations", "annotations"),
        ("all.intoto", "intoto"),
        ("all.markdown", "md"),
    ] {
        std::fs::copy(folder.join(name), PathBuf::from(&kept).join(format!("{run}.{kind}"))).expect("a report");
    }
}

/// Neither the token nor the token of a log is in what a run prints or writes: not whole, not a piece of it, not escaped,
/// encoded, or with something in between that nobody sees.
fn tells_no_secret(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let bare = bare(&text);
    for secret in [TOKEN, WRITE_TOKEN] {
        let pieces = secret.as_bytes().windows(PIECE).map(|piece| String::from_utf8_lossy(piece).into_owned());
        // Base64 has three forms of a text, by what stands before it; the ends depend on what is beside it.
        let encoded = (0..3).map(|before| {
            let padded = format!("{}{secret}", "x".repeat(before));
            let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
            text[4..text.len() - 4].to_owned()
        });
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in encoded.chain(pieces).chain([hex]) {
            assert!(!bare.contains(&form), "{what} tells {form}, a piece of a secret: {text}");
        }
    }
}

/// So many characters of a secret are a piece of it. Shorter ones are in both, and in ordinary words.
const PIECE: usize = 18;

/// A text as somebody who looks for a secret reads it: unescaped, and without what cannot be seen.
fn bare(text: &str) -> String {
    static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
        r"\\+u(?P<a>[0-9a-fA-F]{4})|\\+x(?P<b>[0-9a-fA-F]{2})|%(?P<c>[0-9a-fA-F]{2})|&#(?P<d>[0-9]+);|&#x(?P<e>[0-9a-fA-F]+);",
        )
        .expect("a pattern")
    });
    static SEQUENCES: LazyLock<Regex> = LazyLock::new(|| Regex::new("\u{1b}?\\[[0-9;]*m").expect("a pattern"));
    let plain = ESCAPES.replace_all(text, |found: &Captures<'_>| {
        let code = ["a", "b", "c", "d", "e"].into_iter().find_map(|name| {
            let digits = found.name(name)?.as_str();
            u32::from_str_radix(digits, if name == "d" { 10 } else { 16 }).ok()
        });
        code.and_then(char::from_u32).map(String::from).unwrap_or_default()
    });
    SEQUENCES.replace_all(&plain, "").chars().filter(|c| c.is_ascii_graphic() && *c != '\\').collect()
}

fn files_tell_no_secret(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files_tell_no_secret(&entry.path());
        } else {
            tells_no_secret(&entry.path().display().to_string(), &std::fs::read(entry.path()).unwrap_or_default());
        }
    }
}

/// Reads step outputs as the runner of GitHub does.
pub(crate) fn github_outputs(text: &str) -> Vec<(String, String)> {
    let mut outputs = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if let Some((name, delimiter)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.push((name.into(), value.join("\n")));
        }
    }
    outputs
}

/// The published schema of the result, compiled.
static SCHEMA: LazyLock<(boon::Schemas, boon::SchemaIndex)> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../schema/result.v1.json")).expect("the schema is JSON");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("result.json", schema).expect("a resource");
    let index = compiler.compile("result.json", &mut schemas).expect("the schema is one");
    (schemas, index)
});

/// The result holds to its published schema, and the process to the result.
pub(crate) fn holds_together(ran: &Ran) {
    if let Err(error) = SCHEMA.0.validate(&ran.report, SCHEMA.1) {
        panic!("{error:#}\n{:#}", ran.report);
    }
    assert_eq!(ran.report["exit_code"], ran.code);
    assert_eq!(ran.output("outcome"), ran.report["outcome"]);
    assert_eq!(ran.output("exit-code"), ran.code.to_string());
    assert!(ran.out.starts_with(ran.output("outcome")), "{}", ran.out);
}
