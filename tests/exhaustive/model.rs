//! What can be answered: each answer as the server gives it, and beside it what it means, written by hand from the
//! contract. Nothing here asks the gate what a word means.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy_gate::base::source::{Fault, Response};
use deploy_gate::nuon::id::{BuildId, ComponentId, DeployId, Id, InstallId, WorkflowId};
use deploy_gate::nuon::look::{self, Look};
use deploy_gate::nuon::target::Target;
use deploy_gate::watch::step::Ask;
use serde_json::{Value, json};

/// How long the server asks to be left alone, where it does: longer than the time between two looks.
pub const FLOOR: Duration = Duration::from_secs(40);

/// The deploys of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// It was there first, and has succeeded.
    Before,
    /// It is meant.
    Mine,
    /// The same workflow goes on with it when mine has failed.
    Retry,
    /// Somebody deploys once more.
    Newer,
}

use Which::{Before, Mine, Newer, Retry};

impl Which {
    pub const ALL: [Self; 4] = [Before, Mine, Retry, Newer];

    pub fn id(self) -> DeployId {
        DeployId::new(format!("dpl{:023}", self as u8 + 1).as_str()).expect("an id")
    }

    pub fn of(id: &DeployId) -> Self {
        Self::ALL.into_iter().find(|which| which.id() == *id).expect("a deploy of the model")
    }

    pub fn flow(self) -> WorkflowId {
        let number = match self {
            Before => 1,
            Mine | Retry => 2,
            Newer => 3,
        };
        WorkflowId::new(format!("inw{number:023}").as_str()).expect("an id")
    }

    pub fn build(self) -> BuildId {
        let number = if self == Before { 1 } else { 2 };
        BuildId::new(format!("bld{number:023}").as_str()).expect("an id")
    }

    /// When it was made: the first one a day before the run, the others within it.
    pub fn made(self) -> &'static str {
        match self {
            Before => "2026-01-13T16:00:00Z",
            Mine => "2026-01-14T16:00:01Z",
            Retry => "2026-01-14T16:00:02Z",
            Newer => "2026-01-14T16:00:03Z",
        }
    }
}

/// When the run begins.
pub const BEGAN: &str = "2026-01-14T16:00:00Z";

/// What the word of a deploy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    Open,
    Good,
    NothingToDo,
    /// It failed, and the workflow may go on with another.
    Failed,
    /// It failed for good.
    Denied,
    Replaced,
    Parked,
    Strange,
}

impl Word {
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Good,
        Self::NothingToDo,
        Self::Failed,
        Self::Denied,
        Self::Replaced,
        Self::Parked,
        Self::Strange,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::Open => "planning",
            Self::Good => "active",
            Self::NothingToDo => "auto-skipped",
            Self::Failed => "error",
            Self::Denied => "approval-denied",
            Self::Replaced => "retried",
            Self::Parked => "failed-pending-retry",
            Self::Strange => "never-heard-of",
        }
    }

    pub fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::NothingToDo)
    }
}

/// Where a workflow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    Runs,
    Person,
    Well,
    Badly,
    Parked,
    Dead,
}

/// What it says of the health of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// Verified, or never to be verified.
    Done,
    Open,
    Failed,
    /// It does not say yet.
    Unlisted,
}

/// A workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    pub name: &'static str,
    pub head: Head,
    /// Of the newest deploy that it has.
    pub health: Health,
    /// Whether it has gone on with another deploy.
    pub has_retry: bool,
    /// Whether it has a deploy of the component at all.
    pub has_deploy: bool,
    /// Whether the step that failed has stopped it, though it has not said so yet.
    pub has_stopped: bool,
    /// Whether a step of the deploy is at work beside another that has parked it.
    pub is_at_work: bool,
}

const FLOW: Flow = Flow {
    name: "",
    head: Head::Runs,
    health: Health::Open,
    has_retry: false,
    has_deploy: true,
    has_stopped: false,
    is_at_work: false,
};

/// The word of the workflow, whether it is finished, and its steps: `deploy`, `verify`, `retry` and `other`.
type Written = (&'static str, bool, &'static [(&'static str, &'static str, &'static str)]);

/// Every workflow that the model knows.
pub const FLOWS: [(Flow, Written); 25] = [
    (
        Flow { name: "queued", health: Health::Unlisted, has_deploy: false, ..FLOW },
        ("pending", false, &[("other", "pending", "")]),
    ),
    (
        Flow { name: "at work", is_at_work: true, ..FLOW },
        ("in-progress", false, &[("deploy", "in-progress", ""), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "verifies", ..FLOW },
        ("in-progress", false, &[("deploy", "success", ""), ("verify", "in-progress", "")]),
    ),
    (
        Flow { name: "goes on", health: Health::Done, ..FLOW },
        ("in-progress", false, &[("deploy", "success", ""), ("verify", "success", ""), ("other", "in-progress", "")]),
    ),
    (
        Flow { name: "asks", head: Head::Person, ..FLOW },
        ("in-progress", false, &[("deploy", "approval-awaiting", ""), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "well", head: Head::Well, health: Health::Done, ..FLOW },
        ("success", true, &[("deploy", "success", ""), ("verify", "success", "")]),
    ),
    (
        Flow { name: "unhealthy", head: Head::Well, health: Health::Failed, ..FLOW },
        ("success", true, &[("deploy", "success", ""), ("verify", "error", "continue")]),
    ),
    (
        Flow { name: "failed", head: Head::Badly, health: Health::Failed, ..FLOW },
        ("error", true, &[("deploy", "error", "stop"), ("verify", "not-attempted", "")]),
    ),
    (
        Flow { name: "failed elsewhere", head: Head::Badly, health: Health::Done, ..FLOW },
        ("error", true, &[("deploy", "success", ""), ("verify", "success", ""), ("other", "error", "stop")]),
    ),
    (
        Flow { name: "cancelled", head: Head::Badly, ..FLOW },
        ("cancelled", true, &[("deploy", "cancelled", ""), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "parked", head: Head::Parked, ..FLOW },
        ("failed-pending-retry", false, &[("deploy", "error", "await-retry"), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "parked elsewhere", head: Head::Parked, is_at_work: true, ..FLOW },
        (
            "failed-pending-retry",
            false,
            &[("deploy", "in-progress", ""), ("verify", "pending", ""), ("other", "error", "await-retry")],
        ),
    ),
    (
        Flow { name: "dead", head: Head::Dead, ..FLOW },
        ("error", false, &[("deploy", "in-progress", ""), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "stops", has_stopped: true, ..FLOW },
        ("in-progress", false, &[("deploy", "error", "stop"), ("verify", "pending", "")]),
    ),
    (
        Flow { name: "retries", has_retry: true, is_at_work: true, ..FLOW },
        (
            "in-progress",
            false,
            &[("deploy", "error", "retry"), ("retry", "in-progress", ""), ("verify", "pending", "")],
        ),
    ),
    (
        Flow { name: "retried well", head: Head::Well, health: Health::Done, has_retry: true, ..FLOW },
        ("success", true, &[("deploy", "error", "retry"), ("retry", "success", ""), ("verify", "success", "")]),
    ),
    (
        Flow { name: "without a deploy", head: Head::Well, health: Health::Done, has_deploy: false, ..FLOW },
        ("success", true, &[("other", "success", "")]),
    ),
    (
        Flow { name: "not whole", health: Health::Unlisted, ..FLOW },
        ("in-progress", false, &[("deploy", "success", ""), ("more", "", "")]),
    ),
    (
        Flow { name: "not whole, asks", head: Head::Person, health: Health::Unlisted, ..FLOW },
        ("approval-awaiting", false, &[("deploy", "success", ""), ("more", "", "")]),
    ),
    (
        Flow { name: "not whole, fails", head: Head::Badly, health: Health::Unlisted, ..FLOW },
        ("cancelled", false, &[("deploy", "success", ""), ("more", "", "")]),
    ),
    (
        Flow { name: "not whole, dead", head: Head::Dead, health: Health::Unlisted, ..FLOW },
        ("error", false, &[("deploy", "success", ""), ("more", "", "")]),
    ),
    (
        Flow { name: "asks first", head: Head::Person, health: Health::Unlisted, has_deploy: false, ..FLOW },
        ("in-progress", false, &[("other", "approval-awaiting", "")]),
    ),
    (
        Flow { name: "unhealthy, asks", head: Head::Person, health: Health::Failed, ..FLOW },
        (
            "in-progress",
            false,
            &[("deploy", "success", ""), ("verify", "error", "continue"), ("other", "approval-awaiting", "")],
        ),
    ),
    (
        Flow { name: "unhealthy, dead", head: Head::Dead, health: Health::Failed, ..FLOW },
        ("error", false, &[("deploy", "success", ""), ("verify", "error", "stop")]),
    ),
    (
        Flow { name: "well, but verifies", head: Head::Well, ..FLOW },
        ("success", true, &[("deploy", "success", ""), ("verify", "error", "retry")]),
    ),
];

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    Deploy(Which, Word),
    Flow(Flow),
    /// There are only these in the list.
    List(&'static [Which]),
    Install,
    /// The API says that there is none.
    Absent,
    /// Nothing that can be used.
    Lost,
    /// The same, and that the server wants to be left alone.
    Busy,
    /// That asking again will not change it.
    Refused,
}

impl Says {
    /// Whether nothing is known by it.
    pub fn is_miss(self) -> bool {
        matches!(self, Self::Absent | Self::Lost | Self::Busy | Self::Refused)
    }
}

/// One answer.
pub struct Answer {
    pub says: Says,
    pub look: Look,
}

pub fn target() -> Target {
    Target {
        install: InstallId::new("inl00000000000000000000001").expect("an id"),
        component: ComponentId::new("cmp00000000000000000000001").expect("an id"),
    }
}

/// The deploy as it is answered: the latest does not name its component.
fn document(which: Which, word: Word, is_latest: bool) -> Value {
    let mut document = json!({
        "id": which.id().as_ref() as &str, "install_id": target().install.as_ref() as &str,
        "install_component_id": "inc00000000000000000000001", "install_workflow_id": which.flow().as_ref() as &str,
        "build_id": which.build().as_ref() as &str, "install_deploy_type": "apply",
        "created_at": which.made(), "status_v2": {"status": word.text()},
    });
    if !is_latest {
        document["component_id"] = json!("cmp00000000000000000000001");
    }
    document
}

fn flow_document(of: Which, (word, finished, steps): Written) -> Value {
    let is_whole = !steps.iter().any(|(name, ..)| *name == "more");
    let step = |(name, status, directive): &(&str, &str, &str)| {
        let (kind, target, group) = match *name {
            "deploy" => ("install_deploys", of.id().to_string(), 1),
            "retry" => ("install_deploys", Retry.id().to_string(), 1),
            "verify" => ("install_components", "inc00000000000000000000001".to_owned(), 1),
            _ => ("install_action_workflow_runs", String::new(), 5),
        };
        json!({"id": name, "name": name, "group_idx": group, "step_target_type": kind, "step_target_id": target,
            "result_directive": directive, "retried": *directive == "retry", "status": {"status": status}})
    };
    let steps: Vec<Value> = steps.iter().filter(|(name, ..)| *name != "more").map(step).collect();
    let mut marks = json!({"eager_steps_loaded": true});
    if is_whole {
        marks["all_steps_loaded"] = json!(true);
    }
    json!({"id": of.flow().as_ref() as &str, "owner_id": target().install.as_ref() as &str, "plan_only": false,
        "finished": finished, "approval_option": "prompt", "status": {"status": word, "metadata": marks}, "steps": steps})
}

/// What comes of an answer that says this, by the gate's own reading.
pub fn look(ask: &Ask, says: Says, names_workflow: bool) -> Look {
    let http = |status: u16, body: &Value, headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Response { status, headers, body: body.to_string().into_bytes() })
    };
    let error = json!({"error": "not found", "user_error": true, "description": "not found"});
    let floor = FLOOR.as_secs().to_string();
    let answer = match (ask, says) {
        (_, Says::Deploy(which, word)) => {
            let mut document = document(which, word, *ask == Ask::Latest);
            if !names_workflow {
                document["install_workflow_id"] = Value::Null;
            }
            http(200, &document, &[])
        }
        (Ask::Workflow(id), Says::Flow(flow)) => {
            let of = [Before, Mine, Newer].into_iter().find(|of| of.flow() == *id).expect("a workflow of the model");
            let (_, written) = FLOWS.into_iter().find(|(known, _)| known.name == flow.name).expect("it is known");
            http(200, &flow_document(of, written), &[])
        }
        (_, Says::List(of)) => {
            let listed = of.iter().map(|which| document(*which, Word::Open, true)).collect();
            return look::deploys(listed).map(Look::Deploys).expect("deploys");
        }
        (_, Says::Install) => http(200, &json!({"id": target().install.as_ref() as &str}), &[]),
        (_, Says::Absent) => http(404, &error, &[]),
        (_, Says::Busy) => http(429, &error, &[("retry-after", &floor)]),
        (_, Says::Refused) => http(403, &error, &[]),
        (_, Says::Lost | Says::Flow(_)) => Err(Fault::Transient("reset".into())),
    };
    let target = target();
    match ask {
        Ask::Latest => look::deploy(answer, None, &target, None),
        Ask::Deploy(id) | Ask::DeployOfInstall(id) => look::deploy(answer, Some(id), &target, None),
        Ask::Workflow(id) => look::workflow(answer, id, &target, None),
        Ask::Install => look::install(answer, &target, None),
        Ask::Deploys(_) => look::json(answer, None).map_or_else(
            |unread| match unread {
                look::Unread::Look(look) => Ok(*look),
                look::Unread::Signal(signal) => Err(signal),
            },
            |_| unreachable!("a list is answered above"),
        ),
        Ask::Queue(_) => look::queue(answer, None),
        Ask::Run(_) | Ask::Updated(..) => unreachable!("no branch run is in the model"),
    }
    .expect("no signal")
}

/// What can be answered where one thing is looked into: all of it together would be more than can be tried.
pub struct Theme {
    pub name: &'static str,
    /// What the latest can be, beside mine.
    latest: &'static [(Which, Word)],
    /// What mine can be, as the latest and by its id.
    words: &'static [Word],
    /// What the workflow of mine can be, and that of the newer one.
    flows: &'static [&'static str],
    newer: &'static [&'static str],
    /// What there can be in place of an answer: about the latest, a workflow or a deploy, and about the install.
    misses: &'static [Says],
    install: &'static [Says],
    /// Whether a deploy says which workflow it is of.
    pub names_workflow: bool,
}

const FEW: &[Word] = &[Word::Open, Word::Good, Word::Failed];
const THERE: &[Says] = &[Says::Install];

pub const THEMES: [Theme; 6] = [
    Theme {
        name: "no workflow",
        latest: &[(Before, Word::Good)],
        words: &Word::ALL,
        flows: &["at work", "well"],
        newer: &["well"],
        misses: &[Says::Lost],
        install: THERE,
        names_workflow: false,
    },
    Theme {
        name: "health",
        latest: &[(Before, Word::Good)],
        words: &[Word::Open, Word::Good, Word::Failed, Word::NothingToDo],
        flows: &[
            "at work",
            "verifies",
            "goes on",
            "not whole",
            "well",
            "unhealthy",
            "failed",
            "failed elsewhere",
            "cancelled",
            "not whole, fails",
            "not whole, dead",
            "unhealthy, asks",
            "unhealthy, dead",
            "well, but verifies",
        ],
        newer: &["well"],
        misses: &[Says::Lost],
        install: THERE,
        names_workflow: true,
    },
    Theme {
        name: "people",
        latest: &[],
        words: &[Word::Open, Word::Good, Word::Failed, Word::Parked],
        flows: &[
            "queued",
            "at work",
            "asks first",
            "asks",
            "not whole, asks",
            "parked",
            "parked elsewhere",
            "dead",
            "stops",
            "well",
        ],
        newer: &["well"],
        misses: &[Says::Absent],
        install: THERE,
        names_workflow: true,
    },
    Theme {
        name: "other deploys",
        latest: &[
            (Before, Word::Good),
            (Retry, Word::Good),
            (Retry, Word::Failed),
            (Newer, Word::Open),
            (Newer, Word::Good),
            (Newer, Word::Failed),
        ],
        words: FEW,
        flows: &["at work", "retries", "retried well", "well", "failed"],
        newer: &["at work", "well", "failed"],
        misses: &[],
        install: THERE,
        names_workflow: true,
    },
    Theme {
        name: "trouble",
        latest: &[],
        words: &[Word::Open, Word::Good, Word::Failed, Word::Denied],
        flows: &["at work", "well", "failed"],
        newer: &["well"],
        misses: &[Says::Absent, Says::Lost, Says::Busy, Says::Refused],
        install: &[Says::Install, Says::Absent, Says::Lost],
        names_workflow: true,
    },
    Theme {
        name: "words",
        latest: &[(Before, Word::Good)],
        words: &Word::ALL,
        flows: &["at work", "goes on", "asks", "well", "failed", "parked", "dead", "without a deploy"],
        newer: &["well"],
        misses: &[Says::Refused],
        install: THERE,
        names_workflow: true,
    },
];

/// The answers to each question, made once.
#[derive(Default)]
pub struct Menu(BTreeMap<String, Vec<Answer>>);

impl Menu {
    /// The answers that there can be to every question.
    pub fn new(theme: &Theme) -> Self {
        let mut menu = Self::default();
        let whiches = Which::ALL.map(|which| Ask::Deploy(which.id()));
        let flows = [Before, Mine, Newer].map(|of| Ask::Workflow(of.flow()));
        let others = [Ask::Latest, Ask::Install, Ask::Deploys(None), Ask::Queue(Mine.flow())];
        for ask in whiches.into_iter().chain(flows).chain(others) {
            let says = theme.says(&ask).into_iter();
            let answers = says.map(|says| Answer { says, look: look(&ask, says, theme.names_workflow) }).collect();
            menu.0.insert(key(&ask), answers);
        }
        menu
    }

    pub fn answers(&self, ask: &Ask) -> &[Answer] {
        self.0.get(&key(ask)).map_or(&[], Vec::as_slice)
    }
}

fn key(ask: &Ask) -> String {
    match ask {
        Ask::Latest => "latest".into(),
        Ask::Deploy(id) | Ask::DeployOfInstall(id) => id.to_string(),
        Ask::Workflow(id) => id.to_string(),
        Ask::Install => "install".into(),
        Ask::Deploys(_) => "deploys".into(),
        Ask::Queue(_) => "queue".into(),
        Ask::Run(_) | Ask::Updated(..) => String::new(),
    }
}

impl Theme {
    fn says(&self, ask: &Ask) -> Vec<Says> {
        let deploys = |which: Which, words: &[Word]| -> Vec<Says> {
            words.iter().map(|word| Says::Deploy(which, *word)).collect()
        };
        let flows = |names: &[&str]| -> Vec<Says> {
            FLOWS.iter().filter(|(flow, _)| names.contains(&flow.name)).map(|(flow, _)| Says::Flow(*flow)).collect()
        };
        let words_of = |which: Which| -> Vec<Word> {
            self.latest.iter().filter(|(of, _)| *of == which).map(|(_, word)| *word).collect()
        };
        let answers = match ask {
            Ask::Latest => {
                let others = self.latest.iter().map(|(which, word)| Says::Deploy(*which, *word));
                deploys(Mine, self.words).into_iter().chain(others).collect()
            }
            Ask::Deploy(id) | Ask::DeployOfInstall(id) => match Which::of(id) {
                Mine => deploys(Mine, self.words),
                other if words_of(other).is_empty() => deploys(other, &[Word::Good]),
                other => deploys(other, &words_of(other)),
            },
            Ask::Workflow(id) if *id == Mine.flow() => flows(self.flows),
            Ask::Workflow(id) if *id == Newer.flow() => flows(self.newer),
            Ask::Workflow(_) => return flows(&["well"]),
            Ask::Install => return self.install.to_vec(),
            Ask::Deploys(_) if words_of(Newer).is_empty() => vec![Says::List(&[Mine, Before])],
            Ask::Deploys(_) => {
                vec![Says::List(&[Mine, Before]), Says::List(&[Newer, Retry, Mine, Before])]
            }
            Ask::Queue(_) => return vec![Says::Absent],
            Ask::Run(_) | Ask::Updated(..) => return Vec::new(),
        };
        let is_first = |which: Which| which == Mine || which == Before;
        let no_deploy = matches!(ask, Ask::Latest) && self.latest.iter().all(|(which, _)| is_first(*which));
        let absent = no_deploy.then_some(Says::Absent).filter(|absent| !self.misses.contains(absent));
        answers.into_iter().chain(absent).chain(self.misses.iter().copied()).collect()
    }
}
