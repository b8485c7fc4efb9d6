//! One answer for all targets of a run that wait for it: the looks at a workflow or an install, and which component a
//! deploy is of.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::nuon::id::{ComponentId, DeployId, InstallId};
use crate::nuon::look::Answered;

/// How many answers are kept: what several targets wait for at the same time.
const MOST: usize = 64;

/// What the targets of a run share.
#[derive(Debug, Default)]
pub struct Shared {
    answers: Mutex<Vec<Kept>>,
    components: Mutex<HashMap<DeployId, ComponentId>>,
    /// The installs that a list has named, and when it did.
    listed: OnceLock<(HashSet<InstallId>, Duration)>,
}

/// An answer, or one that somebody is asking for now.
#[derive(Debug)]
struct Kept {
    path: String,
    began: Duration,
    answer: Arc<OnceLock<Given>>,
}

/// An answer that all may have.
#[derive(Clone, Debug)]
pub struct Given {
    /// The answer.
    pub answer: Answered,
    /// The trace id of its request.
    pub trace: String,
    /// When it was asked for.
    pub asked: Duration,
    /// When it came.
    pub came: Duration,
}

/// Since when an answer must have been asked for, to be one to this question.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// Any answer that was asked for then or later.
    pub any: Duration,
    /// A 200 that was asked for then or later.
    pub good: Duration,
}

impl Shared {
    /// The answer to what is asked for at `path`: one that was asked for since then, or else what `ask` brings now.
    pub fn answer(&self, path: &str, since: Since, now: Duration, ask: impl FnOnce() -> Given) -> Given {
        let is_good = |kept: &Kept| {
            kept.answer.get().and_then(|given| given.answer.as_ref().ok()).is_some_and(|answer| answer.status == 200)
        };
        let is_in_time = |kept: &&Kept| kept.began >= since.any || kept.began >= since.good && is_good(kept);
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            match answers.iter().filter(|kept| kept.path == path).find(is_in_time) {
                Some(kept) => Arc::clone(&kept.answer),
                None => {
                    let answer = Arc::default();
                    answers.retain(|kept| kept.path != path);
                    if answers.len() >= MOST {
                        answers.remove(0);
                    }
                    answers.push(Kept { path: path.into(), began: now, answer: Arc::clone(&answer) });
                    answer
                }
            }
        };
        // Whoever comes second waits for the first.
        answer.get_or_init(ask).clone()
    }

    /// Takes note of installs that a list has named.
    pub fn list(&self, installs: impl Iterator<Item = InstallId>, now: Duration) {
        self.listed.get_or_init(|| (installs.collect(), now));
    }

    /// Whether a list that is no older has named an install.
    pub fn is_listed(&self, install: &InstallId, since: Duration) -> bool {
        self.listed.get().is_some_and(|(installs, at)| *at >= since && installs.contains(install))
    }

    /// Takes note of which component a deploy is of. That never changes.
    pub fn learn(&self, deploy: &DeployId, component: &ComponentId) {
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        components.insert(deploy.clone(), component.clone());
    }

    /// Which component a deploy is of, if an answer has said so.
    pub fn component(&self, deploy: &DeployId) -> Option<ComponentId> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner).get(deploy).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::source::{Fault, Response};

    #[test]
    fn an_answer_is_never_older_than_the_question() {
        let shared = Shared::default();
        let second = Duration::from_secs;
        let since = |any: u64, good: u64| Since { any: second(any), good: second(good) };
        let ask = |path: &str, since: Since, now: u64, status: u16| {
            let response = Response { status, ..Response::default() };
            let given = |answer| {
                let (asked, came) = (second(now), second(now));
                Given { answer, trace: format!("at {now}"), asked, came }
            };
            let Given { answer, trace, .. } = shared.answer(path, since, second(now), || given(Ok(response)));
            (answer.map(|response| response.status), trace)
        };
        assert_eq!(ask("a", since(5, 5), 7, 200), (Ok(200), "at 7".into()));
        assert_eq!(ask("a", since(7, 7), 8, 500), (Ok(200), "at 7".into()));
        assert_eq!(ask("b", since(7, 7), 8, 404), (Ok(404), "at 8".into()));
        assert_eq!(ask("a", since(9, 7), 9, 500), (Ok(200), "at 7".into()), "a good one may be older");
        assert_eq!(ask("b", since(9, 7), 9, 200), (Ok(200), "at 9".into()), "a bad one may not");
        assert_eq!(ask("a", since(8, 8), 10, 503), (Ok(503), "at 10".into()));
        let fault = || {
            let (asked, came) = (second(11), second(11));
            Given { answer: Err(Fault::Transient("reset".into())), trace: String::new(), asked, came }
        };
        assert!(shared.answer("c", since(0, 0), second(11), fault).answer.is_err());
        assert_eq!(ask("c", since(11, 11), 12, 200).0, Err(Fault::Transient("reset".into())), "a miss is one for all");
        assert_eq!(ask("c", since(12, 11), 12, 200).0, Ok(200));
        for nth in 0..1000 {
            assert!(ask(&format!("d{nth}"), since(0, 0), 13, 200).0.is_ok());
        }
        assert_eq!(shared.answers.lock().expect("nobody panics").len(), MOST);
    }
}
