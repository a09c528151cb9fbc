//! Ends answers that their callers keep unread, at their deadline.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Wake, Waker};

use tokio::runtime::Handle;

use super::call_box::{CallBox, lock};
use super::wire::Wire;

/// Woken by the call's timer in its caller's place, while the caller reads nothing.
///
/// An unread answer isn't polled, so it would keep its bulkhead place and its connection. At the
/// call's deadline, a task polls it instead.
pub(super) struct Unread<W: Wire> {
    call_box: Weak<Mutex<CallBox<W>>>,
    /// Where the task runs: a timer may wake it from outside of the runtime.
    runtime: Mutex<Option<Handle>>,
}

impl<W: Wire> Unread<W> {
    pub(super) fn new(call_box: Weak<Mutex<CallBox<W>>>) -> Arc<Self> {
        Arc::new(Self { call_box, runtime: Mutex::new(None) })
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
                if let Some(call_box) = self.call_box.upgrade() {
                    lock(&call_box).check_unread();
                }
            });
        }
    }
}
