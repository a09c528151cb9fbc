use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::script::{Phase, Script};

/// A payment provider on loopback. It stops when it is dropped.
pub(crate) struct Provider {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
    serving: JoinHandle<()>,
}

/// What the provider knows of its customers' calls.
#[derive(Default)]
struct Books {
    requests: u64,
    requests_while_down: u64,
    /// How often each order was charged.
    charges: HashMap<String, u32>,
    keys: HashSet<String>,
    /// Requests in the current second, while it limits their rate.
    second: (u64, u32),
}

/// How the provider ends a request.
enum Reply {
    Answer(Response<Full<Bytes>>),
    Reset,
}

impl Provider {
    pub(crate) async fn start(script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let books = Arc::new(Mutex::new(Books::default()));
        let serving = tokio::spawn(serve(listener, script, Arc::clone(&books)));
        Ok(Self { address, books, serving })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn requests(&self) -> u64 {
        lock(&self.books).requests
    }

    pub(crate) fn requests_while_down(&self) -> u64 {
        lock(&self.books).requests_while_down
    }

    /// Orders that were charged more than once.
    pub(crate) fn charged_twice(&self) -> usize {
        lock(&self.books).charges.values().filter(|charges| **charges > 1).count()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, script: Script, books: Arc<Mutex<Books>>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(converse(socket, script.clone(), Arc::clone(&books)));
    }
}

/// One connection, to its end.
async fn converse(socket: TcpStream, script: Script, books: Arc<Mutex<Books>>) {
    // Ended means reset, as when a machine goes away.
    if socket.set_zero_linger().is_err() {
        return;
    }
    let answer = service_fn(|request| {
        let (script, books) = (script.clone(), Arc::clone(&books));
        async move {
            match reply(request, &script, &books).await {
                Reply::Answer(response) => Ok(response),
                Reply::Reset => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    });
    // A client that goes away, or a reset by the script, is no matter for the provider.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(socket), answer).await;
}

async fn reply(request: Request<Incoming>, script: &Script, books: &Mutex<Books>) -> Reply {
    let phase = script.phase();
    let nth = lock(books).count(phase);
    let (head, body) = request.into_parts();
    if body.collect().await.is_err() {
        return Reply::Reset;
    }
    let act = || {
        if head.method == Method::POST {
            let key = head.headers.get("idempotency-key").map(|key| format!("{key:?}"));
            lock(books).charge(head.uri.path(), key);
        }
    };
    match phase {
        Phase::Healthy | Phase::Recovered => {
            sleep(USUAL).await;
            act();
            Reply::Answer(answer(200))
        }
        Phase::Brownout => {
            sleep(10 * USUAL).await;
            // Every second one fails, and every second failure comes after the work was done.
            if nth % 4 != 1 {
                act();
            }
            Reply::Answer(answer(if nth.is_multiple_of(2) { 200 } else { 503 }))
        }
        Phase::RateLimited => {
            if lock(books).is_over_limit(script.elapsed()) {
                return Reply::Answer(answer(429));
            }
            sleep(USUAL).await;
            act();
            Reply::Answer(answer(200))
        }
        Phase::Hanging => {
            act();
            phase.end(script).await;
            Reply::Reset
        }
        Phase::Resetting => {
            act();
            Reply::Reset
        }
        Phase::Outage => Reply::Reset,
    }
}

impl Books {
    fn count(&mut self, phase: Phase) -> u64 {
        self.requests += 1;
        self.requests_while_down += u64::from(phase == Phase::Outage);
        self.requests
    }

    /// Charges, unless the key was seen before: then the earlier charge is the answer.
    fn charge(&mut self, order: &str, key: Option<String>) {
        if key.is_none_or(|key| self.keys.insert(key)) {
            *self.charges.entry(order.to_owned()).or_default() += 1;
        }
    }

    fn is_over_limit(&mut self, now: Duration) -> bool {
        if self.second.0 != now.as_secs() {
            self.second = (now.as_secs(), 0);
        }
        self.second.1 += 1;
        self.second.1 > ALLOWED_A_SECOND
    }
}

fn answer(status: u16) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status);
    let response = if status == 429 { response.header("retry-after", "1") } else { response };
    response.body(Full::from("{}")).expect("a fixed response is well formed")
}

fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a healthy answer takes.
const USUAL: Duration = Duration::from_millis(20);
/// Half of what the clients would like.
const ALLOWED_A_SECOND: u32 = 10;
