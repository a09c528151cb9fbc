use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use tokio::time::Sleep;

pin_project! {
    /// A timer that costs nothing until it is first waited for.
    ///
    /// Each poll may name another time. For a later time, the runtime's timer is set anew only when
    /// the earlier time has come: so a body with a thousand frames can move its limit a thousand
    /// times at the cost of one.
    #[derive(Debug, Default)]
    pub(crate) struct Timer {
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Timer {
    /// Ready once `due` has come.
    pub(crate) fn poll_at(self: Pin<&mut Self>, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let due = tokio::time::Instant::from_std(due);
        let mut sleep = self.project().sleep;
        if sleep.is_none() {
            sleep.set(Some(arm(due)));
        }
        let Some(mut sleep) = sleep.as_pin_mut() else {
            return Poll::Pending;
        };
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        loop {
            std::task::ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }

    /// Removes the timer from the runtime.
    pub(crate) fn disarm(self: Pin<&mut Self>) {
        self.project().sleep.set(None);
    }
}

/// Runs `work` until `due`; `None` if it wasn't ready by then. The work is polled first.
pub(crate) async fn until<F: Future>(due: Option<Instant>, work: F) -> Option<F::Output> {
    let (mut work, mut timer) = (std::pin::pin!(work), std::pin::pin!(Timer::default()));
    std::future::poll_fn(|cx| match (work.as_mut().poll(cx), due) {
        (Poll::Ready(output), _) => Poll::Ready(Some(output)),
        (Poll::Pending, None) => Poll::Pending,
        (Poll::Pending, Some(due)) => timer.as_mut().poll_at(due, cx).map(|()| None),
    })
    .await
}

/// Waits until `due` has come.
pub(crate) async fn sleep_until(due: Instant) {
    let mut timer = std::pin::pin!(Timer::default());
    std::future::poll_fn(|cx| timer.as_mut().poll_at(due, cx)).await;
}

/// Waits for the first of two, whatever it comes to.
#[cfg(feature = "fleet")]
pub(crate) async fn first(one: impl Future, other: impl Future) {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    std::future::poll_fn(|cx| {
        let is_ready = one.as_mut().poll(cx).is_ready() || other.as_mut().poll(cx).is_ready();
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[expect(clippy::disallowed_methods, reason = "the one place where a timer is made")]
fn arm(due: tokio::time::Instant) -> Sleep {
    tokio::time::sleep_until(due)
}
