//! Reads errors of other crates, once, where they enter.
//!
//! The whole `source` chain is read, because clients wrap the important error: a refused connection
//! is three levels down in hyper-util's errors and four in reqwest's.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;

use crate::outcome::{BoxError, Error, ErrorKind};
use crate::terms::{Class, Delivery, Fault, Phase};

#[cfg(not(all(feature = "hyper", feature = "reqwest", feature = "rustls")))]
mod absent;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
mod sources;
#[cfg(feature = "rustls")]
mod tls;

#[cfg(not(feature = "hyper"))]
use absent as hyper;
#[cfg(not(feature = "reqwest"))]
use absent as reqwest;
#[cfg(not(feature = "rustls"))]
use absent as tls;

pub(crate) use sources::Sources;

/// The facts of all levels of a chain.
#[derive(Debug, Default)]
struct Findings {
    /// The connection was still being made.
    connecting: bool,
    /// The request was returned, or the peer says that it didn't act on it.
    not_processed: bool,
    /// A limit of an inner layer passed.
    timed_out: bool,
    /// The request itself is invalid.
    request: bool,
    /// The request's body failed: a part of it may have arrived.
    half_sent: bool,
    /// The answer's head arrived, and is larger than the client allows.
    head_too_large: bool,
    /// The answer over HTTP/2 was refused here, because it broke a rule or was far too large.
    malformed: bool,
    /// How the connection failed. The innermost level is the most exact.
    fault: Option<Fault>,
    /// Its client sends one request a call, so that facts of the request are facts of the call.
    is_client: bool,
}

/// Reads the error of a service that may have taken several steps. An error of ours is returned as it
/// is, here and below.
pub(crate) fn read(error: BoxError) -> Error {
    read_after(Findings::default(), error)
}

/// Reads the error of a client that sends one request a call.
pub(crate) fn read_client(error: BoxError) -> Error {
    read_after(Findings { is_client: true, ..Findings::default() }, error)
}

fn read_after(mut findings: Findings, error: BoxError) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(ours) => return *ours,
        Err(foreign) => foreign,
    };
    let mut level: Option<&(dyn StdError + 'static)> = Some(&*error);
    while let Some(current) = level {
        if let Some(ours) = current.downcast_ref::<Error>() {
            // One of our errors, wrapped by another crate (a connector, a buffer): its facts hold
            // for its call. Only an error of the request's own body says nothing about the answer.
            let said = match findings.half_sent {
                true => Error::new(ErrorKind::Request, Delivery::Unknown),
                false => ours.said(),
            };
            return said.with_source(reqwest::without_secrets(error));
        }
        findings.look_at(current);
        level = next(current);
    }
    let (kind, delivery) = findings.conclude();
    let ours = Error::new(kind, delivery).with_source(reqwest::without_secrets(error));
    match (findings.head_too_large, findings.malformed) {
        (true, _) => refuse_head(ours),
        (false, true) => ours.with_detail(MALFORMED),
        (false, false) => ours,
    }
}

/// An answer whose head is larger than our client allows.
#[cfg(feature = "hyper")]
pub(crate) fn head_too_large() -> Error {
    let findings = Findings { head_too_large: true, is_client: true, ..Findings::default() };
    let (kind, delivery) = findings.conclude();
    refuse_head(Error::new(kind, delivery))
}

fn refuse_head(error: Error) -> Error {
    // The provider answered, and the limit is ours: another attempt would exceed it again.
    error.class_or(|| Class::ClientError);
    error.with_detail(HEAD_TOO_LARGE)
}

/// Whether another attempt would fail in the same way: a certificate was not accepted, or a
/// redirect could not be followed.
pub(crate) fn is_final(error: &Error) -> bool {
    is_redirect(error) || sources(error).any(tls::is_final)
}

/// Whether the client could not follow a redirect: the address can't be called, or there were too
/// many.
pub(crate) fn is_redirect(error: &Error) -> bool {
    error.kind() == ErrorKind::Other && sources(error).any(reqwest::is_redirect)
}

/// The sources of an error of ours.
fn sources(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    successors(StdError::source(error), |level| next(*level))
}

/// Reads the error of a connection that was never made.
#[cfg(feature = "hyper")]
pub(crate) fn read_connecting(error: BoxError) -> Error {
    read_after(Findings { connecting: true, is_client: true, ..Findings::default() }, error)
}

/// The next level. `io::Error` hides the error that it carries from `source`.
fn next<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

impl Findings {
    fn look_at(&mut self, error: &(dyn StdError + 'static)) {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            self.look_at_io(io);
        }
        hyper::look_at(error, self);
        reqwest::look_at(error, self);
        tls::look_at(error, self);
    }

    fn look_at_io(&mut self, error: &io::Error) {
        use io::ErrorKind as Io;
        match error.kind() {
            Io::ConnectionRefused => {
                self.connecting = true;
                self.fault = Some(Fault::Refused);
            }
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
                self.fault = Some(Fault::Reset);
            }
            Io::UnexpectedEof | Io::NotConnected => self.fault = Some(Fault::Closed),
            Io::TimedOut => self.timed_out = true,
            // HTTP/2 streams get a TLS read error in this form, without its cause.
            Io::InvalidData if self.fault.is_none() => self.fault = Some(Fault::Protocol),
            _ => {}
        }
    }

    fn conclude(&self) -> (ErrorKind, Delivery) {
        let (kind, delivery) = self.of_request();
        (kind, if self.is_client { delivery } else { Delivery::Unknown })
    }

    /// The kind of the error, and the delivery of its request.
    fn of_request(&self) -> (ErrorKind, Delivery) {
        use Delivery::{NotSent, Unknown};
        let connect = |fault| match fault {
            Some(exact @ (Fault::Dns | Fault::Refused | Fault::Tls)) => exact,
            _ => Fault::Connect,
        };
        match self {
            Self { head_too_large: true, .. } => {
                (ErrorKind::Transport(Fault::Protocol), Delivery::Answered)
            }
            Self { half_sent: true, .. } => (ErrorKind::Request, Unknown),
            Self { request: true, .. } => (ErrorKind::Request, NotSent),
            Self { connecting: true, timed_out: true, .. } => {
                (ErrorKind::Timeout(Phase::Connect), NotSent)
            }
            Self { connecting: true, fault, .. } => {
                (ErrorKind::Transport(connect(*fault)), NotSent)
            }
            Self { not_processed: true, .. } => {
                (ErrorKind::Transport(Fault::NotProcessed), NotSent)
            }
            Self { timed_out: true, .. } => (ErrorKind::Timeout(Phase::Transport), Unknown),
            Self { fault: Some(fault), .. } => (ErrorKind::Transport(*fault), Unknown),
            _ => (ErrorKind::Other, Unknown),
        }
    }
}

const MALFORMED: &str = "the answer breaks a rule of http/2, or its head is far larger than the client \
     allows (HyperConfig: max_head_size)";
const HEAD_TOO_LARGE: &str = "the answer's head is larger than the client allows \
     (HyperConfig: raise max_header_fields or max_head_size)";
