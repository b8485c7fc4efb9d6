//! `deploy-gate check`: assertions on a saved document, offline.

use std::sync::Arc;

use serde::Deserialize;

use crate::base::object::Object;
use crate::base::outcome::Ending;
use crate::cli::args::CheckArgs;
use crate::cli::output::{Failed, misuse, print};
use crate::judge::assertion::{self, Evaluation};
use crate::judge::catalogue::Subject;
use crate::judge::document::Document;
use crate::nuon::deploy::{self, Answer, Expect};
use crate::nuon::workflow::Workflow;
use crate::report::people;
use crate::run::world::World;
use crate::text::escape;
use crate::watch::words;

/// Checks, and returns the exit code.
///
/// # Errors
/// Misuse, or engines that disagree.
pub fn check(check: CheckArgs, world: &mut World<'_>) -> Result<u8, Failed> {
    let paint = check.color.paint(world.variables, world.screens.0);
    let wrong = |why| misuse(format!("the document {}: {why}", check.document.display()));
    let bytes = world.disk.read(&check.document).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let document = Document::parse(&bytes).map_err(wrong)?;
    drop(bytes);
    // No deploy has steps.
    let is_workflow = document.value()["steps"].is_array();
    let subject = if is_workflow { Subject::Workflow } else { Subject::Deploy };
    let document = Arc::new(if is_workflow { document.about_workflow() } else { document });
    let mut warnings = Vec::new();
    let advisories = check.asserting.advisories(subject, &mut warnings).map_err(misuse)?;
    let assertions = check.asserting.assertions(subject, world.disk, &mut warnings).map_err(misuse)?;
    if assertions.is_empty() {
        let but = if advisories.is_empty() { "" } else { "; --warn alone never fails" };
        return Err(misuse(format!("there is nothing to check: give --assert, --assert-file or --require{but}")));
    }
    let status = if is_workflow {
        let workflow = Object::<Workflow>::deserialize(document.value());
        workflow.map_err(|error| wrong(format!("it is not a workflow: {error}")))?.stage().told()
    } else {
        let deploy = Answer::deserialize(document.value());
        let deploy = deploy.map_err(|error| wrong(format!("it is not a deploy document: {error}")))?;
        format!("{}: {}", words::spoken(deploy.word()), deploy::class(&deploy, Expect::Apply, &[]).name())
    };
    // The process is about to end, which gives the memory back faster than going through all of it.
    std::mem::forget(Arc::clone(&document));
    let checks = match Evaluation::start(assertions, &document).finish() {
        Ok(checks) => checks,
        Err(why) => {
            return Err(Failed {
                text: format!("{}: {}\n", Ending::EnginesDisagree.reason(), escape::line(&why)),
                code: Ending::EnginesDisagree.code(),
            });
        }
    };
    let (ending, why) = assertion::ending(&checks, "");
    let (advised, more) = assertion::advise(&advisories.into(), &document);
    warnings.extend(more);
    let mut lines = vec![format!("{}: {why}", ending.outcome().name())];
    lines.push(format!("  {:<13} {status}, which does not decide here", "status"));
    lines.extend(warnings.iter().map(|warning| people::warning(warning)));
    let advised = advised.iter().filter(|check| !check.is_not_true());
    checks.iter().chain(advised).for_each(|check| people::assertion(check, &why, &mut lines));
    let text = people::painted(&lines, paint);
    Ok(print(&text, ending.code(), world))
}
