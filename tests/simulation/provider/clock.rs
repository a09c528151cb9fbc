use std::time::{Duration, Instant};

use tokio::time::Sleep;

#[expect(clippy::disallowed_methods, reason = "the provider's one clock")]
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[expect(clippy::disallowed_methods, reason = "the provider's one timer")]
pub(super) fn sleep(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}
