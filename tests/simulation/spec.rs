//! What a world is: plain data, all of it drawn from one seed.

use std::time::Duration;

use http::Method;
use outrigger::event::{BreakerState, SwitchMode};
use outrigger::retry::RetryOverride;

use crate::draw;
use crate::provider::chance::Chance;
use crate::provider::plan::Plan;

/// One world.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    pub(crate) preset: Preset,
    /// Lines of a settings file, each with its dotted key.
    pub(crate) settings: Vec<String>,
    /// Something else answers where the provider doesn't.
    pub(crate) fallback: bool,
    pub(crate) plan: Plan,
    /// By when they begin.
    pub(crate) calls: Vec<CallSpec>,
    /// By when they happen.
    pub(crate) acts: Vec<(Duration, Act)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    UserFlow,
    Background,
}

/// One call, and what its caller does.
#[derive(Clone, Debug)]
pub(crate) struct CallSpec {
    pub(crate) at: Duration,
    pub(crate) method: Method,
    /// The caller gives it an idempotency key.
    pub(crate) keyed: bool,
    pub(crate) body: Upload,
    /// A deadline of its own, from its beginning; zero is one that has passed.
    pub(crate) limit: Option<Duration>,
    pub(crate) retry_override: Option<RetryOverride>,
    pub(crate) patience: Patience,
    pub(crate) reading: Reading,
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Upload {
    Nothing,
    Bytes(usize),
    /// So many bytes, one at a time, with as much silence before each.
    Stream(u32, Duration),
}

/// How long a caller waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Endless,
    /// It drops the call after so many polls.
    Polls(u32),
    /// It drops the call after so long.
    Time(Duration),
}

/// What a caller does with the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    All,
    /// It drops it unread.
    Nothing,
    /// It reads one frame and drops the rest.
    One,
    /// It reads a frame, does something else for as long, and so on.
    Slowly(Duration),
    /// It keeps it unread for as long, and drops it then.
    Keeps(Duration),
}

/// What people and machines do while calls run.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Lines of a settings file are applied.
    Apply(Vec<String>),
    Switch(SwitchMode),
    /// The breaker is forced into a state, or released.
    Force(Option<BreakerState>),
    /// The machine sleeps: time goes on by so much, and nothing runs meanwhile.
    Jump(Duration),
    /// Somebody stops everybody for as long.
    Pause(Duration),
    /// What was learned of the provider's limits is forgotten.
    Forget,
}

impl Spec {
    /// The world of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let preset = chance.pick(&[Preset::UserFlow, Preset::UserFlow, Preset::Background]);
        let settings = draw::settings(preset, &mut chance.split());
        let plan = draw::plan(&mut chance.split());
        let calls = draw::calls(preset, &plan, &mut chance.split());
        let end = calls.last().map_or(Duration::ZERO, |call| call.at).max(plan.length());
        let acts = draw::acts(preset, end, &mut chance.split());
        let fallback = chance.hits(0.1);
        let spec = Self { seed, preset, settings, fallback, plan, calls, acts };
        // Where all happens on the beat of one clock, much happens in the same instant.
        if chance.hits(0.5) { spec.on_the_beat() } else { spec }
    }

    fn on_the_beat(mut self) -> Self {
        let beat = |time: &mut Duration| {
            let beats = time.as_nanos().div_ceil(BEAT.as_nanos());
            *time = BEAT * u32::try_from(beats).unwrap_or(u32::MAX);
        };
        for call in &mut self.calls {
            beat(&mut call.at);
            call.limit.iter_mut().for_each(beat);
            match (&mut call.patience, &mut call.reading) {
                (Patience::Time(time), _) => beat(time),
                (_, Reading::Slowly(time) | Reading::Keeps(time)) => beat(time),
                _ => {}
            }
            if let Upload::Stream(_, time) = &mut call.body {
                beat(time);
            }
        }
        self.acts.iter_mut().for_each(|(at, _)| beat(at));
        let mut phases = self.plan.phases().to_vec();
        phases.iter_mut().for_each(|phase| beat(&mut phase.lasts));
        self.plan = self.plan.with_phases(phases);
        self
    }

    /// When all that was planned has begun.
    pub(crate) fn end(&self) -> Duration {
        let call = self.calls.last().map_or(Duration::ZERO, |call| call.at);
        let act = self.acts.last().map_or(Duration::ZERO, |(at, _)| *at);
        call.max(act).max(self.plan.length())
    }
}

impl CallSpec {
    /// A GET whose caller waits for its answer and reads all of it.
    pub(crate) fn get(at: Duration) -> Self {
        Self {
            at,
            method: Method::GET,
            keyed: false,
            body: Upload::Nothing,
            limit: None,
            retry_override: None,
            patience: Patience::Endless,
            reading: Reading::All,
        }
    }

    /// Whether doing it twice does no harm, whatever the provider makes of keys.
    pub(crate) fn is_harmless(&self) -> bool {
        !matches!(self.method, Method::POST | Method::PATCH)
            || self.retry_override == Some(RetryOverride::Safe)
    }

    /// How long its body is.
    pub(crate) fn length(&self) -> usize {
        match self.body {
            Upload::Nothing => 0,
            Upload::Bytes(bytes) => bytes,
            Upload::Stream(frames, _) => frames as usize,
        }
    }
}

/// As long as a healthy provider takes in most worlds.
const BEAT: Duration = Duration::from_millis(20);
