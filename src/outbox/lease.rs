use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::inner::Inner;
use super::lane::Lane;
use super::store::{LeaseRef, Store};
use crate::context::Report as CallReport;
use crate::rt::{self, Timer};
use crate::terms::Delivery as Sent;
use crate::terms::outbox::OutboxEvent;

/// Does `work` and settles what it came to, while its leases are extended. `None` is work that comes to nothing that could
/// be settled.
pub(super) async fn under_leases<E, S>(
    (inner, lane): (&Inner, &Lane),
    held: Vec<LeaseRef>,
    work: impl Future<Output = Option<E>>,
    settle: impl FnOnce(E) -> S,
) -> Option<Instant>
where
    S: Future<Output = Option<Instant>>,
{
    let is_ended = AtomicBool::new(false);
    let lost = || {
        // Later, a lease that is gone may be one that is settled.
        if !is_ended.load(Ordering::Relaxed) {
            lane.tell(OutboxEvent::LeaseLost);
        }
    };
    let work = async {
        let ended = work.await?;
        is_ended.store(true, Ordering::Relaxed);
        settle(ended).await
    };
    while_extended(&*inner.store, held, lane.lease, lost, work).await
}

/// Does `work` until the grace of a shutdown is over: then, whether something of it may have been sent.
pub(super) async fn in_grace<T>(
    inner: &Inner,
    report: &CallReport,
    work: impl Future<Output = T>,
) -> Result<T, Sent> {
    let ended = {
        let (mut work, mut grace) = (pin!(work), pin!(inner.grace()));
        // The grace first: what waits must not begin because another one was dropped and has left its place.
        poll_fn(|cx| match grace.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(report.delivery_if_cut())),
            Poll::Pending => work.as_mut().poll(cx).map(Ok),
        })
        .await
    };
    ended.map_err(|sent| sent.unwrap_or(Sent::NotSent))
}

/// Does `work` while its leases are extended at each third. Nobody else extends it: if the work is dropped, its
/// lease ends. Of several, those that aren't lost are extended further. Work whose lease is lost goes on, because a success counts however late it is told.
async fn while_extended<F: Future>(
    store: &dyn Store,
    mut held: Vec<LeaseRef>,
    lease: Duration,
    lost: impl Fn(),
    work: F,
) -> F::Output {
    let third = lease / 3;
    let (mut work, mut timer) = (pin!(work), pin!(Timer::default()));
    let mut due = rt::after(rt::now(), third);
    let mut extending = None;
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        while !held.is_empty() {
            match &mut extending {
                None if timer.as_mut().poll_at(due, cx).is_pending() => break,
                None => extending = Some(store.extend(held.clone(), lease)),
                Some(extension) => match extension.as_mut().poll(cx) {
                    Poll::Pending => break,
                    // If the store is away, the next third may find it back.
                    Poll::Ready(extended) => {
                        let (before, kept) = (held.len(), extended.unwrap_or_default());
                        let mut kept = kept.into_iter();
                        held.retain(|_| kept.next().unwrap_or(true));
                        if held.len() < before {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::input::Outcome;
    use crate::outbox::memory::MemoryStore;
    use crate::outbox::message::Message;
    use crate::outbox::store::{ClaimRequest, DeadHead, Report, Settlement};
    use crate::rt::{Clock, Rng};
    use crate::terms::outbox::DeadReason;

    const LEASE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_lost_ends_the_extension_of_no_other() {
        let store = MemoryStore::new().clock(Clock::anchored(std::time::UNIX_EPOCH));
        let (now, rng) = (store.now().await.unwrap(), Rng::seeded(1));
        let new = |body| Message::post("/").body(body).build("mailer", now, &rng).unwrap();
        store.enqueue(vec![new("1"), new("2")]).await.unwrap();
        let request = ClaimRequest {
            lane: "mailer".into(),
            owner: "worker".into(),
            most: 2,
            lease: LEASE,
            key_lifetime: None,
            own_key_lifetime: None,
            dead_head: DeadHead::Blocks,
            batch: None,
            tenant_limit: None,
        };
        let claimed = store.claim(request).await.unwrap().messages;
        let leases = claimed
            .iter()
            .map(|message| LeaseRef { id: message.content.id, token: message.progress.token });
        let held: Vec<_> = leases.collect();
        let (outcome, report) = (Outcome::Dead(DeadReason::Rejected), Report::default());
        let lost = Settlement { lease: held[0], outcome, report, answer: None, unkept: None };
        store.settle(vec![lost]).await.unwrap();
        let times = std::cell::Cell::new(0);
        let work = rt::sleep_until(rt::after(rt::now(), 4 * LEASE));
        while_extended(&store, held, LEASE, || times.set(times.get() + 1), work).await;
        assert_eq!(times.get(), 1);
        assert!(store.reap(9).await.unwrap().changed.is_empty());
    }
}
