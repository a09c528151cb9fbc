//! When a token is renewed and when it is no longer sent, by its lifetime.

use std::time::{Duration, Instant, SystemTime};

use super::config::TokenConfig;
use crate::rt::{self, Rng};

/// Both clocks at one moment. The monotonic one stands still while a machine is suspended, the
/// wall clock may be set: a time has come as soon as either of them says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) at: Instant,
    pub(super) wall: SystemTime,
}

/// The times of a token, counted from when its request was sent.
///
/// By the defaults:
///
/// | lifetime L | 60 s | 300 s | 1 h | 24 h |
/// |---|---|---|---|---|
/// | not sent for the last min(30 s, L/10) | 6 s | 30 s | 30 s | 30 s |
/// | renewed at most min(L/5, 15 min) before that | 12 s | 60 s | 12 min | 15 min |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// From then on it isn't sent.
    pub(super) hard: Duration,
    /// How long before that it is renewed, at most.
    pub(super) window: Duration,
}

impl Now {
    pub(super) fn after(self, delay: Duration) -> Self {
        let wall = self.wall.checked_add(delay).unwrap_or(self.wall + CENTURY);
        Self { at: rt::after(self.at, delay), wall }
    }

    /// Whether this time has come at `now`.
    pub(super) fn has_come(self, now: Self) -> bool {
        now.at >= self.at || now.wall >= self.wall
    }

    /// How long ago it came, by the clock that says more; `None` if it has yet to come.
    pub(super) fn since(self, now: Self) -> Option<Duration> {
        let by_wall = now.wall.duration_since(self.wall).unwrap_or_default();
        let since = now.at.saturating_duration_since(self.at).max(by_wall);
        self.has_come(now).then_some(since)
    }

    /// How much time is left until then, by the clock that says less.
    pub(super) fn left(self, now: Self) -> Duration {
        let by_wall = self.wall.duration_since(now.wall).unwrap_or_default();
        self.at.saturating_duration_since(now.at).min(by_wall)
    }
}

impl Windows {
    /// `None`: the token lives too short to be used.
    pub(super) fn of(lifetime: Duration, config: &TokenConfig) -> Option<Self> {
        let margin = (lifetime / 10).min(config.margin);
        let window = (lifetime / 5).min(config.renew_ahead);
        (lifetime >= SHORTEST_LIFETIME).then(|| Self { hard: lifetime - margin, window })
    }

    /// For a token whose lifetime nobody knows: it is renewed then, and has no end.
    pub(super) fn renewed_after(time: Duration) -> Self {
        Self { hard: time, window: time / 5 }
    }

    /// From when on it is renewed: spread over the first fifth of the window, so that tokens that
    /// were issued together are not renewed together.
    pub(super) fn soft(self, rng: &Rng) -> Duration {
        self.hard - rng.between(self.window / 5 * 4, self.window)
    }
}

/// A token of less is a failed refresh: it would have ended before it is used.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
/// Far enough to mean "never".
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_follow_the_lifetime() {
        let (rng, config) = (Rng::seeded(1), TokenConfig::default());
        for (lifetime, hard, window) in [
            (1.0, 0.9, 0.2),
            (5.0, 4.5, 1.0),
            (60.0, 54.0, 12.0),
            (300.0, 270.0, 60.0),
            (3600.0, 3570.0, 720.0),
            (86_400.0, 86_370.0, 900.0),
            (1e12, 1e12 - 30.0, 900.0),
        ] {
            let windows = Windows::of(Duration::from_secs_f64(lifetime), &config).unwrap();
            assert_eq!(windows.hard, Duration::from_secs_f64(hard), "{lifetime}");
            assert_eq!(windows.window, Duration::from_secs_f64(window), "{lifetime}");
            for _ in 0..100 {
                let before = (windows.hard - windows.soft(&rng)).as_secs_f64();
                assert!(
                    (window * 0.799..=window * 1.001).contains(&before),
                    "{lifetime}: {before}"
                );
            }
        }
        assert_eq!(Windows::of(Duration::ZERO, &config), None);
        assert_eq!(Windows::of(Duration::from_millis(999), &config), None);
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
        let config = TokenConfig { margin: hour / 60, renew_ahead: hour * 6, ..config };
        let windows = Windows::of(day, &config).unwrap();
        assert_eq!((windows.hard, windows.window), (day - hour / 60, day / 5));
    }

    #[test]
    fn a_time_has_come_as_soon_as_either_clock_says_so() {
        let now = Now { at: rt::now(), wall: SystemTime::UNIX_EPOCH + CENTURY };
        let due = now.after(Duration::from_secs(10));
        let later = |at, wall| Now {
            at: now.at + Duration::from_secs(at),
            wall: now.wall + Duration::from_secs(wall),
        };
        assert!(!due.has_come(later(9, 9)) && due.has_come(later(10, 0)));
        assert!(due.has_come(later(0, 10)));
        assert_eq!(due.left(later(3, 4)), Duration::from_secs(6));
        assert_eq!(due.left(later(3, 3600)), Duration::ZERO);
        assert_eq!(due.since(later(9, 9)), None);
        assert_eq!(due.since(later(12, 10)), Some(Duration::from_secs(2)));
        assert!(!now.after(Duration::MAX).has_come(later(1 << 30, 1 << 30)));
    }
}
