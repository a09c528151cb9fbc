use outrigger::Body;
use outrigger::testing::ReadinessProbe;
use tower::{Layer, Service, ServiceExt};

use super::{poll_times, read, request, succeed};
use crate::provider::Provider;
use crate::subject::{Subject, Wrapped};

type Probe = ReadinessProbe<Provider>;

pub(crate) async fn after_every_poll<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let mut polls = 0;
    loop {
        let subject = make();
        subject.prepare().await;
        let mut service = subject.layer(ReadinessProbe::new(Provider::default()));
        let call = service.ready().await.expect("ready").call(request("order"));
        let ended = poll_times(polls, read::<L::Service, Body>(call)).await;
        let over = ended.is_some_and(|result| result.is_ok());
        subject.assert_nothing_held();
        succeed(&mut service).await;
        subject.assert_nothing_held();
        if over {
            break;
        }
        polls += 1;
    }
    // The head's pauses, and one for each frame and the end of the body.
    assert!(polls >= 7, "only {polls} polls were tried");
}

pub(crate) async fn the_body_unread<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(ReadinessProbe::new(Provider::default()));
    for _ in 0..3 {
        let call = service.ready().await.expect("ready").call(request("order"));
        drop(call.await.expect("an answer"));
        subject.assert_nothing_held();
    }
    succeed(&mut service).await;
}
