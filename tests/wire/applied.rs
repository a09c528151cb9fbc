//! Settings that are changed under load, on real sockets: nobody notices but those they are for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use outrigger::IntegrationConfig;
use outrigger::event::CloseCause;
use tokio::task::JoinSet;

use crate::calls::{get, patient, post, user_flow};
use crate::pool::shop::{BOTH, Http1, Http2, Protocol, Shop};
use crate::server::Server;

const CALLERS: u32 = 50;
const UNLIMITED: &str = "[hyper]\npool_idle_timeout = 'none'\ntime_to_live = 'none'\n";

fn config(file: &str) -> IntegrationConfig {
    toml::from_str(file).unwrap()
}

/// Settings that all let everybody through.
fn files() -> [IntegrationConfig; 5] {
    [
        "deadline = '90s'\ntimeout.attempt = '40s'\ncircuit_breaker.probes = 4
         [hyper]\nmax_connections_per_host = 50\nacquire_timeout = '30s'",
        "bulkhead = { concurrency = 64, queue = 100 }\nhedge.after = '29s'
         [hyper]\nmax_connections_per_host = 200\ntime_to_live = '1h'",
        "retry = { max_attempts = 3, budget = { ratio = '50%' } }\ncircuit_breaker.minimum = 40
         [hyper]\npool_idle_timeout = '2m'\nconnect_timeout = '19s'",
        "rate_limit = { requests = 1000000, per = '1s', burst = 1000000 }
         correlation.header = 'x-trace'\ncircuit_breaker.enabled = false",
        "",
    ]
    .map(config)
}

/// Calls without end, until all changes were made.
async fn changed_under_load(protocol: Protocol) {
    let server = Server::start();
    // Wide enough for the settings of all, so that every result stays in the window.
    let builder = patient().breaker(|breaker| breaker.window(Duration::from_secs(600)));
    let shop = Arc::new(Shop::of(builder, protocol, |client| client));
    let breaker = shop.breaker();
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (shop, done, answered) = (shop.clone(), done.clone(), answered.clone());
        let urls = [server.url("/"), server.url("/slow")];
        callers.spawn(async move {
            for at in 0.. {
                if done.load(Ordering::Relaxed) && at >= 20 {
                    return;
                }
                let url = &urls[at % 2];
                let request = if caller % 2 == 0 { get(url) } else { post(url, "order") };
                let response = shop.send(request).await.expect("no call may fail");
                assert_eq!(response.into_body().text().await.expect("nor its body"), "well");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let files = files();
    for change in 0..100 {
        shop.apply(&files[change % files.len()]).unwrap();
        // Between two changes, somebody was answered.
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) == before && !callers.is_empty() {
            tokio::task::yield_now().await;
            assert!(callers.try_join_next().is_none(), "nobody is done yet");
        }
    }
    done.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let figures = shop.rests().await;
    assert_eq!((shop.closed(), u64::from(figures.open)), (Vec::new(), figures.opened));
    assert!(figures.open <= CALLERS, "{figures:?}");
    if protocol == Http2 {
        assert_eq!(figures.opened, 1);
    }
    assert_eq!(server.sockets().accepted as u64, figures.opened);
    let places = shop.bulkhead();
    assert_eq!((places.in_use(), places.waiting(), shop.rate_limit().waiting()), (0, 0, 0));
    let counts = shop.breaker().counts();
    assert_eq!((counts.failed, counts.rejected, breaker.counts()), (0, 0, counts));
    // All but those that were sent while there was none.
    assert!(counts.calls > CALLERS && counts.calls <= answered.load(Ordering::Relaxed));
    assert_eq!(server.sockets().requests, answered.load(Ordering::Relaxed) as usize);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_changes_under_load_fail_no_call_and_lose_no_connection() {
    changed_under_load(Http1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_do_they_over_one_http2_connection() {
    changed_under_load(Http2).await;
}

#[tokio::test]
async fn a_pool_that_is_made_larger_admits_who_waits() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let calls: Vec<_> = (0..5).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    shop.until(|now| now.waiting == 4).await;
    shop.apply(&config("hyper.max_connections_per_host = 3")).unwrap();
    // Nobody was answered meanwhile.
    server.until(|sockets| sockets.requests == 3).await;
    shop.until(|now| (now.in_use, now.waiting) == (3, 2)).await;
    shop.apply(&config("hyper.max_connections_per_host = 'none'")).unwrap();
    server.until(|sockets| sockets.requests == 5).await;
    server.let_go(5);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!(shop.rests().await.opened, 5);
}

#[tokio::test]
async fn a_pool_that_is_made_smaller_lets_calls_finish() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client);
    let calls: Vec<_> = (0..4).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 4).await;
    shop.apply(&config("hyper.max_connections_per_host = 1")).unwrap();
    let next = shop.spawn(get(server.url("/")));
    shop.until(|now| now.waiting == 1).await;
    server.let_go(4);
    for call in calls.into_iter().chain([next]) {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    shop.until(|now| now.open <= 1).await;
    // Only what was too much was closed.
    let figures = shop.rests().await;
    assert_eq!(figures.opened - u64::from(figures.open), figures.closed.surplus);
}

/// Callers without end, and what stops them.
fn callers(shop: &Arc<Shop>, count: u32, url: &str) -> (JoinSet<()>, Arc<AtomicBool>) {
    let (mut callers, done) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
    for _ in 0..count {
        let (shop, done, url) = (Arc::clone(shop), Arc::clone(&done), url.to_owned());
        callers.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(shop.spawn(get(&url)).await.unwrap().unwrap(), "well");
            }
        });
    }
    (callers, done)
}

async fn all_end((mut callers, done): (JoinSet<()>, Arc<AtomicBool>)) {
    done.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_smaller_pool_is_kept_to_while_callers_wait_for_every_connection() {
    let server = Server::start();
    let shop = Arc::new(Shop::new(Http1, |client| client.max_connections_per_host(4)));
    let callers = callers(&shop, 8, &server.url("/slow"));
    shop.until(|now| (now.in_use, now.waiting) == (4, 4)).await;
    shop.apply(&config("hyper.max_connections_per_host = 1")).unwrap();
    shop.until(|now| now.open == 1 && now.waiting > 0).await;
    all_end(callers).await;
    // The one that stays is the one that there may be: nobody made another.
    assert_eq!(shop.rests().await.opened, 4);
    assert_eq!(shop.closed(), [(CloseCause::Surplus, 3)]);
}

#[tokio::test]
async fn connections_that_nobody_uses_go_at_once_when_there_may_be_fewer() {
    for file in ["max_connections_per_host = 1", "pool_max_idle_per_host = 1"] {
        let server = Server::start();
        let shop = Shop::new(Http1, |client| client);
        let calls: Vec<_> = (0..3).map(|_| shop.spawn(get(server.url("/gated")))).collect();
        server.until(|sockets| sockets.requests == 3).await;
        server.let_go(3);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        shop.apply(&config(&format!("[hyper]\n{file}"))).unwrap();
        server.until(|sockets| sockets.open == 1).await;
        shop.until(|now| now.open == 1).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Surplus, 2)], "{file}");
    }
}

#[tokio::test]
async fn limits_in_time_reach_connections_that_were_made_without_any() {
    let limits = [("pool_idle_timeout", CloseCause::Idle), ("time_to_live", CloseCause::Expired)];
    for protocol in BOTH {
        for (limit, cause) in limits {
            let server = Server::start();
            let builder = user_flow().without_retry().config(config(UNLIMITED));
            let shop = Shop::of(builder, protocol, |client| client);
            shop.spawn(get(server.url("/"))).await.unwrap().unwrap();
            shop.rests().await;
            let other =
                UNLIMITED.replace(&format!("{limit} = 'none'"), &format!("{limit} = '80ms'"));
            shop.apply(&config(&other)).unwrap();
            server.until(|sockets| sockets.open == 0).await;
            shop.until(|now| now.open == 0).await;
            assert_eq!(shop.closed(), [(cause, 1)], "{protocol:?} {limit}");
        }
    }
}

#[tokio::test]
async fn a_longer_life_reaches_a_connection_that_was_to_end_sooner() {
    for protocol in BOTH {
        let server = Server::start();
        let life = Duration::from_millis(200);
        let shop = Shop::new(protocol, |client| client.time_to_live(life));
        shop.spawn(get(server.url("/"))).await.unwrap().unwrap();
        shop.apply(&config("hyper.time_to_live = '1h'")).unwrap();
        tokio::time::sleep(life * 2).await;
        assert_eq!(shop.rests().await.open, 1, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_shorter_life_reaches_connections_under_steady_load() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Arc::new(Shop::new(protocol, |client| client.max_connections_per_host(2)));
        let callers = callers(&shop, 4, &server.url("/slow"));
        shop.until(|now| now.in_use > 0).await;
        shop.apply(&config("hyper.time_to_live = '100ms'")).unwrap();
        shop.until(|now| now.closed.expired >= 4).await;
        all_end(callers).await;
        shop.rests().await;
    }
}

#[tokio::test]
async fn a_client_from_a_file_has_its_limits() {
    let server = Server::start();
    for protocol in BOTH {
        let file = config("hyper = { max_connections_per_host = 2, acquire_timeout = '50ms' }");
        let builder = user_flow().without_retry().without_bulkhead().config(file);
        let shop = Shop::of(builder, protocol, |client| client.max_connections_per_host(9));
        let calls: Vec<_> = (0..4).map(|_| shop.spawn(get(server.url("/gated")))).collect();
        if protocol == Http1 {
            let mut full = 0;
            shop.until(|now| now.waiting == 0 && now.in_use == 2).await;
            server.let_go(2);
            for call in calls {
                full += u32::from(call.await.unwrap().is_err());
            }
            assert_eq!(full, 2);
        } else {
            server.let_go(4);
            for call in calls {
                call.await.unwrap().unwrap();
            }
        }
    }
}
