use std::pin::pin;

use super::state::{NotPinned, Pins};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};

/// Compares the pins with what each attempt's answer tells.
impl Pattern for Pins {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let is_pinned = |request: &mut http::Request<W::Body>| {
            request.extensions().get::<NotPinned>().is_none()
        };
        if attempt.request(is_pinned) != Some(true) {
            return next.run(call, attempt).await;
        }
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        held.answer(|head| self.compare(&head.headers));
        held.hand_up().await
    }
}
