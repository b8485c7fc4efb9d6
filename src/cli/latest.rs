//! `deploy-gate latest`: one look.

use crate::base::outcome::Ending;
use crate::cli::args::LatestArgs;
use crate::cli::output::{Failed, misuse, print};
use crate::cli::{config, targets};
use crate::judge::document::{DeployParts, Document, Parts};
use crate::nuon::deploy::Deploy;
use crate::nuon::look::{Look, Miss, Unread, Whole};
use crate::nuon::target::Target;
use crate::report::progress::{LogStyle, Progress};
use crate::run::config::ApiContext;
use crate::run::names;
use crate::run::session::Session;
use crate::run::world::World;
use crate::text::escape;
use crate::text::redact::Secrets;
use crate::watch::step::Ask;
use crate::watch::{pin, words};

/// Prints the latest deploy, and returns the exit code.
///
/// # Errors
/// Misuse, or why there is no answer.
pub fn latest(latest: LatestArgs, secrets: &Secrets, world: &mut World<'_>) -> Result<u8, Failed> {
    let (connection, install) = config::connection(&latest.network, secrets, world).map_err(misuse)?;
    let target = targets::one(latest.install, &latest.component, install).map_err(misuse)?;
    let api = ApiContext::of(&connection);
    let mut source = (world.connect)(connection, 1);
    let mut quiet = Progress::new(world.err, LogStyle::quiet(secrets));
    let mut dice = fastrand::Rng::with_seed(world.seed);
    let mut session = Session::new(&mut *source, world.clock, &mut quiet, &mut dice, &api);
    let target = names::resolve(&target, &mut session).map_err(|unread| failed(unread, Ending::NotFound, &session))?;
    let wrong = |unread: Unread, session: &Session<'_, '_>| failed(unread, Ending::BadAnswer, session);
    let text = match session.look(&Ask::Latest, &target) {
        Ok(Look::Seen(deploy, _)) if !latest.json => format!("{}\n", escape::line(deploy.id())),
        Ok(Look::Seen(deploy, seen)) => {
            let document = complete(&deploy, seen, &target, &mut session).map_err(|unread| wrong(unread, &session))?;
            format!("{}\n", escape::json(&format!("{:#}", document.masked())))
        }
        Ok(Look::Absent(_)) => {
            // The server answers so for an install that is not there, too.
            names::ask_for_install(&target.install, &mut session).map_err(|unread| wrong(unread, &session))?;
            format!("{}\n", if latest.json { "null" } else { pin::NONE })
        }
        Ok(other) => return Err(wrong(other.into(), &session)),
        Err(signal) => return Err(wrong(signal.into(), &session)),
    };
    Ok(print(&text, 0, world))
}

/// Why there is no answer; `otherwise` is the ending where the look does not say.
fn failed(unread: Unread, otherwise: Ending, session: &Session<'_, '_>) -> Failed {
    let (ending, why) = match unread {
        Unread::Signal(signal) => (Ending::Interrupted(signal), "a signal came first".into()),
        Unread::Look(look) => match *look {
            Look::Refused(ending, why) => (ending, why),
            Look::Absent(miss) => (Ending::NotFound, miss.why),
            other => (otherwise, words::why(&other)),
        },
    };
    let text = format!("{}: {} (trace {})\n", ending.word(), escape::line(&why), session.trace);
    Failed { text, code: ending.code() }
}

/// The document as `wait` would complete it, in one look. Without one of its parts it is none: `check` could not tell why
/// that is missing.
fn complete(deploy: &Deploy, seen: Whole, target: &Target, session: &mut Session<'_, '_>) -> Result<Document, Unread> {
    let missed = |why: String| Unread::from(Look::Missed(Miss::new(why)));
    let detail = match session.look(&Ask::Deploy(deploy.id().clone()), target)? {
        Look::Seen(detail, _) if !detail.is_shown_to_be_of(deploy.install_component_id.as_ref()) => {
            return Err(missed(format!("deploy {} is not shown to be of this component", detail.id())));
        }
        Look::Seen(detail, _) if detail.word() != deploy.word() => {
            return Err(missed("the parts of the document disagree; look again".into()));
        }
        Look::Seen(_, whole) => Ok(whole),
        other => return Err(other.into()),
    };
    let workflow = match &deploy.workflow {
        None => None,
        Some(id) => Some(match session.look(&Ask::Workflow(id.clone()), target)? {
            Look::Workflow(_, whole) => Ok(whole),
            other => return Err(other.into()),
        }),
    };
    let parts = DeployParts { seen, is_latest: true, deploy: Some(detail), workflow };
    Document::assemble(Parts::Deploy(parts)).map_err(missed)
}
