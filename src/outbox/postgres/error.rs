use std::error::Error as StdError;
use std::fmt;
use std::io;

use tokio_postgres::Error;

use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outcome::BoxError;

/// Why something failed on a connection.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) error: OutboxError,
    /// The connection can't be used any more.
    pub(super) is_lost: bool,
    /// Nothing was done, and the same may succeed at once.
    pub(super) again: bool,
}

impl Failure {
    /// The connection may have been lost after the work was done, so it must not be done again.
    pub(super) fn in_doubt(error: Error) -> Self {
        let failure = Self::from(error);
        Self { again: failure.again && !failure.is_lost, ..failure }
    }

    fn new(kind: OutboxErrorKind, why: &str, source: impl Into<BoxError>) -> Self {
        let error = OutboxError::new(kind, why).with_source(source);
        Self { error, is_lost: false, again: false }
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        Self { error, is_lost: false, again: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use OutboxErrorKind::{Busy, Full, ReadOnly, Store, Unavailable, Unsupported};
        let Some(server) = error.as_db_error() else {
            let is_cut = error.is_closed() || has_io_source(&error);
            let (kind, why) = match is_cut {
                true => (Unavailable, "the connection to postgresql is lost"),
                false => (Store, "postgresql's answer isn't what was expected"),
            };
            return Self { is_lost: true, again: is_cut, ..Self::new(kind, why, error) };
        };
        let code = server.code().code().to_owned();
        let leased_twice = server.constraint() == Some("message_order_leased");
        let (kind, why) = match &code[..] {
            "23505" if leased_twice => (Busy, "another worker has a message of the same order key"),
            "40001" | "40P01" => (Busy, "another transaction was in the way"),
            "55P03" | "57014" => (Busy, "a lock in the database was held for too long"),
            "53100" => (Full, "the database's disk is full, so nothing was stored"),
            "25006" => (
                ReadOnly,
                "the database is read-only, so nothing was stored: connect to the primary",
            ),
            "3F000" | "42P01" | "42703" | "42883" => {
                (Unsupported, "a table is missing, or older than this version: run `migrate`")
            }
            code if is_down(code) => (Unavailable, "postgresql is shutting down, or starting"),
            code if code.starts_with("53") => (Busy, "postgresql has no connection or memory left"),
            "42501" => (Store, "the database's user lacks a right on the schema"),
            _ => (Store, "postgresql refused a statement"),
        };
        let is_lost = is_down(&code) || matches!(&code[..], "25006" | "53300");
        let again = is_down(&code) || leased_twice || matches!(&code[..], "40001" | "40P01");
        let constraint = server.constraint().map(str::to_owned);
        Self { is_lost, again, ..Self::new(kind, why, ServerError { code, constraint }) }
    }
}

/// What is told of a server's error. Its text and its details may hold what a message says.
#[derive(Debug)]
struct ServerError {
    code: String,
    constraint: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgresql's error {}", self.code)?;
        self.constraint.as_ref().map_or(Ok(()), |name| write!(f, " by the constraint {name}"))
    }
}

impl StdError for ServerError {}

/// Why no connection could be made.
pub(super) fn not_connected(error: BoxError) -> OutboxError {
    let error = match error.downcast::<Error>() {
        Ok(error) if error.as_db_error().is_some() => return Failure::from(*error).error,
        Ok(error) => error,
        Err(error) => error,
    };
    let why = "postgresql can't be reached: look at the address, and at this error's source";
    OutboxError::new(OutboxErrorKind::Unavailable, why).with_source(error)
}

/// Connection exceptions, and a server that ends or begins (PostgreSQL, appendix A).
fn is_down(code: &str) -> bool {
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03")
}

fn has_io_source(error: &Error) -> bool {
    error.source().is_some_and(<dyn StdError>::is::<io::Error>)
}
