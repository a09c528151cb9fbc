use std::time::Duration;

use http::StatusCode;

use super::chance::Chance;
use super::plan::{Mode, Plan};

/// What becomes of a request, decided when all of it is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    /// It takes up the provider's capacity.
    pub(super) is_served: bool,
    /// When the work is done, from its turn; never, where it isn't.
    pub(super) works_after: Option<Duration>,
    pub(super) end: End,
}

/// How a request ends. Times are from its turn.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Answer {
        after: Duration,
        status: StatusCode,
        retry_after: Option<Duration>,
        frames: u32,
        gap: Duration,
    },
    Reset,
    ResetWithPhase,
    Never,
}

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
                let end = End::Answer { after, status, retry_after: None, frames, gap };
                Self { end, ..usual }
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

fn answer(plan: &Plan, after: Duration, status: StatusCode, retry_after: Option<Duration>) -> End {
    End::Answer { after, status, retry_after, frames: plan.frames, gap: Duration::ZERO }
}

/// The number that a path ends with.
fn number(path: &str) -> u64 {
    let digits = path.len() - path.trim_end_matches(|digit: char| digit.is_ascii_digit()).len();
    path[path.len() - digits..].parse().unwrap_or(0)
}
