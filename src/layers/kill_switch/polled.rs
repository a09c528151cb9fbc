use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use super::setting::SwitchSetting;
use super::source::{READ_LIMIT, SourceError, SwitchSource};
use crate::rt;
use crate::terms::SourceProblem;

/// Polls a kill switch's setting from an admin endpoint or a flag service.
///
/// Only changes from one answer to the next are passed on. No answer within ten seconds is an error,
/// and the call to `ask` is dropped.
///
/// ```
/// use std::time::Duration;
/// use outrigger::event::{SourceProblem, SwitchMode};
/// use outrigger::kill_switch::{KillSwitchLayer, Polled, SourceError};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// async fn text_of(_url: &str) -> std::io::Result<String> {
///     Ok("off".to_owned()) // a request of yours
/// }
///
/// let admin = Polled::new(Duration::from_secs(5), async || {
///     let unread = |_| SourceError::new(SourceProblem::Unreadable, "the admin page is away");
///     let malformed = |e| SourceError::new(SourceProblem::Malformed, format!("admin page: {e}"));
///     text_of("http://admin.internal/rates").await.map_err(unread)?.parse().map_err(malformed)
/// });
/// let switch = KillSwitchLayer::new().handle();
/// let _following = switch.follow(admin);
///
/// tokio::time::sleep(Duration::from_millis(100)).await;
/// assert_eq!(switch.mode(), SwitchMode::Off);
/// # }
/// ```
#[must_use = "it moves nothing until a switch follows it"]
pub struct Polled<F> {
    every: Duration,
    ask: F,
    next_read: Option<Instant>,
    last: Option<Result<SwitchSetting, SourceError>>,
}

impl<F, R> Polled<F>
where
    F: Fn() -> R + Send + 'static,
    R: Future<Output = Result<SwitchSetting, SourceError>> + Send,
{
    /// Calls `ask` at once, and again `every` time after each answer; a millisecond is the
    /// shortest.
    pub fn new(every: Duration, ask: F) -> Self {
        let every = every.max(Duration::from_millis(1));
        Self { every, ask, next_read: None, last: None }
    }
}

impl<F, R> SwitchSource for Polled<F>
where
    F: Fn() -> R + Send + 'static,
    R: Future<Output = Result<SwitchSetting, SourceError>> + Send,
{
    async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
        loop {
            if let Some(at) = self.next_read {
                rt::sleep_until(at).await;
            }
            let due = rt::after(rt::now(), READ_LIMIT);
            let word = rt::until(Some(due), (self.ask)()).await.unwrap_or_else(no_answer);
            self.next_read = Some(rt::after(rt::now(), self.every));
            if self.last.as_ref() != Some(&word) {
                self.last = Some(word.clone());
                return Some(word);
            }
        }
    }
}

impl<F> fmt::Debug for Polled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled").field("every", &self.every).finish_non_exhaustive()
    }
}

fn no_answer() -> Result<SwitchSetting, SourceError> {
    Err(SourceError::new(SourceProblem::Unreadable, format!("no answer within {READ_LIMIT:?}")))
}
