//! Ends answers that their callers keep unread, at their deadline.

use std::sync::{Arc, Mutex, Weak};
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
    runtime: Handle,
}

impl<W: Wire> Unread<W> {
    /// A waker for the timer of a call that belongs to this runtime.
    pub(super) fn waker(call_box: Weak<Mutex<CallBox<W>>>, runtime: Handle) -> Waker {
        Arc::new(Self { call_box, runtime }).into()
    }
}

impl<W: Wire> Wake for Unread<W> {
    fn wake(self: Arc<Self>) {
        let Some(call_box) = self.call_box.upgrade() else { return };
        if call_box.try_lock().is_ok_and(|mut call_box| !call_box.fired()) {
            // The timer was left from an earlier call, or the caller reads on.
            return;
        }
        self.runtime.spawn(async move { lock(&call_box).check_unread() });
    }
}
