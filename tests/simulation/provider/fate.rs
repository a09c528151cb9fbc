use std::time::{Duration, SystemTime};

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use outrigger::Body;

use super::chance::Chance;
use super::plan::{Mode, Plan};
use super::trickle::Trickle;
use super::visit::Visit;

/// What becomes of a request, decided when all of it is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// It takes up the provider's capacity.
    pub(super) is_served: bool,
    /// When the work is done, from its turn; never, where it isn't.
    pub(super) works_after: Option<Duration>,
    pub(super) end: End,
}

/// How a request ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Answer(Answer),
    Reset,
    ResetWithPhase,
    Never,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// From its turn to the head of the answer.
    pub(super) after: Duration,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    frames: u32,
    gap: Duration,
}

// === impl Fate ===

impl Fate {
    /// `taken` is how many requests were served in this second before.
    pub(super) fn of(mode: Mode, plan: &Plan, path: &str, taken: u32, chance: &mut Chance) -> Self {
        let usual = Self::served(plan, plan.service_time);
        match mode {
            Mode::Errors { share, slow } if chance.hits(share) => {
                let after = slow.unwrap_or(plan.service_time);
                let works_after = chance.hits(0.5).then_some(after);
                let end = answer(plan, after, StatusCode::INTERNAL_SERVER_ERROR, None);
                Self { is_served: true, works_after, end }
            }
            Mode::Reset => Self::unanswered(plan, End::Reset, chance),
            Mode::Hang => Self::unanswered(plan, End::ResetWithPhase, chance),
            Mode::Stuck => Self::unanswered(plan, End::Never, chance),
            Mode::Unavailable { retry_after } => {
                Self::turned_away(plan, StatusCode::SERVICE_UNAVAILABLE, retry_after)
            }
            Mode::Limited { per_second, retry_after } if taken >= per_second => {
                Self::turned_away(plan, StatusCode::TOO_MANY_REQUESTS, retry_after)
            }
            Mode::OddUnavailable { share, retry_after } if chance.hits(share) => {
                Self::turned_away(plan, StatusCode::SERVICE_UNAVAILABLE, Some(retry_after))
            }
            Mode::Endpoint { of } if number(path).is_multiple_of(of) => {
                Self::turned_away(plan, StatusCode::INTERNAL_SERVER_ERROR, None)
            }
            Mode::Warming { share } if !chance.hits(share) => {
                Self::turned_away(plan, StatusCode::SERVICE_UNAVAILABLE, None)
            }
            Mode::Drip { frames, gap } => {
                let (after, status) = (plan.service_time, StatusCode::OK);
                let drip = Answer { after, status, retry_after: None, frames, gap };
                Self { end: End::Answer(drip), ..usual }
            }
            Mode::Slow { answer } => Self::served(plan, answer),
            _ => usual,
        }
    }

    fn served(plan: &Plan, after: Duration) -> Self {
        let end = answer(plan, after, StatusCode::OK, None);
        Self { is_served: true, works_after: Some(after), end }
    }

    fn unanswered(plan: &Plan, end: End, chance: &mut Chance) -> Self {
        let works = chance.hits(plan.done_unanswered);
        Self { is_served: false, works_after: works.then_some(Duration::ZERO), end }
    }

    fn turned_away(plan: &Plan, status: StatusCode, retry_after: Option<Duration>) -> Self {
        let end = answer(plan, Duration::ZERO, status, retry_after);
        Self { is_served: false, works_after: None, end }
    }
}

// === impl Answer ===

impl Answer {
    /// The answer itself, at this time of the provider's wall clock where it speaks in dates.
    pub(super) fn into_response(self, now: Option<SystemTime>, mut visit: Visit) -> Response<Body> {
        if self.frames == 0 {
            visit.end();
        }
        let mut response = Response::new(Body::new(Trickle::new(self.frames, self.gap, visit)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        match (self.retry_after, now) {
            (Some(after), Some(now)) => {
                headers.insert(DATE, date(now));
                headers.insert(RETRY_AFTER, date(now + after));
            }
            (Some(after), None) => {
                headers.insert(RETRY_AFTER, after.as_secs().into());
            }
            (None, _) => {}
        }
        response
    }
}

fn date(at: SystemTime) -> HeaderValue {
    HeaderValue::from_str(&httpdate::fmt_http_date(at)).expect("a date is a header's value")
}

fn answer(plan: &Plan, after: Duration, status: StatusCode, retry_after: Option<Duration>) -> End {
    let (frames, gap) = (plan.frames, Duration::ZERO);
    End::Answer(Answer { after, status, retry_after, frames, gap })
}

/// The number that a path ends with.
fn number(path: &str) -> u64 {
    let digits = path.len() - path.trim_end_matches(|digit: char| digit.is_ascii_digit()).len();
    path[path.len() - digits..].parse().unwrap_or(0)
}
