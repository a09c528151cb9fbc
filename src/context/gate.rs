use std::fmt;
use std::future::Future;
use std::iter::successors;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use super::extension::Context;
use crate::terms::{Rejection, SwitchMode};

/// What can stop a call that has begun but isn't on its way: one that waits in a queue, or between
/// two attempts.
pub(crate) trait Gate: Send + Sync + fmt::Debug {
    /// What may happen just now.
    fn mode(&self) -> SwitchMode;

    /// Ready once somebody moves it.
    fn moved(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Why nothing may be sent for this call, if it may not. Whoever asks ends the call by it: it is
    /// told of and counted.
    fn refusal(&self, of: &Context) -> Option<Stopped>;
}

/// Why nothing may be sent any more.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) why: Rejection,
    /// In so many words.
    pub(crate) detail: Arc<str>,
}

/// All that can stop a call, the outermost first. Mostly there is one, which costs no allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates {
    gate: OnceLock<Arc<dyn Gate>>,
    further_in: OnceLock<Box<Self>>,
}

impl Gates {
    /// One more; an attempt that passes one again adds nothing.
    pub(super) fn add(&self, mut gate: Arc<dyn Gate>) {
        let mut at = self;
        while let Err(another) = at.gate.set(gate) {
            gate = another;
            if at.gate.get().is_some_and(|known| Arc::ptr_eq(known, &gate)) {
                return;
            }
            at = at.further_in.get_or_init(Box::default);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Gate>> {
        let all = successors(Some(self), |at| at.further_in.get().map(|next| &**next));
        all.filter_map(|at| at.gate.get())
    }
}
