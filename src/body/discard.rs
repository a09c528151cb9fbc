use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http_body::Body;

use super::allowance::Allowance;

/// Drops a body that nobody wants, after reading off what of it is here already: a short one was
/// read to its end, and its connection can be used again.
pub(crate) fn discard<B: Body>(body: B) {
    let (mut body, mut left) = (pin!(body), Allowance::new(MOST));
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        if !left.take(&frame) {
            break;
        }
    }
}

/// As much as is read of a failed attempt's answer.
const MOST: usize = 1 << 16;
