//! `deploy-gate latest`: one look.

use crate::base::outcome::Ending;
use crate::cli::args::LatestArgs;
use crate::cli::output::{Failed, misuse, print};
use crate::cli::{config, targets};
use crate::judge::document::{Document, Parts};
use crate::nuon::deploy::Deploy;
use crate::nuon::look::{self, Look, Miss};
use crate::nuon::target::Target;
use crate::report::progress::{LogStyle, Progress};
use crate::run::names;
use crate::run::session::Session;
use crate::run::world::World;
use crate::text::escape;
use crate::text::redact::Secrets;
use crate::watch::{self, Ask, pin};

/// Prints the latest deploy, and returns the exit code.
///
/// # Errors
/// Misuse, or why there is no answer.
pub fn latest(latest: LatestArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let (connection, install) = config::connection(&latest.network, secrets, world).map_err(misuse)?;
    let target = targets::one(latest.install, &latest.component, install).map_err(misuse)?;
    let mut source = (world.connect)(connection, 1);
    let mut quiet = Progress::new(world.err, LogStyle::quiet(secrets));
    let mut dice = fastrand::Rng::with_seed(world.seed);
    let limit = latest.network.request_timeout;
    let mut session = Session::new(&mut *source, world.clock, &mut quiet, &mut dice, limit);
    let failed = |ending: Ending, why: &str, trace: &str| Failed {
        text: format!("{}: {} (trace {trace})\n", ending.reason(), escape::line(why)),
        code: ending.code(),
    };
    let target = names::resolve(&target, &mut session).map_err(|look| match *look {
        Look::Refused(ending, why) => failed(ending, &why, &session.trace),
        other => failed(Ending::NotFound, &watch::why(other), &session.trace),
    })?;
    let wrong = |look: Look, session: &Session<'_, '_>| match look {
        Look::Refused(ending, why) => failed(ending, &why, &session.trace),
        Look::Absent(miss) => failed(Ending::NotFound, &miss.why, &session.trace),
        other => failed(Ending::BadAnswer, &watch::why(other), &session.trace),
    };
    let text = match session.look(&Ask::Latest, &target) {
        Look::Seen(deploy, _) if !latest.json => format!("{}\n", escape::line(deploy.id())),
        Look::Seen(deploy, bytes) => {
            let document = complete(&deploy, bytes, &target, &mut session).map_err(|look| wrong(*look, &session))?;
            format!("{}\n", escape::json(&format!("{:#}", document.masked())))
        }
        Look::Absent(_) => {
            // The server answers so for an install that is not there, too.
            names::ask_for_install(&target.install, &mut session).map_err(|look| wrong(*look, &session))?;
            format!("{}\n", if latest.json { "null" } else { pin::NONE })
        }
        other => return Err(wrong(other, &session)),
    };
    Ok(print(&text, 0, world))
}

/// The document as `wait` would complete it, in one look. Without one of its parts it is none: `check` could not tell why
/// that is missing.
fn complete(
    deploy: &Deploy,
    seen: Vec<u8>,
    target: &Target,
    session: &mut Session<'_, '_>,
) -> Result<Document, Box<Look>> {
    let detail = match session.look(&Ask::Deploy(deploy.id().into()), target) {
        Look::Seen(detail, _) if !detail.is_shown_to_be_of(deploy.install_component()) => {
            let why = format!("deploy {} is not shown to be of this component", detail.id());
            return Err(Box::new(Look::Missed(Miss::new(why))));
        }
        Look::Seen(detail, _) if detail.id() != deploy.id() || detail.word() != deploy.word() => {
            return Err(Box::new(Look::Missed(Miss::new("the parts of the document disagree; look again"))));
        }
        Look::Seen(_, bytes) => look::whole(&bytes),
        other => return Err(Box::new(other)),
    };
    let workflow = match deploy.workflow() {
        "" => None,
        id => Some(match session.look(&Ask::Workflow(id.into()), target) {
            Look::Workflow(_, value) => Ok(value),
            other => return Err(Box::new(other)),
        }),
    };
    let parts = Parts { seen, deploy: Some(detail), workflow };
    Document::assemble(parts).map_err(|why| Box::new(Look::Missed(Miss::new(why))))
}
