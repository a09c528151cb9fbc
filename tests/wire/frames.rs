//! A provider that speaks HTTP/2 frame by frame, so that it can break any rule.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// What the provider does on one stream.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    /// An answer's head.
    Head(u16),
    /// A redirect to a place of less than 127 bytes, and its end.
    Moved(u16, String),
    /// An answer's body, and its end.
    Body(&'static str),
    /// A part of the body, and not its end.
    Part(&'static str),
    /// Ends the stream in this way.
    Reset(u32),
    /// Says that nothing after this stream will be processed; or not even this one.
    GoAway { processed: bool, reason: u32 },
    /// Says how many streams it takes at once.
    Streams(u32),
    /// Waits until it is let go.
    Wait,
    /// Closes the connection.
    Close,
    /// Does nothing more on this connection, not even read.
    Sit,
}

/// What the provider does with one request.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    acts: Vec<Do>,
    /// Without waiting for the request's body.
    early: bool,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct SeenStream {
    pub(crate) is_post: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) connection: usize,
}

/// How much has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    /// Requests over HTTP/1.1, which are answered at once.
    pub(crate) http1_requests: usize,
    /// Streams that the peer gave up on.
    pub(crate) given_up: usize,
}

/// The server. It stops, and hangs up on everybody, when it is dropped.
pub(crate) struct Framed {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    turns: Mutex<VecDeque<Turn>>,
    seen: Mutex<Vec<SeenStream>>,
    tally: watch::Sender<Tally>,
    gate: Semaphore,
    /// What it says first.
    streams: Option<u32>,
    tls: Option<TlsAcceptor>,
}

struct Connection {
    number: usize,
    stream: Box<dyn Stream>,
    /// Where each stream's request stands in the list.
    open: HashMap<u32, usize>,
    shared: Arc<Shared>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

pub(crate) const NO_ERROR: u32 = 0x0;
pub(crate) const INTERNAL_ERROR: u32 = 0x2;
pub(crate) const REFUSED_STREAM: u32 = 0x7;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 0xb;
pub(crate) const HTTP_1_1_REQUIRED: u32 = 0xd;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

// === impl Turn ===

impl Turn {
    pub(crate) fn of(acts: impl IntoIterator<Item = Do>) -> Self {
        let acts = acts.into_iter().collect();
        Self { acts, early: false }
    }

    pub(crate) fn early(mut self) -> Self {
        self.early = true;
        self
    }

    pub(crate) fn reply(status: u16, body: &'static str) -> Self {
        Self::of([Do::Head(status), Do::Body(body)])
    }
}

// === impl Framed ===

impl Framed {
    /// Listens, and follows the script; the last turn repeats.
    pub(crate) async fn script(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::start(None, None, turns).await
    }

    /// The same, with so many streams at once.
    pub(crate) async fn with_streams(streams: u32, turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::start(Some(streams), None, turns).await
    }

    /// The same, over TLS.
    pub(crate) async fn with_tls(tls: TlsAcceptor, turns: impl IntoIterator<Item = Turn>) -> Self {
        Self::start(None, Some(tls), turns).await
    }

    async fn start(
        streams: Option<u32>,
        tls: Option<TlsAcceptor>,
        turns: impl IntoIterator<Item = Turn>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            turns: Mutex::new(turns.into_iter().collect()),
            seen: Mutex::default(),
            tally: watch::Sender::default(),
            gate: Semaphore::new(0),
            streams,
            tls,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Lets go who waits, or will.
    pub(crate) fn let_go(&self) {
        self.shared.gate.add_permits(1);
    }

    pub(crate) fn tally(&self) -> Tally {
        *self.shared.tally.borrow()
    }

    pub(crate) fn seen(&self) -> Vec<SeenStream> {
        locked(&self.shared.seen).clone()
    }

    /// Waits until so much has happened.
    pub(crate) async fn until(&self, reached: impl FnMut(&Tally) -> bool) {
        let mut tally = self.shared.tally.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(10), tally.wait_for(reached));
        let _ = waited.await.expect("the provider waited in vain").unwrap();
    }
}

impl Drop for Framed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let number = shared.tally.borrow().connections;
        shared.tally.send_modify(|tally| tally.connections += 1);
        let shared = Arc::clone(&shared);
        // It ends in whatever way the peer or the script ends it.
        tasks.spawn(async move {
            let stream: Box<dyn Stream> = match &shared.tls {
                None => Box::new(stream),
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => Box::new(stream),
                    Err(_) => return,
                },
            };
            let connection = Connection { number, stream, open: HashMap::new(), shared };
            connection.serve().await.unwrap_or(());
        });
    }
}

impl Shared {
    fn next(&self, early: bool) -> Option<Turn> {
        let mut turns = locked(&self.turns);
        if turns.front().unwrap().early != early {
            return None;
        }
        match turns.len() {
            1 => turns.front().cloned(),
            _ => turns.pop_front(),
        }
    }
}

// === impl Connection ===

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        let mut preface = [0; 24];
        self.stream.read_exact(&mut preface).await?;
        if &preface != b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" {
            return self.serve_http1(preface.to_vec()).await;
        }
        let streams = self.shared.streams.map_or(vec![], max_streams);
        self.write(SETTINGS, 0, 0, &streams).await?;
        loop {
            let frame = self.read().await?;
            let (stream, ended) = (frame.stream, frame.flags & END_STREAM != 0);
            match frame.kind {
                SETTINGS if frame.flags & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await?,
                PING if frame.flags & ACK == 0 => self.write(PING, ACK, 0, &frame.payload).await?,
                RST_STREAM => self.shared.tally.send_modify(|tally| tally.given_up += 1),
                HEADERS => {
                    self.begin(stream, &frame.payload);
                    self.turn(stream, true).await?;
                    if ended {
                        self.turn(stream, false).await?;
                    }
                }
                DATA => {
                    if let Some(at) = self.open.get(&stream) {
                        locked(&self.shared.seen)[*at].body.extend(&frame.payload);
                    }
                    if ended {
                        self.turn(stream, false).await?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Requests without a body over HTTP/1.1, of which the head has begun.
    async fn serve_http1(mut self, mut head: Vec<u8>) -> io::Result<()> {
        loop {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await?);
            }
            self.shared.tally.send_modify(|tally| tally.http1_requests += 1);
            self.stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nold").await?;
            head.clear();
        }
    }

    /// Notes a request. Its method is an entry of HPACK's static table, and comes first.
    fn begin(&mut self, stream: u32, block: &[u8]) {
        let mut seen = locked(&self.shared.seen);
        self.open.insert(stream, seen.len());
        seen.push(SeenStream {
            is_post: block.iter().find(|byte| matches!(byte, 0x82 | 0x83)) == Some(&0x83),
            body: Vec::new(),
            connection: self.number,
        });
        drop(seen);
        self.shared.tally.send_modify(|tally| tally.requests += 1);
    }

    /// An error ends the connection.
    async fn turn(&mut self, stream: u32, early: bool) -> io::Result<()> {
        if !self.open.contains_key(&stream) {
            return Ok(());
        }
        let Some(turn) = self.shared.next(early) else {
            return Ok(());
        };
        self.open.remove(&stream);
        for act in turn.acts {
            match act {
                Do::Head(200) => self.write(HEADERS, END_HEADERS, stream, &[0x88]).await?,
                Do::Head(status) => {
                    let block = format!("\x08\x03{status}");
                    self.write(HEADERS, END_HEADERS, stream, block.as_bytes()).await?;
                }
                Do::Moved(status, to) => {
                    // The names `:status` and `location` are entries of HPACK's static table.
                    let mut block = format!("\x08\x03{status}\x0f\x1f").into_bytes();
                    block.push(u8::try_from(to.len()).unwrap());
                    block.extend(to.as_bytes());
                    self.write(HEADERS, END_HEADERS | END_STREAM, stream, &block).await?;
                }
                Do::Body(text) => self.write(DATA, END_STREAM, stream, text.as_bytes()).await?,
                Do::Part(text) => self.write(DATA, 0, stream, text.as_bytes()).await?,
                Do::Reset(reason) => {
                    self.write(RST_STREAM, 0, stream, &reason.to_be_bytes()).await?;
                }
                Do::GoAway { processed, reason } => {
                    let last = if processed { stream } else { 0 };
                    let payload = [last.to_be_bytes(), reason.to_be_bytes()].concat();
                    self.write(GOAWAY, 0, 0, &payload).await?;
                }
                Do::Streams(streams) => {
                    self.write(SETTINGS, 0, 0, &max_streams(streams)).await?;
                }
                Do::Wait => {
                    let shared = Arc::clone(&self.shared);
                    shared.gate.acquire().await.unwrap().forget();
                }
                Do::Close => {
                    self.stream.shutdown().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Do::Sit => std::future::pending().await,
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload).await?;
        let stream = u32::from_be_bytes(stream);
        Ok(Frame { kind, flags, stream, payload })
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![a, b, c, kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).await
    }
}

/// A setting (RFC 9113, 6.5.2).
fn max_streams(streams: u32) -> Vec<u8> {
    [&3u16.to_be_bytes()[..], &streams.to_be_bytes()].concat()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
