//! A database that goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use outrigger::BoxError;
use outrigger::control::Registry;
use outrigger::event::{Event, SwitchMode};
use outrigger::fleet::{Fleet, FleetErrorKind, FleetEvent};
use outrigger::outbox::postgres::PostgresPool;
use outrigger::outbox::tokio_postgres::Client;
use outrigger::testing::EventRecorder;

use crate::bench::{PATIENCE, Place, payments, run, until};
use crate::server::Server;

#[tokio::test]
async fn while_the_database_is_away_all_stays_and_when_it_is_back_new_words_are_obeyed() {
    let Some(server) = Server::start() else { return };
    let recorder = Arc::new(EventRecorder::new());
    let registry = Registry::new().subscriber(Arc::clone(&recorder));
    let switch = payments(&registry).clone();
    let pool = PostgresPool::no_tls(&server.connection_string()).unwrap().connections(1);
    let fleet = Fleet::postgres(&registry, &pool).instance("web-1").build();
    fleet.migrate().await.unwrap();
    server.down();

    // It starts while the database is away.
    run(&fleet);
    let of_fleet = || registry.health_of("payments").unwrap().fleet.unwrap();
    let is_told = |event| {
        let events = recorder.events();
        events.iter().filter(|known| **known == Event::Fleet(event)).count()
    };
    until("it isn't heard", async || is_told(FleetEvent::Unheard) == 1).await;
    assert!(!of_fleet().has_heard);
    assert!(of_fleet().error.unwrap().contains("postgresql"));
    assert!(!fleet.wait_heard(Duration::from_millis(1)).await);
    let error = fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Unavailable);
    server.up();
    assert!(fleet.wait_heard(PATIENCE).await);
    until("it is heard", async || is_told(FleetEvent::Heard) == 1).await;
    assert!(of_fleet().has_heard);

    let set = async |to| fleet.set("payments", "kill_switch", to, "ada", "why").await.unwrap();
    set("off").await;
    until("it is off", async || switch.kill_switch().mode() == SwitchMode::Off).await;
    server.down();
    until("it says since when", async || of_fleet().unheard_since.is_some()).await;
    assert!(of_fleet().heard_ago >= Duration::from_secs(10));
    assert_eq!(switch.kill_switch().mode(), SwitchMode::Off);
    server.up();
    until("it is heard", async || is_told(FleetEvent::Heard) == 2).await;
    assert_eq!(of_fleet().unheard_since, None);
    assert_eq!(switch.kill_switch().mode(), SwitchMode::Off);
    set("on").await;
    until("it is on", async || switch.kill_switch().mode() == SwitchMode::On).await;
}

#[tokio::test]
async fn a_shutdown_takes_it_off_the_list_and_changes_nothing_else() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    other.comes_to(SwitchMode::Off).await;
    assert_eq!(other.fleet.run().await.unwrap_err().kind(), FleetErrorKind::Running);
    other.fleet.shut_down();
    until("it is off the list", async || one.fleet.instances().await.unwrap().instances.len() == 1)
        .await;
    assert_eq!(other.mode(), SwitchMode::Off);
}

#[tokio::test]
async fn without_its_tables_it_says_what_to_do() {
    let Some(place) = Place::new().await else { return };
    let registry = Registry::new();
    let fleet = Fleet::postgres(&registry, &place.pool()).schema("nobody_made").build();
    let error = fleet.instances().await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Database);
    assert!(error.to_string().contains("migrate"), "{error}");
    // Those who keep their schema themselves.
    let schema = format!("{}_by_hand", place.schema);
    place.sql(&format!("CREATE SCHEMA {schema}")).await;
    for migration in Fleet::migrations(&schema) {
        place.sql(&migration).await;
    }
    let fleet = Fleet::postgres(&registry, &place.pool()).schema(&schema).build();
    fleet.migrate().await.unwrap();
    assert_eq!(fleet.instances().await.unwrap().revision, 0);
    assert!(fleet.instance().len() > 9, "{}", fleet.instance());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_database_that_never_answers() {
    let registry = Registry::new();
    let pool = PostgresPool::connect_by(|| {
        std::future::pending::<Result<(Client, std::future::Ready<()>), BoxError>>()
    });
    // It asks for a lease, too.
    let _mailer = crate::shares::sharing("mailer", &registry, None, "http://mailer.test");
    let fleet = Fleet::postgres(&registry, &pool).build();
    let (runs, began) = (fleet.clone(), tokio::time::Instant::now());
    let end = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fleet.shut_down();
    };
    let (ended, ()) = tokio::join!(runs.run(), end);
    ended.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
