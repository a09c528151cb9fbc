//! One database and one pool for the fleet, the outbox and refresh tokens.

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::{PostgresPool, PostgresStore, PostgresTokenStore};
use outrigger::outbox::{Message, Outbox, TicketState};
use outrigger::testing::{Answer, Script};
use outrigger::token::oauth::TokenStore;

use crate::bench::{PATIENCE, Place, run, until};

#[tokio::test]
async fn fleet_outbox_and_refresh_tokens_share_one_pool_and_one_schema() {
    let Some(place) = Place::new().await else { return };
    let url = format!("{} application_name={}", place.server.connection_string(), place.schema);
    let pool = PostgresPool::no_tls(&url).unwrap().connections(3);
    let registry = Registry::new();
    let script = Script::by(|_| Answer::status(201));
    let mailer =
        Integration::background("mailer").service(script).register(&registry).build().unwrap();
    let fleet = Fleet::postgres(&registry, &pool).schema(&place.schema).instance("web-1").build();
    let store = PostgresStore::over(&pool).schema(&place.schema);
    let tokens = PostgresTokenStore::over(&pool).schema(&place.schema).login("crm");
    store.migrate().await.unwrap();
    tokens.migrate().await.unwrap();
    fleet.migrate().await.unwrap();
    run(&fleet);
    assert!(fleet.wait_heard(PATIENCE).await);
    let outbox = Outbox::postgres(store).lane(&mailer).register(&registry).build().unwrap();
    let runs = outbox.clone();
    let works = tokio::spawn(async move { runs.run().await.unwrap() });

    // Stopped for all: the outbox holds its messages.
    let set = async |to| fleet.set("mailer", "kill_switch", to, "ada", "why").await.unwrap();
    set("off").await;
    until("it is off", async || mailer.kill_switch().mode() == SwitchMode::Off).await;
    let ticket = outbox.enqueue(Message::post("https://mailer.example/mails")).await.unwrap();
    tokens.replace("what the login gave").await.unwrap();
    assert_eq!(tokens.load().await.unwrap().refresh_token(), "what the login gave");
    assert!(!outbox.ticket(ticket.id).await.unwrap().is_final());
    set("on").await;
    let state = outbox.wait(ticket.id, PATIENCE).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { status: Some(201), .. }), "{state:?}");

    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let connections: i64 =
        place.client().await.query_one(connections, &[&place.schema]).await.unwrap().get(0);
    assert!((1..=3).contains(&connections), "{connections}");
    outbox.shut_down(std::time::Duration::ZERO);
    works.await.unwrap();
}
