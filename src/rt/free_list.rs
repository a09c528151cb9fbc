use std::sync::Mutex;

/// Values to be reused by later calls, so that most calls allocate nothing.
///
/// `take` and `give` never wait: if another thread holds the lock, the call allocates. At most
/// [`KEPT`] values are kept, so that the memory of a burst is freed.
#[derive(Debug)]
pub(crate) struct FreeList<T> {
    kept: Mutex<Vec<T>>,
}

impl<T> FreeList<T> {
    pub(crate) fn take(&self) -> Option<T> {
        self.kept.try_lock().ok()?.pop()
    }

    pub(crate) fn give(&self, spare: T) {
        // Drop a surplus value only after the lock is released.
        let _left = match self.kept.try_lock() {
            Ok(mut kept) if kept.len() < KEPT => {
                kept.push(spare);
                None
            }
            _ => Some(spare),
        };
    }
}

impl<T> Default for FreeList<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(Vec::with_capacity(KEPT)) }
    }
}

/// As many calls as a busy service has under way at a time: one that finds none makes its own memory, at
/// the cost of some microseconds.
const KEPT: usize = 256;
