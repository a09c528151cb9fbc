use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::connection::{Connection, Driver, Sender};
use super::host::Host;
use super::record::Record;
use super::signals::Signals;
use crate::event::Event;
use crate::rt;
use crate::terms::CloseCause;
use crate::transport::pool::PoolLimits;

/// A connection with the task that drives it.
///
/// However the task ends, by a panic or with its runtime, its place is given back.
struct Driving {
    /// Dropped first, and the socket with it, so that no place is free before its connection is
    /// closed.
    driver: Driver,
    open: Open,
}

/// A place that an open connection has.
struct Open {
    host: Weak<Host>,
    record: Arc<Record>,
    /// The connection came to its end.
    is_over: bool,
}

impl Host {
    /// Takes over a connection and the task that drives it.
    pub(super) fn open(
        self: &Arc<Self>,
        sender: Sender,
        driver: Driver,
        signals: Arc<Signals>,
    ) -> Connection {
        let (id, spread, limits) = self.shared.begin_connection();
        let connection = Connection::new(sender, id, spread, signals);
        let (host, record) = (Arc::downgrade(self), Arc::clone(&connection.record));
        let open = Open { host, record, is_over: false };
        let driving = Driving { driver, open };
        self.shared.tell(|| Event::ConnectionOpened);
        rt::spawn(driving.run(limits));
        connection
    }
}

impl Driving {
    async fn run(mut self, limits: watch::Receiver<PoolLimits>) {
        let (host, record) = (&self.open.host, &self.open.record);
        let review = || host.upgrade().and_then(|host| host.review(record));
        let result = drive(&mut self.driver, limits, &record.signals, review).await;
        if let Err(error) = result {
            // Do this before the connection's requests learn that it is closed.
            record.broke(error);
        }
        self.open.is_over = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.is_over {
            self.record.close_for(CloseCause::Broken);
        }
        if let Some(host) = self.host.upgrade() {
            host.closed(&self.record);
        }
    }
}

/// Ends what hyper still does for an HTTP/2 connection that nobody uses and that takes nothing new. Its
/// last words have a moment to go out; a host that reads no more must not keep it.
pub(super) fn end_soon(record: &Arc<Record>) {
    if record.signals.tasks.is_ended() {
        return;
    }
    let signals = Arc::clone(&record.signals);
    rt::spawn(async move {
        rt::sleep_until(rt::after(rt::now(), LAST_WORDS)).await;
        signals.tasks.end();
    });
}

/// Drives a connection to its end, and reviews it when it is time, when its peer said something of
/// itself, and when there are other limits.
async fn drive(
    driver: &mut Driver,
    mut limits: watch::Receiver<PoolLimits>,
    signals: &Signals,
    review: impl Fn() -> Option<Instant>,
) -> hyper::Result<()> {
    while !signals.is_aborted() {
        limits.mark_unchanged();
        let look_at = review();
        let mut told = pin!(signals.changed());
        let mut changed = pin!(async {
            if limits.changed().await.is_err() {
                // Where there is no pool any more, there are no other limits.
                std::future::pending::<()>().await;
            }
        });
        let work = poll_fn(|cx| {
            let driven = driver.as_mut().poll(cx);
            signals.tasks.forget_beginning();
            match driven {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if told.as_mut().poll(cx).is_ready() => Poll::Ready(None),
                Poll::Pending => changed.as_mut().poll(cx).map(|()| None),
            }
        });
        if let Some(Some(ended)) = rt::until(look_at, work).await {
            return ended;
        }
    }
    Ok(())
}

/// More than a round trip.
const LAST_WORDS: Duration = Duration::from_secs(1);
