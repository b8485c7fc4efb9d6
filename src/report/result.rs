//! The result of a run, as a value: everything that is told is made from it. Pure.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::base::clock::Clock;
use crate::base::outcome::Ending;
use crate::judge::assertion::Check;
use crate::judge::document::Part;
use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::evidence::Standing;
use crate::nuon::failure::Failure;
use crate::nuon::id::{ComponentId, InstallId};
use crate::nuon::target::Target;
use crate::text::format;
use crate::watch::memory::Member;

/// The result of a run. Fields may be added; none changes its meaning within a `schema_version`.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// Why, in a sentence.
    pub message: String,
    /// RFC 3339, UTC; absent in a replay that has no calendar.
    pub started_at: Option<String>,
    /// RFC 3339, UTC; absent in a replay that has no calendar.
    pub finished_at: Option<String>,
    /// How long the run took.
    pub duration_ms: u64,
    /// How many targets there were and had to pass; absent where there was one.
    pub fleet: Option<FleetSummary>,
    /// What became of each target, the worst first.
    pub targets: Vec<Verdict>,
    /// The names of all `--extract`, for the outputs.
    pub extracts: Vec<String>,
    /// The page of the CI run that this is a part of; `""` if it is not known.
    pub run_url: String,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("schema_version", &1)?;
        members.serialize_entry("tool", &Tool::THIS)?;
        members.serialize_entry("outcome", self.ending.outcome().name())?;
        members.serialize_entry("reason", self.ending.reason())?;
        members.serialize_entry("message", &self.message)?;
        members.serialize_entry("exit_code", &self.ending.code())?;
        for (name, time) in [("started_at", &self.started_at), ("finished_at", &self.finished_at)] {
            time.iter().try_for_each(|time| members.serialize_entry(name, time))?;
        }
        members.serialize_entry("duration_ms", &self.duration_ms)?;
        self.fleet.iter().try_for_each(|fleet| members.serialize_entry("fleet", fleet))?;
        members.serialize_entry("targets", &self.targets)?;
        members.end()
    }
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// `deploy-gate`.
    pub name: &'static str,
    /// Semantic version.
    pub version: &'static str,
}

impl Tool {
    /// This one.
    pub const THIS: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

/// How many targets there were, and how many had to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetSummary {
    /// How many targets there are in the whole fleet.
    pub targets: usize,
    /// How many of those in this result passed.
    pub passed: usize,
    /// How many of those in this result had to pass.
    pub min_pass: usize,
    /// Which share of the fleet this result is; absent where it is all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardSeen>,
}

/// The share of a fleet that a result is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardSeen {
    /// From 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

/// What became of one target, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Id of the install.
    pub install: InstallId,
    /// Id of the component.
    pub component: ComponentId,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// Why, in a sentence.
    pub message: String,
    /// The deploy that was judged, or last seen; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy: Option<DeploySeen>,
    /// The workflow, as it was last seen, where that is gated as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowSeen>,
    /// Its deploys, as they were last read, in the order of its steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deploys: Vec<MemberSeen>,
    /// The deploy, or the workflow, in the dashboard; `""` where that cannot be known.
    pub url: String,
    /// Why the gate believes that this is the right deploy.
    pub belief: String,
    /// Whether the deploy was already over at the first look.
    pub preexisting: bool,
    /// The deploy that took its place, or `""`.
    pub superseded_by: String,
    /// How many times the gate asked for the deploy.
    pub polls: u32,
    /// How many requests were made for this target, those that only explain as well.
    pub requests: u32,
    /// How long the end of the deploy was past, by its `updated_at`, when it was noticed; absent where it was over
    /// before the run, or where the clocks disagree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noticed_after_ms: Option<u64>,
    /// Every change that was seen.
    pub timeline: Vec<Moment>,
    /// Which parts of the document came from which request; empty if none was put together.
    pub document: Vec<Part>,
    /// Every assertion, judged or not.
    pub assertions: Vec<Check>,
    /// The value of each `--extract`.
    #[serde(serialize_with = "as_map")]
    pub extracts: Vec<(String, String)>,
    /// What the server says about the failure of the deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// What was judged, by digests; absent where nothing was, or nobody wants to know.
    #[serde(skip)]
    pub judged: Option<Judged>,
}

/// What was judged, so that others can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The artifacts of the deploys, each by its name and its SHA-256 in hex.
    pub artifacts: Vec<(String, String)>,
    /// The SHA-256 of the document, in hex.
    pub document: String,
}

/// A deploy, as it was last seen. Strings are empty where the server said nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the server's own names")]
pub struct DeploySeen {
    pub id: String,
    pub build_id: String,
    pub workflow_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub class: Class,
    pub status_description: String,
    pub commit: String,
    pub created_at: String,
    pub updated_at: String,
}

/// A workflow that is gated as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkflowSeen {
    /// Its id.
    pub id: String,
    /// The server's word, `""` before it was seen.
    pub status: String,
    /// Where it was, in words.
    pub description: String,
}

/// A deploy of such a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberSeen {
    /// Id of the component, `""` where the server did not say.
    pub component_id: String,
    /// Name of the component, likewise.
    pub component_name: String,
    /// Whether it ended well, or had nothing to do.
    pub ended_well: bool,
    /// The deploy.
    #[serde(flatten)]
    pub deploy: DeploySeen,
}

impl MemberSeen {
    /// What is known of it.
    pub fn new(member: &Member) -> Self {
        let deploy = &member.deploy;
        Self {
            component_id: deploy.component_id.as_ref().map_or_else(String::new, ToString::to_string),
            component_name: deploy.component_name.clone().unwrap_or_default(),
            ended_well: member.standing == Standing::Good,
            deploy: DeploySeen::new(deploy, member.class),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        [&self.component_name, &self.component_id].into_iter().find(|name| !name.is_empty()).unwrap_or(&self.deploy.id)
    }
}

/// A change of the deploy or its status; of a workflow that is gated as a whole, of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Since the start of the run.
    pub at_ms: u64,
    /// Id of the deploy.
    pub deploy: String,
    /// The server's word, `""` where `status_v2` is absent.
    pub status: String,
    /// What it means to the gate.
    pub class: Class,
    /// The server's words for people.
    pub description: String,
    /// Name of the step, where it is one that has changed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub step: String,
}

impl Verdict {
    /// What can be said of a target about which nothing is known.
    pub fn unknown(target: &Target, ending: Ending, message: &str) -> Self {
        Self {
            install: target.install.clone(),
            component: target.component.clone(),
            ending,
            message: message.into(),
            deploy: None,
            workflow: None,
            deploys: Vec::new(),
            url: String::new(),
            belief: String::new(),
            preexisting: false,
            superseded_by: String::new(),
            polls: 0,
            requests: 0,
            noticed_after_ms: None,
            timeline: Vec::new(),
            document: Vec::new(),
            assertions: Vec::new(),
            extracts: Vec::new(),
            failure: None,
            warnings: Vec::new(),
            judged: None,
        }
    }

    /// Whether the target passed.
    pub fn is_pass(&self) -> bool {
        self.ending == Ending::Passed
    }
}

impl DeploySeen {
    /// What is known of a deploy.
    pub fn new(deploy: &Deploy, class: Class) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            id: deploy.id().to_string(),
            build_id: deploy.build_id.as_ref().map_or_else(String::new, ToString::to_string),
            workflow_id: deploy.workflow.as_ref().map_or_else(String::new, ToString::to_string),
            kind: text(&deploy.install_deploy_type),
            status: deploy.word().into(),
            class,
            status_description: deploy.description().into(),
            commit: deploy.commit().into(),
            created_at: text(&deploy.created_at),
            updated_at: text(&deploy.updated_at),
        }
    }
}

impl Report {
    /// What came of a run that is over now.
    pub fn new(
        ending: Ending,
        message: String,
        targets: Vec<Verdict>,
        started: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Self {
        Self {
            ending,
            message,
            started_at: started.map(|time| format!("{time:.3}")),
            finished_at: clock.utc().map(|time| format!("{time:.3}")),
            duration_ms: format::millis(clock.now()),
            fleet: None,
            targets,
            extracts: Vec::new(),
            run_url: String::new(),
        }
    }

    /// What the user should know of the targets from the `from`th on: each once, with how many have it.
    pub fn warnings(&self, from: usize) -> Vec<(&str, usize)> {
        let mut all: Vec<(&str, usize)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for warning in self.targets.iter().skip(from).flat_map(|verdict| &verdict.warnings) {
            let place = *places.entry(warning).or_insert(all.len());
            if place == all.len() {
                all.push((warning, 0));
            }
            all[place].1 += 1;
        }
        all
    }

    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        Duration::from_millis(self.duration_ms).as_secs_f64()
    }

    /// The only target, where there is one.
    pub fn only(&self) -> Option<&Verdict> {
        self.targets.first().filter(|_| self.fleet.is_none())
    }

    /// How many targets ended in each way, the worst first: `1 deploy-failed, 59 passed`.
    pub fn counts(&self) -> String {
        counted(self.targets.iter().map(|verdict| verdict.ending.word()))
    }

    /// How the targets of each install ended, or of each component, whichever are fewer; the worst first. Nothing where
    /// that would say no more than the counts do.
    pub fn groups(&self) -> (&'static str, Vec<(&str, String)>) {
        let by = |of: fn(&Verdict) -> &str| {
            let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
            let mut places: HashMap<&str, usize> = HashMap::new();
            for verdict in &self.targets {
                let place = *places.entry(of(verdict)).or_insert(groups.len());
                if place == groups.len() {
                    groups.push((of(verdict), Vec::new()));
                }
                groups[place].1.push(verdict.ending.word());
            }
            groups
        };
        let (installs, components) = (by(|verdict| &verdict.install), by(|verdict| &verdict.component));
        let is_shorter = installs.len() < components.len() && installs.len() > 1 || components.len() == 1;
        let (of, groups) = if is_shorter { ("install", installs) } else { ("component", components) };
        let is_one = self.targets.iter().all(|verdict| verdict.ending.word() == self.targets[0].ending.word());
        if is_one || groups.len() < 2 || groups.len() == self.targets.len() {
            return (of, Vec::new());
        }
        (of, groups.into_iter().map(|(name, words)| (name, counted(words.into_iter()))).collect())
    }

    /// How many times the gate asked for deploys, over all targets.
    pub fn polls(&self) -> u32 {
        self.targets.iter().map(|verdict| verdict.polls).sum()
    }

    /// Cuts what is too long to be told. A recording keeps it.
    pub fn shorten(&mut self) {
        format::shorten(&mut self.message);
        for verdict in &mut self.targets {
            let failure = verdict.failure.iter_mut();
            let of_failure = failure.flat_map(|it| it.words.iter_mut().chain(&mut it.log).chain([&mut it.step]));
            let of_deploy = verdict.deploy.iter_mut().map(|deploy| &mut deploy.status_description);
            let of_deploys = verdict.deploys.iter_mut().map(|member| &mut member.deploy.status_description);
            let of_deploy = of_deploy.chain(of_deploys);
            let of_timeline = verdict.timeline.iter_mut().map(|moment| &mut moment.description);
            let texts = of_failure.chain(of_deploy).chain(of_timeline).chain(&mut verdict.warnings);
            texts.chain([&mut verdict.message]).for_each(format::shorten);
        }
    }

    /// Takes note of an output that could not be written. A pass that cannot be shown is none; any other ending stays.
    pub fn lose(&mut self, lost: &str) {
        if self.ending == Ending::Passed {
            self.ending = Ending::OutputNotWritten;
        }
        self.message = format!("{lost}; otherwise: {}", self.message);
    }

    /// The outputs for later steps of a pipeline: always all of them, empty where unknown. Of many targets, none speaks
    /// for the others: what belongs to one is empty.
    pub fn outputs(&self) -> Vec<(&str, String)> {
        let verdict = self.only();
        let deploy = verdict.and_then(|verdict| verdict.deploy.as_ref());
        let of_deploy = |field: fn(&DeploySeen) -> &String| deploy.map(field).cloned().unwrap_or_default();
        let workflow = verdict.and_then(|verdict| verdict.workflow.as_ref());
        let of_workflow = |field: fn(&WorkflowSeen) -> &String| workflow.map(field).cloned();
        let own = [
            self.ending.outcome().name().into(),
            self.ending.reason().into(),
            self.ending.code().to_string(),
            of_deploy(|deploy| &deploy.id),
            of_deploy(|deploy| &deploy.build_id),
            of_workflow(|workflow| &workflow.id).unwrap_or_else(|| of_deploy(|deploy| &deploy.workflow_id)),
            of_workflow(|workflow| &workflow.status).unwrap_or_else(|| of_deploy(|deploy| &deploy.status)),
            of_workflow(|workflow| &workflow.description)
                .unwrap_or_else(|| of_deploy(|deploy| &deploy.status_description)),
            of_deploy(|deploy| &deploy.commit),
            verdict.map(|verdict| verdict.url.clone()).unwrap_or_default(),
            self.duration_ms.to_string(),
            self.polls().to_string(),
        ];
        let value = |name| {
            let of_deploy = verdict.and_then(|verdict| verdict.extracts.iter().find(|(other, _)| other == name));
            of_deploy.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        OUTPUTS.into_iter().zip(own).chain(self.extracts.iter().map(|name| (name.as_str(), value(name)))).collect()
    }
}

/// How often each word is there, in the order in which they come: `1 error, 2 active`.
pub fn counted<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match counts.iter_mut().find(|(counted, _)| *counted == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    counts.join(", ")
}

/// The names of the outputs that every run has.
pub const OUTPUTS: [&str; 12] = [
    "outcome",
    "reason",
    "exit-code",
    "deploy-id",
    "build-id",
    "workflow-id",
    "status",
    "status-description",
    "commit",
    "url",
    "duration-ms",
    "polls",
];

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
