use std::pin::pin;

use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::testing::ReadinessProbe;
use tower::{Layer, Service, ServiceExt};

use super::{poll_once, request, succeed};
use crate::provider::Provider;
use crate::subject::{Subject, Wrapped};

type Probe = ReadinessProbe<Provider>;

pub(crate) async fn calls_only_what_is_ready<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(ReadinessProbe::new(Provider::default()));
    // The second call needs readiness of its own: the first used up what there was.
    succeed(&mut service).await;
    succeed(&mut service).await;
    let mut clone = service.clone();
    succeed(&mut clone).await;
    subject.assert_nothing_held();
}

pub(crate) async fn waits_for_late_readiness<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let provider = Provider::default();
    let probe = ReadinessProbe::new(provider.clone());
    probe.set_ready(false);
    let mut service = subject.layer(probe.clone());
    if poll_once(|cx| service.poll_ready(cx)).is_pending() {
        // It forwards readiness: late here means late there.
        assert!(poll_once(|cx| service.poll_ready(cx)).is_pending());
        probe.set_ready(true);
        assert!(poll_once(|cx| service.poll_ready(cx)).is_ready());
    }
    let mut call = pin!(service.call(request("order")));
    for _ in 0..2 {
        assert!(poll_once(|cx| call.as_mut().poll(cx)).is_pending());
    }
    // Where it was a barrier, the call waits; where it wasn't, it is on its way.
    probe.set_ready(true);
    let response = call.await.expect("an answer");
    response.into_body().collect().await.expect("a body");
    assert_eq!(provider.seen().len(), 1);
    subject.assert_nothing_held();
}

pub(crate) async fn clones_are_readied_by_themselves<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(ReadinessProbe::new(Provider::default()));
    service.ready().await.expect("ready");
    let mut clone = service.clone();
    succeed(&mut clone).await;
    // The readiness of the first one is still its own.
    let response = service.call(request("order")).await.expect("an answer");
    response.into_body().collect().await.expect("a body");

    service.ready().await.expect("ready");
    let mut clone = service.clone();
    drop(service);
    succeed(&mut clone).await;
    subject.assert_nothing_held();
}

pub(crate) async fn readied_clones_hold_nothing<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Probe, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let service = subject.layer(ReadinessProbe::new(Provider::default()));
    let mut readied = Vec::new();
    for _ in 0..100 {
        let mut clone = service.clone();
        clone.ready().await.expect("ready");
        readied.push(clone);
    }
    subject.assert_nothing_held_yet(&service).await;
    drop(readied);
    subject.assert_nothing_held_yet(&service).await;
}

/// As [`Subject::assert_nothing_held`], and with a call as the proof.
trait Proof: Subject {
    async fn assert_nothing_held_yet<S: Wrapped<Body>>(&self, service: &S) {
        succeed(&mut service.clone()).await;
        self.assert_nothing_held();
    }
}

impl<L: Subject> Proof for L {}
