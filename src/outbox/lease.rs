use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::store::{LeaseRef, Store};
use crate::rt::{self, Timer};

/// Does `work` while its lease is extended at each third. Nobody else extends it: if the work is dropped, its
/// lease ends. Work whose lease is lost goes on, because a success counts however late it is told.
pub(super) async fn while_extended<F: Future>(
    store: &dyn Store,
    held: LeaseRef,
    lease: Duration,
    lost: impl Fn(),
    work: F,
) -> F::Output {
    let third = lease / 3;
    let (mut work, mut timer) = (pin!(work), pin!(Timer::default()));
    let mut due = rt::after(rt::now(), third);
    let (mut extending, mut is_lost) = (None, false);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        while !is_lost {
            match &mut extending {
                None if timer.as_mut().poll_at(due, cx).is_pending() => break,
                None => extending = Some(store.extend(vec![held], lease)),
                Some(extension) => match extension.as_mut().poll(cx) {
                    Poll::Pending => break,
                    // If the store is away, the next third may find it back.
                    Poll::Ready(extended) => {
                        is_lost = matches!(extended, Ok(held) if held == [false]);
                        if is_lost {
                            lost();
                        }
                        due = rt::after(rt::now(), third);
                        extending = None;
                    }
                },
            }
        }
        Poll::Pending
    })
    .await
}
