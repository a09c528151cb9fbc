//! What breaks beside a connection: a body that panics, a runtime that ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use outrigger::event::CloseCause;
use outrigger::{Body, Delivery, ErrorKind};
use tokio::runtime::{Builder, Runtime};

use super::shop::{BOTH, Protocol, Shop};
use crate::calls::{answered, background, failed, get, post, said, user_flow};
use crate::server::Server;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    FirstFrame,
    /// After a frame.
    NextFrame,
    /// After it was waited for.
    LateFrame,
    Size,
    End,
    Drop,
}

const EVERYWHERE: [Where; 6] =
    [Where::FirstFrame, Where::NextFrame, Where::LateFrame, Where::Size, Where::End, Where::Drop];

/// A body that panics there, once it is sent.
struct Panicking {
    at: Where,
    frames: usize,
    is_sent: bool,
}

impl Panicking {
    fn body(at: Where) -> Body {
        Body::new(Self { at, frames: 0, is_sent: false })
    }

    fn panics_at(&self, at: Where) {
        // Quietly: the test's output is for its own panics.
        if self.at == at && self.is_sent {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
}

impl http_body::Body for Panicking {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.is_sent = true;
        self.frames += 1;
        self.panics_at(Where::FirstFrame);
        match (self.frames, self.at) {
            (1, _) => return Poll::Ready(Some(Ok(Frame::data("an ord".into())))),
            (2, Where::LateFrame) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        self.panics_at(Where::NextFrame);
        self.panics_at(Where::LateFrame);
        Poll::Ready(Some(Err(std::io::Error::other("it should have panicked"))))
    }

    fn is_end_stream(&self) -> bool {
        self.panics_at(Where::End);
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.panics_at(Where::Size);
        SizeHint::default()
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        self.panics_at(Where::Drop);
    }
}

#[tokio::test]
async fn a_body_that_panics_is_the_requests_fault_and_takes_no_connection_along() {
    for protocol in BOTH {
        for at in EVERYWHERE {
            for keyed in [false, true] {
                let server = Server::start();
                let builder = background().timeout(|timeout| timeout.attempt(LONG));
                let shop = Shop::of(builder, protocol, |client| client.max_connections_per_host(1));
                answered(&shop, get(server.url("/"))).await;
                let mut request = post(server.url("/"), Panicking::body(at));
                if keyed {
                    let key = http::HeaderValue::from_static("\"a-key-of-mine\"");
                    request.headers_mut().insert("idempotency-key", key);
                }
                let error = failed(&shop, request).await;
                let what = (ErrorKind::Request, Delivery::Unknown);
                assert_eq!(said(&error), what, "{protocol:?} {at:?} {error:?}");
                assert_eq!(error.attempts(), 1, "{protocol:?} {at:?}");
                assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
                shop.rests().await;
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_panics_ends_just_its_own_stream() {
    let server = Server::start();
    let shop = Shop::new(Protocol::Http2, |client| client);
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    for at in EVERYWHERE {
        let panicked = shop.spawn(post(server.url("/"), Panicking::body(at))).await.unwrap();
        assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Request);
    }
    server.let_go(1);
    assert_eq!(held.await.unwrap().unwrap(), "well");
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test]
async fn a_body_that_panics_behind_reqwest_is_the_requests_fault_too() {
    let server = Server::start();
    let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let jobs = outrigger::Integration::background("shop").reqwest(client.clone()).build().unwrap();
    for at in [Where::FirstFrame, Where::NextFrame, Where::LateFrame, Where::Size, Where::End] {
        let body = ::reqwest::Body::wrap(Panicking { at, frames: 0, is_sent: false });
        let request = client.post(server.url("/")).body(body).build().unwrap();
        let error = jobs.execute(request).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::Unknown), "{at:?} {error:?}");
        assert_eq!(error.attempts(), 1, "{at:?}");
        let next = client.get(server.url("/")).build().unwrap();
        assert_eq!(jobs.execute(next).await.unwrap().status(), 200);
    }
    assert_eq!(jobs.bulkhead().in_use(), 0);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn single(protocol: Protocol) -> Shop {
    Shop::of(user_flow().without_retry(), protocol, |client| {
        client.max_connections_per_host(1).acquire_timeout(LONG)
    })
}

/// Longer than anything takes here: had a place not come back, the test would fail by it.
const LONG: Duration = Duration::from_secs(5);

#[test]
fn connections_of_a_runtime_that_ended_leave_their_places_to_another() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = single(protocol);
        for n in 1..=3 {
            let body = runtime()
                .block_on(async { answered(&shop, get(server.url("/"))).await.into_body() });
            assert_eq!(body, "well");
            assert_eq!((shop.figures().open, shop.figures().in_use), (0, 0), "{protocol:?}");
            assert_eq!(shop.figures().opened, n);
        }
        assert_eq!(shop.closed(), [(CloseCause::Broken, 3)], "{protocol:?}");
    }
}

#[test]
fn a_call_that_ended_with_its_runtime_leaves_its_place_to_another() {
    for protocol in BOTH {
        for path in ["/gated", "/half"] {
            let server = Server::start();
            let shop = single(protocol);
            let first = runtime();
            first.spawn(shop.send(get(server.url(path))));
            first.block_on(server.until(|sockets| sockets.requests == 1));
            drop(first);
            let figures = shop.figures();
            assert_eq!((figures.open, figures.in_use, figures.waiting), (0, 0, 0));
            runtime().block_on(async {
                assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
                shop.rests().await;
            });
        }
    }
}

#[test]
fn an_answer_that_is_dropped_where_no_runtime_is_gives_its_connection_back() {
    for protocol in BOTH {
        for is_over in [false, true] {
            let server = Server::start();
            let shop = single(protocol);
            let first = runtime();
            let half = first.block_on(shop.send(get(server.url("/half")))).unwrap();
            let kept = is_over.then_some(()).map_or(Some(first), |()| None);
            drop(half);
            drop(kept);
            let figures = shop.figures();
            assert_eq!((figures.open, figures.in_use), (0, 0), "{protocol:?} {is_over}");
            runtime().block_on(async {
                assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
                shop.rests().await;
            });
        }
    }
}

#[test]
fn who_waits_for_a_connection_of_a_runtime_that_ends_gets_another() {
    for protocol in BOTH {
        let server = Server::with_streams(1);
        let shop = single(protocol);
        let first = runtime();
        first.spawn(shop.send(get(server.url("/gated"))));
        first.block_on(server.until(|sockets| sockets.requests == 1));
        let second = runtime();
        let waiting = second.spawn({
            let call = shop.send(get(server.url("/")));
            async move { call.await?.into_body().text().await }
        });
        second.block_on(shop.until(|now| now.waiting == 1));
        drop(first);
        assert_eq!(second.block_on(waiting).unwrap().unwrap(), "well", "{protocol:?}");
        second.block_on(shop.rests());
    }
}

/// Callers who leave, bodies that panic, uploads, and many who wait: all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_whom_the_figures_add_up_and_all_places_are_there() {
    for protocol in BOTH {
        let server = Server::with_streams(3);
        let builder = user_flow().without_retry().without_bulkhead();
        let shop = Shop::of(builder, protocol, |client| client.max_connections_per_host(3));
        let call = |n: usize| {
            let url = server.url(["/", "/slow", "/half", "/last"][n % 4]);
            match n % 7 {
                0 => shop.spawn(post(url, Panicking::body(EVERYWHERE[n / 7 % 6]))),
                1 => shop.spawn(post(url, vec![b'x'; 1 << 18])),
                _ => shop.spawn(get(url)),
            }
        };
        let calls: Vec<_> = (0..400).map(|n| (n, call(n))).collect();
        server.let_go(400);
        let mut kept = Vec::new();
        for (n, call) in calls {
            match n % 3 {
                0 => call.abort(),
                _ => kept.push((n, call)),
            }
            if n % 11 == 0 {
                tokio::time::sleep(Duration::from_micros(n as u64 * 5)).await;
            }
        }
        for (n, call) in kept {
            let result = call.await.unwrap();
            // Over HTTP/2, a server may take so many resets for an attack, and end the connection.
            let is_well = result.is_ok() || n % 7 == 0 || protocol == Protocol::Http2;
            assert!(is_well, "{n} {result:?}");
        }
        assert!(shop.rests().await.open <= 3);
        server.shut_gate();
        let calls: Vec<_> = (0..3).map(|_| shop.spawn(get(server.url("/gated")))).collect();
        let connections = if protocol == Protocol::Http2 { 1 } else { 3 };
        shop.until(|now| now.in_use == connections && now.waiting == 0).await;
        server.let_go(3);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), "well");
        }
        shop.rests().await;
    }
}
