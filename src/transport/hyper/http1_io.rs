//! The I/O of an HTTP/1.1 connection, observed for facts that hyper doesn't report.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::head_check::{Checked, HeadCheck};
use super::pool::Signals;
use crate::context::UploadProgress;
use crate::rt;

/// The I/O of an HTTP/1.1 connection, between hyper and TLS or TCP.
#[derive(Debug)]
pub(super) struct Http1Io<T> {
    io: T,
    exchange: Exchange,
    signals: Arc<Signals>,
}

/// The present request and its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Broken lines are left out, so heads are looked at.
    is_lenient: bool,
    head: Option<HeadCheck>,
    upload: Option<UploadProgress>,
}

impl<T> Http1Io<T> {
    /// Wraps `io`. `is_lenient` if hyper leaves out broken lines of heads.
    pub(super) fn new(io: T, is_lenient: bool, signals: Arc<Signals>) -> Self {
        let state = State { is_lenient, head: None, upload: None };
        Self { io, exchange: Exchange(Arc::new(Mutex::new(state))), signals }
    }

    fn wrote(&self, bytes: usize) {
        self.signals.add_written(bytes);
        self.exchange.wrote(bytes);
    }

    pub(super) fn exchange(&self) -> Exchange {
        self.exchange.clone()
    }
}

impl<T: Read + Unpin> Read for Http1Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.exchange.awaits_head() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let mut bytes = [0; PIECE];
        let room = buf.remaining().min(PIECE);
        let mut piece = ReadBuf::new(&mut bytes[..room]);
        ready!(Pin::new(&mut self.io).poll_read(cx, piece.unfilled()))?;
        self.exchange.check_head(piece.filled())?;
        buf.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: Write + Unpin> Write for Http1Io<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.exchange.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }
}

// === impl Exchange ===

impl Exchange {
    /// A request will be written. `upload` counts how much of its body was.
    pub(super) fn begin(&self, upload: Option<UploadProgress>) {
        if let Some(upload) = &upload {
            upload.count_writes(true);
            upload.go(rt::now());
        }
        let mut state = self.state();
        state.upload = upload;
        state.head = state.is_lenient.then(HeadCheck::new);
    }

    fn awaits_head(&self) -> bool {
        self.state().head.is_some()
    }

    fn check_head(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        match state.head.as_mut().map(|head| head.read(bytes)) {
            Some(Checked::Broken) => Err(io::Error::new(io::ErrorKind::InvalidData, BROKEN)),
            Some(Checked::Complete) => {
                state.head = None;
                Ok(())
            }
            Some(Checked::More) | None => Ok(()),
        }
    }

    fn wrote(&self, bytes: usize) {
        if bytes > 0
            && let Some(upload) = &self.state().upload
        {
            upload.wrote(rt::now());
        }
    }

    /// Everything that hyper passed on is written. It flushes only when it holds nothing back.
    fn flushed(&self) {
        if let Some(upload) = &self.state().upload {
            upload.flushed(rt::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// hyper's own first read is as long.
const PIECE: usize = 8 * 1024;
const BROKEN: &str = "a line of the head that says where the body ends is broken";
