//! Work on a document that may take too long: on a thread of its own, which can be given up.

use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use super::check::Check;
use super::cost::DocumentSize;
use super::model::Assertion;
use crate::base::clock::SignalFlag;
use crate::judge::document::Document;
use crate::text::format;

/// How long an evaluation may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Something that is being asked of a document. Neither engine can be interrupted, so it goes on on a thread of its own,
/// which can be left behind.
pub struct Evaluation<T = Vec<Check>> {
    answer: Receiver<Result<T, String>>,
    left: Duration,
}

impl Evaluation {
    /// Starts to put every assertion to the document.
    pub fn start(assertions: impl Into<Arc<[Assertion]>>, document: &Arc<Document>) -> Self {
        let (assertions, document) = (assertions.into(), Arc::clone(document));
        Self::of(assertions.is_empty(), move || {
            let size = LazyCell::new(|| DocumentSize::of(document.value()));
            assertions.iter().map(|assertion| assertion.evaluate(&document, &size)).collect()
        })
    }
}

/// How long all advisory assertions of a target may take: what only warns is hardly waited for.
const ADVICE: Duration = Duration::from_secs(1);

/// Puts every advisory assertion to the document, and gives what came of it, and the warnings. One that has no answer, or
/// none in time, is a warning, as one that is not true.
pub fn advise(assertions: &Arc<[Assertion]>, document: &Arc<Document>) -> (Vec<Check>, Vec<String>) {
    let (sender, answers) = mpsc::channel();
    if !assertions.is_empty() {
        let (assertions, document) = (Arc::clone(assertions), Arc::clone(document));
        std::thread::spawn(move || {
            let size = LazyCell::new(|| DocumentSize::of(document.value()));
            // Nobody listens any more after the time limit.
            let _ = assertions.iter().try_for_each(|assertion| sender.send(assertion.evaluate(&document, &size)));
        });
    }
    let (mut checks, mut warnings, mut left) = (Vec::new(), Vec::new(), ADVICE);
    for assertion in &**assertions {
        let mut answer = None;
        while answer.is_none() && !left.is_zero() {
            let moment = SignalFlag::ATTENTION.min(left);
            match answers.recv_timeout(moment) {
                Ok(came) => answer = Some(came),
                Err(RecvTimeoutError::Timeout) => left -= moment,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let late = || Err(format!("evaluating took longer than {}", format::duration(ADVICE)));
        let check = answer.unwrap_or_else(late).unwrap_or_else(|why| {
            let check = Check::not_evaluated(assertion);
            warnings.push(format!("the advisory assertion `{}` has no answer: {why}", check.name()));
            check
        });
        warnings.extend(check.warning());
        checks.push(check);
    }
    (checks, warnings)
}

impl<T: Send + 'static> Evaluation<T> {
    /// Starts work that may not end; what is said to be nothing is done at once.
    pub fn of(is_nothing: bool, work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Self {
        let (sender, answer) = mpsc::channel();
        let work = move || {
            // Nobody listens any more after the time limit.
            let _ = sender.send(work());
        };
        match is_nothing {
            true => work(),
            false => drop(std::thread::spawn(work)),
        }
        Self { answer, left: TIME_LIMIT }
    }

    /// Waits a moment for the answer, or why there is none, as when the engines disagree or it would take too much time
    /// or memory.
    pub fn poll(&mut self) -> Option<Result<T, String>> {
        let moment = SignalFlag::ATTENTION.min(self.left);
        match self.answer.recv_timeout(moment) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Disconnected) => Some(Err("evaluating broke off".into())),
            Err(RecvTimeoutError::Timeout) => {
                self.left -= moment;
                self.left
                    .is_zero()
                    .then(|| Err(format!("evaluating took longer than {}", format::duration(TIME_LIMIT))))
            }
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// As [`Evaluation::poll`].
    pub fn finish(mut self) -> Result<T, String> {
        loop {
            if let Some(answer) = self.poll() {
                return answer;
            }
        }
    }
}
