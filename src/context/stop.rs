use std::fmt;
use std::future::Future;
use std::iter::successors;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use super::extension::Context;
use crate::terms::{Rejection, SwitchMode};

/// A way to stop a call that has begun and waits, in a queue or between two attempts.
pub(crate) trait Stop: Send + Sync + fmt::Debug {
    /// What is allowed now.
    fn mode(&self) -> SwitchMode;

    /// Ready when the mode changes.
    fn moved(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The reason not to send anything for this call, if there is one. It is counted and emitted,
    /// so the caller must end the call with it.
    fn refusal(&self, of: &Context) -> Option<Stopped>;
}

/// Why nothing more may be sent for a call.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) why: Rejection,
    /// The reason as text.
    pub(crate) detail: Arc<str>,
}

/// All stops of a call, the outermost first. There is usually one, which costs no allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    stop: OnceLock<Arc<dyn Stop>>,
    further_in: OnceLock<Box<Self>>,
}

impl Stops {
    /// Adds a stop, unless it is known already: each attempt passes the same stops.
    pub(super) fn add(&self, mut stop: Arc<dyn Stop>) {
        let mut at = self;
        while let Err(another) = at.stop.set(stop) {
            stop = another;
            if at.stop.get().is_some_and(|known| Arc::ptr_eq(known, &stop)) {
                return;
            }
            at = at.further_in.get_or_init(Box::default);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Stop>> {
        let all = successors(Some(self), |at| at.further_in.get().map(|next| &**next));
        all.filter_map(|at| at.stop.get())
    }
}
