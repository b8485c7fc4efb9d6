//! The promises, written from the contract: what each look, by its answers alone, allows, calls for and forbids. It knows
//! what was answered ([`model`](super::model)) and which deploy the gate watches, and nothing of how the gate decides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deploy_gate::base::outcome::Ending;
use deploy_gate::watch::Watch;
use deploy_gate::watch::rules::{OnApproval, OnSuperseded, Until};
use deploy_gate::watch::step::{Ask, Step};

use super::model::{FLOOR, Flow, Head, Health, Says, Which, Word};
use super::{Flags, Pin, Trail};

/// What has to be seen again before it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Claim {
    /// The workflow is over, not well, and the deploy is not over.
    OpenBeside,
    /// It is over, and well, and the deploy is not over.
    Left,
    /// It is over, and nobody knows the word.
    Strange,
    /// It is over, and has not verified the deploy.
    Unverified,
}

/// What looks have shown, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Claimed {
    claim: Claim,
    of: Which,
    since: Duration,
}

/// What the looks before have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// The API has said that there is no such install, and nothing else since.
    is_gone: bool,
    /// What the last looks called for together, if nothing spoke against it in any of them.
    claim: Option<Claimed>,
    /// Since when each deploy is not seen to be good, and its workflow is over.
    beside: BTreeMap<Which, Duration>,
    /// Whether a workflow was refused, and whether one was not there.
    refused: [bool; 2],
    /// Deploys that were left for newer ones, and were not seen to be fine.
    left: BTreeSet<Which>,
}

/// A look that is over.
pub struct Look<'l> {
    pub flags: Flags,
    pub now: Duration,
    pub past: &'l Past,
    pub trail: &'l Trail,
    pub watch: &'l Watch,
}

impl Look<'_> {
    /// The promise that this step breaks.
    pub fn broken(&self, step: &Step) -> Option<String> {
        match step {
            Step::Judge(_) => self.no_pass().map(|why| format!("it passes, though {why}")),
            Step::Wait(wait) => self.no_wait(*wait).map(|why| format!("it waits, though {why}")),
            Step::End(ending, why) => {
                self.no_end(*ending).map(|no| format!("it ends as {ending:?} ({why}), though {no}"))
            }
            Step::Ask(_) => None,
        }
    }

    /// What the next look has to know.
    pub fn past(&self) -> Past {
        let install = self.trail.iter().rfind(|(ask, _)| *ask == Ask::Install).map(|(_, says)| *says);
        let is_gone = match install {
            Some(Says::Absent) => true,
            Some(_) => false,
            None => self.past.is_gone,
        };
        let claim = self.claim().map(|now| match self.past.claim {
            Some(before) if (before.claim, before.of) == (now.claim, now.of) => before,
            _ => now,
        });
        let mut beside = self.past.beside.clone();
        for which in Which::ALL {
            if self.said(which).contains(&Word::Denied) {
                beside.entry(which).or_insert(self.now);
                continue;
            }
            let Some(flow) = self.flow(which) else { continue };
            let is_bad = |word: Word| !word.is_good() || flow.health != Health::Done;
            let is_stopped =
                flow.head == Head::Person && self.flags.on_approval == OnApproval::Stop || flow.has_stopped;
            let is_over = !matches!(flow.head, Head::Runs | Head::Person) || is_stopped;
            if (is_over || flow.health == Health::Failed) && self.said(which).iter().any(|word| is_bad(*word)) {
                beside.entry(which).or_insert(self.now);
            } else if !is_over && self.mine() == Some(which) && self.words(which).next().is_some() {
                beside.remove(&which);
            }
        }
        let says = |what: Says| self.trail.iter().any(|(ask, says)| matches!(ask, Ask::Workflow(_)) && *says == what);
        let [refused, absent] = self.past.refused;
        let refused = [refused || says(Says::Refused), absent || says(Says::Absent)];
        let mut left = self.past.left.clone();
        if let Some(mine) = self.watch.mine() {
            left.extend(mine.followed.iter().map(Which::of));
            left.retain(|which| which.flow() != mine.deploy.workflow.clone().unwrap_or_else(|| which.flow()));
        }
        left.retain(|which| !self.is_fine(*which));
        Past { is_gone, claim, beside, refused, left }
    }

    fn timeout(&self) -> Duration {
        self.watch.rules().timeout
    }

    /// The deploy that the gate watches.
    fn mine(&self) -> Option<Which> {
        self.watch.deploy().map(|deploy| Which::of(deploy.id()))
    }

    /// All that was answered of a deploy, in order, and where.
    fn words(&self, of: Which) -> impl DoubleEndedIterator<Item = (usize, Word)> {
        self.trail.iter().enumerate().filter_map(move |(at, (_, says))| match says {
            Says::Deploy(which, word) if *which == of => Some((at, *word)),
            _ => None,
        })
    }

    /// The word of a deploy: as answered last in this look, or, of a deploy that need not be asked for, as it was before.
    fn word(&self, of: Which) -> Option<Word> {
        self.words(of).next_back().map(|(_, word)| word).or_else(|| self.remembered(of))
    }

    fn remembered(&self, of: Which) -> Option<Word> {
        let deploy = self.watch.deploy().filter(|deploy| Which::of(deploy.id()) == of)?;
        Word::ALL.into_iter().find(|word| word.text() == deploy.word())
    }

    /// The last answer about the workflow of a deploy, and where it is.
    fn about_flow(&self, of: Which) -> Option<(usize, Says)> {
        let ask = Ask::Workflow(of.flow());
        self.trail.iter().enumerate().rfind(|(_, (asked, _))| *asked == ask).map(|(at, (_, says))| (at, *says))
    }

    fn flow(&self, of: Which) -> Option<Flow> {
        match self.about_flow(of) {
            Some((_, Says::Flow(flow))) => Some(flow),
            _ => None,
        }
    }

    /// Whether every answer is one that can be used.
    fn is_clean(&self) -> bool {
        let counts = |ask: &Ask| !matches!(ask, Ask::Queue(_));
        !self.past.is_gone && !self.trail.iter().any(|(ask, says)| counts(ask) && says.is_miss())
    }

    /// Whether all answers are about one deploy, and agree.
    fn is_consistent(&self, of: Which) -> bool {
        let word = self.word(of);
        self.trail
            .iter()
            .all(|(_, says)| !matches!(says, Says::Deploy(which, said) if *which != of || Some(*said) != word))
    }

    /// Whether the pins can mean it.
    fn is_meant(&self, which: Which) -> bool {
        match self.flags.pin {
            Pin::None => true,
            Pin::Workflow | Pin::Deploy => matches!(which, Which::Mine | Which::Retry),
            Pin::Build | Pin::After => which != Which::Before,
        }
    }

    fn on_superseded(&self) -> OnSuperseded {
        let is_identified = matches!(self.flags.pin, Pin::Workflow | Pin::Deploy);
        self.flags.on_superseded.unwrap_or(if is_identified { OnSuperseded::Finish } else { OnSuperseded::Follow })
    }

    /// Whether a deploy beside mine has ended well, by this look alone.
    fn is_fine(&self, which: Which) -> bool {
        // A retry makes up for it.
        Which::ALL.into_iter().filter(|other| other.flow() == which.flow()).any(|other| self.is_fine_itself(other))
    }

    fn is_fine_itself(&self, which: Which) -> bool {
        let is_alone = self.flags.until == Until::Applied || !self.flags.names_workflow;
        let is_verified = is_alone || self.flow(which).is_some_and(|flow| flow.health == Health::Done);
        match self.words(which).next_back() {
            Some((_, Word::NothingToDo)) => true,
            Some((_, Word::Good)) => is_verified,
            _ => false,
        }
    }

    /// Why this is no pass.
    fn no_pass(&self) -> Option<String> {
        let Some(mine) = self.mine() else { return Some("no deploy was seen".into()) };
        let no = |why: &str| Some(format!("{mine:?} {why}"));
        if !self.is_meant(mine) {
            return no("does not hold the pins");
        }
        let Some((_, word)) = self.words(mine).next_back() else { return no("was not looked at") };
        if !word.is_good() {
            return no(&format!("was last {word:?}"));
        }
        let install = self.trail.iter().rfind(|(ask, _)| *ask == Ask::Install).map(|(_, says)| *says);
        if install == Some(Says::Absent) || self.past.is_gone && install != Some(Says::Install) {
            return no("is of an install that is gone");
        }
        match (self.about_flow(mine), self.flags.until) {
            (Some((at, Says::Flow(flow))), until) => {
                if word == Word::Good && flow.health != Health::Done && until != Until::Applied {
                    return no(&format!("is not verified: {}", flow.name));
                }
                let is_identified = matches!(self.flags.pin, Pin::Workflow | Pin::Deploy);
                if flow.has_retry && mine == Which::Mine && until != Until::Applied && is_identified {
                    return no("was retried");
                }
                if until == Until::Workflow && flow.head != Head::Well {
                    return no(&format!("has a workflow that is not well: {}", flow.name));
                }
                let by_id = Ask::Deploy(mine.id());
                if !self.trail.iter().skip(at).any(|(ask, _)| *ask == by_id) {
                    return no("was not read once more after its workflow");
                }
                if let Some((_, other)) = self.words(mine).find(|(after, said)| *after > at && *said != word) {
                    return no(&format!("was {other:?} after its workflow was read"));
                }
            }
            (_, Until::Applied) => {}
            (None, Until::Deploy) if !self.flags.names_workflow => {}
            _ => return no("has a workflow that was not read"),
        }
        let latest = self.trail.iter().rfind(|(ask, _)| *ask == Ask::Latest).map(|(_, says)| *says);
        if let Some(Says::Deploy(latest, _)) = latest
            && self.on_superseded() == OnSuperseded::Follow
            && latest > mine
            && self.is_meant(latest)
        {
            return no(&format!("is not the latest, {latest:?} is, which is to be followed"));
        }
        if let Some(left) =
            self.past.left.iter().find(|left| left.flow() != mine.flow() && !self.is_fine_or_absent(**left))
        {
            return no(&format!("took the place of {left:?}, which was not seen to be fine"));
        }
        if matches!(self.flags.pin, Pin::Build | Pin::After) {
            let listed = self.trail.iter().rev().find_map(|(_, says)| match says {
                Says::List(listed) => Some(*listed),
                _ => None,
            });
            let Some(listed) = listed else { return no("may be somebody else's: no list was read") };
            let other = |which: &&Which| self.is_meant(**which) && which.flow() != mine.flow();
            if let Some(other) = listed.iter().filter(other).find(|other| !self.is_fine(**other)) {
                return no(&format!("is one of several that match, of which {other:?} was not seen to be fine"));
            }
        }
        None
    }

    /// What was left behind may be gone; then it plays no part.
    fn is_fine_or_absent(&self, which: Which) -> bool {
        let by_id = Ask::Deploy(which.id());
        self.is_fine(which) || self.trail.iter().any(|(ask, says)| *ask == by_id && *says == Says::Absent)
    }

    /// Why there is nothing to wait for.
    fn no_wait(&self, wait: Duration) -> Option<String> {
        if self.now >= self.timeout() {
            return Some("the deadline has come".into());
        }
        if let Some(at) = self.trail.iter().position(|(_, says)| *says == Says::Busy) {
            if at + 1 < self.trail.len() {
                return Some("the server had asked to be left alone, and was asked again".into());
            }
            return (wait < FLOOR).then(|| format!("only {wait:?}: the server asks for {FLOOR:?}"));
        }
        let is_refused = |(ask, says): &(Ask, Says)| *ask == Ask::Latest && *says == Says::Refused;
        // Where a workflow is pinned, nothing hangs on the latest.
        if self.flags.pin != Pin::Workflow && self.trail.iter().any(is_refused) {
            return Some("the token is refused".into());
        }
        if !self.is_clean() {
            return None;
        }
        let (flow, mine) = (self.flow(Which::Mine), self.mine());
        if self.flags.pin == Pin::Workflow
            && let Some(flow) = flow
            && flow.head == Head::Well
            && !flow.has_deploy
            && mine.is_none()
        {
            return Some("the workflow is over without a deploy".into());
        }
        let mine = mine.filter(|mine| self.is_consistent(*mine) && self.is_meant(*mine))?;
        let word = self.word(mine)?;
        if word == Word::Denied && flow.is_none_or(|flow| !flow.has_retry) {
            return Some(format!("{mine:?} was denied"));
        }
        let flow = self.flow(mine)?;
        if flow.has_retry && mine == Which::Mine || !flow.has_deploy && self.flags.pin == Pin::Workflow {
            return None;
        }
        let is_over = matches!(flow.head, Head::Well | Head::Badly | Head::Parked);
        let is_done = word == Word::NothingToDo || word == Word::Good && flow.health == Health::Done;
        let why = match self.flags.until {
            _ if word == Word::Failed && (is_over || flow.has_stopped) => "it failed, and its workflow is over",
            _ if word == Word::Parked && is_over => "it is parked",
            Until::Applied if word.is_good() => "it is applied",
            Until::Deploy if is_done => "it has succeeded",
            Until::Workflow if is_done && is_over => "its workflow is over",
            Until::Deploy if word == Word::Good && flow.health == Health::Failed => "its health is known to be bad",
            _ => match (self.claim(), self.past.claim) {
                (Some(now), Some(before)) if (now.claim, now.of) == (before.claim, before.of) => {
                    if now.claim == Claim::Left && self.now < before.since + Duration::from_secs(60) {
                        return None;
                    }
                    "it was seen twice"
                }
                _ => return None,
            },
        };
        Some(format!("{why}: {mine:?} is {word:?}, {}", flow.name))
    }

    /// What this look shows that has to be seen again, if nothing in it speaks against that.
    fn claim(&self) -> Option<Claimed> {
        let mine = self.mine().filter(|mine| self.is_meant(*mine) && self.is_consistent(*mine))?;
        let (word, flow) = (self.word(mine)?, self.flow(mine)?);
        if !self.is_clean() || flow.has_retry && mine == Which::Mine {
            return None;
        }
        let is_parked = flow.head == Head::Parked && !flow.is_at_work;
        let is_bad = matches!(flow.head, Head::Badly | Head::Dead) || is_parked;
        let is_over = is_bad || flow.head == Head::Well;
        let is_open = matches!(flow.health, Health::Open | Health::Unlisted) && self.flags.until != Until::Applied;
        let claim = match word {
            Word::Open | Word::Replaced if is_bad => Claim::OpenBeside,
            Word::Open | Word::Replaced if flow.head == Head::Well => Claim::Left,
            Word::Strange if is_over => Claim::Strange,
            // Else it is the workflow that failed, which ends the run at once, or at the second sight.
            Word::Good if is_over && is_open && !(is_bad && self.flags.until == Until::Workflow) => Claim::Unverified,
            _ => return None,
        };
        Some(Claimed { claim, of: mine, since: self.now })
    }

    /// All that a deploy was in this look, and, of one that need not be asked for, before.
    fn said(&self, of: Which) -> Vec<Word> {
        self.words(of).map(|(_, word)| word).chain(self.remembered(of)).collect()
    }

    /// Why this is no end.
    fn no_end(&self, ending: Ending) -> Option<String> {
        let any = |is: &dyn Fn(&Says) -> bool| self.trail.iter().any(|(_, says)| is(says));
        let heads = |is: &dyn Fn(Head) -> bool| any(&|says| matches!(says, Says::Flow(flow) if is(flow.head)));
        let is_over = |head: Head| matches!(head, Head::Well | Head::Badly | Head::Parked | Head::Dead);
        let is_late =
            self.now >= self.timeout() || any(&|says| *says == Says::Busy) && self.now + FLOOR > self.timeout();
        let no = |is_no: bool, why: &str| is_no.then(|| why.to_owned());
        match ending {
            Ending::DeployFailed => no(
                !Which::ALL.into_iter().any(|which| self.has_failed(which)),
                "no deploy was seen to have failed for good",
            ),
            Ending::WorkflowFailed => {
                let is_bad = |head| matches!(head, Head::Badly | Head::Parked | Head::Dead);
                no(!heads(&is_bad), "no workflow was seen to be over and not well")
            }
            Ending::NeverAppeared => {
                let is_over_without = self.flags.pin == Pin::Workflow && heads(&|head| head == Head::Well);
                no(self.now < self.watch.rules().appear_timeout && !is_over_without, "it may still appear").or_else(
                    || {
                        no(
                            self.trail.iter().all(|(_, says)| says.is_miss() && *says != Says::Absent),
                            "nothing shows that",
                        )
                    },
                )
            }
            Ending::LeftBehind => {
                let is_long = |since: &Duration| self.now >= *since + Duration::from_secs(60);
                no(!self.past.beside.values().any(is_long), "none has been left for a minute")
                    .or_else(|| no(!heads(&|head| head == Head::Well), "no workflow is over"))
            }
            Ending::StatusUnknown => no(!heads(&is_over), "its workflow is not over").or_else(|| {
                no(!self.mine().is_some_and(|mine| self.said(mine).contains(&Word::Strange)), "the word is known")
            }),
            Ending::NotFound => {
                let is_there =
                    self.flags.names_workflow && !any(&|says| *says == Says::Absent) && !self.past.refused[1];
                no(is_there, "all that was asked for is there")
            }
            Ending::Forbidden => {
                no(!any(&|says| *says == Says::Refused) && !self.past.refused[0], "nothing was refused")
            }
            Ending::ApprovalRequired => no(
                self.flags.on_approval != OnApproval::Stop || !heads(&|head| head == Head::Person),
                "nobody has to act",
            ),
            Ending::Superseded => no(
                self.on_superseded() != OnSuperseded::Stop || self.mine() == Some(Which::Newer),
                "it was not told to stop",
            ),
            Ending::Ambiguous => {
                no(!matches!(self.flags.pin, Pin::Build | Pin::After), "the pins identify, or there are none")
            }
            Ending::StillRunning | Ending::AwaitingApproval | Ending::UnknownStatus | Ending::Unreachable => {
                no(!is_late, "there is time left")
            }
            other => Some(format!("{other:?} is no end of a watch")),
        }
    }

    /// Whether a deploy has failed, and nobody will go on for it.
    fn has_failed(&self, which: Which) -> bool {
        let about = self.about_flow(which).map(|(_, says)| says);
        self.said(which).into_iter().any(|word| self.has_failed_as(which, word, about))
    }

    fn has_failed_as(&self, which: Which, word: Word, about: Option<Says>) -> bool {
        let is_again = self.past.beside.contains_key(&which);
        match (word, about) {
            (Word::Denied, _) => true,
            (Word::Failed | Word::Parked, Some(Says::Flow(flow))) => {
                let is_person = flow.head == Head::Person && self.flags.on_approval == OnApproval::Stop;
                let is_over = !matches!(flow.head, Head::Runs | Head::Person);
                (is_over || flow.has_stopped || is_person) && !(flow.has_retry && which == Which::Mine)
            }
            (Word::Failed | Word::Parked, Some(Says::Refused | Says::Absent)) => true,
            (Word::Failed | Word::Parked, Some(_)) => self.now >= Duration::from_secs(60),
            (Word::Good, Some(Says::Flow(flow))) => match flow.health {
                Health::Failed => true,
                Health::Open | Health::Unlisted => flow.head != Head::Runs && is_again,
                Health::Done => false,
            },
            (Word::Open | Word::Replaced, Some(Says::Flow(flow))) => {
                matches!(flow.head, Head::Badly | Head::Parked | Head::Dead) && is_again
            }
            // It was refused before, and is not asked for again.
            (Word::Failed | Word::Parked, None) => self.past.refused != [false; 2] || !self.flags.names_workflow,
            _ => false,
        }
    }
}
