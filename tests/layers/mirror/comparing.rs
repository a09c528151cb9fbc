//! Whether a copy's answer agrees with the real one.

use std::convert::Infallible;
use std::future::ready;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use outrigger::mirror::{MirrorLayer, Seen};
use outrigger::outcome::{Class, Fault, Phase};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error, Ratio};
use tower::{Layer, service_fn};

use super::{Mirrored, Set};
use crate::call::{fetch, frame, get, send, status};
use crate::clock::{secs, settle, wait};
use crate::provider::{Provider, Streaming, piped, streamed};

const BY_BODY: Set = |layer| layer.compare(|real, copy| real.body() == copy.body());

#[tokio::test(start_paused = true)]
async fn a_copy_agrees_or_does_not() {
    for (body, agrees) in [("the real one", true), ("another", false)] {
        let mirrored = Mirrored::to(Answer::status(200).body(body), BY_BODY);
        assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
        settle().await;
        assert_eq!(mirrored.told(), [(Class::Success, Some(agrees))]);
        let counts = (mirrored.handle.agreed(), mirrored.handle.disagreed());
        assert_eq!(counts, (u64::from(agrees), u64::from(!agrees)));
    }
}

#[tokio::test(start_paused = true)]
async fn whichever_is_there_first_waits_for_the_other() {
    for (real, copy) in [(5, 1), (1, 5)] {
        let answer = |after| Answer::status(200).body("the real one").after(secs(after));
        let mirrored = Mirrored::to(answer(copy), BY_BODY);
        mirrored.provider.set(answer(real));
        fetch(&mirrored.service, get()).await.unwrap();
        wait(secs(10)).await;
        assert_eq!(mirrored.told(), [(Class::Success, Some(true))], "{real} and {copy}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_compared_unless_the_real_answer_is_read_to_its_end() {
    let mirrored = Mirrored::to(Answer::status(200).body("the real one"), BY_BODY);
    status(&mirrored.service, get()).await.unwrap();
    settle().await;
    assert_eq!(mirrored.told(), [(Class::Success, None)]);

    let (pipe, body) = piped();
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::ONE).compare(|_, _| true);
    let service = layer.layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    pipe.feed("half of");
    frame(&mut body).await.unwrap().unwrap();
    drop(body);
    settle().await;
    let handle = layer.handle();
    assert_eq!((handle.mirrored(), handle.agreed(), handle.disagreed()), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_comparison_the_copy_waits_for_nobody() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| layer);
    let unread = send(&mirrored.service, get()).await.unwrap();
    settle().await;
    assert_eq!((mirrored.handle.in_flight(), mirrored.handle.mirrored()), (0, 1));
    drop(unread);
}

/// Everything that was shown to the comparison.
async fn shown(real: Streaming, copy: Streaming, cap: usize) -> (Seen, Seen) {
    let shown = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&shown);
    let layer = MirrorLayer::new(copy, Ratio::ONE).body_cap(cap).compare(move |real, copy| {
        *keep.lock().unwrap() = Some((real.clone(), copy.clone()));
        true
    });
    let _ = fetch(&layer.layer(real), get()).await;
    settle().await;
    let shown = shown.lock().unwrap().take();
    shown.expect("both were compared")
}

#[track_caller]
fn assert_shows(seen: &Seen, text: &str, whole: bool) {
    let Seen::Answered { status, body, complete, .. } = seen else { panic!("{seen:?}") };
    assert_eq!((status.as_u16(), &body[..], *complete), (200, text.as_bytes(), whole));
    assert_eq!((seen.status(), seen.body()), (Some(*status), Some(body)));
    let told = format!("Answered {{ status: 200, body: {}, complete: {whole}, .. }}", text.len());
    assert_eq!(format!("{seen:?}"), told, "no body and no headers");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_shown_up_to_the_cap_however_they_came() {
    for (cap, text, whole) in [
        (64, "abcdef", true),
        (6, "abcdef", true),
        (5, "abcde", false),
        (2, "ab", false),
        (0, "", false),
    ] {
        let bodies = || Streaming::new([streamed(&["abc", "d", "ef"])]);
        let (real, copy) = shown(bodies(), Streaming::new(["abcdef".into()]), cap).await;
        assert_shows(&real, text, whole);
        assert_shows(&copy, text, whole);
    }
    let (real, copy) = shown(Streaming::new([]), Streaming::new([]), 64).await;
    assert_shows(&real, "", true);
    assert_shows(&copy, "", true);
}

#[tokio::test(start_paused = true)]
async fn the_caller_gets_all_of_a_body_that_is_over_the_cap() {
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::ONE).body_cap(2).compare(|_, _| true);
    let service = layer.layer(Streaming::new([streamed(&["abc", "d", "ef"])]));
    assert_eq!(fetch(&service, get()).await.unwrap(), "abcdef");
}

/// A chunk that says when its memory is freed.
struct Memory(&'static [u8], Arc<AtomicBool>);

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

/// A body of one chunk, whose end is far off, and the news that the chunk's memory was freed.
fn large(range: std::ops::Range<usize>) -> (Body, Arc<AtomicBool>) {
    let freed = Arc::new(AtomicBool::new(false));
    let chunk = Bytes::from_owner(Memory(b"a large body", Arc::clone(&freed))).slice(range);
    let frames = stream::iter([Ok::<_, Infallible>(Frame::data(chunk))]);
    (Body::new(StreamBody::new(frames.chain(stream::pending()))), freed)
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_the_comparison_holds_no_memory_of_the_answers() {
    // Over the cap, under it, and a small piece of something large.
    for (range, cap) in [(0..12, 2), (0..12, 64), (2..7, 64)] {
        let (real, freed) = large(range.clone());
        let layer = MirrorLayer::new(Streaming::new([large(range).0]), Ratio::ONE);
        let layer = layer.body_cap(cap).compare(|_, _| true);
        let service = layer.layer(Streaming::new([real]));
        let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
        frame(&mut body).await.unwrap().unwrap();
        assert!(freed.load(Ordering::SeqCst), "its reader is done with it");
        drop(body);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_any_longer_for_a_copy_that_was_cut() {
    let (pipe, body) = piped();
    let freed = Arc::new(AtomicBool::new(false));
    let value = Bytes::from_owner(Memory(b"1", Arc::clone(&freed)));
    let real = Arc::new(Mutex::new(Some((body, HeaderValue::from_maybe_shared(value).unwrap()))));
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::ONE).limit(secs(1));
    let service = layer.compare(|_, _| true).layer(service_fn(move |_: Request<Body>| {
        let (body, value) = real.lock().unwrap().take().unwrap();
        let mut response = Response::new(body);
        response.headers_mut().insert("x-version", value);
        ready(Ok::<_, Error>(response))
    }));
    let (head, body) = send(&service, get()).await.unwrap().into_parts();
    let mut body = Box::pin(body);
    drop(head);
    pipe.feed("half of");
    frame(&mut body).await.unwrap().unwrap();
    assert!(!freed.load(Ordering::SeqCst), "the comparison may want it");
    wait(secs(2)).await;
    pipe.feed("a body");
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "a body");
    assert!(freed.load(Ordering::SeqCst), "there is none");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_a_failure_on_either_side() {
    let broken = || {
        let (pipe, body) = piped();
        pipe.feed("half of");
        pipe.break_off();
        Streaming::new([body])
    };
    let (real, copy) = shown(broken(), broken(), 64).await;
    for seen in [real, copy] {
        let Seen::Failed { class } = seen else { panic!("{seen:?}") };
        assert_eq!(class, Class::Transport(Fault::Reset));
        assert_eq!((seen.status(), seen.headers(), seen.body()), (None, None, None));
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_compared_by_their_class() {
    let by_class: Set = |layer| {
        layer.limit(secs(3)).compare(|real, copy| match (real, copy) {
            (Seen::Failed { class: real }, Seen::Failed { class: copy }) => {
                assert_eq!(*real, Class::Transport(Fault::Reset));
                real == copy
            }
            _ => panic!("both fail"),
        })
    };
    let reset = || Answer::broken(std::io::ErrorKind::ConnectionReset);
    for (answer, class) in
        [(reset(), Class::Transport(Fault::Reset)), (Answer::hang(), Class::Timeout(Phase::Call))]
    {
        let agrees = class == Class::Transport(Fault::Reset);
        let mirrored = Mirrored::to(answer, by_class);
        mirrored.provider.set(reset());
        status(&mirrored.service, get()).await.unwrap_err();
        wait(secs(5)).await;
        assert_eq!(mirrored.told(), [(class, Some(agrees))]);
    }
}

#[tokio::test(start_paused = true)]
async fn headers_and_status_are_there_to_be_compared() {
    let target = Script::new([Answer::status(404).header("x-version", "2")]);
    let layer = MirrorLayer::new(target, Ratio::ONE).compare(|real, copy| {
        let version = |seen: &Seen| seen.headers().unwrap()["x-version"].clone();
        assert_eq!((real.status().unwrap().as_u16(), version(real).as_bytes()), (200, &b"1"[..]));
        assert_eq!((copy.status().unwrap().as_u16(), version(copy).as_bytes()), (404, &b"2"[..]));
        true
    });
    let provider = Provider::new(Answer::status(200).header("x-version", "1"));
    let response = send(&layer.layer(provider), get()).await.unwrap();
    assert_eq!(response.headers()["x-version"], "1");
    drop(response);
    settle().await;
    assert_eq!(layer.handle().agreed(), 1, "an answer without a body is read as it comes");
}
