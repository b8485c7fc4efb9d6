//! What has become of a target, as the gate knows it.

use serde_json::Value;

use crate::base::clock::Clock;
use crate::base::digest;
use crate::base::outcome::Ending;
use crate::judge::assertion::Check;
use crate::judge::document::Document;
use crate::nuon::workflow::Stage;
use crate::report::result::{DeploySeen, Judged, MemberSeen, Moment, Verdict, WorkflowSeen};
use crate::run::gate::Gate;
use crate::text::format;
use crate::watch::rules::Scope;

impl Gate {
    /// What has become of the target, as it is known now.
    pub fn verdict(&mut self, ending: Ending, message: String, clock: &dyn Clock) -> Verdict {
        let pins = &self.watch.rules().pins;
        let mine = self.watch.mine();
        let is_whole = self.watch.rules().scope == Scope::Workflow;
        let deploy = mine.map(|mine| &mine.deploy);
        let age = deploy.and_then(|deploy| deploy.age(clock.utc()));
        let age = age.map(format::age);
        if let Some(deploy) = deploy.filter(|_| self.watch.preexisting() && pins.may_be_old()) {
            let age = age.as_ref().map_or_else(String::new, |age| format!(", last changed {age} ago"));
            let doubt = if pins.any() {
                "an earlier deploy can match, too"
            } else {
                "nothing shows that it is the one you just triggered"
            };
            self.warnings.push(format!(
                "deploy {} had already finished when first seen{age}: {doubt}; pin it with --workflow, --deploy or --after",
                deploy.id()
            ));
        }
        let belief = match (deploy, pins.any(), mine.and_then(|mine| mine.followed.as_ref())) {
            _ if is_whole => String::new(),
            (None, ..) => String::new(),
            (_, false, Some(left)) => format!("the newest, which replaced {left}"),
            (_, true, Some(left)) => format!("the newest, which replaced {left}; pins that hold: {pins}"),
            (Some(deploy), true, _) if pins.deploy.as_ref().is_some_and(|meant| meant != deploy.id()) => {
                format!("a retry in the same workflow, pins that hold: {pins}")
            }
            (_, true, _) => format!("pins that hold: {pins}"),
            _ => age.map_or_else(|| "latest, no pin".into(), |age| format!("latest, no pin, last changed {age} ago")),
        };
        let mut extracts = Vec::new();
        let mut extracted = std::mem::take(&mut self.extracted).into_iter();
        for extract in &*self.config.extracts {
            let value = extracted.next().unwrap_or(Err("there is no document to look at".into()));
            if let Err(why) = &value {
                self.warnings.push(format!("the output {} is empty: {why}", extract.name));
            }
            extracts.push((extract.name.clone(), value.unwrap_or_default()));
        }
        let id = pins.workflow().map(|id| id.to_string()).filter(|_| is_whole);
        let workflow = id.map(|id| {
            let (stage, status) = self.watch.workflow().unzip();
            let description = stage.map(Stage::told).unwrap_or_default();
            WorkflowSeen { id, status: status.unwrap_or_default().into(), description }
        });
        let url = match &workflow {
            Some(workflow) => Some(self.url(&["workflows", &workflow.id])),
            None => deploy.map(|deploy| self.url(&["components", &self.target.component, "deploys", deploy.id()])),
        };
        let checks = std::mem::take(&mut self.checks);
        let is_judged = !checks.is_empty();
        let all = self.config.assertions.iter().chain(&*self.config.advisories);
        let not_evaluated = all.filter(|_| !is_judged).map(Check::not_evaluated);
        Verdict {
            install: self.target.install.clone(),
            component: self.target.component.clone(),
            ending,
            message,
            deploy: mine.map(|mine| DeploySeen::new(&mine.deploy, mine.class)),
            workflow,
            deploys: self.watch.members().iter().map(MemberSeen::new).collect(),
            url: url.unwrap_or_default(),
            belief,
            preexisting: self.watch.preexisting(),
            superseded_by: mine.and_then(|mine| mine.superseded_by()).map_or_else(String::new, ToString::to_string),
            polls: self.watch.looks(),
            requests: self.requests,
            noticed_after_ms: self.noticed_after.map(format::millis),
            timeline: self.timeline(),
            document: self.document.as_ref().map(|document| document.parts.clone()).unwrap_or_default(),
            assertions: checks.into_iter().chain(not_evaluated).collect(),
            extracts,
            failure: Some(std::mem::take(&mut self.failure)).filter(|failure| !failure.is_empty()),
            warnings: std::mem::take(&mut self.warnings),
            judged: self.document.as_ref().filter(|_| self.config.attests).map(|document| judged(document)),
        }
    }

    /// Every change that was seen: of the deploy, or of the steps of a workflow that is gated as a whole.
    fn timeline(&self) -> Vec<Moment> {
        let of_deploy = self.watch.timeline().iter().map(|change| Moment {
            at_ms: format::millis(change.at),
            deploy: change.deploy.to_string(),
            status: change.status.clone(),
            class: change.class,
            description: change.description.clone(),
            step: String::new(),
        });
        let of_steps = self.watch.steps().iter().map(|change| Moment {
            at_ms: format::millis(change.at),
            deploy: change.deploy.clone(),
            status: change.status.clone(),
            class: change.class,
            description: String::new(),
            step: change.name.clone(),
        });
        of_deploy.chain(of_steps).collect()
    }
}

/// The document that was judged, and the artifacts of the deploys in it, by their digests.
fn judged(document: &Document) -> Judged {
    let value = document.value();
    let of_workflow = value["deploys"].as_array().into_iter().flatten();
    let artifact = |deploy: &Value| {
        let artifact = &deploy["oci_artifact"];
        let text = |name: &str| artifact[name].as_str().filter(|text| !text.is_empty());
        let digest = text("digest")?.strip_prefix("sha256:").filter(|hex| digest::is_hex(hex, 64))?;
        let name: Vec<&str> = [text("repository"), text("tag")].into_iter().flatten().collect();
        let name = if name.is_empty() { "artifact".into() } else { name.join(":") };
        Some((name, digest.to_ascii_lowercase()))
    };
    let artifacts = std::iter::once(value).chain(of_workflow).filter_map(artifact).collect();
    Judged { artifacts, document: digest::sha256(value.to_string().as_bytes()) }
}
