//! Ends answers that their callers keep unread, when their time is over.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Wake, Waker};

use tokio::runtime::Handle;

use super::room::{Room, lock};
use super::wire::Wire;

/// Woken by the call's timer in its caller's place, while the caller reads nothing.
///
/// Nobody polls an answer that is kept unread, and what it holds (a place, a connection) would be held
/// for as long. When the call's deadline comes, a task polls it instead.
pub(super) struct Unread<W: Wire> {
    room: Weak<Mutex<Room<W>>>,
    /// Where the task runs: a timer's wake-up may come from outside of the runtime.
    runtime: Mutex<Option<Handle>>,
}

impl<W: Wire> Unread<W> {
    pub(super) fn new(room: Weak<Mutex<Room<W>>>) -> Arc<Self> {
        Arc::new(Self { room, runtime: Mutex::new(None) })
    }

    /// The waker for the timer of a call that belongs to this runtime.
    pub(super) fn waker(self: &Arc<Self>, runtime: Handle) -> Waker {
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
        Arc::clone(self).into()
    }
}

impl<W: Wire> Wake for Unread<W> {
    fn wake(self: Arc<Self>) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(runtime) = runtime {
            runtime.spawn(async move {
                if let Some(room) = self.room.upgrade() {
                    lock(&room).look_at_unread();
                }
            });
        }
    }
}
