use std::time::{Duration, Instant};

use super::state::NEWBORN;

/// The last fetch that a refusal forced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forced {
    at: Instant,
    /// How long the next one waits.
    spacing: Duration,
}

impl Forced {
    /// The fetch that a refusal forces now; `None` if it is too early for one.
    pub(super) fn after(last: Option<Self>, now: Instant) -> Option<Self> {
        let Some(last) = last else { return Some(Self { at: now, spacing: FORCED_SPACING }) };
        let since = now.saturating_duration_since(last.at);
        let spacing = match since {
            since if since < last.spacing => return None,
            // Refusals that far apart have nothing to do with each other.
            since if since >= last.spacing.max(NEWBORN) * 4 => FORCED_SPACING,
            _ => (last.spacing * 2).min(LONGEST_SPACING),
        };
        Some(Self { at: now, spacing })
    }
}

/// The times between two fetches that refusals force: doubled each time, up to the longest.
const FORCED_SPACING: Duration = Duration::from_secs(10);
const LONGEST_SPACING: Duration = Duration::from_secs(600);
