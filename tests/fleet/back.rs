//! Positions for a time, one over another.

use std::time::Duration;

use outrigger::event::SwitchMode;
use outrigger::fleet::Wanted;

use crate::bench::{Instance, PATIENCE, Place, until};
use crate::steering::HELD_CLOCK;

const MINUTE: Duration = Duration::from_secs(60);

async fn set(one: &Instance, to: &str, wanted: Wanted, who: &str) {
    let set = one.fleet.set_for("payments", "kill_switch", to, wanted, who, "why");
    let change = set.await.unwrap();
    one.fleet.wait_obeyed(change, PATIENCE).await.unwrap();
}

/// Moves the database's clock to this many minutes after the beginning, and waits for what is over to be set back.
async fn goes_to(place: &Place, one: &Instance, minute: i64, says: &str, who: &str) {
    let now = 1_800_000_000_000 + minute * 60_000;
    place.sql(&format!("UPDATE outrigger.clock SET now = {now}")).await;
    until(says, async || {
        let word = one.fleet.words().await.unwrap().remove(0);
        (&*word.says, &*word.who) == (says, who)
    })
    .await;
}

#[tokio::test]
async fn a_position_for_a_time_over_the_same_without_an_end_stays_when_its_time_is_over() {
    let Some(place) = Place::new().await else { return };
    place.sql(HELD_CLOCK).await;
    let one = place.instance("web-1").await;
    for before in [Wanted::Open, Wanted::For(90 * MINUTE)] {
        set(&one, "off", before, "ada").await;
        set(&one, "off", Wanted::ThenBack(60 * MINUTE), "bob").await;
        let word = one.fleet.words().await.unwrap().remove(0);
        assert_eq!(word.back.as_deref(), Some("off"));
    }
    goes_to(&place, &one, 61, "off", "the fleet").await;
    assert_eq!(one.mode(), SwitchMode::Off);
}

#[tokio::test]
async fn what_had_an_end_of_its_own_has_it_still_after_somebody_elses_is_over() {
    let Some(place) = Place::new().await else { return };
    place.sql(HELD_CLOCK).await;
    let one = place.instance("web-1").await;
    set(&one, "off", Wanted::ThenBack(60 * MINUTE), "ada").await;
    set(&one, "no-retries", Wanted::ThenBack(20 * MINUTE), "bob").await;
    set(&one, "cache-only", Wanted::ThenBack(10 * MINUTE), "eve").await;
    goes_to(&place, &one, 11, "no-retries", "bob").await;
    goes_to(&place, &one, 21, "off", "ada").await;
    goes_to(&place, &one, 61, "on", "the fleet").await;
    one.comes_to(SwitchMode::On).await;
    // What ends sooner than what is set over it isn't come back to.
    set(&one, "off", Wanted::ThenBack(10 * MINUTE), "ada").await;
    set(&one, "no-retries", Wanted::ThenBack(20 * MINUTE), "bob").await;
    assert_eq!(one.fleet.words().await.unwrap()[0].back.as_deref(), Some("on"));
}

#[tokio::test]
async fn of_two_that_set_back_at_the_same_time_one_does() {
    let Some(place) = Place::new().await else { return };
    place.sql(HELD_CLOCK).await;
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    set(&one, "off", Wanted::ThenBack(MINUTE), "ada").await;
    other.comes_to(SwitchMode::Off).await;
    // Both wait for the row.
    let lock = place.client().await;
    let schema = &place.schema;
    let held =
        format!("BEGIN; SELECT 1 FROM {schema}.fleet_meta WHERE name = 'revision' FOR UPDATE");
    lock.batch_execute(&held).await.unwrap();
    place.sql("UPDATE outrigger.clock SET now = 1800000061000").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    lock.batch_execute("COMMIT").await.unwrap();
    for instance in [&one, &other] {
        instance.comes_to(SwitchMode::On).await;
    }
    assert_eq!(one.fleet.instances().await.unwrap().revision, 2);
}
