use std::sync::Mutex;

/// Things kept for the next call, so that a call allocates nothing in the long run.
///
/// Taking and giving back never wait: where two threads meet, one goes without, and the call
/// allocates. At most [`KEPT`] are kept, so that a burst's memory isn't held for good.
#[derive(Debug)]
pub(crate) struct Spares<T> {
    kept: Mutex<Vec<T>>,
}

impl<T> Spares<T> {
    pub(crate) fn take(&self) -> Option<T> {
        self.kept.try_lock().ok()?.pop()
    }

    pub(crate) fn give(&self, spare: T) {
        // Whatever isn't kept is dropped after the lock is free again.
        let _left = match self.kept.try_lock() {
            Ok(mut kept) if kept.len() < KEPT => {
                kept.push(spare);
                None
            }
            _ => Some(spare),
        };
    }
}

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(Vec::with_capacity(KEPT)) }
    }
}

/// Enough for the calls that two busy cores start between one end and the next.
const KEPT: usize = 32;
