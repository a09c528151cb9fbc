use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::{Emitter, Event, WeakEmitter};

/// Who has to do with what a layer shares with its clones and handles.
///
/// An integration takes over what the layer shares that it was given, so that handles of that layer are
/// handles of the integration. Several that are built from one layer share it if a handle was taken
/// before: somebody counts on it. Otherwise the first has it, and the others have their own.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    holder: AtomicU8,
    /// Those of the stacks that share it.
    emitters: Mutex<Vec<WeakEmitter>>,
}

impl Ties {
    /// A handle was taken.
    pub(crate) fn hold(&self) {
        let _ = self.move_to(HELD);
    }

    /// Whether an integration may have it, and need not make its own.
    pub(crate) fn claim(&self) -> bool {
        match self.move_to(CLAIMED) {
            Ok(_) => true,
            Err(holder) => holder == HELD,
        }
    }

    /// A stack shares it whose events go here.
    pub(crate) fn join(&self, emitter: &Emitter) {
        let mut emitters = self.emitters.lock().unwrap_or_else(PoisonError::into_inner);
        emitters.retain(|known| known.is_alive() && !known.is_of(emitter));
        emitters.extend(emitter.downgrade());
    }

    /// Tells of what a handle did: whoever listens to the handle's layer, and to all that share it.
    pub(crate) fn tell(&self, own: &Emitter, event: impl Fn() -> Event) {
        let joined: Vec<_> = {
            let emitters = self.emitters.lock().unwrap_or_else(PoisonError::into_inner);
            let others = emitters.iter().filter(|known| !known.is_of(own));
            others.filter_map(WeakEmitter::upgrade).collect()
        };
        own.emit(None, &event);
        joined.iter().for_each(|emitter| emitter.emit(None, &event));
    }

    fn move_to(&self, holder: u8) -> Result<u8, u8> {
        self.holder.compare_exchange(NOBODY, holder, Ordering::AcqRel, Ordering::Acquire)
    }
}

const NOBODY: u8 = 0;
/// Somebody has a handle, and had it before any integration was there.
const HELD: u8 = 1;
/// An integration has it; nobody else had a handle then.
const CLAIMED: u8 = 2;
