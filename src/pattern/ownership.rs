use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::{Emitter, Event, WeakEmitter};

/// Who owns the state that a layer shares with its clones and handles.
///
/// An integration adopts the state of the layer that it was given, so that handles of that layer
/// control the integration. If a handle was taken before, several integrations that are built from
/// one layer share its state. Otherwise the first one adopts it, and the others make their own.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    holder: AtomicU8,
    /// The emitters of the stacks that share the state.
    emitters: Mutex<Vec<WeakEmitter>>,
}

impl Ownership {
    /// Notes that a handle was taken.
    pub(crate) fn share(&self) {
        let _ = self.move_to(SHARED);
    }

    /// Adopts the state for an integration, if it may. If not, the integration makes its own.
    pub(crate) fn adopt(&self) -> bool {
        match self.move_to(ADOPTED) {
            Ok(_) => true,
            Err(holder) => holder == SHARED,
        }
    }

    /// Notes that a stack with this emitter shares the state.
    pub(crate) fn subscribe(&self, emitter: &Emitter) {
        let mut emitters = self.emitters.lock().unwrap_or_else(PoisonError::into_inner);
        emitters.retain(|known| known.is_alive() && !known.is_of(emitter));
        emitters.extend(emitter.downgrade());
    }

    /// Emits what a handle did to the subscribers of its layer and of all stacks that share the
    /// state.
    pub(crate) fn notify(&self, own: &Emitter, event: impl Fn() -> Event) {
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
/// A handle was taken before any integration was built.
const SHARED: u8 = 1;
/// An integration owns it; no handle had been taken.
const ADOPTED: u8 = 2;
