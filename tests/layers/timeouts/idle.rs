//! Silence in an answer's body.

use outrigger::Delivery::Answered;
use outrigger::deadline::DeadlineLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::outcome::{Fault, Phase};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, ErrorKind};
use tower::{Layer, service_fn};

use super::{assert_timed_out, listener, told, trickle};
use crate::call::{fetch, frame, get, post, send, status};
use crate::clock::{millis, secs, timed, wait, within};
use crate::provider::{Streaming, piped, streamed};

#[tokio::test(start_paused = true)]
async fn a_body_that_falls_silent_is_cut_and_says_so() {
    let (events, emitter) = listener();
    let (pipe, body) = piped();
    let layer = IdleTimeoutLayer::new(secs(3)).emitter(emitter);
    let service = layer.layer(Streaming::new([body]));
    pipe.feed("half of");
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "half of");
    let (took, rest) = timed(frame(&mut body)).await;
    let error = rest.unwrap().unwrap_err();
    assert_timed_out(&error, Phase::BodyIdle, secs(3), Answered);
    assert_eq!(error.to_string(), "crm: idle body timed out after 3s from api.example:443");
    assert_eq!((took, error.elapsed(), error.attempts()), (secs(3), Some(secs(3)), 1));
    assert_eq!(error.last_status().unwrap().as_u16(), 200);
    assert_eq!(error.integration(), Some("crm"));
    assert_eq!(events.events(), told(Phase::BodyIdle, secs(3)));
}

#[tokio::test(start_paused = true)]
async fn every_frame_begins_the_limit_anew() {
    let service = IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([trickle(9, secs(2))]));
    let (took, answer) = timed(fetch(&service, get())).await;
    assert_eq!((took, answer.unwrap().len()), (secs(20), 45));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_there_on_the_same_tick_wins() {
    for (silence, read) in [(2_999, true), (3_000, true), (3_001, false)] {
        let body = Streaming::new([trickle(2, millis(silence))]);
        let service = IdleTimeoutLayer::new(secs(3)).layer(body);
        assert_eq!(fetch(&service, get()).await.is_ok(), read, "silences of {silence} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_a_minute_over_each_frame_times_nobody_out() {
    let body = streamed(&["one", "two", "three"]);
    let service = IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    for expected in ["one", "two", "three"] {
        wait(secs(60)).await;
        assert_eq!(frame(&mut body).await.unwrap().unwrap(), expected);
    }
    wait(secs(60)).await;
    assert!(frame(&mut body).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn silence_counts_from_when_the_reader_asks() {
    let (pipe, body) = piped();
    let service = IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    pipe.feed("one");
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "one");
    // The provider says nothing for an hour, which nobody notices.
    wait(secs(3_600)).await;
    let (took, rest) = timed(frame(&mut body)).await;
    assert_timed_out(&rest.unwrap().unwrap_err(), Phase::BodyIdle, secs(3), Answered);
    assert_eq!(took, secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_came_while_the_reader_was_away_is_read() {
    let (pipe, body) = piped();
    let service = IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    assert!(within(secs(2), frame(&mut body)).await.is_none(), "asked, and left");
    pipe.feed("one");
    wait(secs(60)).await;
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "one");
    let (took, rest) = timed(frame(&mut body)).await;
    assert_eq!((took, rest.unwrap().unwrap_err().is_timeout()), (secs(3), true));
}

#[tokio::test(start_paused = true)]
async fn neither_the_wait_for_the_head_nor_a_long_upload_is_silence() {
    let service = IdleTimeoutLayer::new(secs(3));
    let late = service.layer(Script::new([Answer::status(200).after(secs(60))]));
    assert_eq!(status(&late, get()).await.unwrap(), 200);
    let prompt = service.layer(Script::new([Answer::status(200)]));
    let (took, result) = timed(status(&prompt, post(trickle(9, secs(10))))).await;
    assert_eq!((took, result.unwrap()), (secs(100), 200));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_a_body_may_be_silent_for_as_long_as_it_likes() {
    let body = Streaming::new([trickle(1, secs(86_400))]);
    let service = IdleTimeoutLayer::unlimited().layer(body);
    assert_eq!(fetch(&service, get()).await.unwrap(), "drop ");
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_deadline_and_silence_names_itself() {
    for (deadline, phase, limit) in [(2, Phase::Call, 2), (8, Phase::BodyIdle, 3)] {
        let (events, emitter) = listener();
        let (_pipe, body) = piped();
        let idle = IdleTimeoutLayer::new(secs(3)).emitter(emitter.clone());
        let service = DeadlineLayer::new(secs(deadline))
            .emitter(emitter)
            .layer(idle.layer(Streaming::new([body])));
        let (took, answer) = timed(fetch(&service, get())).await;
        assert_timed_out(&answer.unwrap_err(), phase, secs(limit), Answered);
        assert_eq!((took, events.events()), (secs(limit), told(phase, secs(limit))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_no_timeout() {
    let (events, emitter) = listener();
    let (pipe, body) = piped();
    let layer = IdleTimeoutLayer::new(secs(3)).emitter(emitter);
    let service = DeadlineLayer::new(secs(8)).layer(layer.layer(Streaming::new([body])));
    pipe.break_off();
    let error = fetch(&service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!((error.delivery(), error.limit()), (Answered, None));
    assert_eq!(events.events(), []);
}

#[tokio::test(start_paused = true)]
async fn bodies_keep_their_size_and_their_end_under_every_limit() {
    use http_body::Body as _;
    use outrigger::timeout::{RequestBody, TimeoutLayer};
    let echo = service_fn(|request: http::Request<RequestBody<Body>>| async move {
        let sent = request.into_body();
        assert_eq!((sent.size_hint().exact(), sent.is_end_stream()), (Some(5), false));
        Ok::<_, outrigger::Error>(http::Response::new(Body::from("1234567")))
    });
    let limits = TimeoutLayer::new().attempt(secs(2)).response_head(secs(1)).upload_stall(secs(1));
    let stack = limits.layer(IdleTimeoutLayer::new(secs(3)).layer(echo));
    let service = DeadlineLayer::new(secs(8)).layer(stack);
    let body = send(&service, post("12345")).await.unwrap().into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(7), false));
    let empty = DeadlineLayer::new(secs(8))
        .layer(IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([Body::empty()])));
    assert!(send(&empty, get()).await.unwrap().into_body().is_end_stream());
}
