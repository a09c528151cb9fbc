//! Limits that know how far the request's body has come.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use outrigger::Delivery::Unknown;
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::Phase;
use outrigger::timeout::{RequestBody, TimeoutLayer};
use outrigger::{Body, Error};
use tower::{Layer, Service, service_fn};

use super::{assert_timed_out, listener, told};
use crate::call::{get, keyed_post, post, status};
use crate::clock::{millis, secs, spawn, timed, wait};
use crate::provider::streamed;
use crate::retry::plain;

/// Takes of the request's body every so often, and answers so long after it has taken all.
fn taking<B>(
    pace: Duration,
    answer: Duration,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Error, Future: Send>
+ Clone
+ Send
+ 'static
where
    B: http_body::Body<Data: Send, Error: Send> + Send + Unpin + 'static,
{
    stalling(usize::MAX, pace, answer)
}

/// The same, but it stops for good after so many frames.
fn stalling<B>(
    frames: usize,
    pace: Duration,
    answer: Duration,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Error, Future: Send>
+ Clone
+ Send
+ 'static
where
    B: http_body::Body<Data: Send, Error: Send> + Send + Unpin + 'static,
{
    service_fn(move |request: Request<B>| async move {
        let mut body = request.into_body();
        let mut taken = 0;
        while taken < frames {
            wait(pace).await;
            if body.frame().await.is_none() {
                wait(answer).await;
                return Ok(Response::new(Body::empty()));
            }
            taken += 1;
        }
        std::future::pending().await
    })
}

/// Takes so many frames in a task of its own, as HTTP clients do, and never answers: the call itself
/// hears nothing of its upload.
fn elsewhere<B>(
    frames: usize,
    pace: Duration,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Error, Future: Send>
+ Clone
+ Send
+ 'static
where
    B: http_body::Body<Data: Send, Error: Send> + Send + Unpin + 'static,
{
    service_fn(move |request: Request<B>| {
        let taking = spawn(async move {
            let mut body = request.into_body();
            for _ in 0..frames {
                wait(pace).await;
                body.frame().await;
            }
            // An unfinished upload is still being held.
            std::future::pending::<()>().await;
        });
        async move {
            let _taking = taking;
            std::future::pending().await
        }
    })
}

/// Nine frames and an end: ten takings.
fn long() -> Request<Body> {
    keyed_post(streamed(&["frame"; 9]))
}

#[tokio::test(start_paused = true)]
async fn an_upload_of_which_nothing_is_taken_is_cut_and_says_so() {
    let (events, emitter) = listener();
    let layer = TimeoutLayer::new().upload_stall(secs(2)).emitter(emitter);
    let service = layer.layer(stalling(0, secs(0), secs(0)));
    let (took, result) = timed(status(&service, long())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Upload, secs(2), Unknown);
    assert_eq!(error.to_string(), "crm: upload timed out after 2s at api.example:443");
    assert_eq!((took, error.elapsed()), (secs(2), Some(secs(2))));
    assert_eq!(events.events(), told(Phase::Upload, secs(2)));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_halfway_is_cut_so_long_after_its_last_frame() {
    let layer = TimeoutLayer::new().upload_stall(secs(2)).response_head(secs(1));
    let service = layer.layer(stalling(4, millis(1_500), secs(0)));
    let (took, result) = timed(status(&service, long())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Upload, secs(2), Unknown);
    assert_eq!(took, secs(8));
}

#[tokio::test(start_paused = true)]
async fn an_upload_may_take_as_long_as_it_keeps_moving() {
    let layer = TimeoutLayer::new().upload_stall(secs(2)).response_head(secs(2));
    let service = layer.layer(taking(millis(1_900), millis(1_900)));
    let (took, result) = timed(status(&service, long())).await;
    assert_eq!((took, result.unwrap()), (millis(11 * 1_900), 200));
}

#[tokio::test(start_paused = true)]
async fn the_heads_limit_begins_when_the_upload_has_ended() {
    for (answer, in_time) in [(1_999, true), (2_000, true), (2_001, false)] {
        let service = TimeoutLayer::new().response_head(secs(2));
        let service = service.layer(taking(secs(3), millis(answer)));
        let (took, result) = timed(status(&service, long())).await;
        if in_time {
            assert_eq!((took, result.unwrap()), (secs(30) + millis(answer), 200));
        } else {
            let error = result.unwrap_err();
            assert_timed_out(&error, Phase::ResponseHead, secs(2), Unknown);
            assert_eq!(error.to_string(), "response head timed out after 2s from api.example:443");
            assert_eq!(took, secs(32));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_length_is_known_has_ended_with_its_last_byte() {
    let service = TimeoutLayer::new().response_head(secs(2));
    let never_asks_for_the_end = service.layer(stalling(1, secs(3), secs(0)));
    let (took, result) = timed(status(&never_asks_for_the_end, post("all of it"))).await;
    assert_timed_out(&result.unwrap_err(), Phase::ResponseHead, secs(2), Unknown);
    assert_eq!(took, secs(5));
}

#[tokio::test(start_paused = true)]
async fn without_a_body_the_heads_limit_begins_at_once_and_nothing_can_stall() {
    let limits = TimeoutLayer::new().upload_stall(secs(1)).response_head(secs(2));
    let service = limits.layer(taking(secs(0), secs(60)));
    let (took, result) = timed(status(&service, get())).await;
    assert_timed_out(&result.unwrap_err(), Phase::ResponseHead, secs(2), Unknown);
    assert_eq!(took, secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_has_ended_can_not_stall() {
    let service = TimeoutLayer::new().upload_stall(secs(2)).layer(taking(secs(1), secs(3_600)));
    assert_eq!(status(&service, long()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_attempts_limit_counts_the_upload_too() {
    let limits = TimeoutLayer::new().attempt(secs(5)).response_head(secs(2)).upload_stall(secs(4));
    let service = limits.layer(taking(secs(3), secs(0)));
    let (took, result) = timed(status(&service, long())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Attempt, secs(5), Unknown);
    assert_eq!(took, secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_an_upload_however_well_it_moves() {
    let limits = TimeoutLayer::new().response_head(secs(2)).upload_stall(secs(4));
    let service = DeadlineLayer::new(secs(8)).layer(limits.layer(taking(secs(3), secs(0))));
    let (took, result) = timed(status(&service, long())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Call, secs(8), Unknown);
    assert_eq!(took, secs(8));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_wait_for_the_upload_is_taken() {
    let refuses = service_fn(|request: Request<_>| async move {
        wait(secs(3)).await;
        drop(request);
        let answer = Response::builder().status(413).body(Body::empty());
        Ok::<_, Error>(answer.unwrap())
    });
    let service = TimeoutLayer::new().upload_stall(secs(4)).response_head(secs(2)).layer(refuses);
    assert_eq!(status(&service, long()).await.unwrap(), 413);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_uploads_on_a_clock_of_its_own() {
    let limits = TimeoutLayer::new().upload_stall(secs(4)).response_head(secs(2));
    let service = plain().max_attempts(2).layer(limits.layer(taking(secs(3), secs(3))));
    let (took, result) = timed(status(&service, long())).await;
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::ResponseHead, secs(2), Unknown);
    // Ten takings, and nine of a body whose end is known by then; each answer is a second late.
    let (first, second) = (secs(30 + 2), secs(27 + 2));
    assert_eq!((took, error.attempts()), (first + millis(100) + second, 2));
}

#[tokio::test(start_paused = true)]
async fn limits_know_of_an_upload_in_another_task() {
    let limits = TimeoutLayer::new().upload_stall(secs(4)).response_head(secs(2));
    for (frames, phase, limit, after) in
        [(10, Phase::ResponseHead, secs(2), secs(30)), (4, Phase::Upload, secs(4), secs(12))]
    {
        let service = limits.layer(elsewhere(frames, secs(3)));
        let (took, result) = timed(status(&service, long())).await;
        assert_timed_out(&result.unwrap_err(), phase, limit, Unknown);
        assert_eq!(took, after + limit);
    }
}

#[tokio::test(start_paused = true)]
async fn the_heads_limit_alone_knows_of_an_upload_in_another_task() {
    for pace in [millis(100), millis(700), secs(1), secs(3)] {
        let service = TimeoutLayer::new().response_head(secs(2)).layer(elsewhere(10, pace));
        let (took, result) = timed(status(&service, long())).await;
        assert_timed_out(&result.unwrap_err(), Phase::ResponseHead, secs(2), Unknown);
        assert_eq!(took, pace * 10 + secs(2));
    }
}

/// What a service is handed of this body, with what its size was said to be before each frame.
async fn handed(layer: TimeoutLayer, body: Body) -> (Vec<Frame<Bytes>>, Vec<Option<u64>>) {
    let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let keep = Arc::clone(&seen);
    let service = service_fn(move |request: Request<RequestBody<Body>>| {
        let keep = Arc::clone(&keep);
        async move {
            let mut body = request.into_body();
            loop {
                let size = body.size_hint().exact();
                assert!(!body.is_end_stream() || size == Some(0));
                let Some(frame) = body.frame().await else { break };
                let mut keep = keep.lock().unwrap();
                keep.0.push(frame?);
                keep.1.push(size);
            }
            Ok::<_, Error>(Response::new(Body::empty()))
        }
    });
    let mut service = layer.layer(service);
    service.call(post(body)).await.unwrap();
    drop(service);
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_large_body_is_handed_on_in_pieces_without_a_copy_where_a_limit_watches_it() {
    let whole = Bytes::from(vec![7; 200_000]);
    for layer in
        [TimeoutLayer::new().upload_stall(secs(1)), TimeoutLayer::new().response_head(secs(1))]
    {
        let (frames, sizes) = handed(layer, whole.clone().into()).await;
        let pieces: Vec<_> = frames.iter().map(|frame| frame.data_ref().unwrap()).collect();
        let lengths: Vec<_> = pieces.iter().map(|piece| piece.len()).collect();
        assert_eq!(lengths, [65_536, 65_536, 65_536, 3_392]);
        assert_eq!(sizes, [200_000, 134_464, 68_928, 3_392].map(Some));
        let mut at = whole.as_ptr();
        for piece in pieces {
            assert_eq!(piece.as_ptr(), at, "it is the caller's own memory");
            at = at.wrapping_add(piece.len());
        }
    }
    let (frames, sizes) = handed(TimeoutLayer::new().attempt(secs(1)), whole.into()).await;
    assert_eq!((frames.len(), sizes), (1, vec![Some(200_000)]));
}

#[tokio::test(start_paused = true)]
async fn pieces_keep_their_order_and_trailers_come_last() {
    let trailers = HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]);
    let data = |byte, length| Frame::data(Bytes::from(vec![byte; length]));
    let parts = [data(1, 100_000), data(2, 3), data(3, 70_000), Frame::trailers(trailers.clone())];
    let body = StreamBody::new(stream::iter(parts.map(Ok::<_, Infallible>)));
    let (frames, _) = handed(TimeoutLayer::new().upload_stall(secs(1)), Body::new(body)).await;
    let (last, frames) = frames.split_last().unwrap();
    assert_eq!(last.trailers_ref(), Some(&trailers));
    let all: Vec<u8> = frames.iter().flat_map(|frame| frame.data_ref().unwrap().to_vec()).collect();
    assert_eq!(all, [vec![1; 100_000], vec![2; 3], vec![3; 70_000]].concat());
    assert!(frames.iter().all(|frame| frame.data_ref().unwrap().len() <= 65_536));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_all_here_stalls_where_no_more_pieces_are_taken() {
    let limits = TimeoutLayer::new().upload_stall(secs(2)).response_head(secs(1));
    let service = limits.layer(stalling(2, millis(1_500), secs(0)));
    let (took, result) = timed(status(&service, post(vec![0; 200_000]))).await;
    assert_timed_out(&result.unwrap_err(), Phase::Upload, secs(2), Unknown);
    assert_eq!(took, secs(5));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_given_up_on_does_not_move_the_next_ones_upload() {
    let limits = TimeoutLayer::new().attempt(secs(3)).upload_stall(secs(2));
    let attempts = Arc::new(AtomicU32::new(0));
    let service = service_fn(move |request: Request<RequestBody<_>>| {
        let is_first = attempts.fetch_add(1, Ordering::Relaxed) == 0;
        // The first goes on in a task of its own, as an HTTP client's connection may.
        let taking = spawn(async move {
            let mut body = request.into_body();
            while is_first && body.frame().await.is_some() {
                wait(secs(1)).await;
            }
            std::future::pending::<()>().await;
        });
        async move {
            let _taking = taking;
            std::future::pending::<Result<Response<Body>, Error>>().await
        }
    });
    let service = plain().max_attempts(2).layer(limits.layer(service));
    let (took, result) = timed(status(&service, long())).await;
    assert_timed_out(&result.unwrap_err(), Phase::Upload, secs(2), Unknown);
    assert_eq!(took, secs(3) + millis(100) + secs(2));
}
