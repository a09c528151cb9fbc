//! Forty instances, and a proxy of connections.

use std::time::Instant;

use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;
use outrigger::testing::EventRecorder;

use crate::bench::{Instance, PATIENCE, Place, payments, run, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_instances_obey_one_switch() {
    let Some(place) = Place::new().await else { return };
    let mut all = Vec::new();
    for nth in 1..=40 {
        all.push(place.instance(&format!("web-{nth:02}")).await);
    }
    let statements = async || -> i64 {
        let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'";
        place.client().await.query_one(sql, &[]).await.unwrap().get(0)
    };
    let (before, began) = (statements().await, Instant::now());
    let quiet = std::time::Duration::from_secs(5);
    tokio::time::sleep(quiet).await;
    let a_second = (statements().await - before) as f64 / began.elapsed().as_secs_f64();
    println!("{a_second:.0} transactions a second of 40 instances (and other tests)");

    let began = Instant::now();
    all[0].fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    for instance in &all {
        instance.comes_to(SwitchMode::Off).await;
    }
    println!("all 40 obey after {:?}", began.elapsed());
    let view = all[0].fleet.wait_obeyed(1, PATIENCE).await.unwrap();
    assert_eq!(view.to_string(), "40 of 40 obey");
}

#[tokio::test]
async fn it_works_behind_pgbouncer_in_transaction_mode() {
    let Some(place) = Place::new().await else { return };
    let Some(url) = crate::pgbouncer::shared(place.server) else { return };
    let mut all = Vec::new();
    for nth in 1..=8 {
        let registry = Registry::new();
        let payments = payments(&registry);
        let pool = PostgresPool::no_tls(url).unwrap().connections(1);
        let fleet = Fleet::postgres(&registry, &pool).schema(&place.schema);
        let fleet = fleet.instance(format!("web-{nth}")).build();
        fleet.migrate().await.unwrap();
        run(&fleet);
        let recorder = EventRecorder::new();
        all.push(Instance { fleet, registry, payments, recorder });
    }
    let view = async || all[0].fleet.instances().await.unwrap().to_string();
    until("all are there", async || view().await == "8 of 8 obey").await;
    for to in ["off", "no-retries", "on"] {
        let set = all[0].fleet.set("payments", "kill_switch", to, "ada", "why");
        let revision = set.await.unwrap();
        all[1].fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
        assert!(all.iter().all(|instance| instance.mode().name() == to));
    }
}
