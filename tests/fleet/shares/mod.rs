//! One account's rate, shared by many instances.

#[cfg(unix)]
mod process;
mod provider;
mod unused;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::event::Event;
use outrigger::fleet::{Fleet, FleetEvent};
use outrigger::rate_limit::OnLimit;
use outrigger::testing::{Answer, EventRecorder, Script};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use self::process::{Process, signal};
use self::provider::{Provider, most_over};
use crate::bench::{PATIENCE, Place, run, until};
use crate::server::Server;

/// What the account allows a second, in all tests.
pub(crate) const RATE: u32 = 100;
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// An integration of one account, with a queue for what comes too fast.
pub(crate) fn sharing(
    name: &str,
    registry: &Registry,
    service: impl Into<Option<Script>>,
    url: &str,
) -> Integration {
    let builder = Integration::background(name).base_url(url).rate_limit(|limit| {
        limit.requests(RATE, Duration::from_secs(1)).account("live").on_limit(OnLimit::Shape)
    });
    match service.into() {
        Some(script) => builder.service(script).register(registry).build().unwrap(),
        None => builder.register(registry).build().unwrap(),
    }
}

/// The share that an integration has, in requests a second, and whether it has none.
fn share(registry: &Registry) -> (f64, bool) {
    let share = registry.health_of("mailer").unwrap().share.unwrap();
    (share.rate, share.has_ended)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_processes_never_send_more_than_the_rate_and_one_lease_whatever_becomes_of_them() {
    let Some(server) = Server::start() else { return };
    let place = Place::on(Box::leak(Box::new(server))).await;
    let provider = Provider::start().await;
    let clocks = [0, 0, 0, -10_000, 10_000_000];
    let names = ["killed", "stopped", "well", "behind", "ahead"];
    let mut processes: BTreeMap<_, _> = names
        .into_iter()
        .zip(clocks)
        .map(|(name, clock)| (name, Process::start(&place, &provider.url, name, clock)))
        .collect();
    until("all send", async || names.iter().all(|name| provider.count(name) > 60)).await;

    signal(processes["stopped"].id(), "STOP");
    drop(processes.remove("killed"));
    let before = provider.count("well");
    // Their shares come to the others when their leases have ended.
    sleep(LEASE * 2).await;
    until("the others go on", async || provider.count("well") > before + 100).await;
    signal(processes["stopped"].id(), "CONT");
    let before = provider.count("stopped");
    until("it has a share again", async || provider.count("stopped") > before + 40).await;

    let before = provider.all();
    place.server.down();
    // The last share, and a hundredth after that.
    sleep(LEASE * 4).await;
    assert!(provider.all() > before + RATE as usize / 2, "it goes on without the database");
    place.server.up();
    let counts: Vec<_> = processes.keys().map(|name| (*name, provider.count(name))).collect();
    until("all have shares again", async || {
        counts.iter().all(|(name, before)| provider.count(name) > before + 60)
    })
    .await;

    let times = provider.times();
    let over = most_over(&times, f64::from(RATE));
    println!("{} requests, at most {over:.0} over the rate in any window", times.len());
    assert!(over <= f64::from(RATE) * LEASE.as_secs_f64(), "{over} over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_instances_use_one_rate_and_no_more() {
    let Some(place) = Place::new().await else { return };
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let mut instances = Vec::new();
    for nth in 0..40 {
        let registry = Registry::new();
        let mailer = noting(&registry, &times);
        let fleet = place.sharing_fleet(&registry, &format!("web-{nth}"));
        run(&fleet);
        instances.push((fleet, registry, mailer));
    }
    let calls: Vec<_> =
        instances.iter().map(|(_, _, mailer)| keep_calling(mailer.clone())).collect();
    let has_share = |registry: &Registry| share(registry).0 > 1.5 && !share(registry).1;
    // On a slow machine, they needn't all have one at the same time.
    let mut had = vec![false; instances.len()];
    until("each has had a share", async || {
        let now = instances.iter().map(|(_, it, _)| has_share(it));
        had.iter_mut().zip(now).for_each(|(had, has)| *had |= has);
        had.iter().all(|had| *had)
    })
    .await;
    let (began, sent) = (Instant::now(), times.lock().unwrap().len());
    let statements = place.statements().await;
    sleep(Duration::from_secs(5)).await;
    let over = began.elapsed().as_secs_f64();
    let used = (times.lock().unwrap().len() - sent) as f64 / over;
    let asked = (place.statements().await - statements) as f64 / over;
    println!("{used:.0} of {RATE} a second used, {asked:.0} statements a second");
    for _ in 0..20 {
        let all = place.given().await;
        assert!(all <= i64::from(RATE) * 1_000_000, "{all}");
    }
    assert!(used > f64::from(RATE) * 0.2, "{used}");
    let over = most_over(&times.lock().unwrap(), f64::from(RATE));
    println!("at most {over:.0} over the rate in any window");
    // Each may begin with one.
    assert!(over <= f64::from(RATE) * LEASE.as_secs_f64(), "{over} over");
    calls.into_iter().for_each(|call| call.abort());
}

/// An integration that notes when it sends, and calls all the time.
fn noting(registry: &Registry, times: &Arc<Mutex<Vec<Instant>>>) -> Integration {
    let sent = Arc::clone(times);
    let script = Script::by(move |_| {
        sent.lock().unwrap().push(Instant::now());
        Answer::status(200)
    });
    sharing("mailer", registry, script, "http://mailer.test")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_alone_cannot_reach_the_database_is_over_by_one_lease_at_most() {
    let Some(place) = Place::new().await else { return };
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let told = EventRecorder::new();
    let (cut, well) = (Registry::new().subscriber(told.clone()), Registry::new());
    let events = |of| told.count(|event| matches!(event, Event::Fleet(told) if *told == of));
    let mailers = [noting(&cut, &times), noting(&well, &times)];
    let (pool, is_cut) = place.pool_to_cut();
    let fleet = Fleet::postgres(&cut, &pool).schema(&place.schema).instance("cut").lease(LEASE);
    run(&fleet.build());
    run(&place.sharing_fleet(&well, "well"));
    let calls = mailers.map(keep_calling);
    let half = f64::from(RATE) / 2.0;
    until("both have their halves", async || {
        [&cut, &well].iter().all(|it| share(it).0 > half * 0.9 && !share(it).1)
    })
    .await;

    is_cut.store(true, Ordering::SeqCst);
    place.terminate("outrigger_cut").await;
    // Its share goes to the other, and it has a hundredth.
    until("its share has ended", async || share(&cut) == (1.0, true)).await;
    until("that is told", async || events(FleetEvent::ShareEnded) == 1).await;
    until("the other has all but that", async || share(&well).0 > half * 1.9).await;
    is_cut.store(false, Ordering::SeqCst);
    until("it has its share again", async || !share(&cut).1 && share(&cut).0 > half * 0.9).await;
    until("that is told, too", async || events(FleetEvent::ShareHeld) == 2).await;
    let over = most_over(&times.lock().unwrap(), f64::from(RATE));
    println!("at most {over:.0} over the rate in any window");
    assert!(over <= f64::from(RATE) * LEASE.as_secs_f64(), "{over} over");
    calls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn calls_that_wait_have_more_asked_for_at_once_if_some_of_the_rate_is_free() {
    let Some(place) = Place::new().await else { return };
    let registry = Registry::new();
    let mailer = noting(&registry, &Arc::default());
    // Demand is looked at each two minutes then, unless a call waits.
    let fleet = Fleet::postgres(&registry, &place.pool()).schema(&place.schema);
    run(&fleet.instance("web-1").lease(Duration::from_secs(3_600)).build());
    until("it has a share", async || !share(&registry).1).await;
    let idle = share(&registry).0;
    assert!(idle < f64::from(RATE) * 0.4, "{idle}");
    let calls = keep_calling(mailer);
    until("it has more", async || share(&registry).0 > idle * 1.2).await;
    calls.abort();
}

#[tokio::test]
async fn a_clean_shutdown_gives_the_share_back_at_once_and_one_that_just_ends_keeps_it_for_its_lease()
 {
    let Some(place) = Place::new().await else { return };
    let (first, second) = (Registry::new(), Registry::new());
    let script = || Script::by(|_| Answer::status(200));
    let (one, two) = (
        sharing("mailer", &first, script(), "http://mailer.test"),
        sharing("mailer", &second, script(), "http://mailer.test"),
    );
    // So long that it doesn't end while this test runs.
    let fleet = |registry: &Registry, name: &str| {
        let fleet = Fleet::postgres(registry, &place.pool()).schema(&place.schema);
        fleet.instance(name).lease(Duration::from_secs(600)).build()
    };
    let (leaves, stays) = (fleet(&first, "leaves"), fleet(&second, "stays"));
    assert_eq!(share(&first), (0.1, true), "a thousandth before the first lease");
    for it in [&leaves, &stays] {
        run(it);
    }
    until("both have a share", async || !share(&first).1 && !share(&second).1).await;
    assert!(place.holders().await == 2);
    leaves.shut_down();
    until("it is given back", async || place.holders().await == 1).await;
    assert_eq!(share(&first), (0.1, true), "what it is left with");
    drop((one, two));
}

#[tokio::test]
async fn what_the_dead_had_is_free_whether_their_leases_are_over_or_end_later_than_any_can() {
    let Some(place) = Place::new().await else { return };
    let now = "outrigger.fleet_now()";
    let dead = |name: &str, ends: &str| {
        format!(
            "INSERT INTO outrigger.fleet_share VALUES ('live', '{name}', 60000000, 1000000000, 100000000, {now} {ends});"
        )
    };
    // Nobody has asked since they were killed; and one was heard while the clock was ahead.
    place
        .sql(&format!(
            "INSERT INTO outrigger.fleet_account VALUES ('live', 1, {now} - 5000); {} {}",
            dead("killed", "- 1000"),
            dead("ahead", "+ 86400000")
        ))
        .await;
    let registry = Registry::new();
    let calls = keep_calling(noting(&registry, &Arc::default()));
    run(&place.sharing_fleet(&registry, "web-1"));
    until("it has all", async || share(&registry).0 > f64::from(RATE) * 0.9).await;
    calls.abort();
}

#[tokio::test]
async fn an_instance_that_is_given_no_share_says_so_and_why() {
    let Some(place) = Place::new().await else { return };
    place.sql("DROP TABLE outrigger.fleet_share").await;
    let told = EventRecorder::new();
    let registry = Registry::new().subscriber(told.clone());
    let _mailer = noting(&registry, &Arc::default());
    let fleet = place.sharing_fleet(&registry, "web-1");
    run(&fleet);
    until("it is told", async || {
        told.count(|event| matches!(event, Event::Fleet(FleetEvent::ShareEnded))) == 1
    })
    .await;
    let why = || registry.health_of("mailer").unwrap().fleet.unwrap().error.unwrap_or_default();
    until("health says why", async || why().contains("no share of \"live\"")).await;
    assert!(fleet.wait_heard(PATIENCE).await, "all else works");
}

#[tokio::test]
async fn integrations_of_one_account_share_it_even_if_they_have_one_name() {
    let Some(place) = Place::new().await else { return };
    let registry = Registry::new();
    let script = || Script::by(|_| Answer::status(200));
    let [one, two, three] = ["mailer", "mailer", "letters"]
        .map(|name| sharing(name, &registry, script(), "http://mailer.test"));
    run(&place.sharing_fleet(&registry, "web-1"));
    until("each has a share of its own", async || place.holders().await == 3).await;
    assert!(place.given().await <= i64::from(RATE) * 1_000_000);
    one.apply(&toml::from_str("rate_limit.account = 'none'").unwrap()).unwrap();
    drop(three);
    until("two gave theirs back", async || place.holders().await == 1).await;
    assert_eq!(one.health().share, None);
    drop(two);
}

#[tokio::test]
async fn an_integration_that_names_no_account_shares_nothing() {
    let Some(place) = Place::new().await else { return };
    let instance = place.instance("alone").await;
    assert_eq!(instance.registry.health_of("payments").unwrap().share, None);
    assert_eq!(place.holders().await, 0);
}

/// Calls as fast as the limit lets them go.
pub(crate) fn keep_calling(mailer: Integration) -> JoinHandle<()> {
    tokio::spawn(async move {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let calls: Vec<_> =
                (0..4).map(|_| mailer.send(http::Request::new(outrigger::Body::empty()))).collect();
            for call in calls {
                // Whatever it comes to: the provider counts.
                let _ = call.await;
            }
        }
    })
}
