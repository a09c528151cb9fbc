//! The caller gets the same frames, sizes and trailers, whatever was held back for a check.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::validate::{Finding, ValidateLayer, function};
use tower::{Layer, ServiceExt, service_fn};

/// A body of these frames, each of which is pending first.
#[derive(Clone)]
struct Frames<D> {
    frames: VecDeque<D>,
    trailers: Option<HeaderMap>,
    says_its_size: bool,
    is_paused: bool,
}

impl<D: Buf> http_body::Body for Frames<D> {
    type Data = D;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, Infallible>>>
    where
        Self: Unpin,
    {
        self.is_paused = !self.is_paused;
        if self.is_paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let data = self.frames.pop_front().map(Frame::data);
        let frame = data.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.says_its_size {
            true => {
                SizeHint::with_exact(self.frames.iter().map(Buf::remaining).sum::<usize>() as u64)
            }
            false => SizeHint::default(),
        }
    }
}

impl<D> Unpin for Frames<D> {}

/// All that a reader sees of a body: sizes, whether it has ended, frames and trailers.
async fn seen<B>(body: B) -> Vec<(Option<u64>, bool, Option<String>)>
where
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let mut body = pin!(body);
    let mut seen = Vec::new();
    loop {
        let before = (body.size_hint().exact(), body.is_end_stream());
        let frame = if before.1 { None } else { body.frame().await };
        let shown = frame.map(|frame| match frame.unwrap().into_data() {
            Ok(mut data) => format!("{:?}", data.copy_to_bytes(data.remaining())),
            Err(frame) => format!("{:?}", frame.into_trailers().map_err(drop)),
        });
        let is_over = shown.is_none();
        seen.push((before.0, before.1, shown));
        if is_over {
            return seen;
        }
    }
}

fn body_of(
    frames: impl IntoIterator<Item = Bytes>,
    trailers: bool,
    says_its_size: bool,
) -> Frames<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert("x-checksum", HeaderValue::from_static("7"));
    let trailers = trailers.then_some(headers);
    Frames { frames: frames.into_iter().collect(), trailers, says_its_size, is_paused: false }
}

/// A layer that reads what is held back.
fn layer(cap: usize) -> ValidateLayer {
    let reads = function("reads", |_, body| match body.whole() {
        Ok(b"0123456789") | Ok(b"") => Finding::pass(),
        Ok(_) => Finding::invalid("the check got other bytes"),
        Err(unchecked) => {
            assert!(b"0123456789".starts_with(body.bytes()));
            unchecked
        }
    });
    ValidateLayer::new().enforce(reads).body_cap(cap)
}

#[test]
fn every_cap_and_every_split_gives_the_same_frames() {
    let all = Bytes::from_static(b"0123456789");
    for cap in 1..=12 {
        for split in 0..=all.len() {
            for (trailers, says_its_size) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let frames = [all.slice(..split), all.slice(split..)];
                let frames = frames.into_iter().filter(|frame| split % 2 == 0 || !frame.is_empty());
                let body = body_of(frames, trailers, says_its_size);
                let same = body.clone();
                let provider = service_fn(move |_: Request<Body>| {
                    let body = same.clone();
                    async move { Ok::<_, Infallible>(Response::new(body)) }
                });
                let checked = async {
                    let answer =
                        layer(cap).layer(provider).oneshot(Request::new(Body::empty())).await;
                    seen(answer.unwrap().into_body()).await
                };
                let (checked, plain) = (drive(checked), drive(seen(body)));
                let at = format!("cap {cap}, split {split}, trailers {trailers}");
                // What was read has a known size. It may be known sooner, and is never another.
                for (checked, plain) in checked.iter().zip(&plain) {
                    assert_eq!((checked.1, &checked.2), (plain.1, &plain.2), "{at}");
                    assert!(plain.0.is_none() || checked.0 == plain.0, "{at}");
                }
                assert_eq!(checked.len(), plain.len(), "{at}");
            }
        }
    }
}

#[test]
fn a_body_of_single_bytes_is_whole() {
    let sizes = function("sizes", |_, body| match body.whole() {
        Ok(bytes) => Finding::invalid(format!("{} bytes", bytes.len())),
        Err(unchecked) => unchecked,
    });
    let bytes = || std::iter::repeat_n(Bytes::from_static(b"0"), 10_000);
    let provider = service_fn(move |_: Request<Body>| async move {
        Ok::<_, Infallible>(Response::new(body_of(bytes(), false, false)))
    });
    let layer = ValidateLayer::new().enforce(sizes);
    let answer = drive(layer.layer(provider).oneshot(Request::new(Body::empty())));
    let error = answer.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("10000 bytes"), "{error}");
}

#[test]
fn data_in_several_pieces_is_checked_as_one() {
    let piece = |part: &'static [u8]| Bytes::from_static(part);
    let chained = piece(b"01234").chain(piece(b"56789"));
    assert_eq!(chained.chunk().len(), 5);
    let provider = service_fn(move |_: Request<Body>| async move {
        let pieces = [Pieces(piece(b"01"), piece(b"234")), Pieces(piece(b"5"), piece(b"6789"))];
        let body =
            Frames { frames: pieces.into(), trailers: None, says_its_size: true, is_paused: false };
        Ok::<_, Infallible>(Response::new(body))
    });
    let answer = drive(layer(64).layer(provider).oneshot(Request::new(Body::empty()))).unwrap();
    let bytes = drive(answer.into_body().collect()).unwrap().to_bytes();
    assert_eq!(&bytes[..], b"0123456789");
}

/// Data in two pieces.
#[derive(Clone)]
struct Pieces(Bytes, Bytes);

impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self(bytes, Bytes::new())
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0.len() + self.1.len()
    }

    fn chunk(&self) -> &[u8] {
        if self.0.is_empty() { &self.1 } else { &self.0 }
    }

    fn advance(&mut self, count: usize) {
        let first = count.min(self.0.len());
        self.0.advance(first);
        self.1.advance(count - first);
    }
}

/// Runs what is woken by itself alone.
fn drive<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work.map(|output| output))
}
