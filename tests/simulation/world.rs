//! Runs a world, and looks at every promise at every step.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};
use outrigger::{ConfigError, Integration};
use tokio::time::Sleep;

use crate::caller::Diaries;
use crate::clock::{self, millis};
use crate::promises::{Broken, Promise, Tally, Watched, Whole};
use crate::provider::Provider;
use crate::spec::Spec;
use crate::terms::Terms;
use crate::told::Listener;

mod acts;
mod build;
mod looks;

use build::build;

/// What a world came to.
#[derive(Debug)]
pub(crate) struct Report {
    /// The first promise that was broken.
    pub(crate) broken: Option<Broken>,
    /// What happened, a line each, where somebody wants to know.
    pub(crate) trace: Vec<String>,
    /// Requests that the provider saw.
    pub(crate) requests: usize,
}

impl Report {
    fn of_none(mistakes: &ConfigError) -> Self {
        Self::only(Promise::SettingsWork.broken(mistakes.to_string()))
    }

    pub(crate) fn of_a_panic() -> Self {
        Self::only(Promise::NoPanic.broken("what it says stands above".into()))
    }

    fn only(broken: Broken) -> Self {
        Self { broken: Some(broken), trace: Vec::new(), requests: 0 }
    }
}

struct World {
    spec: Spec,
    integration: Integration,
    provider: Provider,
    listener: Listener,
    began: Instant,
    diaries: Diaries,
    tallies: Vec<Tally>,
    /// Calls whose end was not looked at yet.
    open: Vec<usize>,
    whole: Whole,
    watched: Watched,
    terms: Terms,
    /// The most attempts that any settings allowed so far.
    attempts: Option<u32>,
    hedges: bool,
    honoured: bool,
    forced_open: Option<Instant>,
    forced: bool,
    live: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    /// Entries of the provider's log that were looked at.
    looked_at: usize,
    next_call: usize,
    next_act: usize,
    timer: Pin<Box<Sleep>>,
    jump: Option<LocalBoxFuture<'static, ()>>,
    /// When the last jump ended: until then nothing ran.
    awake: Instant,
    recovery: Option<Recovery>,
    trace: Option<Vec<String>>,
    steps: u32,
    /// When the last step was.
    seen: Instant,
}

/// All that was planned is over: calls come at an even pace until all is well.
struct Recovery {
    since: Instant,
    /// By when all must be well.
    due: Instant,
    next: Instant,
    /// The first of its calls.
    first: usize,
    is_well: bool,
}

/// Runs a world in a runtime of its own.
pub(crate) fn run(spec: &Spec, traced: bool) -> Report {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime").block_on(async {
        let mut world = match World::new(spec.clone(), traced) {
            Ok(world) => world,
            Err(mistakes) => return Report::of_none(&mistakes),
        };
        let broken = poll_fn(|cx| world.step(cx)).await.err();
        let requests = world.provider.log(|log| log.seen.len());
        let trace = world.trace.take().unwrap_or_default();
        Report { broken, trace, requests }
    })
}

impl World {
    fn new(spec: Spec, traced: bool) -> Result<Self, ConfigError> {
        let (provider, listener) = (Provider::new(spec.plan.clone()), Listener::default());
        let integration = build(&spec, provider.clone(), listener.clone())?;
        let now = clock::now();
        let terms = Terms::of(&integration);
        Ok(Self {
            whole: Whole::new(&integration),
            watched: Watched::new(),
            attempts: terms.attempts,
            hedges: terms.hedges,
            honoured: terms.honoured,
            terms,
            integration,
            provider,
            listener,
            began: now,
            diaries: Rc::new(RefCell::new(Vec::new())),
            tallies: Vec::new(),
            open: Vec::new(),
            forced_open: None,
            forced: false,
            live: FuturesUnordered::new(),
            looked_at: 0,
            next_call: 0,
            next_act: 0,
            timer: Box::pin(clock::until(now)),
            jump: None,
            awake: now,
            recovery: None,
            trace: traced.then(Vec::new),
            steps: 0,
            seen: now,
            spec,
        })
    }

    /// Goes as far as it goes without time.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        // The last step went as far as it could, if time has passed since.
        let now = clock::now();
        if std::mem::replace(&mut self.seen, now) < now {
            let at_rest = self.whole.check_at_rest(&self.integration);
            self.judge(None, at_rest)?;
        }
        loop {
            self.steps += 1;
            Promise::Ends.holds(self.steps < MOST_STEPS, || {
                format!("after {:?} and {MOST_STEPS} steps it goes on", clock::now() - self.began)
            })?;
            if let Some(jump) = &mut self.jump {
                if jump.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                (self.jump, self.awake) = (None, clock::now());
            }
            let acted = self.begin_what_is_due()?;
            let ended = self.poll_calls(cx);
            self.look()?;
            if acted || ended || self.jump.is_some() {
                continue;
            }
            self.check_now()?;
            match self.next_due().into_iter().chain(self.next_overdue()).min() {
                None if self.live.is_empty() => return Poll::Ready(Ok(())),
                None => return Poll::Pending,
                Some(due) => {
                    self.timer.as_mut().reset(due.into());
                    if self.timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// When something is to be begun that hasn't been.
    fn next_due(&self) -> Option<Instant> {
        let call = self.spec.calls.get(self.next_call).map(|call| self.began + call.at);
        let act = self.spec.acts.get(self.next_act).map(|(at, _)| self.began + *at);
        let planned = call.into_iter().chain(act).min();
        match &self.recovery {
            None => Some(planned.unwrap_or(self.began + self.spec.end())),
            Some(recovery) if recovery.is_well => None,
            Some(recovery) => Some(recovery.next.min(recovery.due)),
        }
    }

    /// When the next call is to be found out that outlives its deadline.
    fn next_overdue(&self) -> Option<Instant> {
        let diaries = self.diaries.borrow();
        let due = self.open.iter().map(|number| diaries[*number].due);
        let found_out = due.map(|due| due.max(self.awake) + 2 * SLACK);
        found_out.filter(|at| *at > clock::now()).min()
    }

    fn begin_what_is_due(&mut self) -> Result<bool, Broken> {
        let mut acted = false;
        let now = clock::now();
        while let Some(call) = self.spec.calls.get(self.next_call)
            && self.began + call.at <= now
        {
            let call = call.clone();
            self.next_call += 1;
            self.begin(call);
            acted = true;
        }
        if acted {
            // They are on their way before anything is done to them.
            return Ok(true);
        }
        while let Some((at, act)) = self.spec.acts.get(self.next_act)
            && self.began + *at <= now
            && self.jump.is_none()
        {
            let act = act.clone();
            self.next_act += 1;
            self.look()?;
            self.act(act);
            acted = true;
        }
        let planned =
            self.next_call == self.spec.calls.len() && self.next_act == self.spec.acts.len();
        if planned && self.jump.is_none() && now >= self.began + self.spec.end() {
            acted |= self.recover(now)?;
        }
        Ok(acted)
    }

    /// Polls those who call; says whether one of them is done.
    fn poll_calls(&mut self, cx: &mut Context<'_>) -> bool {
        let mut ended = false;
        while let Poll::Ready(Some(())) = Pin::new(&mut self.live).poll_next(cx) {
            ended = true;
        }
        ended
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12?}  {}", clock::now() - self.began, what()));
        }
    }
}

/// What timers and polls may take of virtual time.
const SLACK: Duration = millis(5);
/// Far more than any world takes.
const MOST_STEPS: u32 = 200_000;
