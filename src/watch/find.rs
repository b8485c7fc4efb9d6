//! Which deploy is meant, and where it is now. *Latest* is a moving word.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::base::outcome::Ending;
use crate::nuon::deploy::{Deploy, Expect};
use crate::nuon::evidence::{Course, Standing};
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::{Look, Miss};
use crate::nuon::workflow::{Stage, Workflow, is_at_work, is_open};
use crate::text::format;
use crate::watch::decision::{self, Decision};
use crate::watch::machine::{Go, Known, Move, Watch};
use crate::watch::memory::{By, LAG, LeftBehind, Newer, Tracked};
use crate::watch::rules::{OnSuperseded, Until};
use crate::watch::step::{Ask, Event};
use crate::watch::words::{approval_required, described, failed_step, is_over, spoken, why};

/// How many deploys of a workflow are asked for in one look.
const PER_LOOK: usize = 100;

/// The newest deploy of a workflow for this component.
pub(super) struct Newest {
    pub(super) id: Option<DeployId>,
    /// What a later step has made and could not be read.
    pub(super) unread: Option<Arc<Look>>,
}

impl Newest {
    /// Why a later one could not be read, if so.
    pub(super) fn missed(&self) -> Option<&Miss> {
        match self.unread.as_deref() {
            Some(Look::Absent(miss) | Look::Missed(miss)) => Some(miss),
            _ => None,
        }
    }
}

impl Watch {
    /// The deploy that is meant, as it is now; or the look is over without one.
    pub(super) fn find(&mut self) -> Go<Tracked> {
        let pinned = self.rules.pins.workflow().cloned();
        match (pinned, self.memory.mine.clone()) {
            // Without its word, the workflow of the latest deploy still tells whether that is meant.
            (Some(id), _) if self.rules.until != Until::Applied || self.memory.workflow.refused.is_none() => {
                self.in_workflow(&id)
            }
            (_, Some(mine)) => self.once_more(mine),
            (_, None) => self.seek(),
        }
    }

    /// The latest deploy, or the one that `--deploy` names: is it the one that is meant?
    fn seek(&mut self) -> Go<Tracked> {
        let latest = self.ask(Ask::Latest)?;
        let (other, miss) = match &*latest {
            Look::Absent(miss) => {
                self.memory.preexisting.get_or_insert(false);
                self.memory.other = None;
                (None, miss.clone())
            }
            Look::Seen(deploy, _) => {
                let class = self.class(deploy);
                if self.memory.preexisting.is_none() {
                    self.memory.preexisting = Some(is_over(class));
                    self.memory.first = Some(deploy.id().clone());
                }
                self.know_baseline()?;
                if self.is_meant(deploy) {
                    return ControlFlow::Continue(self.take_first((**deploy).clone(), Ask::Latest, By::Latest));
                }
                self.memory.preexisting = Some(false);
                self.memory.other = Some(deploy.id().clone());
                let why = format!(
                    "the latest deploy is {}, not the one you asked for ({})",
                    deploy.id(),
                    self.how_not(deploy)
                );
                (Some(deploy), Miss::new(why))
            }
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let Some(named) = self.rules.pins.deploy.clone() else { return ControlFlow::Break(self.not_yet(&miss)) };
        self.know_baseline()?;
        let look = self.ask(Ask::Deploy(named.clone()))?;
        ControlFlow::Break(match &*look {
            Look::Seen(deploy, _) if self.is_meant(deploy) => {
                let deploy = (**deploy).clone();
                let newer = other.filter(|other| !other.is_older_than(&deploy) && !self.was_before(other));
                let by = By::Id(newer.map(|newer| Newer::new(newer)));
                let mine = self.take_first(deploy, Ask::Deploy(named), by);
                return match newer {
                    Some(newer) if newer.retries(&mine.deploy) => self.beside_latest(mine, newer),
                    _ => ControlFlow::Continue(mine),
                };
            }
            Look::Seen(deploy, _) => {
                let why = format!("deploy {} is not the one you asked for ({})", deploy.id(), self.how_not(deploy));
                self.not_yet(&Miss::new(why))
            }
            Look::Refused(ending, why) => Move::End(*ending, why.clone()),
            Look::Missed(missed) if !missed.foreign => self.missed(missed),
            Look::Missed(other) | Look::Another(other) => self.not_yet(other),
            _ => self.not_yet(&miss),
        })
    }

    /// What is meant, and how a deploy is not it.
    fn how_not(&self, deploy: &Deploy) -> String {
        let kind =
            || format!("it is no teardown but \"{}\"", deploy.install_deploy_type.as_deref().unwrap_or_default());
        let before = || "it is not shown to be newer".to_owned();
        let why = (!self.is_of_kind(deploy)).then(kind).or_else(|| self.rules.pins.broken_by(deploy));
        let why = why.or_else(|| self.was_before(deploy).then(before));
        format!("{}{}", self.meant(), why.map_or_else(String::new, |why| format!(": {why}")))
    }

    /// Whether a deploy that failed may be that of an earlier run, so that the one that is meant may still come: it was over
    /// before the run began, and is matched by its build or commit alone.
    pub(super) fn may_be_yesterdays(&self, deploy: &Deploy) -> bool {
        let pins = &self.rules.pins;
        let is_matched_alone = pins.any() && !pins.identify() && pins.after.is_none();
        let may_come = self.now < self.rules.appear_timeout.min(self.rules.timeout);
        // One that had not ended itself was over if its workflow was.
        let is_as_it_was = is_over(self.class(deploy)) || !self.memory.workflow.has_changed;
        let was_before = self.was_before_the_run(deploy) && !self.memory.has_changed && is_as_it_was;
        is_matched_alone && may_come && was_before
    }

    /// Whether a deploy was last changed before the run began.
    pub(super) fn was_before_the_run(&self, deploy: &Deploy) -> bool {
        let is_old = deploy.changed().zip(self.rules.began).is_some_and(|(changed, began)| changed < began);
        is_old || self.memory.first.as_ref() == Some(deploy.id())
    }

    /// It failed, and another one may still come.
    pub(super) fn is_yesterdays(&mut self, deploy: &Deploy) -> Move {
        self.memory.mine = None;
        self.memory.other = Some(deploy.id().clone());
        let (id, word, words) = (deploy.id(), spoken(deploy.word()), described(deploy));
        let why =
            format!("deploy {id} was {word} before the run began{words}; another one may come ({})", self.meant());
        self.not_yet(&Miss::new(why))
    }

    /// The deploy that `--after` names. *Newer than X* is true of everything when X is not known.
    fn know_baseline(&mut self) -> Go<()> {
        let Some(id) = self.rules.pins.baseline().filter(|_| self.baseline.is_none()).cloned() else {
            return ControlFlow::Continue(());
        };
        let told =
            |why: &str| format!("the deploy {id}, which --after (DEPLOY_GATE_AFTER) names, cannot be read: {why}");
        let look = self.ask(Ask::Deploy(id.clone()))?;
        ControlFlow::Break(match &*look {
            Look::Seen(..) => return ControlFlow::Continue(()),
            Look::Refused(ending, why) => Move::End(*ending, told(why)),
            Look::Missed(miss) if !miss.foreign => self.missed(&Miss { why: told(&miss.why), ..miss.clone() }),
            other => {
                let why = told(&why(other));
                // The first time it may only not be there yet, on a replica that lags behind.
                if std::mem::replace(&mut self.memory.is_baseline_absent, true) {
                    Move::End(Ending::NotFound, why)
                } else {
                    self.missed(&Miss::new(why))
                }
            }
        })
    }

    pub(super) fn is_meant(&self, deploy: &Deploy) -> bool {
        self.is_of_kind(deploy) && self.rules.pins.hold(deploy) && !self.was_before(deploy)
    }

    /// Whether this is meant as a retry of the deploy that is.
    pub(super) fn is_meant_as_retry(&self, deploy: &Deploy) -> bool {
        self.is_of_kind(deploy) && self.rules.pins.hold_for_retry(deploy) && !self.was_before(deploy)
    }

    fn is_of_kind(&self, deploy: &Deploy) -> bool {
        self.rules.expect == Expect::Apply || deploy.is_teardown()
    }

    /// Whether it is not shown that this deploy was made after the one that `--after` names.
    fn was_before(&self, deploy: &Deploy) -> bool {
        let is_after = self.baseline.as_ref().is_some_and(|baseline| baseline.is_older_than(deploy));
        self.rules.pins.baseline().is_some() && !is_after
    }

    /// The deploy that is meant, seen for the first time.
    fn take_first(&mut self, deploy: Deploy, seen: Ask, by: By) -> Tracked {
        let class = self.class(&deploy);
        self.memory.preexisting.get_or_insert(is_over(class));
        self.take(Tracked::new(deploy.clone(), class, seen.clone(), by), deploy, seen)
    }

    /// Takes note of where my deploy is.
    pub(super) fn take(&mut self, mut mine: Tracked, deploy: Deploy, seen: Ask) -> Tracked {
        let class = self.class(&deploy);
        self.note(&deploy, class);
        if mine.deploy.id() != deploy.id() {
            mine.steps.clear();
        }
        if mine.deploy.workflow != deploy.workflow && self.rules.pins.workflow().is_none() {
            self.memory.workflow = Default::default();
        }
        self.memory.left.retain(|left| left.workflow.is_none() || left.workflow != deploy.workflow);
        (mine.deploy, mine.class, mine.seen) = (deploy, class, seen);
        self.memory.mine = Some(mine.clone());
        mine
    }

    /// A deploy that is watched, looked at once more.
    fn once_more(&mut self, mut mine: Tracked) -> Go<Tracked> {
        let policy = self.rules.on_superseded();
        if mine.by == By::Latest || policy != OnSuperseded::Finish {
            let latest = self.ask(Ask::Latest)?;
            match &*latest {
                Look::Refused(ending, why) => return ControlFlow::Break(Move::End(*ending, why.clone())),
                Look::Seen(deploy, _) => match self.beside_latest(mine, deploy)? {
                    found if found.by == By::Latest => return ControlFlow::Continue(found),
                    superseded => mine = superseded,
                },
                // It was there.
                Look::Absent(miss) | Look::Another(miss) if mine.by == By::Latest => {
                    return ControlFlow::Break(self.missed(miss));
                }
                // A newer one may have to be followed.
                Look::Missed(miss) => return ControlFlow::Break(self.missed(miss)),
                _ => {}
            }
        }
        let ask = Ask::Deploy(mine.deploy.id().clone());
        let look = self.ask(ask.clone())?;
        ControlFlow::Break(match &*look {
            Look::Seen(deploy, _) => return ControlFlow::Continue(self.take(mine, (**deploy).clone(), ask)),
            other => self.unanswered(other),
        })
    }

    /// What the latest deploy is to the one that is watched: itself, its retry, or one that has taken its place.
    fn beside_latest(&mut self, mut mine: Tracked, latest: &Deploy) -> Go<Tracked> {
        if latest.id() == mine.deploy.id() {
            mine.by = By::Latest;
            return ControlFlow::Continue(self.take(mine, latest.clone(), Ask::Latest));
        }
        if latest.is_older_than(&mine.deploy) || self.was_before(latest) {
            // A replica that lags behind still has the deploy before.
            if mine.by == By::Latest {
                let why = format!("the answer is about deploy {}, not {}", latest.id(), mine.deploy.id());
                return ControlFlow::Break(self.missed(&Miss::new(why)));
            }
            return ControlFlow::Continue(mine);
        }
        if latest.retries(&mine.deploy) && self.is_meant_as_retry(latest) {
            mine.by = By::Latest;
            return ControlFlow::Continue(self.follow_retry(mine, latest.clone(), Ask::Latest));
        }
        let is_news = mine.superseded_by() != Some(latest.id());
        let note = format!("deploy {} replaces {}", latest.id(), mine.deploy.id());
        if self.rules.on_superseded() == OnSuperseded::Follow
            && self.is_meant(latest)
            && mine.deploy.is_older_than(latest)
        {
            self.memory.log.events.push(Event::Note(format!("{note} and is watched from now on")));
            // Had it been over before the run began, the run would have been, too.
            self.memory.left.push(LeftBehind::new(&mine.deploy));
            (mine.followed, mine.by) = (Some(mine.deploy.id().clone()), By::Latest);
            self.memory.preexisting = Some(false);
            return ControlFlow::Continue(self.take(mine, latest.clone(), Ask::Latest));
        }
        if self.rules.on_superseded() == OnSuperseded::Stop && !self.rules.pins.identify() {
            mine.by = By::Id(Some(Newer::new(latest)));
            self.memory.mine = Some(mine);
            return ControlFlow::Break(Move::End(Ending::Superseded, note));
        }
        if is_news {
            self.memory.log.events.push(Event::Note(format!("{note}; still watching {}", mine.deploy.id())));
        }
        mine.by = By::Id(Some(Newer::new(latest)));
        self.memory.mine = Some(mine.clone());
        ControlFlow::Continue(mine)
    }

    pub(super) fn follow_retry(&mut self, mine: Tracked, retry: Deploy, seen: Ask) -> Tracked {
        self.memory.log.events.push(Event::Note(format!("deploy {} is retried as {}", mine.deploy.id(), retry.id())));
        self.take(mine, retry, seen)
    }

    /// The newest deploy of the workflow that is pinned: which one is meant is found there, whatever is the latest.
    fn in_workflow(&mut self, id: &WorkflowId) -> Go<Tracked> {
        let look = self.pinned(id)?;
        let (workflow, size) = match &*look {
            Look::Workflow(workflow, whole) => (workflow, whole.size()),
            Look::Refused(ending, why) => return self.pinned_is_refused(*ending, why.clone()),
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        let stage = self.enter(workflow, size);
        self.know_baseline()?;
        let newest = self.newest(workflow)?;
        let has_failed = matches!(stage, Stage::Failed(_) | Stage::Parked(_) | Stage::Dead(_));
        if let Some(unread) = &newest.unread
            && (!has_failed || newest.id.is_some() && !self.is_out_of_patience())
        {
            return ControlFlow::Break(self.unanswered(unread));
        }
        let Some(newest) = newest.id else {
            return self.without_deploy(workflow, &stage, None, newest.missed());
        };
        let steps = workflow.words_about(&newest, self.install_component.as_ref());
        let mine = match self.memory.mine.clone() {
            // While its steps stay as they are, so does it.
            Some(mine) if *mine.deploy.id() == newest && !self.is_moving(&mine, &steps, &stage) => {
                let mine = Tracked { steps, ..mine };
                self.memory.mine = Some(mine.clone());
                return ControlFlow::Continue(mine);
            }
            mine => mine,
        };
        let (ask, look) = self.of_step(&newest, self.after(&Ask::Workflow(id.clone())))?;
        let mut deploy = match &*look {
            Look::Seen(deploy, _) => (**deploy).clone(),
            other => return ControlFlow::Break(self.unanswered(other)),
        };
        deploy.workflow.get_or_insert(id.clone());
        let names_this = self.rules.pins.deploy.as_ref().is_none_or(|named| self.known.contains_key(named));
        if !names_this || !self.is_meant_as_retry(&deploy) {
            let other = format!("deploy {} is not the one you asked for ({})", deploy.id(), self.how_not(&deploy));
            return self.without_deploy(workflow, &stage, Some(&other), None);
        }
        let mine = match mine {
            None => self.take_first(deploy, ask, By::Id(None)),
            Some(mine) if mine.deploy.id() == deploy.id() => self.take(mine, deploy, ask),
            Some(mine) => self.follow_retry(mine, deploy, ask),
        };
        let mine = Tracked { steps, ..mine };
        self.memory.mine = Some(mine.clone());
        ControlFlow::Continue(mine)
    }

    /// The workflow that is pinned. It belongs to another install, or is not there for longer than replicas lag: no look will
    /// change that.
    pub(super) fn pinned(&mut self, id: &WorkflowId) -> Go<Arc<Look>> {
        let look = self.ask(Ask::Workflow(id.clone()))?;
        ControlFlow::Break(match &*look {
            Look::Another(miss) => Move::End(Ending::NotFound, miss.why.clone()),
            Look::Absent(miss) => self.absent_workflow(miss),
            _ => return ControlFlow::Continue(look),
        })
    }

    /// The workflow that is meant is not there; replicas lag.
    pub(super) fn absent_workflow(&mut self, miss: &Miss) -> Move {
        let since = *self.memory.workflow.absent.get_or_insert(self.now);
        if self.now >= since + LAG { Move::End(Ending::NotFound, miss.why.clone()) } else { self.missed(miss) }
    }

    /// Whether a deploy may be another than when it was last looked at.
    fn is_moving(&self, mine: &Tracked, steps: &[String], stage: &Stage) -> bool {
        let has_stopped = !matches!(stage, Stage::Running(_) | Stage::Waiting(_));
        // A replica that lags behind may have shown a deploy whose steps have all ended.
        let is_late = !is_over(mine.class) && !steps.iter().any(|word| is_open(word));
        has_stopped || is_late || mine.steps != steps || steps.iter().any(|word| is_at_work(word))
    }

    /// A deploy that a step names, and the question whose answer shows it, given after the first answers of this look. The
    /// latest may show it as well, or which component of the install this is.
    fn of_step(&self, id: &DeployId, after: usize) -> Go<(Ask, Arc<Look>)> {
        let ask = Ask::Deploy(id.clone());
        let look = self.ask_from(after, ask.clone())?;
        let may_be_latest = match &*look {
            Look::Absent(_) => true,
            Look::Missed(miss) => miss.foreign && self.install_component.is_none(),
            _ => false,
        };
        if may_be_latest {
            let latest = self.ask_from(after, Ask::Latest)?;
            if matches!(&*latest, Look::Seen(deploy, _) if deploy.id() == id) {
                return ControlFlow::Continue((Ask::Latest, latest));
            }
        }
        ControlFlow::Continue((ask, look))
    }

    /// The newest deploy of this component that the steps of a workflow have made.
    pub(super) fn newest(&mut self, workflow: &Workflow) -> Go<Newest> {
        let mut newest: Option<(Option<jiff::Timestamp>, DeployId)> = None;
        let (mut unread, mut asked) = (None, 0);
        for id in workflow.deploys() {
            if !self.known.contains_key(&id) || self.answers.iter().any(|(ask, _)| *ask == Ask::Deploy(id.clone())) {
                asked += 1;
            }
            if !self.known.contains_key(&id) && asked <= PER_LOOK {
                let (_, look) = self.of_step(&id, 0)?;
                match &*look {
                    Look::Seen(deploy, _) => drop(self.known.insert(id.clone(), Known::Mine(deploy.created()))),
                    Look::Another(_) => drop(self.known.insert(id.clone(), Known::Another)),
                    _ => unread = Some(look),
                }
            }
            match self.known.get(&id) {
                Some(Known::Mine(made)) if newest.as_ref().is_none_or(|(before, _)| made >= before) => {
                    // A retry has its steps after those of what it retries.
                    (newest, unread) = (Some((*made, id)), None);
                }
                Some(Known::Mine(_) | Known::Another) => {}
                None if unread.is_none() => {
                    unread =
                        Some(Arc::new(Look::Missed(Miss::new("its workflow has more deploys than one look reads"))));
                }
                None => {}
            }
        }
        ControlFlow::Continue(Newest { id: newest.map(|(_, id)| id), unread })
    }

    /// Another deploy of the same workflow that goes on in the place of mine, which failed or was left.
    pub(super) fn successor(&mut self, mine: &Tracked, workflow: &Workflow) -> Go<Option<Tracked>> {
        let newest = self.newest(workflow)?;
        if let (Some(unread), false) = (&newest.unread, self.is_out_of_patience()) {
            return ControlFlow::Break(match &**unread {
                Look::Absent(miss) | Look::Missed(miss) => self.missed(miss),
                _ => return ControlFlow::Continue(None),
            });
        }
        let Some(id) = newest.id.filter(|id| id != mine.deploy.id()) else { return ControlFlow::Continue(None) };
        let ask = Ask::Deploy(id);
        let look = self.ask(ask.clone())?;
        let mut retry = match &*look {
            Look::Seen(deploy, _) => (**deploy).clone(),
            Look::Missed(miss) if !self.is_out_of_patience() => return ControlFlow::Break(self.missed(miss)),
            _ => return ControlFlow::Continue(None),
        };
        if retry.workflow.is_none() {
            retry.workflow.clone_from(&mine.deploy.workflow);
        }
        let is_one =
            retry.retries(&mine.deploy) && !retry.is_older_than(&mine.deploy) && self.is_meant_as_retry(&retry);
        ControlFlow::Continue(is_one.then(|| {
            // What came before the retry does not take its place.
            let is_newer = |newer: &&Newer| newer.made.is_none_or(|made| retry.created().is_none_or(|own| made > own));
            let by = match &mine.by {
                By::Latest => By::Id(None),
                By::Id(newer) => By::Id(newer.as_ref().filter(is_newer).cloned()),
            };
            self.follow_retry(Tracked { by, ..mine.clone() }, retry, ask)
        }))
    }

    /// The workflow that is pinned cannot be read.
    fn pinned_is_refused(&mut self, ending: Ending, why: String) -> Go<Tracked> {
        if self.rules.until == Until::Applied {
            // The latest deploy names its workflow: that much can still be known.
            self.memory.workflow.refused = Some((ending, why));
            return match self.memory.mine.clone() {
                Some(mine) => self.once_more(mine),
                None => self.seek(),
            };
        }
        ControlFlow::Break(Move::End(ending, self.unread_workflow(&why)))
    }

    /// The pinned workflow, while there is no deploy of it that is meant: how another one is not it, or why none could be
    /// read.
    fn without_deploy(
        &mut self,
        workflow: &Workflow,
        stage: &Stage,
        other: Option<&str>,
        unread: Option<&Miss>,
    ) -> Go<Tracked> {
        self.memory.preexisting.get_or_insert(false);
        let course = Course::of(stage);
        self.decided_on = Some((Standing::Sought, course));
        let (decision, sure) = decision::decide(Standing::Sought, course, self.asked);
        let decision = if self.memory.confirms(None, decision, sure, self.now) { decision } else { Decision::Wait };
        let without = match (other, unread) {
            (Some(other), _) => format!("its {other}"),
            (None, Some(miss)) => format!("and a deploy that its steps name cannot be read: {}", miss.why),
            (None, None) => "without a deploy of this component".into(),
        };
        ControlFlow::Break(match decision {
            Decision::ApprovalRequired => Move::End(Ending::ApprovalRequired, approval_required(stage)),
            Decision::NeverAppeared => {
                let hint = if other.is_some() { "" } else { "; --component all gates a workflow as a whole" };
                Move::End(Ending::NeverAppeared, format!("{}, {without}{hint}", stage.told()))
            }
            Decision::WorkflowFailed => {
                let step = failed_step(workflow);
                Move::End(Ending::WorkflowFailed, format!("{}, {without}{step}", stage.told()))
            }
            Decision::Wait
            | Decision::Complete
            | Decision::DeployFailed
            | Decision::LeftBehind
            | Decision::UnknownStatus
            | Decision::WorkflowUnread => {
                if let Some(other) = other {
                    self.say_absent(other);
                }
                self.memory.note_ahead(format!("no deploy of this component yet: {}", stage.told()));
                self.again()
            }
        })
    }

    /// The deploy that is meant, and whether another one has taken its place: where its workflow is pinned, the latest is
    /// asked for only at the end.
    pub(super) fn superseded(&mut self, mut mine: Tracked) -> Go<Tracked> {
        if self.rules.pins.workflow().is_some()
            && let Look::Seen(latest, _) = &*self.ask(Ask::Latest)?
            && latest.id() != mine.deploy.id()
            && !latest.is_older_than(&mine.deploy)
            && !latest.retries(&mine.deploy)
        {
            mine.by = By::Id(Some(Newer::new(latest)));
            self.memory.mine = Some(mine.clone());
        }
        ControlFlow::Continue(mine)
    }

    fn say_absent(&mut self, why: &str) {
        if self.memory.log.absent.as_deref() != Some(why) {
            self.memory.log.events.push(Event::Absent(why.into()));
            self.memory.log.absent = Some(why.into());
        }
    }

    /// There is nothing to watch yet.
    fn not_yet(&mut self, miss: &Miss) -> Move {
        self.say_absent(&miss.why);
        let until = self.rules.appear_timeout.min(self.rules.timeout);
        if self.now >= until {
            let why = format!("{}, {} after the gate started", miss.why, format::duration(self.now));
            return Move::End(Ending::NeverAppeared, why);
        }
        Move::Wait(until)
    }
}
