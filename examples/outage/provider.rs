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

use crate::books::{Admission, Books, Fate};
use crate::script::{Phase, Script};

/// A payment provider on loopback. It stops when it is dropped.
pub(crate) struct Provider {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
    serving: JoinHandle<()>,
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

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
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
    let now = script.elapsed();
    let phase = Phase::at(now);
    lock(books).count(now, phase);
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
        Phase::Hanging => {
            act();
            phase.end(script).await;
            Reply::Reset
        }
        Phase::Resetting => {
            act();
            Reply::Reset
        }
        Phase::Down => Reply::Reset,
        _ => {
            let admission = lock(books).admit(now, phase);
            let (wait, fate) = match admission {
                Admission::Taken(wait, fate) => (wait, fate),
                Admission::Limited => return Reply::Answer(answer(429)),
                Admission::TurnedAway => return Reply::Answer(answer(503)),
            };
            sleep(wait + if phase == Phase::Brownout { 10 * USUAL } else { USUAL }).await;
            if fate != Fate::Nothing {
                act();
            }
            Reply::Answer(answer(if fate == Fate::Done { 200 } else { 503 }))
        }
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

/// How long a healthy answer takes, where nobody waits before it.
const USUAL: Duration = Duration::from_millis(20);
