//! A provider on a real socket that misbehaves by a script.
//!
//! A [`Step`] is what it does with one request: a list of [`Act`]s. Steps are used up in order, over
//! all connections, and the last one repeats. A connection that was kept alive waits for a request
//! before it takes a step; a new one takes a step that reads nothing at once.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What the provider does at one point of an exchange.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads a request's head.
    ReadHead,
    /// Reads a whole request.
    Read,
    /// Writes these bytes.
    Write(Bytes),
    /// Writes these bytes again and again, with this pause between them.
    Drip(Bytes, Duration),
    /// Takes its time.
    Pause(Duration),
    /// Does nothing more, and notes when the peer hangs up.
    Hang,
    /// Does nothing more, not even read.
    Sit,
    /// Ends its half of the connection, and the connection with it.
    Fin,
    /// Breaks the connection.
    Reset,
}

/// What the provider does with one request, or with a connection on which none came yet.
#[derive(Clone, Debug)]
pub(crate) struct Step(Vec<Act>);

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// What was read of it, without the chunks' frames.
    pub(crate) body: Vec<u8>,
    /// On which connection it came, the first being 0.
    pub(crate) connection: usize,
}

/// The server. It stops, and hangs up on everybody, when it is dropped.
pub(crate) struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
    counts: watch::Sender<Counts>,
}

/// How much has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    /// Connections on which the peer hung up.
    pub(crate) hung_up: usize,
}

struct Connection {
    number: usize,
    stream: TcpStream,
    read: BytesMut,
    shared: Arc<Shared>,
    /// The request that is being read.
    request: Option<usize>,
}

// === impl Step ===

impl Step {
    pub(crate) fn of(acts: impl IntoIterator<Item = Act>) -> Self {
        Self(acts.into_iter().collect())
    }

    /// Reads a request, writes this, and stays for another request.
    pub(crate) fn write(bytes: impl Into<Bytes>) -> Self {
        Self::of([Act::Read, Act::Write(bytes.into())])
    }

    /// Answers properly.
    pub(crate) fn reply(status: u16, body: &str) -> Self {
        Self::write(answer(status, body))
    }

    /// And then does this.
    pub(crate) fn then(mut self, act: Act) -> Self {
        self.0.push(act);
        self
    }

    /// Reads the request, and then does this.
    pub(crate) fn read_then(act: Act) -> Self {
        Self::of([Act::Read, act])
    }

    fn waits_for_request(&self) -> bool {
        matches!(self.0.first(), Some(Act::Read | Act::ReadHead))
    }
}

/// An answer of a known length.
pub(crate) fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n\r\n{body}")
}

// === impl Provider ===

impl Provider {
    /// Listens, and follows the script.
    pub(crate) async fn script(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            steps: Mutex::new(steps.into_iter().collect()),
            seen: Mutex::default(),
            counts: watch::Sender::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, task }
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        locked(&self.shared.seen).clone()
    }

    /// Waits until so much has happened.
    pub(crate) async fn until(&self, reached: impl FnMut(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        // It ends by itself: ten seconds are no measure, but a way out of a failed test.
        let waited = tokio::time::timeout(Duration::from_secs(10), counts.wait_for(reached));
        let _ = waited.await.expect("the provider waited in vain").unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // With it goes the set of its connections' tasks.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let number = shared.counts.borrow().connections;
        shared.counts.send_modify(|counts| counts.connections += 1);
        let connection = Connection {
            number,
            stream,
            read: BytesMut::new(),
            shared: Arc::clone(&shared),
            request: None,
        };
        tasks.spawn(connection.serve());
        while tasks.try_join_next().is_some() {}
    }
}

// === impl Shared ===

impl Shared {
    /// Whether the step that comes next begins with a request.
    fn next_waits(&self) -> bool {
        locked(&self.steps).front().is_some_and(Step::waits_for_request)
    }

    fn next(&self) -> Step {
        let mut steps = locked(&self.steps);
        match steps.len() {
            0 => panic!("a script needs a step"),
            1 => steps[0].clone(),
            _ => steps.pop_front().unwrap(),
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }
}

// === impl Connection ===

impl Connection {
    /// Serves until a step ends the connection or the peer does.
    async fn serve(mut self) {
        if !self.shared.next_waits() {
            let step = self.shared.next();
            if self.follow(step).await.is_err() {
                return;
            }
        }
        // Whatever breaks here was broken by the peer or on purpose.
        while let Ok(true) = self.fill().await {
            let step = self.shared.next();
            if self.follow(step).await.is_err() {
                return;
            }
        }
        self.shared.count(|counts| counts.hung_up += 1);
    }

    /// Reads a bit more, unless something is there already; `false` at the end.
    async fn fill(&mut self) -> io::Result<bool> {
        Ok(!self.read.is_empty() || self.stream.read_buf(&mut self.read).await? > 0)
    }

    /// An error ends the connection.
    async fn follow(&mut self, step: Step) -> io::Result<()> {
        self.request = None;
        for act in step.0 {
            match act {
                Act::ReadHead => self.head().await?,
                Act::Read => {
                    self.head().await?;
                    self.body().await?;
                }
                Act::Write(bytes) => self.stream.write_all(&bytes).await?,
                Act::Drip(bytes, pause) => loop {
                    self.stream.write_all(&bytes).await?;
                    tokio::time::sleep(pause).await;
                },
                Act::Hang => {
                    while let Ok(1..) = self.stream.read_buf(&mut self.read).await {
                        self.read.clear();
                    }
                    self.shared.count(|counts| counts.hung_up += 1);
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Act::Pause(pause) => tokio::time::sleep(pause).await,
                Act::Sit => std::future::pending().await,
                Act::Fin => {
                    self.stream.shutdown().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Act::Reset => {
                    self.stream.set_zero_linger()?;
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
            }
        }
        Ok(())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn head(&mut self) -> io::Result<()> {
        let end = loop {
            match find(&self.read, b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.more().await?,
            }
        };
        let head = self.read.split_to(end);
        let seen = Seen::parse(std::str::from_utf8(&head).unwrap(), self.number);
        let mut all = locked(&self.shared.seen);
        all.push(seen);
        self.request = Some(all.len() - 1);
        drop(all);
        self.shared.count(|counts| counts.requests += 1);
        Ok(())
    }

    async fn body(&mut self) -> io::Result<()> {
        let at = self.request.unwrap();
        let headers = locked(&self.shared.seen)[at].headers.clone();
        if headers.contains_key(http::header::TRANSFER_ENCODING) {
            while self.chunk(at).await? {}
        } else if let Some(length) = headers.get(http::header::CONTENT_LENGTH) {
            let length = length.to_str().unwrap().parse().unwrap();
            self.take(at, length).await?;
        }
        Ok(())
    }

    /// Reads one chunk; `false` after the last.
    async fn chunk(&mut self, at: usize) -> io::Result<bool> {
        let line = loop {
            match find(&self.read, b"\r\n") {
                Some(end) => break self.read.split_to(end + 2),
                None => self.more().await?,
            }
        };
        let size = std::str::from_utf8(&line).unwrap().trim();
        let size = usize::from_str_radix(size, 16).unwrap();
        self.take(at, size).await?;
        while self.read.len() < 2 {
            self.more().await?;
        }
        self.read.advance(2);
        Ok(size > 0)
    }

    async fn take(&mut self, at: usize, mut length: usize) -> io::Result<()> {
        while length > 0 {
            self.fill().await?.then_some(()).ok_or(io::ErrorKind::UnexpectedEof)?;
            let part = self.read.split_to(self.read.len().min(length));
            length -= part.len();
            locked(&self.shared.seen)[at].body.extend_from_slice(&part);
        }
        Ok(())
    }
}

// === impl Seen ===

impl Seen {
    fn parse(head: &str, connection: usize) -> Self {
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            let name = name.parse::<HeaderName>().ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        Self {
            method: first.next().unwrap(),
            target: first.next().unwrap(),
            headers: lines.filter_map(header).collect(),
            body: Vec::new(),
            connection,
        }
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
