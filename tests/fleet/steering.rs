//! What people change, and what instances make of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use outrigger::Integration;
use outrigger::control::InstanceState;
use outrigger::control::Registry;
use outrigger::event::{Event, SwitchMode};
use outrigger::fleet::{Fleet, FleetErrorKind, FleetEvent, Wanted};
use outrigger::local_copy::{Load, Loaded, LocalCopy};

use crate::bench::{PATIENCE, Place, named, until};

#[tokio::test]
async fn a_switch_is_obeyed_by_all_and_says_who_moved_it_and_why() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let other = place.instance("web-2").await;
    let set = one.fleet.set("payments", "kill_switch", "off", "ada", "charges are wrong");
    let revision = set.await.unwrap();
    let view = other.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    assert_eq!(view.to_string(), "2 of 2 obey");
    for instance in [&one, &other] {
        let position = instance.payments.kill_switch().position();
        assert_eq!(position.mode(), SwitchMode::Off);
        assert_eq!((position.who(), position.why()), (Some("ada"), Some("charges are wrong")));
    }
}

#[tokio::test]
async fn an_integration_that_is_registered_later_obeys_before_its_first_call() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    let _mailer = named("mailer", &one.registry);
    until("the others know it", async || {
        other.fleet.set("mailer", "kill_switch", "off", "ada", "why").await.is_ok()
    })
    .await;
    let revision = other.fleet.instances().await.unwrap().revision;
    other.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    let mailer = named("mailer", &other.registry);
    assert_eq!(mailer.kill_switch().mode(), SwitchMode::Off);
}

#[tokio::test]
async fn what_is_set_on_the_spot_holds_until_the_fleet_says_something_new_and_is_told_meanwhile() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let set = |to| one.fleet.set("payments", "kill_switch", to, "ada", "charges are wrong");
    set("off").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    one.payments.kill_switch().set(SwitchMode::On, "bob", "this machine is fine");
    let why = "set to \"on\" on the spot by bob; the fleet says \"off\"";
    assert_eq!(one.troubles(), [("kill_switch".to_owned(), why.to_owned())]);
    let disobeys = async || {
        let view = one.fleet.instances().await.unwrap();
        view.instances[0].state == InstanceState::Disobeys
    };
    until("all see it", disobeys).await;
    assert_eq!(one.mode(), SwitchMode::On);
    let told = one.fleet.instances().await.unwrap().to_string();
    assert!(told.starts_with("0 of 1 obey; web-1 disobeys for "), "{told}");
    assert!(told.ends_with(&format!(" (payments, kill_switch: {why})")), "{told}");

    set("off").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    assert_eq!(one.troubles(), []);
}

#[tokio::test]
async fn a_position_for_a_time_goes_back_to_what_was_before_by_the_databases_clock() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    place.sql(HELD_CLOCK).await;
    let hour = Wanted::ThenBack(Duration::from_secs(3_600));
    let set = async |to: &str, wanted| {
        one.fleet.set_for("payments", "kill_switch", to, wanted, "ada", "why").await.unwrap();
    };
    set("no-retries", Wanted::Open).await;
    set("off", hour).await;
    // Prolonged: what was before the first time counts.
    set("off", hour).await;
    other.comes_to(SwitchMode::Off).await;
    let until = one.registry.health_of("payments").unwrap().fleet.unwrap().wanted_until.unwrap();
    assert_eq!(until, SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_003_600_000));
    place.sql("UPDATE outrigger.clock SET now = 1800003600000").await;
    for instance in [&one, &other] {
        instance.comes_to(SwitchMode::NoRetries).await;
        let position = instance.payments.kill_switch().position();
        assert_eq!(position.who(), Some("the fleet"));
        assert_eq!(position.why(), Some("the time that ada asked for is over"));
    }
}

#[tokio::test]
async fn what_is_asked_for_once_is_done_by_those_that_run_and_not_by_those_that_start_later() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let (copy, loads) = copy(&one.payments);
    until("it is loaded", async || loads.load(Ordering::SeqCst) == 1).await;
    one.fleet.set("payments", "prices", "reload", "ada", "a price is wrong").await.unwrap();
    until("it is loaded again", async || loads.load(Ordering::SeqCst) == 2).await;
    assert_eq!(one.troubles(), []);
    let other = place.instance("web-2").await;
    let missing = "this instance has no such control".to_owned();
    assert_eq!(other.troubles(), [("prices".to_owned(), missing)]);
    // A copy begins after its integration.
    let (later, later_loads) = self::copy(&other.payments);
    until("it has the control", async || other.troubles().is_empty()).await;
    assert_eq!((loads.load(Ordering::SeqCst), later_loads.load(Ordering::SeqCst)), (2, 1));
    // No guard has refused a load: there is nothing to do, and that is no trouble.
    let accept = one.fleet.set("payments", "prices", "accept", "ada", "it is right").await.unwrap();
    let view = one.fleet.wait_obeyed(accept, PATIENCE).await.unwrap();
    assert_eq!(view.to_string(), "2 of 2 obey");
    drop((copy, later));
}

/// A copy that counts its loads.
fn copy(of: &Integration) -> (LocalCopy<Vec<u8>>, Arc<AtomicUsize>) {
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&loads);
    let load = move |_: Load| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(Loaded::new(vec![1])) }
    };
    let hour = Duration::from_secs(3_600);
    (LocalCopy::builder("prices", of, Vec::len, load).every(hour).start().unwrap(), loads)
}

#[tokio::test]
async fn people_who_steer_at_the_same_time_leave_all_instances_with_the_same() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    let acts = (0..12).map(|nth| {
        let (fleet, to) = (one.fleet.clone(), ["off", "no-retries", "cache-only"][nth % 3]);
        tokio::spawn(async move {
            fleet.set("payments", "kill_switch", to, &format!("person {nth}"), "why").await.unwrap()
        })
    });
    let mut revisions = Vec::new();
    for act in acts.collect::<Vec<_>>() {
        revisions.push(act.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=12).collect::<Vec<_>>());
    let view = one.fleet.wait_obeyed(12, PATIENCE).await.unwrap();
    assert_eq!(view.to_string(), "2 of 2 obey");
    let said = one.fleet.words().await.unwrap().remove(0);
    for instance in [&one, &other] {
        let position = instance.payments.kill_switch().position();
        assert_eq!((position.mode().name(), position.who()), (&*said.says, Some(&*said.who)));
    }
}

#[tokio::test]
async fn a_database_that_was_restored_is_obeyed_as_it_is_now_and_that_is_told_once() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let set = |to, why| one.fleet.set("payments", "kill_switch", to, "ada", why);
    set("off", "now").await.unwrap();
    set("no-retries", "later").await.unwrap();
    one.comes_to(SwitchMode::NoRetries).await;
    place
        .sql(
            "UPDATE outrigger.fleet_meta SET value = 1 WHERE name = 'revision';
            UPDATE outrigger.fleet_control SET position = 'off', why = 'now', revision = 1",
        )
        .await;
    one.comes_to(SwitchMode::Off).await;
    let told = |event: &Event| *event == Event::Fleet(FleetEvent::Restored);
    assert_eq!(one.recorder.count(told), 1);
    set("on", "again").await.unwrap();
    one.comes_to(SwitchMode::On).await;
    assert_eq!(one.fleet.instances().await.unwrap().revision, 2);
    assert_eq!(one.recorder.count(told), 1);
}

#[tokio::test]
async fn what_the_fleet_says_no_more_about_stays_and_is_no_trouble_when_it_is_set_otherwise() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    let change = one.fleet.forget("payments", "kill_switch").await.unwrap();
    one.fleet.wait_obeyed(change, PATIENCE).await.unwrap();
    assert_eq!(one.fleet.words().await.unwrap(), []);
    assert_eq!(one.mode(), SwitchMode::Off);
    one.payments.kill_switch().set(SwitchMode::On, "bob", "here");
    assert_eq!(one.troubles(), []);
    let change = one.fleet.configure("payments", toml::Table::new(), "ada", "why").await.unwrap();
    one.fleet.wait_obeyed(change, PATIENCE).await.unwrap();
    one.fleet.forget("payments", "settings").await.unwrap();
    assert_eq!(one.fleet.words().await.unwrap(), []);
}

#[tokio::test]
async fn who_has_no_integration_knows_from_instances_where_a_control_goes_back_to() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let person = place.fleet(&Registry::new(), "person");
    let minute = Wanted::ThenBack(Duration::from_secs(60));
    let set = person.set_for("payments", "kill_switch", "off", minute, "ada", "why");
    set.await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    assert_eq!(person.words().await.unwrap()[0].back.as_deref(), Some("on"));
    // An instance of an earlier version doesn't tell which controls it has.
    place
        .sql(
            "INSERT INTO outrigger.fleet_instance VALUES
                ('old-1', 'host', '0', outrigger.fleet_now(), 0, '{crm}', '[]', NULL)",
        )
        .await;
    let set = person.set_for("crm", "kill_switch", "off", minute, "ada", "why");
    assert_eq!(set.await.unwrap_err().kind(), FleetErrorKind::Control);
    person.set("crm", "kill_switch", "off", "ada", "why").await.unwrap();
}

#[tokio::test]
async fn a_name_that_no_instance_has_is_refused_from_afar_and_can_be_set_ahead() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let (copy, _) = copy(&one.payments);
    // It has the integration, and not the copy.
    let other = place.instance("web-2").await;
    let person = place.fleet(&Registry::new(), "person");
    let set = async |fleet: &Fleet, of: [&str; 3]| {
        let [integration, control, position] = of;
        let set = fleet.set(integration, control, position, "ada", "why");
        set.await.map_err(|error| error.to_string())
    };
    until("the copy is told", async || {
        set(&other.fleet, ["payments", "prices", "reload"]).await.is_ok()
    })
    .await;
    let revision = person.instances().await.unwrap().revision;
    for (asked, said) in [
        (["paymens", "kill_switch", "off"], "did you mean \"payments\"?"),
        (["payments", "kill_swich", "off"], "did you mean \"kill_switch\"?"),
        (["payments", "prices", ""], "use one of automatic, reload, accept"),
    ] {
        for fleet in [&person, &other.fleet] {
            let error = set(fleet, asked).await.unwrap_err();
            assert!(error.starts_with("no instance has ") && error.ends_with(said), "{error}");
        }
    }
    assert_eq!(person.instances().await.unwrap().revision, revision);
    let set = person.set_ahead("mailer", "kill_switch", "off", Wanted::Open, "ada", "not yet");
    let revision = set.await.unwrap();
    person.wait_obeyed(revision, PATIENCE).await.unwrap();
    let mailer = named("mailer", &one.registry);
    assert_eq!(mailer.kill_switch().mode(), SwitchMode::Off);
    drop(copy);
}

#[tokio::test]
async fn who_is_behind_or_not_seen_is_named_with_the_time_and_forgotten_after_a_day() {
    let Some(place) = Place::new().await else { return };
    place.sql(HELD_CLOCK).await;
    let one = place.instance("web-1").await;
    let change = one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    place
        .sql(
            "UPDATE outrigger.clock SET now = 1800000007000;
            INSERT INTO outrigger.fleet_instance VALUES
                ('web-2', 'host', '0', 1800000007000, 0, '{}', '[]', NULL),
                ('web-3', 'host', '0', 1799999967000, 0, '{}', '[]', NULL),
                ('web-4', 'host', '0', 1799996000000, 0, '{}', '[]', NULL),
                ('web-5', 'host', '0', 1799913600000, 0, '{}', '[]', NULL)",
        )
        .await;
    one.fleet.wait_obeyed(change, Duration::ZERO).await.unwrap();
    until("web-5 is off the list and web-1 obeys", async || {
        let told = one.fleet.instances().await.unwrap().to_string();
        told == "1 of 4 obey; web-2 behind for 7 s; web-3 not seen for 40 s; 1 not seen for over an hour"
    })
    .await;
}

/// The database's clock stands still until it is moved.
pub(crate) const HELD_CLOCK: &str = "
    CREATE TABLE outrigger.clock (now bigint);
    INSERT INTO outrigger.clock VALUES (1800000000000);
    CREATE OR REPLACE FUNCTION outrigger.fleet_now() RETURNS bigint
    LANGUAGE sql VOLATILE AS 'SELECT now FROM outrigger.clock'";
