//! Pages of the dashboard about a target.

use crate::nuon::look;
use crate::nuon::target::segment;
use crate::run::cause::EXPLAINING;
use crate::run::gate::Gate;
use crate::run::session::Session;

impl Gate {
    /// Finds out where the dashboard is: known for the public API, else what the API says, once for all targets.
    pub fn find_dashboard(&mut self, session: &mut Session<'_, '_>) {
        let api = &self.config.api;
        if api.dashboard.get().is_some() {
            return;
        }
        let url = if api.url == "https://api.nuon.co" {
            "https://app.nuon.co".into()
        } else {
            let answer = session.get("/v1/general/cli-config");
            let config = look::json(answer, session.clock.utc()).unwrap_or_default();
            let told = config["dashboard_url"].as_str().map(|url| url.trim_end_matches('/'));
            told.filter(|url| url.starts_with("https://") || url.starts_with("http://")).unwrap_or_default().into()
        };
        // Another target may have been faster.
        let _ = api.dashboard.set(url);
    }

    /// The page of the workflow; `""` rather than a guess.
    pub fn workflow_url(&mut self, session: &mut Session<'_, '_>) -> String {
        let workflow = self.watch.deploy().map(|deploy| deploy.workflow.clone());
        let workflow = workflow.unwrap_or_else(|| self.watch.rules().pins.workflow().cloned());
        let workflow = workflow.map_or_else(String::new, |id| id.to_string());
        session.explain_until(Some(session.clock.now() + EXPLAINING));
        self.find_dashboard(session);
        session.explain_until(None);
        self.url(&["workflows", &workflow])
    }

    /// A page of the dashboard about this install; `""` rather than a guess.
    pub fn url(&self, path: &[&str]) -> String {
        let org = self.watch.deploy().and_then(|deploy| deploy.org_id.clone()).or_else(|| self.config.api.org.clone());
        match (self.config.api.dashboard.get(), org) {
            (Some(dashboard), Some(org)) if !dashboard.is_empty() && !org.is_empty() && !path.contains(&"") => {
                let path: Vec<String> = path.iter().map(|part| segment(part)).collect();
                format!("{dashboard}/{}/installs/{}/{}", segment(&org), segment(&self.target.install), path.join("/"))
            }
            _ => String::new(),
        }
    }
}
