//! Targets by query in a simulated world: the server lists the installs of an app, page by page, with the trouble that
//! lists have. Each install has a world of its own. A run passes only if all that the list named have passed, and only if
//! they are as many as there have to be.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use deploy_gate::base::clock::Clock;
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use serde_json::{Value, json};

use super::disk::MemoryDisk;
use super::gate::Gate;
use super::generation::Generation;
use super::many::{Router, install, verdict_violations};
use super::network::{Asked, Kind, SimulatedClock, Transcript};
use super::world::{self, INSTALL, Time, World};
use super::{Judged, gate_once};

/// What the server has in its list.
#[derive(Clone, Debug)]
struct Entry {
    number: usize,
    /// The value of the label that is asked for, if it has that label.
    label: Option<&'static str>,
    /// In milliseconds of the run: it is in the list from then to then, if the token may see it.
    listed: (u64, u64),
    is_hidden: bool,
}

/// What the list is like.
#[derive(Clone, Debug)]
struct List {
    entries: Vec<Entry>,
    /// How many a page has, and whether the server says that there are more, and cares for the offset.
    page: usize,
    tells_next: bool,
    has_pages: bool,
    /// How often of 100 a request fails.
    trouble: u8,
}

/// Everything that was listed without trouble, page after page.
type Told = Rc<RefCell<Vec<(usize, Vec<usize>, bool)>>>;

struct ListServer {
    installs: Router,
    worlds: Vec<Rc<World>>,
    transcripts: Vec<Transcript>,
    list: List,
    clock: SimulatedClock,
    dice: Rng,
    told: Told,
}

impl Source for ListServer {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let Some(query) = request.path.strip_prefix("/v1/apps/app1/installs?") else {
            return self.installs.ask(request);
        };
        if self.dice.u8(0..100) < self.list.trouble {
            return trouble(&mut self.dice);
        }
        let offset = query.rsplit('=').next().and_then(|offset| offset.parse::<usize>().ok()).unwrap_or_default();
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX);
        let is_gone = |entry: &Entry| self.worlds[entry.number - 1].gone.is_some_and(|gone| now as Time >= gone);
        let is_listed = |entry: &Entry| !entry.is_hidden && (entry.listed.0..entry.listed.1).contains(&now);
        let shown = self.list.entries.iter().filter(|entry| is_listed(entry) && !is_gone(entry));
        let shown: Vec<&Entry> = shown.collect();
        let from = if self.list.has_pages { offset.min(shown.len()) } else { 0 };
        let page: Vec<&Entry> =
            shown[from..].iter().take(if self.list.has_pages { self.list.page } else { usize::MAX }).copied().collect();
        let has_more = from + page.len() < shown.len();
        let body: Vec<Value> = page
            .iter()
            .map(|entry| {
                let mut document = json!({"id": install(entry.number), "name": format!("i{}", entry.number)});
                if let Some(label) = entry.label {
                    document["labels"] = json!({"tier": label});
                }
                document
            })
            .collect();
        for entry in &page {
            // The list shows that the install is there.
            let kind = Kind::Document(Rc::new(json!({"id": INSTALL})));
            let (at, path) = (self.clock.now(), format!("/v1/installs/{INSTALL}"));
            let asked = Asked { at, until: at, path, kind, retry_after: None };
            self.transcripts[entry.number - 1].borrow_mut().push(asked);
        }
        self.told.borrow_mut().push((offset, page.iter().map(|entry| entry.number).collect(), has_more));
        let next = ("x-nuon-page-next".to_owned(), has_more.to_string());
        // Without the header, only a page that is not full is the last.
        let headers = if self.list.tells_next { vec![next] } else { Vec::new() };
        Ok(Response { status: 200, headers, body: Value::Array(body).to_string().into_bytes() })
    }
}

/// What may come in place of a list.
pub fn trouble(dice: &mut Rng) -> Result<Response, Fault> {
    match dice.u8(0..4) {
        0 => Err(Fault::Transient("connection reset".into())),
        1 => Ok(Response { status: 503, ..Response::default() }),
        2 => {
            let headers = vec![("retry-after".into(), "3".into())];
            Ok(Response { status: 429, headers, ..Response::default() })
        }
        _ => Ok(Response { status: 200, headers: Vec::new(), body: b"[{\"id\":\"inl".to_vec() }),
    }
}

/// Runs what a seed stands for.
pub fn run(seed: u64) -> Judged {
    let mut dice = Rng::with_seed(seed ^ 0x115_7ed);
    let count = if dice.u8(0..16) == 0 { 0 } else { dice.usize(1..=5) };
    let generation = Generation::random(&mut dice);
    let worlds: Vec<Rc<World>> = (0..count).map(|_| Rc::new(World::of_generation(generation, &mut dice))).collect();
    let ids = worlds.first().map(|world| world.ids.clone()).unwrap_or_default();
    let mut gate = Gate::random(&ids, &mut dice);
    (gate.build, gate.deploy, gate.workflow, gate.commit, gate.after) = Default::default();
    let entry = |number: usize, dice: &mut Rng| Entry {
        number,
        label: dice.choice([Some("one"), Some("one"), Some("one"), Some("two"), None]).flatten(),
        listed: (
            if dice.u8(0..8) == 0 { dice.u64(0..10_000) } else { 0 },
            if dice.u8(0..8) == 0 { dice.u64(0..10_000) } else { u64::MAX },
        ),
        is_hidden: dice.u8(0..16) == 0,
    };
    let list = List {
        entries: (1..=count).map(|number| entry(number, &mut dice)).collect(),
        page: if dice.bool() { 100 } else { dice.usize(1..=3) },
        tells_next: true,
        has_pages: dice.u8(0..5) > 0,
        trouble: dice.choice([0, 0, 10, 50]).unwrap_or(0),
    };
    let list = List { tells_next: list.page < 100 || dice.bool(), ..list };
    let label = dice.bool().then_some("one");
    let min_targets = if dice.u8(0..4) == 0 { dice.usize(1..=count.max(1) + 1) } else { 1 };
    let mut arguments = gate.arguments();
    arguments.retain(|argument| {
        !["--install=", "--component="].iter().any(|flag| argument.to_string_lossy().starts_with(flag))
    });
    arguments.splice(2..2, ["--install=all", "--app=app1"].map(Into::into));
    arguments.push(format!("--component={}", world::COMPONENT).into());
    arguments.push(format!("--min-targets={min_targets}").into());
    arguments.extend(label.map(|label| format!("--label=tier={label}").into()));
    arguments.push(format!("--jobs={}", dice.choice([1, 4]).unwrap_or(1)).into());
    let mut clock = SimulatedClock::random(&mut dice);
    let (installs, transcripts) = Router::to(&worlds, &clock, &mut dice);
    let told = Told::default();
    let server = ListServer {
        installs,
        worlds: worlds.clone(),
        transcripts: transcripts.clone(),
        list: list.clone(),
        clock: clock.clone(),
        dice: dice.fork(),
        told: Rc::clone(&told),
    };
    let (time, disk) = (clock.time.clone(), MemoryDisk::default());
    let (code, out, err) = gate_once(&arguments, server, (&mut clock, &disk, seed));
    let report: Value = serde_json::from_str(&disk.text("json")).unwrap_or_default();
    let mut wrong = Vec::new();
    let rows = report["targets"].as_array().cloned().unwrap_or_default();
    let gated: BTreeSet<&str> = rows.iter().filter_map(|row| row["install"].as_str()).collect();
    let passed = rows.iter().filter(|row| row["outcome"] == "passed").count();
    // What the last list named that was read from its first page to its last.
    let told = told.borrow();
    let first = told.iter().rposition(|(offset, ..)| *offset == 0).unwrap_or_default();
    let named: BTreeSet<String> = told
        .iter()
        .skip(first)
        .flat_map(|(_, numbers, _)| numbers)
        .filter(|number| label.is_none() || list.entries[**number - 1].label == label)
        .map(|number| install(*number))
        .collect();
    let mut must = |truth: bool, what: &str| wrong.extend((!truth).then(|| what.to_owned()));
    if code == 0 {
        must(passed == rows.len() && passed > 0, "it passes, and not all did");
        must(rows.len() >= min_targets, "it passes with too few");
        must(named.iter().all(|named| gated.contains(named.as_str())), "it passes without one that the list named");
        must(told.last().is_some_and(|(.., has_more)| !has_more), "it passes on a part of the list");
    }
    must(gated.iter().all(|gated| named.contains(*gated)), "it gates what the list did not name");
    must(code == 0 || report["outcome"] != "passed", "it is told as passed");
    let judged =
        worlds.iter().zip(&transcripts).enumerate().filter(|(number, _)| gated.contains(install(number + 1).as_str()));
    if !gate.is_refused() {
        for (number, (world, transcript)) in judged {
            let violations = verdict_violations(number + 1, (&gate, world), &transcript.borrow(), &report, time.now());
            wrong.extend(violations.into_iter().map(|what| format!("target {}: {what}", number + 1)));
        }
    }
    let words: Vec<_> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let trace = format!(
        "list {seed}\n  {}\n  {list:?}\n{err}{out}  {}\n",
        words.join(" "),
        wrong.iter().map(|what| format!("VIOLATION {what}")).collect::<Vec<_>>().join("\n  ")
    );
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    Judged { outcome: format!("{} {}", text("outcome"), text("reason")), violations: wrong, trace }
}
