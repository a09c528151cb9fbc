use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};

use super::super::request::Http1;
use super::record::Record;
use super::signals::Signals;
use super::upload::Upload;
use crate::body::Body;
use crate::rt::Draw;
use crate::terms::CloseCause;
use crate::transport::pool::PoolLimits;

/// A connection, as its users hold it. HTTP/2 connections are shared by clones.
#[derive(Debug)]
pub(in super::super) struct Connection {
    sender: Sender,
    pub(super) record: Arc<Record>,
    /// Over HTTP/2, the body of this user's request.
    upload: Option<Arc<Upload>>,
}

/// What keeps a connection going; it ends with the connection.
pub(in super::super) type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// hyper's end of a connection.
#[derive(Debug)]
pub(in super::super) enum Sender {
    Http1(http1::SendRequest<Body>, Http1),
    Http2(http2::SendRequest<Body>),
}

impl Connection {
    pub(super) fn new(sender: Sender, id: u64, spread: Draw, signals: Arc<Signals>) -> Self {
        Self { sender, record: Arc::new(Record::new(id, spread, signals)), upload: None }
    }

    /// Another user of the same connection, if it can be shared.
    pub(super) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(..) => None,
            Sender::Http2(sender) => {
                let (sender, record) = (Sender::Http2(sender.clone()), Arc::clone(&self.record));
                Some(Self { sender, record, upload: None })
            }
        }
    }

    /// Whether another request may be sent over it.
    pub(super) fn is_usable(&self, now: Instant, limits: &PoolLimits) -> bool {
        let open = match &self.sender {
            Sender::Http1(sender, _) => sender.is_ready(),
            Sender::Http2(sender) => !sender.is_closed(),
        };
        open && !self.record.refuses()
            && !self.record.is_closing()
            && !self.record.is_expired(now, limits)
    }

    /// Sends a request. If the connection is closed, returns the request.
    pub(in super::super) fn send(
        &mut self,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> + use<> {
        enum Either<A, B> {
            Http1(A),
            Http2(B),
        }
        let sent = match &mut self.sender {
            Sender::Http1(sender, _) => Either::Http1(sender.try_send_request(request)),
            Sender::Http2(sender) => {
                let (head, body) = request.into_parts();
                let (body, upload) = Upload::watch(body, &self.record.signals);
                self.upload = upload;
                let request = Request::from_parts(head, body);
                Either::Http2(sender.try_send_request(request))
            }
        };
        async move {
            match sent {
                Either::Http1(sent) => sent.await,
                Either::Http2(sent) => sent.await,
            }
        }
    }

    /// Whether it was kept before, so that it may have been closed while nobody looked.
    pub(in super::super) fn was_kept(&self) -> bool {
        self.record.is_kept()
    }

    /// The error that broke it, if any.
    pub(in super::super) fn failure(&self) -> Option<hyper::Error> {
        self.record.take_failure()
    }

    /// Its record, unless it speaks HTTP/2.
    pub(in super::super) fn http1(&self) -> Option<&Http1> {
        match &self.sender {
            Sender::Http1(_, http1) => Some(http1),
            Sender::Http2(_) => None,
        }
    }

    pub(in super::super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Whether its user's request is over: the next could be sent, or never can.
    pub(super) fn is_over(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender, _) => sender.is_ready() || sender.is_closed(),
            Sender::Http2(_) => self.upload.as_ref().is_none_or(|upload| upload.is_ended()),
        }
    }

    /// Waits until its user's request is over.
    pub(super) async fn over(&mut self) {
        match (&mut self.sender, &self.upload) {
            (sender @ Sender::Http1(..), _) => {
                poll_fn(|cx| sender.poll_ready(cx).map(drop)).await;
            }
            (Sender::Http2(_), Some(upload)) => upload.ended().await,
            (Sender::Http2(_), None) => {}
        }
    }

    /// How far the sending of its user's request has come, in a measure of its own.
    pub(super) fn progress(&self) -> u64 {
        match &self.upload {
            Some(upload) => upload.frames(),
            None => self.record.signals.written(),
        }
    }

    /// Gives up on what is still to be sent of its user's request. Over HTTP/1.1, that is all that the
    /// connection can do.
    pub(super) fn abort_upload(&self) {
        match (&self.sender, &self.upload) {
            (Sender::Http1(..), _) => self.record.abort_for(CloseCause::Cut),
            (Sender::Http2(_), Some(upload)) => upload.abort(),
            (Sender::Http2(_), None) => {}
        }
    }
}

impl Sender {
    /// Ready once a request can be sent, with an error if none ever can.
    pub(in super::super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Http1(sender, _) => sender.poll_ready(cx),
            Self::Http2(sender) => sender.poll_ready(cx),
        }
    }
}
