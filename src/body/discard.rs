use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Buf;
use http_body::Body;

/// Drops a body that nobody wants, after reading off what of it is here already: a short one was
/// read to its end, and its connection can be used again.
pub(crate) fn discard<B: Body>(body: B) {
    let (mut body, mut left) = (pin!(body), MOST);
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        let size = frame.data_ref().map_or(0, Buf::remaining);
        match usize::checked_sub(left, size) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

/// As much as is read of a failed attempt's answer.
const MOST: usize = 1 << 16;
