//! What of an account's rate can't be used, and what nobody uses any more.

use std::time::Duration;

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::rate_limit::OnLimit;
use outrigger::testing::{Answer, Script};
use tokio::time::sleep;

use super::{LEASE, RATE, share, sharing};
use crate::bench::{Place, run, until};

#[tokio::test]
async fn what_nobody_has_used_for_long_is_forgotten() {
    let Some(place) = Place::new().await else { return };
    place
        .sql(
            "INSERT INTO outrigger.fleet_account VALUES
                ('old', 1, outrigger.fleet_now() - 2592100000), ('idle', 1, outrigger.fleet_now() - 2000000000);
            INSERT INTO outrigger.fleet_share VALUES
                ('old', 'web-9/mailer#1', 1, 1, 1, 0), ('idle', 'web-9/mailer#2', 1, 1, 1, 0)",
        )
        .await;
    let registry = Registry::new();
    let _mailer =
        sharing("mailer", &registry, Script::by(|_| Answer::status(200)), "http://a.test");
    run(&place.sharing_fleet(&registry, "web-1"));
    // Those that are left are idle, and the one that is used.
    until("they are forgotten", async || {
        (place.accounts().await, place.holders().await) == (2, 2)
            && place.number("SELECT count(*) FROM outrigger.fleet_account WHERE name = 'old'").await
                == 0
    })
    .await;
}

#[tokio::test]
async fn one_that_is_paused_for_long_asks_for_nothing_and_whoever_leaves_voids_what_is_on_its_way()
{
    let Some(place) = Place::new().await else { return };
    let registry = Registry::new();
    let script = Script::by(|_| Answer::status(200));
    let mailer = Integration::background("mailer")
        .base_url("http://mailer.test")
        .service(script)
        .rate_limit(|limit| {
            let limit = limit.requests(RATE, Duration::from_secs(1)).account("live");
            limit.on_limit(OnLimit::Reject).max_wait(Duration::from_millis(1))
        })
        .retry(|retry| retry.max_attempts(1))
        .register(&registry)
        .build()
        .unwrap();
    let fleet = place.sharing_fleet(&registry, "web-1");
    run(&fleet);
    // Past the deadline of each call: one that could wait for the end would be the last of the loop.
    mailer.rate_limit().pause(Duration::from_secs(7_200));
    let calls = tokio::spawn({
        let mailer = mailer.clone();
        async move {
            loop {
                let _ = mailer.send(http::Request::new(outrigger::Body::empty())).await;
                sleep(Duration::from_millis(2)).await;
            }
        }
    });
    until("it has a share", async || !share(&registry).1).await;
    let refused = || mailer.rate_limit().rejected();
    until("much is refused", async || refused() > 100).await;
    sleep(LEASE).await;
    let demand = || registry.health_of("mailer").unwrap().share.unwrap().demand;
    assert!(demand() < 1.0, "{} of {} refused", demand(), refused());
    mailer.rate_limit().forget();
    until("it asks for more", async || demand() > 1.0).await;
    calls.abort();
    let before = place.number("SELECT version FROM outrigger.fleet_account").await;
    fleet.shut_down();
    until("it has left", async || place.holders().await == 0).await;
    assert!(place.number("SELECT version FROM outrigger.fleet_account").await > before);
}
