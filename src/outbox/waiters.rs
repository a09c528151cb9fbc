//! Who waits for which message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::id::MessageId;
use crate::rt::Lock;

/// Those of this process who wait for messages.
#[derive(Default)]
pub(super) struct Waiters(Mutex<HashMap<MessageId, Arc<Notify>>>);

/// One of them. When the last of a message is dropped, nothing of it is left.
pub(super) struct Waiter<'a> {
    waiters: &'a Waiters,
    id: MessageId,
    changed: Arc<Notify>,
}

impl Waiters {
    pub(super) fn wait_for(&self, id: MessageId) -> Waiter<'_> {
        let changed = Arc::clone(self.0.locked().entry(id).or_default());
        Waiter { waiters: self, id, changed }
    }

    /// Something was done to this message.
    pub(super) fn changed(&self, id: MessageId) {
        if let Some(changed) = self.0.locked().get(&id) {
            changed.notify_waiters();
        }
    }
}

impl Waiter<'_> {
    /// The next change from now on, whenever this is polled first.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiters = self.waiters.0.locked();
        // One is this, and one is the map's.
        if Arc::strong_count(&self.changed) == 2 {
            waiters.remove(&self.id);
        }
    }
}
