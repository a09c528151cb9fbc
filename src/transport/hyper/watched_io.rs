//! The I/O of a connection, watched for facts that hyper doesn't report.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Is told of the bytes of a connection.
pub(super) trait Watch {
    /// These bytes are on their way to hyper. An error breaks the connection.
    fn read(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// So many bytes were written.
    fn wrote(&mut self, _: usize) {}

    /// Everything that hyper passed on is written. It flushes only when it holds nothing back.
    fn flushed(&mut self) {}
}

pin_project! {
    /// The I/O of a connection, between hyper and TLS or TCP.
    #[derive(Debug)]
    pub(super) struct WatchedIo<I, W> {
        #[pin]
        inner: TokioIo<I>,
        watch: W,
    }
}

impl<I, W> WatchedIo<I, W> {
    pub(super) fn new(inner: I, watch: W) -> TokioIo<Self> {
        TokioIo::new(Self { inner: TokioIo::new(inner), watch })
    }
}

impl<I, W: Watch> AsyncRead for WatchedIo<I, W>
where
    TokioIo<I>: AsyncRead,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        ready!(this.inner.poll_read(cx, buffer))?;
        Poll::Ready(this.watch.read(&buffer.filled()[before..]))
    }
}

impl<I, W: Watch> AsyncWrite for WatchedIo<I, W>
where
    TokioIo<I>: AsyncWrite,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = ready!(this.inner.poll_write(cx, bytes))?;
        this.watch.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        ready!(this.inner.poll_flush(cx))?;
        this.watch.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let written = ready!(this.inner.poll_write_vectored(cx, parts))?;
        this.watch.wrote(written);
        Poll::Ready(Ok(written))
    }
}
