//! What a copy is, and what is told of it.

use http::Method;
use outrigger::event::{Emitter, Event};
use outrigger::mirror::MirrorLayer;
use outrigger::outcome::{Class, Fault, HttpClassifier, Phase, ResponseHead};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Integration, Ratio};
use tower::Layer;

use super::{Mirrored, as_it_is};
use crate::call::{fetch, get, of, post, status};
use crate::clock::{secs, settle, wait};
use crate::provider::{Provider, Streaming, piped, streamed};

#[tokio::test(start_paused = true)]
async fn the_caller_gets_the_real_answer_and_the_copy_is_measured() {
    let mirrored = Mirrored::to(Answer::status(201).after(secs(2)), as_it_is);
    assert_eq!(fetch(&mirrored.service, get()).await.unwrap(), "the real one");
    assert_eq!((mirrored.handle.in_flight(), mirrored.handle.mirrored()), (1, 0));
    wait(secs(3)).await;
    assert_eq!((mirrored.handle.in_flight(), mirrored.handle.mirrored()), (0, 1));
    let (class, elapsed) = (Class::Success, secs(2));
    assert_eq!(mirrored.events.events(), [Event::Mirrored { class, elapsed, agrees: None }]);
    let seen = mirrored.target.requests();
    assert_eq!((seen.len(), mirrored.provider.begun()), (1, 1));
    assert_eq!(seen[0].uri(), "https://api.example/v1/charges?secret=1");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_copy_runs_to_the_end_of_its_body() {
    let (pipe, body) = piped();
    let (events, target) = (EventRecorder::new(), Streaming::new([body]));
    let layer = MirrorLayer::new(target, Ratio::ONE).emitter(Emitter::new().with(events.clone()));
    status(&layer.layer(Provider::new(Answer::status(200))), get()).await.unwrap();
    pipe.feed("one");
    wait(secs(5)).await;
    assert_eq!(events.events(), []);
    drop(pipe);
    settle().await;
    let (class, elapsed) = (Class::Success, secs(5));
    assert_eq!(events.events(), [Event::Mirrored { class, elapsed, agrees: None }]);
}

#[tokio::test(start_paused = true)]
async fn what_a_copy_fails_of_is_told_by_its_class() {
    let cases = [
        (Answer::status(503), Class::ServerError),
        (Answer::status(404), Class::ClientError),
        (Answer::broken(std::io::ErrorKind::ConnectionReset), Class::Transport(Fault::Reset)),
        (Answer::hang(), Class::Timeout(Phase::Call)),
    ];
    for (answer, class) in cases {
        let mirrored = Mirrored::to(answer, as_it_is);
        assert_eq!(status(&mirrored.service, get()).await.unwrap(), 200);
        wait(secs(31)).await;
        assert_eq!(mirrored.told(), [(class, None)]);
        assert_eq!((mirrored.handle.mirrored(), mirrored.handle.in_flight()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_cut_at_its_limit() {
    let mirrored = Mirrored::to(Answer::status(200).after(secs(4)), |layer| layer.limit(secs(3)));
    status(&mirrored.service, get()).await.unwrap();
    wait(secs(10)).await;
    let (class, elapsed) = (Class::Timeout(Phase::Call), secs(3));
    assert_eq!(mirrored.events.events(), [Event::Mirrored { class, elapsed, agrees: None }]);
}

#[tokio::test(start_paused = true)]
async fn only_safe_methods_are_copied_unless_others_are_chosen() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        let mirrored = Mirrored::to(Answer::status(200), as_it_is);
        status(&mirrored.service, of(method.clone())).await.unwrap();
        settle().await;
        assert_eq!(mirrored.handle.mirrored(), 1, "{method}");
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
        let mirrored = Mirrored::to(Answer::status(200), as_it_is);
        status(&mirrored.service, of(method.clone())).await.unwrap();
        settle().await;
        assert_eq!(mirrored.target.requests().len(), 0, "{method}");
        assert_eq!(mirrored.handle.skipped(), 0, "it was never to be copied");
    }
}

#[tokio::test(start_paused = true)]
async fn a_choice_of_ones_own_decides_by_the_head() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| {
        layer.choose(|head| head.method == Method::POST && head.uri.path() == "/v1/charges")
    });
    status(&mirrored.service, get()).await.unwrap();
    status(&mirrored.service, post("amount=1000")).await.unwrap();
    settle().await;
    let seen = mirrored.target.requests();
    assert_eq!((seen.len(), &seen[0].body()[..]), (1, &b"amount=1000"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_a_stream_is_sent_once_and_the_copy_skipped() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| layer.choose(|_| true));
    status(&mirrored.service, post(streamed(&["amount", "=1000"]))).await.unwrap();
    settle().await;
    assert_eq!((mirrored.target.requests().len(), mirrored.provider.begun()), (0, 1));
    assert_eq!((mirrored.handle.skipped(), mirrored.skips_told()), (1, 1));
    assert_eq!(mirrored.told(), []);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_ones_own_says_what_a_copy_came_to() {
    let mirrored = Mirrored::to(Answer::status(420), |layer| {
        layer.classifier(HttpClassifier::new().with(|head: &ResponseHead<'_>| {
            (head.status.as_u16() == 420).then_some(Class::Throttled)
        }))
    });
    status(&mirrored.service, get()).await.unwrap();
    settle().await;
    assert_eq!(mirrored.told(), [(Class::Throttled, None)]);
}

#[tokio::test(start_paused = true)]
async fn the_target_may_be_another_integration() {
    let sandbox = Script::new([Answer::status(200)]);
    let next = Integration::background("next").service(sandbox.clone()).build().unwrap();
    let layer = MirrorLayer::new(next, Ratio::ONE);
    let service = layer.layer(Provider::new(Answer::status(204)));
    assert_eq!(status(&service, get()).await.unwrap(), 204);
    settle().await;
    assert_eq!((sandbox.requests().len(), layer.handle().mirrored()), (1, 1));
}
