//! SQLite's rows.

use bytes::Bytes;
use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row};

use crate::outbox::id::MessageId;
use crate::outbox::row::{self, SqlRow};
use crate::outbox::store::Pause;
use crate::outbox::stored::{Act, Attempt, StoredMessage};
use crate::outbox::time::Timestamp;

/// The messages that a statement finds. One in a state that only a later version knows is left alone.
pub(super) fn messages(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params, |found| row::message(found))?;
    found.filter_map(Result::transpose).collect()
}

/// The rows that a statement finds.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

pub(super) fn attempt(found: &Row<'_>) -> rusqlite::Result<Attempt> {
    row::attempt(found)
}

pub(super) fn act(found: &Row<'_>) -> rusqlite::Result<Act> {
    row::act(found)
}

pub(super) fn pause(found: &Row<'_>) -> rusqlite::Result<Pause> {
    row::pause(found)
}

pub(super) fn id(found: &Row<'_>, column: &str) -> rusqlite::Result<MessageId> {
    found.parsed(column)
}

pub(super) fn maybe_time(found: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    found.maybe_time(column)
}

impl SqlRow for Row<'_> {
    type Error = rusqlite::Error;

    fn maybe_integer(&self, column: &str) -> rusqlite::Result<Option<i64>> {
        self.get(column)
    }

    fn maybe_text(&self, column: &str) -> rusqlite::Result<Option<String>> {
        self.get(column)
    }

    fn maybe_bytes(&self, column: &str) -> rusqlite::Result<Option<Bytes>> {
        Ok(self.get_ref(column)?.as_blob_or_null()?.map(Bytes::copy_from_slice))
    }

    fn invalid(&self, column: &str) -> rusqlite::Error {
        let index = self.as_ref().column_index(column).unwrap_or_default();
        rusqlite::Error::InvalidColumnType(index, column.to_owned(), Type::Null)
    }
}
