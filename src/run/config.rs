//! What a run will do, with everything that can fail before the wait behind it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::base::source::Response;
use crate::judge::assertion::Assertion;
use crate::judge::extract::Extract;
use crate::net::connection::{Connection, Token};
use crate::report::progress::LogStyle;
use crate::report::reporter::Reporter;
use crate::run::shared::Shared;
use crate::watch::rules::Rules;

/// How far apart the clocks of two machines may be without a word.
const CLOCKS: SignedDuration = SignedDuration::from_secs(30);

/// What a run will do, with everything that can fail before the wait behind it.
pub struct Plan {
    /// What is asked of each target.
    pub config: GateConfig,
    /// How the end is told.
    pub reporter: Reporter,
}

/// What is asked of each target.
pub struct GateConfig {
    /// For the watch.
    pub rules: Rules,
    /// The first and the longest wait between looks.
    pub intervals: (Duration, Duration),
    /// What must be true.
    pub assertions: Arc<[Assertion]>,
    /// What is only warned of where it is not true.
    pub advisories: Arc<[Assertion]>,
    /// What may not have been meant.
    pub warnings: Vec<String>,
    /// What later steps want to know.
    pub extracts: Arc<[Extract]>,
    /// Whether what was judged is to be named by its digest.
    pub attests: bool,
    /// How much of the log of a failed deploy is shown.
    pub log_lines: usize,
    /// How the log of the run looks.
    pub style: LogStyle,
    /// Where the targets are.
    pub api: ApiContext,
    /// What the targets share, where there are several.
    pub shared: Option<Arc<Shared>>,
}

/// Where the API is, and what is known of its dashboard.
#[derive(Debug, Default)]
pub struct ApiContext {
    /// The URL of the API; `""` in a replay.
    pub url: String,
    /// The org, if one is known.
    pub org: Option<String>,
    /// The URL of the dashboard, once it was asked for; `""` if it is not known.
    pub dashboard: OnceLock<String>,
    /// The path by which the server knew a deploy that it did not know by the other: that is asked for first.
    pub deploy_path: OnceLock<DeployPath>,
    /// Whether the token may change while the run lasts.
    pub token_rotates: bool,
    /// Set once the server has taken a token.
    pub is_known: OnceLock<()>,
    /// How far the server's clock is ahead of this machine's, once that was seen to be more than a little.
    pub ahead: OnceLock<SignedDuration>,
}

/// By which path the server knows a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployPath {
    /// With its component, which is checked.
    Newer,
    /// By the install alone.
    Older,
}

impl ApiContext {
    /// The place that a connection leads to.
    pub fn of(connection: &Connection) -> Self {
        Self {
            url: format!("{}{}", connection.origin, connection.base),
            org: connection.org.clone(),
            token_rotates: matches!(connection.token, Token::File(_)),
            ..Self::default()
        }
    }

    /// Takes note of the server's clock, if it cannot be right and this machine's as well. `between` is when it was asked
    /// and when it answered.
    pub fn compare_clocks(&self, response: &Response, between: Option<(Timestamp, Timestamp)>) {
        let date = response.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some((date, (asked, answered))) = date.map(|date| date.timestamp()).zip(between) else { return };
        let ahead = date.duration_since(date.clamp(asked, answered.max(asked)));
        if ahead.abs() > CLOCKS {
            self.ahead.get_or_init(|| ahead);
        }
    }
}
