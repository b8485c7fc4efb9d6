//! Asks for all that a run needs before it waits, each thing once, and says what to do where something is wrong.

use jiff::Timestamp;

use crate::base::clock::Signal;
use crate::base::outcome::Ending;
use crate::base::source::{Fault, Response};
use crate::nuon::failure;
use crate::nuon::id::{Id, InstallId, WorkflowId};
use crate::nuon::look::{Look, Unread};
use crate::nuon::target::{Target, segment};
use crate::nuon::workflow::Stage;
use crate::run::config::GateConfig;
use crate::run::names;
use crate::run::session::Session;
use crate::run::spec::{Choice, TargetSpec, Wanted};
use crate::text::format;
use crate::watch::rules::Scope;
use crate::watch::schedule::Schedule;
use crate::watch::step::Ask;
use crate::watch::words::{spoken, why};

/// How many of many targets are asked for.
const ASKED: usize = 10;

/// What to do where the token is not taken.
const TOKEN: &str = "log in again, or set NUON_API_TOKEN (or --token-file) to a token of this API that has not expired";
/// Where it is another's.
const ORG: &str = "--org (NUON_ORG_ID) must be the organization of the install, and the token's role must reach it";

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it; `""` where nothing is to be done.
    pub remedy: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It may not be meant so.
    Warning,
    /// A run would not pass.
    Failed,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
        }
    }
}

impl Finding {
    /// Something is as it should be.
    pub fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, state: State::Ok, found: found.into(), remedy: String::new() }
    }

    /// Something may not be meant so.
    pub fn warning(what: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { what, state: State::Warning, found: found.into(), remedy: remedy.into() }
    }

    /// Something is wrong.
    pub fn failed(what: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self { what, state: State::Failed, found: found.into(), remedy: remedy.into() }
    }
}

/// Whether to go on with what depends on it.
type Go = Result<bool, Signal>;

/// Asks for everything; what it finds is added to `findings`, in order. Where something that the rest depends on is wrong,
/// the rest is not asked for.
///
/// # Errors
/// The signal that came first.
pub fn examine(
    wanted: &Wanted,
    config: &GateConfig,
    has_token: bool,
    session: &mut Session<'_, '_>,
    findings: &mut Vec<Finding>,
) -> Result<(), Signal> {
    let mut examination = Examination { config, has_token, session, findings };
    if !examination.connection()? {
        return Ok(());
    }
    match wanted {
        Wanted::Run(spec, choice) => examination.run(spec, choice),
        Wanted::Chosen(chosen) => examination.targets(&chosen.specs),
        Wanted::Query(query, choice) => {
            let (first, longest) = config.intervals;
            // Once: what fails now is told.
            let now = examination.session.clock.now();
            match query.find(examination.session, Schedule::new(first, longest, 0), now) {
                Err((Ending::Interrupted(signal), _)) => Err(signal),
                Err((ending, why)) => {
                    examination.refused(
                        "targets",
                        ending,
                        &why,
                        "check --app (NUON_APP_ID) or --install (NUON_INSTALL_ID)",
                    );
                    Ok(())
                }
                Ok(targets) => {
                    let specs = targets.into_iter().map(|target| TargetSpec::of_deploy(target, query.pins.clone()));
                    let specs: Vec<TargetSpec> = specs.collect();
                    let (all, remedy) = (specs.len(), "what the token may not read is not listed");
                    let found = format!("{query}: {all}");
                    match choice.clone().of(specs) {
                        Err(why) => examination.findings.push(Finding::failed("targets", why, remedy)),
                        Ok(_) if all == 0 => examination.findings.push(Finding::failed("targets", found, remedy)),
                        Ok(chosen) => {
                            examination.findings.push(Finding::ok("targets", found));
                            return examination.targets(&chosen.specs);
                        }
                    }
                    Ok(())
                }
            }
        }
    }
}

struct Examination<'e, 'w, 'p> {
    config: &'e GateConfig,
    has_token: bool,
    session: &'e mut Session<'w, 'p>,
    findings: &'e mut Vec<Finding>,
}

impl Examination<'_, '_, '_> {
    /// Host, port, proxy and TLS: anything that answers is a connection. The path needs no token.
    fn connection(&mut self) -> Go {
        let url = &self.config.api.url;
        let (finding, is_there) = match self.session.get("/v1/general/cli-config") {
            Err(Fault::Interrupted(signal)) => return Err(signal),
            Err(Fault::Transient(why) | Fault::Final(why)) => {
                (Finding::failed("connection", format!("{url}: {why}"), remedy(&why)), false)
            }
            Err(Fault::TooLarge) => {
                (Finding::failed("connection", format!("{url}: its answer is too large"), HOST), false)
            }
            Ok(response) if is_json(&response) => (Finding::ok("connection", format!("{url} answers")), true),
            Ok(Response { status, .. }) => {
                let found = format!("{url} answers {status} and no JSON, which is not how the API does");
                (Finding::warning("connection", found, HOST), true)
            }
        };
        self.findings.push(finding);
        if let (true, Some(ahead)) = (is_there, self.config.api.ahead.get()) {
            let found = format!("this machine and the server differ by {}", format::duration(ahead.unsigned_abs()));
            let remedy = "pin by ids: --after with a time depends on both clocks";
            self.findings.push(Finding::warning("clock", found, remedy));
        }
        if !self.has_token {
            self.findings.push(Finding::failed("token", "there is none", TOKEN));
        }
        Ok(is_there && self.has_token)
    }

    /// Something that the server would not say.
    fn refused(&mut self, what: &'static str, ending: Ending, why: &str, remedy: &str) {
        let trace = &self.session.trace;
        let found = if why.contains(trace.as_str()) { why.to_owned() } else { format!("{why} (trace {trace})") };
        self.findings.push(match ending {
            Ending::Unauthorized => Finding::failed("token", found, TOKEN),
            Ending::Forbidden if what != "workflow" => Finding::failed("org", found, ORG),
            _ => Finding::failed(what, found, remedy),
        });
    }

    /// The same of a look that did not show what it was to show.
    fn unseen(&mut self, what: &'static str, look: &Look, remedy: &str) -> bool {
        let (ending, remedy) = match look {
            Look::Refused(ending, _) => (*ending, remedy),
            Look::Missed(_) => (Ending::Unreachable, "no usable answer this time: ask again, and look at the server"),
            _ => (Ending::NotFound, remedy),
        };
        self.refused(what, ending, &why(look), remedy);
        false
    }

    fn targets(&mut self, specs: &[TargetSpec]) -> Result<(), Signal> {
        for (nth, spec) in specs.iter().take(ASKED).enumerate() {
            // A token that is not taken for one is not taken for the next.
            if !self.target(spec, nth == 0)? && nth == 0 {
                return Ok(());
            }
        }
        if specs.len() > ASKED {
            let found = format!("{} more are not asked for", specs.len() - ASKED);
            self.findings.push(Finding::warning("targets", found, "wait asks for all of them"));
        }
        Ok(())
    }

    fn target(&mut self, spec: &TargetSpec, is_first: bool) -> Go {
        let Some(target) = self.install(&spec.target, is_first)? else { return Ok(false) };
        let mut workflow = spec.pins.workflow().cloned();
        if spec.scope == Scope::Deploy {
            let Some(target) = self.component(&target)? else { return Ok(true) };
            let seen = self.deploy(spec, &target)?;
            workflow = workflow.or(seen);
        }
        if let Some(id) = workflow {
            let pinned = "the token's role must read workflows; --until applied does without their word";
            match self.session.look(&Ask::Workflow(id.clone()), &target)? {
                Look::Workflow(workflow, _) => {
                    let found = format!("{id}: {}, {} steps", workflow.stage().told(), workflow.steps().count());
                    self.findings.push(Finding::ok("workflow", found));
                }
                look @ (Look::Absent(_) | Look::Another(_)) => {
                    self.unseen("workflow", &look, "check --workflow (DEPLOY_GATE_WORKFLOW): is it of this install?");
                }
                look => drop(self.unseen("workflow", &look, pinned)),
            }
        }
        Ok(true)
    }

    /// The install with its id, if it is there. The first answer also shows whether the token is taken.
    fn install(&mut self, target: &Target, is_first: bool) -> Result<Option<Target>, Signal> {
        let remedy = "check --install (NUON_INSTALL_ID), and --org (NUON_ORG_ID): another organization's is not there";
        match names::ask_for_install(&target.install, self.session) {
            Err(Unread::Signal(signal)) => Err(signal),
            Err(Unread::Look(look)) => {
                self.unseen("install", &look, remedy);
                Ok(None)
            }
            Ok(install) => {
                if is_first {
                    self.findings.push(Finding::ok("token", "the server takes it"));
                    let org = self.config.api.org.as_deref();
                    self.findings.push(match org {
                        Some(org) => Finding::ok("org", org),
                        None => Finding::ok("org", "none is sent, and none is needed"),
                    });
                }
                let text = |name: &str| install[name].as_str().unwrap_or_default().to_owned();
                self.findings.push(Finding::ok("install", format!("{} {}", text("id"), text("name"))));
                let found = InstallId::new(text("id")).unwrap_or_else(|| target.install.clone());
                Ok(Some(Target { install: found, component: target.component.clone() }))
            }
        }
    }

    /// The target by its ids, if the install has the component.
    fn component(&mut self, target: &Target) -> Result<Option<Target>, Signal> {
        let remedy = "check --component (NUON_COMPONENT_ID); where the deploy itself adds it, wait waits for that";
        let found = match names::resolve(target, self.session) {
            Ok(found) => found,
            Err(Unread::Signal(signal)) => return Err(signal),
            Err(Unread::Look(look)) => {
                self.unseen("component", &look, remedy);
                return Ok(None);
            }
        };
        let listed = match self.session.pages(&format!("/v1/installs/{}/components", segment(&found.install))) {
            Ok(listed) => listed,
            Err(Unread::Signal(signal)) => return Err(signal),
            Err(Unread::Look(look)) if matches!(*look, Look::Refused(Ending::Forbidden, _) | Look::Absent(_)) => {
                let why = format!("{} is not checked: the install's components cannot be listed", found.component);
                self.findings.push(Finding::warning("component", why, remedy));
                return Ok(Some(found));
            }
            Err(Unread::Look(look)) => {
                self.unseen("component", &look, remedy);
                return Ok(None);
            }
        };
        let is_it = |entry: &serde_json::Value| {
            [&entry["component_id"], &entry["component"]["id"]].iter().any(|id| **id == *found.component)
        };
        match listed.iter().find(|entry| is_it(entry)) {
            Some(entry) => {
                let name = entry["component"]["name"].as_str().unwrap_or_default();
                self.findings.push(Finding::ok("component", format!("{} {name}", found.component)));
            }
            None => {
                let why = format!("the install {} has no component {}", found.install, found.component);
                self.findings.push(Finding::failed("component", why, remedy));
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The deploy that is pinned, or the latest, by its id; and its workflow.
    fn deploy(&mut self, spec: &TargetSpec, target: &Target) -> Result<Option<WorkflowId>, Signal> {
        let id = match &spec.pins.deploy {
            Some(id) => id.clone(),
            None => match self.session.look(&Ask::Latest, target)? {
                Look::Seen(deploy, _) => deploy.id().clone(),
                Look::Absent(_) => {
                    self.findings.push(Finding::ok("deploy", "none yet; --after none means the first"));
                    return Ok(None);
                }
                look => {
                    self.unseen("deploy", &look, "the token's role must read the deploys of the install");
                    return Ok(None);
                }
            },
        };
        if let Some(baseline) = spec.pins.baseline().filter(|baseline| **baseline != id) {
            let remedy = "--after (DEPLOY_GATE_AFTER) takes a deploy of this component, a time, or none";
            match self.session.look(&Ask::Deploy(baseline.clone()), target)? {
                Look::Seen(..) => self.findings.push(Finding::ok("after", baseline.to_string())),
                look => drop(self.unseen("after", &look, remedy)),
            }
        }
        if spec.pins.any() && !spec.pins.identify() {
            let remedy = "others that match the pins are looked for there; --workflow needs no list";
            match self.session.look(&Ask::Deploys(Some(Timestamp::MAX)), target)? {
                Look::Deploys(_) => {}
                look => drop(self.unseen("deploys", &look, remedy)),
            }
        }
        match self.session.look(&Ask::Deploy(id.clone()), target)? {
            Look::Seen(deploy, whole) => {
                let pinned = if spec.pins.deploy.is_some() { "" } else { "the latest, " };
                let found = format!("{pinned}{id}: {}", spoken(deploy.word()));
                self.findings.push(Finding::ok("deploy", found));
                self.log_stream(whole.read().unwrap_or_default())?;
                Ok(deploy.workflow.clone())
            }
            look => {
                let named = "check --deploy (DEPLOY_GATE_DEPLOY): is it of this component and install?";
                let latest = "the token's role must read the deploys of the install by their ids, too";
                self.unseen("deploy", &look, if spec.pins.deploy.is_some() { named } else { latest });
                Ok(None)
            }
        }
    }

    /// The log that a failure is explained with.
    fn log_stream(&mut self, deploy: serde_json::Value) -> Result<(), Signal> {
        let Some(stream) = failure::log_stream(&deploy) else { return Ok(()) };
        match self.session.get(&format!("/v1/log-streams/{}/logs?order=desc", segment(stream))) {
            Err(Fault::Interrupted(signal)) => return Err(signal),
            Ok(response) if response.status == 200 => self.findings.push(Finding::ok("log", stream.to_string())),
            answer => {
                let why = answer.map_or_else(|_| "no answer".into(), |response| response.status.to_string());
                let remedy = "a failure is told without the lines of its log";
                self.findings.push(Finding::warning("log", format!("{stream} cannot be read: {why}"), remedy));
            }
        }
        Ok(())
    }

    fn run(&mut self, spec: &TargetSpec, choice: &Choice) -> Result<(), Signal> {
        let TargetSpec { target, scope: Scope::Run(run), .. } = spec else { return Ok(()) };
        let remedy = "check --branch-run APP/BRANCH/RUN, and --org (NUON_ORG_ID)";
        match self.session.look(&Ask::Run(run.clone()), target)? {
            Look::Run(workflow, id) => {
                self.findings.push(Finding::ok("run", format!("{id}: {}", workflow.stage().told())));
                match self.session.look(&Ask::Updated(run.clone(), id), target)? {
                    Look::Updated(updated) => {
                        let goes_on = matches!(workflow.stage(), Stage::Running(_) | Stage::Waiting(_));
                        self.findings.push(match choice.quorum(updated.len()) {
                            Err(why) if !goes_on => Finding::failed("targets", why, remedy),
                            _ => Finding::ok("targets", format!("{} installs so far", updated.len())),
                        });
                        let begun =
                            updated.iter().filter_map(|entry| entry.install.clone().zip(entry.workflow.clone()));
                        let specs: Vec<TargetSpec> =
                            begun.map(|(install, workflow)| TargetSpec::of_workflow(install, workflow)).collect();
                        self.targets(&specs)?;
                    }
                    look => drop(self.unseen("targets", &look, remedy)),
                }
            }
            look => drop(self.unseen("run", &look, remedy)),
        }
        Ok(())
    }
}

/// Where it may be another host.
const HOST: &str = "is --api-url (NUON_API_URL) the API, and not its dashboard or a page to log in?";

/// What to do where there is no connection, by what went wrong.
const REMEDIES: [(&str, &str); 7] = [
    ("through the proxy", "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY name that proxy; NO_PROXY exempts a host"),
    ("does not resolve", "check the host in --api-url (NUON_API_URL), and the DNS of this machine or container"),
    ("certificate", "a private CA belongs in --ca-file (DEPLOY_GATE_CA_FILE); a proxy that opens TLS has one, too"),
    ("does not speak TLS", "write http:// in --api-url if that is meant (--allow-http), or the port of its HTTPS"),
    ("refused", "nothing listens at that host and port: check --api-url (NUON_API_URL), VPN and firewall"),
    (
        "no whole answer",
        "a firewall may drop the packets; --request-timeout (DEPLOY_GATE_REQUEST_TIMEOUT) is the limit",
    ),
    ("token file", "--token-file (NUON_API_TOKEN_FILE) must name a file that holds the token alone"),
];

fn remedy(why: &str) -> &'static str {
    REMEDIES.iter().find(|(part, _)| why.contains(part)).map_or(HOST, |(_, remedy)| remedy)
}

fn is_json(response: &Response) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok()
}
