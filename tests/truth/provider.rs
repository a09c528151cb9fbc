//! A provider that keeps a log of what reached it, and acts out one fault.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::fault::Fault;
use crate::way::{Identity, Way};
use crate::{http1, http2};

/// A request as it reached the provider.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    /// It was left alone, and the client was told so.
    pub(crate) left_alone: bool,
    /// The body came to its end.
    pub(crate) whole: bool,
}

/// The server. It ends, with all its connections, when it is dropped.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    /// Until it listens.
    socket: Option<TcpSocket>,
    task: Option<JoinHandle<()>>,
}

pub(crate) struct Shared {
    way: Way,
    /// The fault, and for how many more requests it stands.
    fault: Mutex<(Fault, u32)>,
    log: Mutex<Vec<Entry>>,
    pub(crate) identity: Identity,
}

impl Provider {
    /// A provider on a port that is taken, but on which nobody listens yet.
    pub(crate) fn new(way: Way, identity: &Identity) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let shared = Arc::new(Shared {
            way,
            fault: Mutex::new((Fault::Says(200), 0)),
            log: Mutex::default(),
            identity: identity.clone(),
        });
        Self { address, shared, socket: Some(socket), task: None }
    }

    /// Listens from now on.
    pub(crate) fn start(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let listener = socket.listen(64).unwrap();
        self.task = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
    }

    /// Acts the fault out for so many requests.
    pub(crate) fn fails(&mut self, fault: Fault, times: u32) {
        *self.shared.fault() = (fault, times);
        if fault != Fault::Refuses {
            self.start();
        }
    }

    /// Is well from now on.
    pub(crate) fn recovers(&mut self) {
        self.shared.fault().1 = 0;
        self.start();
    }

    pub(crate) fn log(&self) -> Vec<Entry> {
        self.shared.log().clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Shared {
    /// The fault that stands, if one does.
    pub(crate) fn standing(&self) -> Option<Fault> {
        let fault = self.fault();
        (fault.1 > 0).then_some(fault.0)
    }

    /// The fault of this request; it is used up.
    pub(crate) fn take(&self) -> Option<Fault> {
        let mut fault = self.fault();
        fault.1 = fault.1.checked_sub(1)?;
        Some(fault.0)
    }

    /// Notes a request's head, and says under which number.
    pub(crate) fn note(&self, method: &str, path: &str, key: Option<&str>) -> usize {
        let mut log = self.log();
        let (method, path) = (method.to_owned(), path.to_owned());
        let key = key.map(str::to_owned);
        log.push(Entry { method, path, key, left_alone: false, whole: false });
        log.len() - 1
    }

    pub(crate) fn leave_alone(&self, entry: usize) {
        self.log()[entry].left_alone = true;
    }

    pub(crate) fn complete(&self, entry: usize) {
        self.log()[entry].whole = true;
    }

    fn fault(&self) -> MutexGuard<'_, (Fault, u32)> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    match shared.standing() {
        Some(Fault::ClosesAtOnce) => {
            shared.take();
            let _ = stream.shutdown().await;
            return;
        }
        Some(Fault::ResetsAtOnce) => {
            shared.take();
            return reset(&stream);
        }
        Some(Fault::NeverReads) => {
            shared.take();
            return std::future::pending().await;
        }
        Some(Fault::BreaksHandshake) if shared.way == Way::Tls => {
            shared.take();
            let _ = stream.write_all(b"\x16\x03\x03\x00").await;
            return;
        }
        _ => {}
    }
    match shared.way {
        Way::Http1 | Way::Proxy => http1::serve(stream, &shared).await,
        // Who was told that HTTP/1.1 is wanted comes with that.
        Way::Http2 if !speaks_http2(&stream).await => http1::serve(stream, &shared).await,
        Way::Http2 => http2::serve(stream, &shared).await,
        Way::Tls => {
            let other = shared.standing() == Some(Fault::IsSomebodyElse) && shared.take().is_some();
            let identity = &shared.identity;
            let acceptor = if other { &identity.other } else { &identity.own };
            if let Ok(stream) = acceptor.accept(stream).await {
                http1::serve(stream, &shared).await;
            }
        }
    }
}

/// Whether the client begins as HTTP/2 does (RFC 9113, 3.4).
async fn speaks_http2(stream: &TcpStream) -> bool {
    let mut start = [0; 3];
    matches!(stream.peek(&mut start).await, Ok(3) if start == *b"PRI")
}

/// A socket that can be broken.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn reset(self);
}

impl Wire for TcpStream {
    fn reset(self) {
        reset(&self);
    }
}

impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(self) {
        reset(self.get_ref().0);
    }
}

#[expect(deprecated, reason = "no other call breaks a connection; the time to linger is none")]
fn reset(stream: &TcpStream) {
    let _ = stream.set_linger(Some(std::time::Duration::ZERO));
}
