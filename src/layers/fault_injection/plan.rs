use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::injection::{Ending, Injection};
use crate::rt::Rng;
use crate::settings::{Errors, Ratio};

/// Which faults to inject, each with its share of the calls.
///
/// Of `status`, `hang`, `reset` and `answer` a call gets one at most, so that their shares add up;
/// `latency` and `slow_body` are drawn by themselves and combine. Setting a fault again replaces it.
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use outrigger::{Ratio, fault_injection::{Plan, FaultInjectionLayer}};
///
/// let bad_day = Plan::new()
///     .latency(Ratio::percent(50), Duration::from_millis(200), Duration::from_secs(4))
///     .status(Ratio::percent(20), StatusCode::SERVICE_UNAVAILABLE)
///     .status(Ratio::percent(5), StatusCode::TOO_MANY_REQUESTS)
///     .reset(Ratio::percent(2));
/// FaultInjectionLayer::new().allow().plan(bad_day).check()?;
/// # Ok::<(), outrigger::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is started"]
pub struct Plan {
    pub(crate) latency: Option<Latency>,
    pub(crate) statuses: Vec<(Ratio, StatusCode)>,
    pub(crate) hang: Ratio,
    pub(crate) reset: Ratio,
    pub(crate) slow_body: Option<SlowBody>,
    pub(crate) answer: Option<Answer>,
}

/// How late a share of the requests goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) share: Ratio,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// How slowly a share of the bodies comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlowBody {
    pub(crate) share: Ratio,
    pub(crate) pause: Duration,
}

/// What a share of the calls is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) share: Ratio,
    pub(crate) body: Bytes,
    pub(crate) content_type: HeaderValue,
}

impl Plan {
    /// No faults; each is added by a method, with its share of the calls.
    pub fn new() -> Self {
        let (latency, slow_body, answer) = (None, None, None);
        let (hang, reset, statuses) = (Ratio::ZERO, Ratio::ZERO, Vec::new());
        Self { latency, statuses, hang, reset, slow_body, answer }
    }

    /// Sends this share of the requests late, by a time drawn evenly between `from` and `to`.
    pub fn latency(mut self, share: Ratio, from: Duration, to: Duration) -> Self {
        self.latency = Some(Latency { share, from, to });
        self
    }

    /// Answers `status` to this share of the calls, without a body and without sending them.
    /// Several statuses stand side by side.
    pub fn status(mut self, share: Ratio, status: StatusCode) -> Self {
        self.statuses.retain(|(_, known)| *known != status);
        self.statuses.push((share, status));
        self
    }

    /// Never answers this share of the calls: only a limit further out ends them.
    pub fn hang(mut self, share: Ratio) -> Self {
        self.hang = share;
        self
    }

    /// Resets the connection of this share of the calls. Whether the provider acted is unknown, as with
    /// a real reset.
    pub fn reset(mut self, share: Ratio) -> Self {
        self.reset = share;
        self
    }

    /// Pauses before each frame of the answer's body; counted while the reader asks for it.
    pub fn slow_body(mut self, share: Ratio, pause: Duration) -> Self {
        self.slow_body = Some(SlowBody { share, pause });
        self
    }

    /// Answers 200 with this body, for example one that only looks like a success.
    ///
    /// Layers judge by the head, so this reaches the caller, as a real one would.
    pub fn answer(
        mut self,
        share: Ratio,
        body: impl Into<Bytes>,
        content_type: HeaderValue,
    ) -> Self {
        self.answer = Some(Answer { share, body: body.into(), content_type });
        self
    }

    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        if let Some(latency) = &self.latency {
            latency.check_into(errors);
        }
        if let Some(SlowBody { share, pause }) = &self.slow_body {
            check_time_and_share("plan.slow_body", *pause, *share, errors);
        }
        for (_, status) in self.statuses.iter().filter(|(_, status)| status.is_informational()) {
            errors.add(
                "plan.status",
                format_args!("{} ends no call: use a status from 200 on", status.as_u16()),
            );
        }
        let whole = self.endings().map(|(share, _)| u64::from(share.millionths())).sum::<u64>();
        if whole > u64::from(Ratio::ONE.millionths()) {
            let whole = Ratio::per_million(u32::try_from(whole).unwrap_or(u32::MAX));
            let why = "status, hang, reset and answer, of which a call gets one, take";
            errors.add("plan.shares", format_args!("{why} {whole}: lower them to 100% together"));
        }
    }

    /// Draws the faults for one call.
    pub(super) fn draw(&self, rng: &Rng) -> Injection {
        let latency = self.latency.as_ref().filter(|latency| latency.share.is_drawn(rng));
        let slow_body = self.slow_body.as_ref().filter(|slow| slow.share.is_drawn(rng));
        Injection {
            latency: latency.map(|Latency { from, to, .. }| rng.between(*from, *to)),
            slow_body: slow_body.map(|slow| slow.pause),
            ending: self.draw_ending(rng),
        }
    }

    fn draw_ending(&self, rng: &Rng) -> Option<Ending> {
        let mut share = 0;
        let drawn = rng.fraction();
        let (_, ending) = self.endings().find(|(next, _)| {
            share += u64::from(next.millionths());
            // In whole millionths, so that shares of 100% together leave nothing out.
            drawn * MILLION < share as f64
        })?;
        Some(ending)
    }

    /// The faults of which a call gets at most one, with their shares.
    fn endings(&self) -> impl Iterator<Item = (Ratio, Ending)> {
        let statuses =
            self.statuses.iter().map(|(share, status)| (*share, Ending::Status(*status)));
        let answer = self.answer.iter().map(|Answer { share, body, content_type }| {
            let (body, content_type) = (body.clone(), content_type.clone());
            (*share, Ending::Answer { body, content_type })
        });
        let broken = [(self.hang, Ending::Hang), (self.reset, Ending::Reset)];
        statuses.chain(broken).chain(answer)
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

impl Latency {
    fn check_into(&self, errors: &mut Errors<'_>) {
        let Self { share, from, to } = self;
        if from > to {
            errors.add("plan.latency", format_args!("{from:?} is over {to:?}: turn them round"));
        }
        check_time_and_share("plan.latency", *to, *share, errors);
    }
}

fn check_time_and_share(field: &str, time: Duration, share: Ratio, errors: &mut Errors<'_>) {
    if time.is_zero() {
        errors.add(field, "no time at all is no fault: give it a duration");
    }
    if share > Ratio::ONE {
        errors.add(field, format_args!("{share} of the calls is too much: ask for 100% at most"));
    }
}

const MILLION: f64 = 1_000_000.0;
