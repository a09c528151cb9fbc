//! A call may be dropped wherever it waits, and leaves nothing behind (CALL-5).

use http::{Method, Request};
use outrigger::circuit_breaker::Consecutive;
use outrigger::event::{BreakerState, End, Event};
use outrigger::integration::OwnClient;
use outrigger::testing::EventRecorder;
use outrigger::{Body, Integration, IntegrationBuilder};
use tokio::task::JoinHandle;

use crate::call::{get, millis, once, poll_times, read, request, seconds};
use crate::provider::{Provider, Reply, trickle};

type Builder = IntegrationBuilder<OwnClient>;
/// Makes a preset's builder anew: clones of a builder may share what its integrations hold.
type Preset = fn() -> Builder;

/// An integration in the state in which a call is made and dropped.
struct Scene {
    crm: Integration,
    provider: Provider,
    told: EventRecorder,
    /// A call of somebody else's, which ends by itself.
    other: Option<JoinHandle<()>>,
}

impl Scene {
    fn new(preset: Builder, replies: impl IntoIterator<Item = Reply>) -> Self {
        let (provider, told) = (Provider::new(replies), EventRecorder::new());
        let preset = preset.subscriber(told.clone());
        let crm = preset.service(provider.clone()).build().expect("it works");
        Self { crm, provider, told, other: None }
    }

    /// How the call ended that was over last.
    fn end(&self) -> Option<End> {
        let events = self.told.events();
        events.iter().rev().find_map(|event| match event {
            Event::CallFinished { end, .. } => Some(*end),
            _ => None,
        })
    }

    fn assert_all_ended(&self) {
        let told = &self.told;
        assert_eq!(
            told.count(|event| matches!(event, Event::CallStarted)),
            told.count(|event| matches!(event, Event::CallFinished { .. })),
            "{:#?}",
            told.events()
        );
        assert_eq!(
            told.count(|event| matches!(event, Event::AttemptStarted)),
            told.count(|event| matches!(event, Event::AttemptFinished { .. })),
            "{:#?}",
            told.events()
        );
    }
}

/// Makes the scene again for every number of polls, until the call ends by itself; says how many
/// polls that took.
async fn drop_after_every_poll(
    scene: impl AsyncFn() -> Scene,
    request: impl Fn() -> Request<Body>,
) -> u32 {
    // A call that is never polled never begins.
    for polls in 1.. {
        let mut scene = scene().await;
        let ended = poll_times(polls, read(scene.crm.send(request()))).await;
        let (end, over) = (scene.end().expect("an end was told"), ended.is_some());
        match ended {
            Some(result) => {
                assert_eq!(result.expect("an answer").status(), 200);
                let read = matches!(end, End::Answered { body_read, .. } if body_read);
                assert!(read, "after {polls} polls: {end:?}");
            }
            None => {
                let left =
                    matches!(end, End::Abandoned { .. } | End::Answered { body_read: false, .. });
                assert!(left, "after {polls} polls: {end:?}");
            }
        }
        assert_eq!(scene.crm.bulkhead().waiting(), 0, "after {polls} polls");
        if let Some(other) = scene.other.take() {
            other.await.expect("the other call");
        }
        scene.assert_all_ended();
        assert_eq!(scene.crm.bulkhead().in_use(), 0, "after {polls} polls");

        let next = read(scene.crm.send(request())).await;
        assert_eq!(next.expect("the next call").status(), 200);
        assert_eq!(scene.crm.breaker().state(), BreakerState::Closed);
        assert_eq!(scene.crm.breaker().counts().rejected, 0);
        assert_eq!(scene.crm.bulkhead().in_use(), 0);
        scene.assert_all_ended();
        if over {
            return polls;
        }
    }
    unreachable!("polls never end");
}

async fn while_it_is_answered(preset: Preset) {
    let scene = async || Scene::new(preset(), [Reply::status(200)]);
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 7, "only {polls} polls");
}

async fn while_the_body_is_slow(preset: Preset) {
    let slow = Reply::status(200).frames(4, seconds(1));
    let scene = async || Scene::new(preset(), [slow]);
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 8, "only {polls} polls");
}

async fn while_it_waits_to_be_tried_again(preset: Preset) {
    let preset =
        || preset().retry(|retry| retry.backoff(outrigger::backoff::Backoff::fixed(millis(40))));
    // The failed answer's body trickles on while the call waits.
    let failed = Reply::status(503).frames(3, millis(15));
    let scene = async || Scene::new(preset(), [failed, Reply::status(200)]);
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 12, "only {polls} polls");
}

async fn while_it_waits_for_a_place(preset: Preset) {
    let preset =
        || preset().bulkhead(|bulkhead| bulkhead.concurrency(1).queue(1).queue_wait(seconds(5)));
    let scene = async || {
        let slow = Reply::status(200).after(millis(200)).frames(3, millis(50));
        let mut scene = Scene::new(preset(), [slow, Reply::status(200)]);
        let other = read(scene.crm.send(get()));
        scene.other = Some(tokio::spawn(async {
            other.await.expect("an answer");
        }));
        // It comes first.
        tokio::task::yield_now().await;
        scene
    };
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 8, "only {polls} polls");
}

async fn while_its_body_is_uploaded(preset: Preset) {
    let replies = [Reply::status(503), Reply::status(200)];
    let upload = || request(Method::PUT).map(|_| trickle(3, millis(10)));
    let scene = async || Scene::new(preset(), replies);
    let polls = drop_after_every_poll(scene, upload).await;
    assert!(polls >= 12, "only {polls} polls");

    let scene = scene().await;
    read(scene.crm.send(upload())).await.expect("an answer");
    assert_eq!(scene.provider.bodies(), ["drop drop drop "; 2]);
}

async fn while_an_attempt_times_out(preset: Preset) {
    let preset = || preset().timeout(|timeout| timeout.attempt(seconds(2)));
    let scene = async || {
        let late = Reply::status(200).after(seconds(3));
        Scene::new(preset(), [late, Reply::status(200)])
    };
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 11, "only {polls} polls");
}

async fn while_it_is_the_only_probe(preset: Preset) {
    let preset = || {
        preset().breaker(|breaker| {
            breaker
                .consecutive(Consecutive::Always(1))
                .no_success_for(seconds(0))
                .open_for(seconds(5), seconds(5))
        })
    };
    let scene = async || {
        let scene = Scene::new(preset(), [Reply::status(500), Reply::status(200)]);
        let failed = read(scene.crm.send(once())).await.expect("an answer");
        assert_eq!(failed.status(), 500);
        assert_eq!(scene.crm.breaker().state(), BreakerState::Open);
        tokio::time::advance(seconds(8)).await;
        scene
    };
    let polls = drop_after_every_poll(scene, get).await;
    assert!(polls >= 7, "only {polls} polls");
}

macro_rules! a_call_may_be_dropped {
    ($($scene:ident;)*) => {
        mod a_user_flow_call_may_be_dropped {
            use outrigger::Integration;
            $(#[tokio::test(start_paused = true)]
            async fn $scene() {
                super::$scene(|| Integration::user_flow("crm")).await;
            })*
        }

        mod a_background_call_may_be_dropped {
            use outrigger::Integration;
            $(#[tokio::test(start_paused = true)]
            async fn $scene() {
                super::$scene(|| Integration::background("crm")).await;
            })*
        }
    };
}

a_call_may_be_dropped! {
    while_it_is_answered;
    while_the_body_is_slow;
    while_it_waits_to_be_tried_again;
    while_it_waits_for_a_place;
    while_its_body_is_uploaded;
    while_an_attempt_times_out;
    while_it_is_the_only_probe;
}
