use std::fmt;

use super::extension::Context;
use crate::error::Error;
use crate::event::SwitchMode;

/// What can stop a call that has begun but isn't on its way: one that waits in a queue, or between
/// two attempts.
pub(crate) trait Gate: Send + Sync + fmt::Debug {
    /// What may happen just now.
    fn mode(&self) -> SwitchMode;

    /// Why nothing may be sent for this call, if it may not. Whoever asks ends the call by it: it is
    /// told of and counted.
    fn refusal(&self, of: &Context) -> Option<Error>;
}
