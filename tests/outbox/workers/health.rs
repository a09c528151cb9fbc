//! Lanes as data in a registry.

use outrigger::control::Registry;
use outrigger::outbox::{By, DeadReason, Lane, Timestamp};
use outrigger::testing::{Answer, Script};

use super::bench::{builder, mail, memory, secs, sleep, start};

#[tokio::test(start_paused = true)]
async fn a_registry_shows_lanes_and_each_integration_its_own() {
    let registry = Registry::new();
    let script = Script::by(|request| match &request.body()[..] {
        b"bad" => Answer::status(400),
        _ => Answer::hang(),
    });
    let build = |name| builder(name).register(&registry).service(script.clone()).build().unwrap();
    let (mailer, crm) = (build("mailer"), build("crm"));
    let bulk = Lane::new(&mailer).name("bulk");
    let outbox = memory().lane(&mailer).lane(bulk).lane(&crm).register(&registry).build().unwrap();
    assert!(registry.lanes().is_empty(), "nothing was counted");
    let running = start(outbox);
    let began = std::time::SystemTime::from(running.outbox.store().now().await.unwrap());
    let bad = running.enqueue(mail("bad").lane("mailer")).await;
    running.enqueue(mail("hangs").lane("mailer")).await;
    running.enqueue(mail("waits").lane("mailer").not_before(secs(600))).await;
    let by = By { who: "ada", why: "they moved" };
    running.outbox.pause("bulk", Timestamp::NEVER, by).await.unwrap();
    sleep(20).await;

    let lanes = registry.lanes();
    let names: Vec<_> = lanes.iter().map(|lane| &lane.lane[..]).collect();
    assert_eq!(names, ["mailer", "bulk", "crm"]);
    let first = &lanes[0];
    assert_eq!((first.ready, first.leased, first.dead), (1, 1, 1));
    assert!(first.oldest_undelivered.is_some_and(|at| at >= began), "{first:?}");
    assert!(first.counted > began && first.paused.is_none());
    let pause = lanes[1].paused.clone().unwrap();
    assert_eq!(
        (pause.until, pause.who.as_deref(), &pause.why[..]),
        (None, Some("ada"), "they moved")
    );

    let own = |name| {
        let health = registry.health_of(name).unwrap();
        health.lanes.into_iter().map(|lane| lane.lane).collect::<Vec<_>>()
    };
    assert_eq!(own("mailer"), ["mailer", "bulk"]);
    assert_eq!(own("crm"), ["crm"]);
    assert!(mailer.health().lanes.is_empty());

    let shown = serde_json::to_value(registry.health_of("mailer").unwrap()).unwrap();
    assert_eq!(shown["lanes"][0]["dead"], 1);
    assert_eq!(shown["lanes"][1]["paused"]["who"], "ada");

    running
        .outbox
        .act(outrigger::outbox::Selection::One(bad.id), outrigger::outbox::Action::Discard, by)
        .await
        .unwrap();
    sleep(20).await;
    assert_eq!(registry.lanes()[0].dead, 0);
    assert_eq!(running.outbox.stats("mailer").await.unwrap().dead.get(&DeadReason::Rejected), None);
    drop(running.kill().await);
    assert!(registry.lanes().is_empty(), "the outbox is gone");
}
