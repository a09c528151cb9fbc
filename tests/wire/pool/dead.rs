//! Kept connections that are all dead: a balancer forgot them, or their server did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::event::CloseCause;
use outrigger::retry::Retries;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::shop::{Http1, Http2, Shop};
use crate::calls::{ATTEMPT, answered, get, post, user_flow};
use crate::frames::{Do, Framed, HTTP_1_1_REQUIRED, Turn};

/// What a connection does that is dead.
#[derive(Clone, Copy, Debug)]
enum Dead {
    /// It reads the request, and closes.
    Closes,
    /// It reads the request, and resets.
    Resets,
    /// Nothing ever comes back.
    IsSilent,
}

/// A host whose connections die together; new ones are well.
struct Host {
    url: String,
    accepted: Arc<AtomicUsize>,
    /// Connections before this one are dead.
    alive_from: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Host {
    async fn start(dead: Dead) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (accepted, alive_from): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let counts = (Arc::clone(&accepted), Arc::clone(&alive_from));
        let task = tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = counts.0.fetch_add(1, Ordering::SeqCst);
                tasks.spawn(serve(stream, number, Arc::clone(&counts.1), dead));
            }
        });
        Self { url, accepted, alive_from, task }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Everything that is open dies.
    fn die(&self) {
        self.alive_from.store(self.accepted(), Ordering::SeqCst);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, number: usize, alive_from: Arc<AtomicUsize>, dead: Dead) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        if number < alive_from.load(Ordering::SeqCst) {
            match dead {
                Dead::Closes => {}
                Dead::Resets => stream.set_zero_linger().unwrap(),
                Dead::IsSilent => std::future::pending().await,
            }
            return;
        }
        // As long as the connections are warmed up, so that each is used.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Ten connections that were used, and are kept.
async fn warm(shop: &Shop, host: &Host) {
    let calls: Vec<_> = (0..10).map(|_| shop.spawn(get(&host.url))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!(shop.rests().await.idle as usize, host.accepted());
}

#[tokio::test]
async fn ten_dead_connections_cost_the_first_call_one_attempt_and_the_others_nothing() {
    for (dead, cause) in [
        (Dead::Closes, CloseCause::Broken),
        (Dead::Resets, CloseCause::Broken),
        (Dead::IsSilent, CloseCause::Cut),
    ] {
        let host = Host::start(dead).await;
        let builder = user_flow().without_bulkhead().timeout(|it| it.attempt(ATTEMPT));
        let shop = Shop::of(builder, Http1, |client| client.connect_timeout(ATTEMPT));
        warm(&shop, &host).await;
        let before = host.accepted();
        host.die();
        let mut attempts = Vec::new();
        for _ in 0..12 {
            let response = answered(&shop, get(&host.url)).await;
            assert_eq!(response.body(), "well", "{dead:?}");
            let retries = response.extensions().get::<Retries>();
            attempts.push(retries.map_or(1, |retries| retries.attempts));
        }
        assert_eq!(attempts[0], 2, "{dead:?}");
        assert!(attempts[1..].iter().all(|attempts| *attempts == 1), "{dead:?} {attempts:?}");
        assert_eq!(host.accepted(), before + 1);
        let figures = shop.rests().await;
        assert_eq!((figures.opened, figures.open), (before as u64 + 1, 1));
        assert_eq!(shop.closed(), [(cause, before as u64)], "{dead:?}");
    }
}

#[tokio::test]
async fn connections_that_were_used_since_have_shown_that_they_are_alive() {
    let host = Host::start(Dead::IsSilent).await;
    let builder = user_flow().without_retry().without_bulkhead();
    let builder = builder.timeout(|it| it.attempt(ATTEMPT));
    let shop = Shop::of(builder, Http1, |client| client.connect_timeout(ATTEMPT));
    // The first connection dies, and it alone.
    assert_eq!(answered(&shop, get(&host.url)).await.body(), "well");
    host.die();
    let stuck = shop.spawn(get(&host.url));
    shop.until(|now| now.in_use == 1).await;
    assert_eq!(shop.spawn(get(&host.url)).await.unwrap().unwrap(), "well");
    assert!(stuck.await.unwrap().unwrap_err().is_timeout());
    assert_eq!(shop.spawn(get(&host.url)).await.unwrap().unwrap(), "well");
    assert_eq!((host.accepted(), shop.rests().await.open), (2, 1));
}

#[tokio::test]
async fn a_full_pool_of_dead_connections_makes_room_for_a_fresh_one() {
    let host = Host::start(Dead::Closes).await;
    let shop = Shop::of(user_flow().without_bulkhead(), Http1, |client| {
        client.max_connections_per_host(10).acquire_timeout(Duration::from_secs(5))
    });
    warm(&shop, &host).await;
    host.die();
    assert_eq!(answered(&shop, get(&host.url)).await.body(), "well");
    assert_eq!(shop.rests().await.open, 1);
}

/// It takes connections, and ends them before it has read a request.
#[tokio::test]
async fn a_host_that_breaks_at_once_is_connected_to_once_an_attempt() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    for (protocol, first) in [(Http1, &[][..]), (Http2, SETTINGS)] {
        for calls in [1, 5] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let accepted = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&accepted);
            let task = tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    counted.fetch_add(1, Ordering::SeqCst);
                    stream.write_all(first).await.unwrap();
                    stream.set_zero_linger().unwrap();
                }
            });
            let builder = user_flow().without_bulkhead().retry(|retry| retry.max_attempts(3));
            let shop = Shop::of(builder, protocol, |client| client);
            let calls: Vec<_> = (0..calls).map(|_| shop.spawn(get(&url))).collect();
            let most = 3 * calls.len();
            for call in calls {
                assert!(call.await.unwrap().is_err());
            }
            let accepted = accepted.load(Ordering::SeqCst);
            assert!(accepted >= 3 && accepted <= most, "{protocol:?}: {accepted} of {most}");
            shop.rests().await;
            task.abort();
        }
    }
}

/// The stream's, or the connection's: the host is asked over HTTP/1.1 from then on.
#[tokio::test]
async fn a_host_that_wants_http1_gets_it_and_did_nothing_before() {
    let goes = Do::GoAway { processed: false, reason: HTTP_1_1_REQUIRED };
    for acts in [vec![Do::Reset(HTTP_1_1_REQUIRED)], vec![goes, Do::Close]] {
        let provider = Framed::script([Turn::of(acts.clone())]).await;
        let shop = Shop::of(user_flow(), Http2, |client| client);
        for n in 1..=3 {
            let response = answered(&shop, post(provider.url(), "")).await;
            assert_eq!(response.body(), "old", "{acts:?}");
            assert_eq!((provider.tally().requests, provider.tally().http1_requests), (1, n));
        }
        assert_eq!(provider.tally().connections, 2);
        shop.rests().await;
    }
}
