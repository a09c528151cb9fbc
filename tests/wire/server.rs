//! A server that keeps the rules, on a thread of its own, and counts its sockets.
//!
//! | path | answer |
//! |---|---|
//! | `/gated` | once it is let go |
//! | `/half` | a head and half a body at once, the other half once it is let go |
//! | `/slow` | after a moment |
//! | `/last` | the last on its connection |
//! | `/unread` | once it is let go, before it reads the request's body |
//! | `/paused` | after it has read the beginning of the request's body, and the rest once it is let go |
//! | `/bytes/<bytes>` | at once, with a body of so many bytes |
//! | `/fields/<fields>/<bytes>` | at once, with so many header fields more, of so many bytes each |
//! | `/misdirected` | 421 |
//! | `/moved?<location>` | 302 |
//! | any other | at once |

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_rustls::TlsAcceptor;

/// The server. It stops, and hangs up on everybody, when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How much has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sockets {
    pub(crate) accepted: usize,
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    pub(crate) requests: usize,
}

/// How connections are ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Leave {
    /// As the protocol wants it.
    #[default]
    Politely,
    /// Without a word.
    Abruptly,
}

#[derive(Default)]
struct Shared {
    sockets: watch::Sender<Sockets>,
    leave: watch::Sender<Leave>,
    targets: Mutex<Vec<String>>,
    gate: Gate,
    tls: Option<TlsAcceptor>,
    /// How many streams one HTTP/2 connection carries at once.
    streams: Option<u32>,
}

struct Gate(Semaphore);

/// A socket that is open for as long as this lives.
struct Counted<'a>(&'a Shared);

type AnyBody = UnsyncBoxBody<Bytes, Infallible>;

// === impl Server ===

impl Server {
    pub(crate) fn start() -> Self {
        Self::run("127.0.0.1:0", Shared::default())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::run(&address.to_string(), Shared::default())
    }

    pub(crate) fn with_streams(streams: u32) -> Self {
        Self::run("127.0.0.1:0", Shared { streams: Some(streams), ..Shared::default() })
    }

    pub(crate) fn with_tls(tls: TlsAcceptor) -> Self {
        Self::run("127.0.0.1:0", Shared { tls: Some(tls), ..Shared::default() })
    }

    fn run(address: &str, shared: Shared) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, (stop, stopped)) = (Arc::new(shared), oneshot::channel::<()>());
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let listener = TcpListener::from_std(listener).unwrap();
                    tokio::select! {
                        () = accept(listener, shared) => {}
                        _ = stopped => {}
                    }
                });
            }
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub(crate) fn sockets(&self) -> Sockets {
        *self.shared.sockets.borrow()
    }

    /// The requests' targets, in the order they came.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.shared.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers so many of those that wait, or will.
    pub(crate) fn let_go(&self, requests: usize) {
        self.shared.gate.0.add_permits(requests);
    }

    /// Answers nobody more whom it was not told to.
    pub(crate) fn shut_gate(&self) {
        self.shared.gate.0.forget_permits(usize::MAX);
    }

    /// Ends every connection that is open now.
    pub(crate) fn hang_up(&self, how: Leave) {
        self.shared.leave.send_replace(how);
    }

    /// Waits until so much has happened.
    pub(crate) async fn until(&self, reached: impl FnMut(&Sockets) -> bool) {
        let mut sockets = self.shared.sockets.subscribe();
        // It ends by itself: ten seconds are no measure, but a way out of a failed test.
        let waited = tokio::time::timeout(Duration::from_secs(10), sockets.wait_for(reached));
        let waited = waited.await.map(|sockets| sockets.is_ok());
        assert!(waited.is_ok(), "waited in vain: {:?}", self.sockets());
    }

    /// Ends every connection, while the caller's own thread stands still and takes no notice.
    pub(crate) fn hang_up_unnoticed(&self, how: Leave) {
        self.hang_up(how);
        for _ in 0..5_000 {
            if self.sockets().open == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(self.sockets().open, 0, "HTTP/2 can't be ended politely without its client");
        // The packet's way through the loopback.
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_none_or(|ended| ended.is_ok()));
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Before it is counted: whoever counts on it may end it at once.
    let leave = shared.leave.subscribe();
    let _counted = Counted::new(&shared);
    match &shared.tls {
        None => speak(stream, leave, &shared).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                speak(stream, leave, &shared).await;
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    mut leave: watch::Receiver<Leave>,
    shared: &Arc<Shared>,
) {
    let service = service_fn(|request| answer(request, Arc::clone(shared)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(shared.streams.unwrap_or(1_000));
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    // However it ends, it is the client's to say what it made of it.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = leave.changed() => {}
    }
    if matches!(*leave.borrow(), Leave::Politely) {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<AnyBody>, Infallible> {
    let target = request.uri().path().to_owned();
    let location = request.uri().query().unwrap_or_default().to_owned();
    shared.targets.lock().unwrap_or_else(PoisonError::into_inner).push(target.clone());
    shared.sockets.send_modify(|sockets| sockets.requests += 1);
    let mut body = request.into_body();
    match target.as_str() {
        "/unread" => shared.gate.pass().await,
        "/paused" => {
            let mut read = 0;
            while read < 1_000_000 {
                let Some(Ok(frame)) = body.frame().await else { break };
                read += frame.data_ref().map_or(0, Bytes::len);
            }
            shared.gate.pass().await;
        }
        _ => {}
    }
    let _ = body.collect().await;
    let mut response = Response::new(whole("well"));
    match target.as_str() {
        "/gated" => shared.gate.pass().await,
        "/slow" => tokio::time::sleep(Duration::from_millis(4)).await,
        "/misdirected" => *response.status_mut() = StatusCode::MISDIRECTED_REQUEST,
        "/moved" => {
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
        }
        "/last" => {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        "/half" => *response.body_mut() = in_halves(shared),
        _ if target.starts_with("/bytes/") => {
            let bytes = target["/bytes/".len()..].parse().unwrap();
            *response.body_mut() = Full::new(vec![b'x'; bytes].into()).boxed_unsync();
        }
        _ if target.starts_with("/fields/") => add_fields(response.headers_mut(), &target),
        _ => {}
    }
    Ok(response)
}

fn add_fields(headers: &mut HeaderMap, target: &str) {
    let mut figures = target.rsplit('/').map(|figure| figure.parse::<usize>().unwrap());
    let (bytes, fields) = (figures.next().unwrap(), figures.next().unwrap());
    for number in 0..fields {
        let name = format!("x-{number:06}").parse::<HeaderName>().unwrap();
        headers.insert(name, HeaderValue::from_str(&"v".repeat(bytes)).unwrap());
    }
}

fn whole(text: &'static str) -> AnyBody {
    Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync()
}

fn in_halves(shared: Arc<Shared>) -> AnyBody {
    let part = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
    let first = stream::iter([part("half")]);
    let second = stream::once(async move {
        shared.gate.pass().await;
        part(" and half")
    });
    StreamBody::new(first.chain(second)).boxed_unsync()
}

// === impl Gate, Counted ===

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Gate {
    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

impl<'a> Counted<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.sockets.send_modify(|sockets| {
            sockets.accepted += 1;
            sockets.open += 1;
            sockets.most_open = sockets.most_open.max(sockets.open);
        });
        Self(shared)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.sockets.send_modify(|sockets| sockets.open -= 1);
    }
}
