use std::io;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};

use crate::body::Body;
use crate::context::Context;
use crate::outcome::{Error, ErrorKind};
use crate::rt;
use crate::terms::{Delivery, Fault};
use crate::transport::hop;

/// One answer of a [`Script`](super::Script).
#[derive(Clone, Debug)]
#[must_use = "an answer does nothing until a script gives it"]
pub struct Answer {
    delay: Duration,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Response {
        status: StatusCode,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
        cut: Cut,
    },
    /// The connection is never made, so that nothing is sent.
    Unreached(Fault),
    Broken(io::ErrorKind),
    Hang,
}

/// Where a body ends before its time.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Nowhere,
    BreaksAfter(usize),
    StallsAfter(usize),
}

/// A body that is cut.
struct CutBody {
    /// What comes before the cut.
    part: Bytes,
    /// How much more was announced.
    missing: usize,
    then: Then,
}

enum Then {
    Break,
    Stall,
    End,
}

impl Answer {
    /// An empty answer with this status.
    ///
    /// # Panics
    ///
    /// If it is no status.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status is 100 to 999");
        let (headers, body) = (Vec::new(), Bytes::new());
        Self::of(Outcome::Response { status, headers, body, cut: Cut::Nowhere })
    }

    /// No answer: the connection fails with this fault, once the request was sent.
    pub fn broken(how: io::ErrorKind) -> Self {
        Self::of(Outcome::Broken(how))
    }

    /// No answer, ever.
    pub fn hang() -> Self {
        Self::of(Outcome::Hang)
    }

    /// The provider's name does not resolve: [`Fault::Dns`], and nothing was sent.
    pub fn dns_failure() -> Self {
        Self::of(Outcome::Unreached(Fault::Dns))
    }

    /// Nobody listens at the provider's address: [`Fault::Refused`], and nothing was sent.
    pub fn refused() -> Self {
        Self::of(Outcome::Unreached(Fault::Refused))
    }

    /// The TLS handshake fails: [`Fault::Tls`], and nothing was sent.
    ///
    /// It is tried again. The own client doesn't try again where the certificate was not accepted,
    /// which stays so; that is not what fails here.
    pub fn tls_failure() -> Self {
        Self::of(Outcome::Unreached(Fault::Tls))
    }

    /// Delays the answer, or the failure.
    ///
    /// A limit that passes meanwhile finds the request sent, or the connection still being made if
    /// it is one that can't be made.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A header of the answer.
    ///
    /// # Panics
    ///
    /// If `value` is no header's value.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header's value");
        if let Outcome::Response { headers, .. } = &mut self.outcome {
            headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Sets the body of the answer.
    pub fn body(mut self, text: impl Into<Bytes>) -> Self {
        if let Outcome::Response { body, .. } = &mut self.outcome {
            *body = text.into();
        }
        self
    }

    /// The connection is closed after this number of the body's bytes: [`Fault::Closed`], and the
    /// provider has answered.
    ///
    /// If the body has no more bytes, its last chunk is missing.
    pub fn breaks_after(self, bytes: usize) -> Self {
        self.cut(Cut::BreaksAfter(bytes))
    }

    /// Nothing comes any more after this number of the body's bytes, and the connection stays open.
    pub fn stalls_after(self, bytes: usize) -> Self {
        self.cut(Cut::StallsAfter(bytes))
    }

    fn of(outcome: Outcome) -> Self {
        Self { delay: Duration::ZERO, outcome }
    }

    fn cut(mut self, at: Cut) -> Self {
        if let Outcome::Response { cut, .. } = &mut self.outcome {
            *cut = at;
        }
        self
    }

    /// Whether the request reaches the provider.
    pub(super) fn is_reached(&self) -> bool {
        !matches!(self.outcome, Outcome::Unreached(_))
    }

    pub(super) async fn give(self, context: Option<Context>) -> io::Result<Response<Body>> {
        let context = context.as_ref();
        if !self.is_reached() {
            hop::connects(context);
        }
        if !self.delay.is_zero() {
            rt::sleep_until(rt::after(rt::now(), self.delay)).await;
        }
        match self.outcome {
            Outcome::Hang => std::future::pending().await,
            Outcome::Unreached(fault) => {
                hop::connected(context);
                Err(io::Error::other(Error::from_client(unreached(fault), context)))
            }
            Outcome::Broken(how) => {
                // It is of this one request: what it proves is proven.
                let error = hop::failed(context, io::Error::from(how));
                Err(io::Error::new(how, error))
            }
            Outcome::Response { status, headers, body, cut } => {
                let mut response = Response::new(cut.of(body));
                *response.status_mut() = status;
                response.headers_mut().extend(headers);
                hop::answered(context, &mut response);
                Ok(response)
            }
        }
    }
}

impl Cut {
    fn of(self, body: Bytes) -> Body {
        let (at, then) = match self {
            Self::Nowhere => return body.into(),
            Self::BreaksAfter(at) => (at, Then::Break),
            Self::StallsAfter(at) => (at, Then::Stall),
        };
        let part = body.slice(..at.min(body.len()));
        Body::new(CutBody { missing: body.len() - part.len(), part, then })
    }
}

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let part = std::mem::take(&mut self.part);
        if !part.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        match self.then {
            Then::Stall => Poll::Pending,
            Then::End => Poll::Ready(None),
            Then::Break => {
                self.then = Then::End;
                Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.missing {
            // In chunks, of no announced length.
            0 => SizeHint::default(),
            missing => SizeHint::with_exact((self.part.len() + missing) as u64),
        }
    }
}

/// What the own client says of a connection that could not be made.
fn unreached(fault: Fault) -> Error {
    let source = match fault {
        Fault::Refused => io::ErrorKind::ConnectionRefused.into(),
        Fault::Dns => io::Error::other("no address is known for the name"),
        _ => io::Error::new(io::ErrorKind::InvalidData, "the handshake failed"),
    };
    Error::new(ErrorKind::Transport(fault), Delivery::NotSent).with_source(source.into())
}
