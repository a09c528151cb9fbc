use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// The output of the future that was ready first.
#[derive(Debug)]
pub(crate) enum Either<A, B> {
    First(A),
    Second(B),
}

/// Runs both until one is ready, and drops the other. `a` is polled first.
pub(crate) async fn either<A: Future, B: Future>(a: A, b: B) -> Either<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Either::First(output)),
        Poll::Pending => b.as_mut().poll(cx).map(Either::Second),
    })
    .await
}

pin_project! {
    /// One of two futures with the same output. Its poll is a branch, which an `async` block's isn't.
    #[project = Projected]
    pub(crate) enum OneOf<A, B> {
        First { #[pin] future: A },
        Second { #[pin] future: B },
    }
}

impl<A: Future, B: Future<Output = A::Output>> Future for OneOf<A, B> {
    type Output = A::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        match self.project() {
            Projected::First { future } => future.poll(cx),
            Projected::Second { future } => future.poll(cx),
        }
    }
}
