//! What a run does in the world: asks, waits and tells. Whatever is decided is decided elsewhere.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::base::clock::{Clock, Signal};
use crate::base::outcome::Ending;
use crate::base::source::{Fault, Request, Source};
use crate::nuon::deploy::Deploy;
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::{self, Answered, Look, Unread, Whole};
use crate::nuon::target::{Target, segment};
use crate::nuon::workflow::Workflow;
use crate::report::progress::Progress;
use crate::run::config::{ApiContext, DeployPath};
use crate::run::shared::{Given, Shared, Since};
use crate::text::format;
use crate::text::redact::Secrets;
use crate::watch::step::Ask;

/// How many records a page of the server has at most.
const PAGE: usize = 100;
/// How many pages are read of anything.
const PAGES: usize = 100;
/// For how long a list of installs shows that each is there.
const LISTED: Duration = Duration::from_secs(60);
/// How old an answer may be that another target got.
const FRESH: Duration = Duration::from_secs(1);
/// How much earlier than a look an install may have been seen by another target.
const INSTALL: Duration = Duration::from_secs(2);
/// When a request is sent again whose token was refused, though the server took it before: its file may be written just
/// now.
const ROTATION: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// The world, for the time of one run.
pub struct Session<'w, 'p> {
    /// Whom to ask.
    pub source: &'w mut dyn Source,
    /// Time.
    pub clock: &'w mut dyn Clock,
    /// The log.
    pub progress: &'w mut Progress<'p>,
    /// Makes the trace ids.
    pub dice: &'w mut fastrand::Rng,
    /// The id of the latest request.
    pub trace: String,
    /// When what only explains must be over; a look takes as long as its requests do.
    until: Option<Duration>,
    /// Where the API is, and what the run has found out about it.
    pub api: &'w ApiContext,
    /// What must not be told.
    secrets: Secrets,
    /// How many requests were sent.
    pub requests: u32,
    /// What the targets of the run share, and since when an answer must have been asked for to be one for this look: since
    /// it was due, and then since the answer before it came.
    pub shared: Option<(Arc<Shared>, Duration)>,
    /// Whether other targets may look at the same deploys: those of a workflow.
    pub shares_deploys: bool,
    /// How long the server wants to be left alone by everybody, if an answer said so; zero if it did not say how long.
    pub overload: Option<Duration>,
}

impl<'w, 'p> Session<'w, 'p> {
    /// A session that has not asked yet.
    pub fn new(
        source: &'w mut dyn Source,
        clock: &'w mut dyn Clock,
        progress: &'w mut Progress<'p>,
        dice: &'w mut fastrand::Rng,
        api: &'w ApiContext,
    ) -> Self {
        let secrets = progress.secrets().clone();
        Self {
            secrets,
            source,
            clock,
            progress,
            dice,
            trace: String::new(),
            until: None,
            api,
            requests: 0,
            shared: None,
            shares_deploys: false,
            overload: None,
        }
    }

    /// Sends one GET; and again where the token that was sent may just have been replaced.
    pub fn get(&mut self, path: &str) -> Answered {
        let mut answer = self.send(path);
        for wait in ROTATION {
            let is_refused = answer.as_ref().is_ok_and(|response| response.status == 401);
            let may_be_new = self.api.token_rotates && self.api.is_known.get().is_some();
            if !is_refused || !may_be_new || self.until.is_some() {
                break;
            }
            let why = format!("401: the token file is read again in {}", format::duration(wait));
            self.progress.say(self.clock.now(), &why);
            if let Some(signal) = self.clock.sleep(wait) {
                return Err(Fault::Interrupted(signal));
            }
            answer = self.send(path);
        }
        if answer.as_ref().is_ok_and(|response| response.status == 200) {
            self.api.is_known.get_or_init(|| ());
        }
        if let Some((_, since)) = &mut self.shared {
            *since = self.clock.now();
        }
        answer
    }

    /// The same for what other targets may ask for as well. `slack` is how much earlier than this look a good answer may
    /// have been asked for. Also gives when it was.
    fn get_shared(&mut self, path: &str, slack: Duration) -> (Answered, Duration) {
        let now = self.clock.now();
        let Some((shared, due)) = self.shared.clone().filter(|_| self.until.is_none()) else {
            return (self.get(path), now);
        };
        // However late this look comes, what it shows is of now.
        let any = due.max(now.saturating_sub(FRESH));
        let since = Since { any, good: any.saturating_sub(slack) };
        let given = shared.answer(path, since, now, || {
            let answer = self.get(path);
            Given { answer, trace: self.trace.clone(), asked: now, came: self.clock.now() }
        });
        if given.trace != self.trace {
            self.trace.clone_from(&given.trace);
            self.progress
                .say_more(self.clock.now(), &format!("GET {path}: as for another target (trace {})", self.trace));
        }
        // What is asked for next is as old for all who have this answer.
        self.shared = Some((shared, due.max(given.came)));
        (given.answer, given.asked)
    }

    fn send(&mut self, path: &str) -> Answered {
        self.trace =
            uuid::Builder::from_random_bytes(std::array::from_fn(|_| self.dice.u8(..))).into_uuid().to_string();
        let at = self.clock.now();
        let within = self.until.map_or(Duration::MAX, |until| until.saturating_sub(at));
        let request = Request { path: path.into(), at, within, trace: self.trace.clone() };
        let asked = self.clock.utc();
        let answer = self.secrets.clean(self.source.ask(&request));
        self.requests += 1;
        if let Ok(response) = &answer {
            self.overload = self.overload.max(look::overload(response, self.clock.utc()));
            self.api.compare_clocks(response, asked.zip(self.clock.utc()));
        }
        let status = answer.as_ref().map_or_else(|_| "no answer".into(), |response| response.status.to_string());
        self.progress.say_more(self.clock.now(), &format!("GET {path}: {status} (trace {})", self.trace));
        answer
    }

    /// Looks at what the watch asks for.
    ///
    /// # Errors
    /// The signal that ended the look.
    pub fn look(&mut self, ask: &Ask, target: &Target) -> Result<Look, Signal> {
        match ask {
            Ask::Latest => {
                let answer = self.get(&target.latest());
                look::deploy(answer, None, target, self.clock.utc())
            }
            Ask::Deploy(id) => self.deploy(id, target),
            Ask::DeployOfInstall(id) => {
                let answer = self.get(&target.deploy_by_install(id));
                look::deploy_of_install(answer, id, target, self.clock.utc())
            }
            Ask::Workflow(id) => match self.workflow(id, target) {
                Ok(look) => Ok(look),
                Err(Unread::Look(look)) => Ok(*look),
                Err(Unread::Signal(signal)) => Err(signal),
            },
            Ask::Deploys(since) => match self.deploys(target, *since) {
                Ok(deploys) => Ok(Look::Deploys(deploys)),
                Err(Unread::Look(look)) => Ok(*look),
                Err(Unread::Signal(signal)) => Err(signal),
            },
            Ask::Queue(id) => {
                let (answer, _) =
                    self.get_shared(&format!("/v1/workflows/{}/queue-position", segment(id)), Duration::ZERO);
                look::queue(answer, self.clock.utc())
            }
            Ask::Run(run) => {
                let answer = self.get(&run.path());
                look::run(answer, run, self.clock.utc())
            }
            Ask::Updated(run, id) => {
                let answer = self.get(&run.installs(id));
                look::updated(answer, self.clock.utc())
            }
            Ask::Install if self.is_listed(target) => Ok(Look::Install(Whole::default())),
            Ask::Install => {
                let (answer, _) = self.get_shared(&target.install(), INSTALL);
                look::install(answer, target, self.clock.utc())
            }
        }
    }

    /// Whether the list of targets has just shown that the install is there.
    fn is_listed(&self, target: &Target) -> bool {
        let since = self.clock.now().saturating_sub(LISTED);
        self.shared.as_ref().is_some_and(|(shared, _)| shared.is_listed(&target.install, since))
    }

    /// From now on only what explains is asked for, and that must be over then; or no more.
    pub fn explain_until(&mut self, until: Option<Duration>) {
        self.until = until;
    }

    /// The deploys that were made since then, or the newest page of them.
    fn deploys(&mut self, target: &Target, since: Option<Timestamp>) -> Result<Vec<Deploy>, Unread> {
        let strange = |why: String| Unread::from(Look::Missed(look::Miss::new(format!("200, but {why}"))));
        let is_old = |deploy: &Value| {
            let made = deploy["created_at"].as_str().and_then(|made| made.parse::<Timestamp>().ok());
            since.zip(made).is_some_and(|(since, made)| made < since)
        };
        let enough = |listed: &[Value]| match since {
            None => listed.len() >= PAGE,
            Some(_) => listed.last().is_some_and(is_old),
        };
        let listed = self.pages_until(&target.deploys(), None, enough)?;
        look::deploys(listed).map_err(strange)
    }

    /// The deploy by its id. Its component is part of the newer path, so that one answer of the older serves all targets.
    fn deploy(&mut self, id: &DeployId, target: &Target) -> Result<Look, Signal> {
        let known = self.shared.as_ref().and_then(|(shared, _)| shared.component(id));
        if let Some(another) = known.filter(|component| *component != target.component) {
            return Ok(Look::Another(look::Miss::new(format!("the deploy is of another component, {another}"))));
        }
        // What one path does not know, the other is asked for: the first 404 may have come from a replica that lags.
        let paths = match self.api.deploy_path.get() {
            Some(DeployPath::Older) => [DeployPath::Older, DeployPath::Newer],
            Some(DeployPath::Newer) => [DeployPath::Newer, DeployPath::Older],
            None if self.shares_deploys => [DeployPath::Older, DeployPath::Newer],
            None => [DeployPath::Newer, DeployPath::Older],
        };
        let mut look = Look::Absent(look::Miss::default());
        for (nth, path) in paths.iter().enumerate() {
            let answer = match path {
                DeployPath::Newer => self.get(&target.deploy(id)),
                DeployPath::Older => self.get_shared(&target.deploy_by_install(id), Duration::ZERO).0,
            };
            if let (Some((shared, _)), Ok(response)) = (&self.shared, &answer)
                && let Some((deploy, component)) = look::component_of(response)
            {
                shared.learn(&deploy, &component);
            }
            look = look::deploy(answer, Some(id), target, self.clock.utc())?;
            match look {
                Look::Absent(_) => {}
                Look::Seen(..) if nth > 0 => {
                    self.api.deploy_path.get_or_init(|| *path);
                    break;
                }
                _ => break,
            }
        }
        Ok(look)
    }

    /// The workflow with all its steps, which some servers do not embed.
    fn workflow(&mut self, id: &WorkflowId, target: &Target) -> Result<Look, Unread> {
        let path = format!("/v1/workflows/{}", segment(id));
        let (answer, began) = self.get_shared(&path, Duration::ZERO);
        let (workflow, whole) = match look::workflow(answer, id, target, self.clock.utc())? {
            Look::Workflow(workflow, whole) if workflow.steps().next().is_none() => (workflow, whole),
            look => return Ok(look),
        };
        let missed = |why: String| Look::Missed(look::Miss::new(format!("200, but {why}")));
        let steps = match self.pages_until(&format!("{path}/steps"), Some(began), |_| false) {
            Ok(steps) => steps,
            // There is no list but the empty one.
            Err(Unread::Look(look)) if workflow.steps.is_some() && matches!(*look, Look::Absent(_)) => Vec::new(),
            Err(other) => return Err(other),
        };
        let mut value = whole.read().map_err(missed)?;
        value["steps"] = Value::Array(steps);
        let workflow = Workflow::deserialize(&value)
            .map_err(|error| missed(format!("the steps of the workflow are strange ({error})")))?;
        Ok(Look::Workflow(Box::new(workflow), Whole::Value(value)))
    }

    /// Every element of a list that the server gives page by page.
    ///
    /// # Errors
    /// The first look that is not a page, or a signal.
    pub fn pages(&mut self, path: &str) -> Result<Vec<Value>, Unread> {
        self.pages_until(path, None, |_| false)
    }

    /// Until there are enough. `since` is for pages that other targets may ask for as well: when what they belong to was.
    fn pages_until(
        &mut self,
        path: &str,
        since: Option<Duration>,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>, Unread> {
        let mut elements: Vec<Value> = Vec::new();
        let missed = |why: &str| Err(Look::Missed(look::Miss::new(why)).into());
        for _ in 0..PAGES {
            let page = format!("{path}?limit={PAGE}&offset={}", elements.len());
            let answer = match (since, &mut self.shared) {
                (Some(since), Some((_, any))) => {
                    *any = since;
                    self.get_shared(&page, Duration::ZERO).0
                }
                _ => self.get(&page),
            };
            let next = answer.as_ref().ok().and_then(|response| response.header("x-nuon-page-next"));
            let next = next.map(|next| next == "true");
            let Value::Array(found) = look::json(answer, self.clock.utc())? else {
                return missed("200, but the body is not a list");
            };
            let count = found.len();
            let is_again = !elements.is_empty() && found.first().is_none_or(|first| elements.first() == Some(first));
            match next {
                Some(true) if is_again || count == 0 => return missed("200, but no page follows where one should"),
                // Not every server has pages.
                None if is_again => return Ok(elements),
                _ => elements.extend(found),
            }
            // A proxy may have dropped the header; then a full page may have another behind it.
            if !next.unwrap_or(count == PAGE) || enough(&elements) {
                return Ok(elements);
            }
        }
        let why = format!("there are more than {PAGES} pages of {path}");
        Err(Look::Refused(Ending::BadAnswer, why).into())
    }

    /// Whether a signal has come.
    pub fn interrupted(&mut self) -> Option<Signal> {
        self.clock.sleep(Duration::ZERO)
    }
}
