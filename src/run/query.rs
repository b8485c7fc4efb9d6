//! Targets that the server lists: every install of an app, every component of an install.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::base::outcome::Ending;
use crate::nuon::id::{self, AppId, ComponentId, InstallId};
use crate::nuon::look::{Look, Miss, Unread};
use crate::nuon::target::{Target, segment};
use crate::run::names;
use crate::run::session::Session;
use crate::watch::pin::Pins;
use crate::watch::schedule::Schedule;

/// What is asked of the server's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which list.
    pub list: List,
    /// Which deploy of each target is meant.
    pub pins: Pins,
}

/// A list of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// Every install of an app that has all labels, each with these components.
    Installs {
        /// The app, by id or name.
        app: AppId,
        /// What each install must be labelled with.
        labels: Vec<Label>,
        /// The components, by id or name.
        components: Vec<ComponentId>,
    },
    /// Every component of an install that is not disabled.
    Components {
        /// The install, by id or name.
        install: InstallId,
    },
}

/// `--label K=V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    key: String,
    value: String,
}

impl std::str::FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok(Self { key: key.trim().into(), value: value.trim().into() })
            }
            _ => Err("it should be KEY=VALUE".into()),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.list {
            List::Installs { app, labels, .. } => {
                write!(f, "every install of the app {app}")?;
                labels.iter().enumerate().try_for_each(|(nth, label)| {
                    write!(f, "{} {label}", if nth == 0 { " with the label" } else { " and" })
                })
            }
            List::Components { install } => write!(f, "every component of the install {install}"),
        }
    }
}

/// An install of a list.
#[derive(Deserialize)]
struct Install {
    #[serde(default, deserialize_with = "id::optional")]
    id: Option<InstallId>,
    #[serde(default)]
    labels: Option<BTreeMap<String, Value>>,
}

/// A component of an install, in a list.
#[derive(Deserialize)]
struct Component {
    #[serde(default, deserialize_with = "id::optional")]
    component_id: Option<ComponentId>,
    /// Absent where it cannot be disabled.
    #[serde(default)]
    enabled: Option<bool>,
}

impl Query {
    /// Asks until the list is there, like for everything else: until the deadline, and again after what is transient.
    ///
    /// # Errors
    /// How the run ends without a list, and why.
    pub fn find(
        &self,
        session: &mut Session<'_, '_>,
        mut schedule: Schedule,
        deadline: Duration,
    ) -> Result<BTreeSet<Target>, (Ending, String)> {
        let mut said = String::new();
        loop {
            let (miss, trace) = match self.ask(session) {
                Ok(targets) => return Ok(targets),
                Err(Unread::Signal(signal)) => return Err((Ending::Interrupted(signal), "no list yet".into())),
                Err(Unread::Look(look)) => match *look {
                    Look::Refused(ending, why) => return Err((ending, format!("{why} (trace {})", session.trace))),
                    Look::Absent(miss) => {
                        return Err((Ending::NotFound, format!("{self}: {} (trace {})", miss.why, session.trace)));
                    }
                    Look::Missed(miss) => (miss, session.trace.clone()),
                    _ => (Miss::new("the answer is to another question"), session.trace.clone()),
                },
            };
            let now = session.clock.now();
            if said != miss.why {
                session.progress.say(now, &format!("no usable list: {} (trace {trace})", miss.why));
                said.clone_from(&miss.why);
            }
            let (left, floor) = (deadline.saturating_sub(now), miss.retry_after.unwrap_or_default());
            if left.is_zero() || floor > left {
                return Err((Ending::Unreachable, format!("no usable list: {} (trace {trace})", miss.why)));
            }
            if let Some(signal) = session.clock.sleep(schedule.next_wait().min(left).max(floor)) {
                return Err((Ending::Interrupted(signal), "no list yet".into()));
            }
        }
    }

    /// The targets that the server lists now, each once, in the order of their ids.
    fn ask(&self, session: &mut Session<'_, '_>) -> Result<BTreeSet<Target>, Unread> {
        match &self.list {
            List::Installs { app, labels, components } => {
                let listed = session.pages(&format!("/v1/apps/{}/installs", segment(app)))?;
                let mut targets = BTreeSet::new();
                for install in read::<Install>(listed)? {
                    let id = install.id.ok_or_else(|| strange("an install without an id"))?;
                    let own = install.labels.unwrap_or_default();
                    // Older servers know no labels in the query and give all.
                    if !labels.iter().all(|label| own.get(&label.key).is_some_and(|value| *value == *label.value)) {
                        continue;
                    }
                    let target = |component: &ComponentId| Target { install: id.clone(), component: component.clone() };
                    targets.extend(components.iter().map(target));
                }
                Ok(targets)
            }
            List::Components { install } => {
                let install = names::install_id(install, session)?;
                let listed = session.pages(&format!("/v1/installs/{}/components", segment(&install)))?;
                let mut targets = BTreeSet::new();
                for component in read::<Component>(listed)? {
                    let id = component.component_id.ok_or_else(|| strange("a component without an id"))?;
                    if component.enabled != Some(false) {
                        targets.insert(Target { install: install.clone(), component: id });
                    }
                }
                Ok(targets)
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(listed: Vec<Value>) -> Result<Vec<T>, Unread> {
    listed.into_iter().map(|value| serde_json::from_value(value).map_err(|error| strange(&error.to_string()))).collect()
}

fn strange(why: &str) -> Unread {
    Look::Missed(Miss::new(format!("200, but the list is strange: {why}"))).into()
}
