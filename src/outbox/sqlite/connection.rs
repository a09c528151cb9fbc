use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::SQLITE_MIGRATIONS;
use crate::outbox::columns::SqlValue;
use crate::outbox::error::{OutboxError, OutboxErrorKind};

/// The connection that writes, with all tables there.
pub(super) fn to_write(path: &Path) -> Result<Connection, OutboxError> {
    let mut connection =
        open(path, OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let why = "the file's journal can't be a write-ahead log: choose a file on a local disk";
        return Err(OutboxError::new(OutboxErrorKind::Unsupported, why));
    }
    // What is answered is on the disk, also if the power fails.
    connection.execute_batch("PRAGMA synchronous = FULL").map_err(failed)?;
    migrate(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn to_read(path: &Path) -> Result<Connection, OutboxError> {
    // A write-ahead log can only be read by whoever may write its index.
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA query_only = ON").map_err(failed)?;
    Ok(connection)
}

/// Proves, for as long as it is kept, that no other worker process has the store: a transaction on a file of its
/// own, which the operating system ends with the process.
pub(super) fn take_worker_lock(path: &Path) -> Result<Connection, OutboxError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-worker");
    let flags = OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(PathBuf::from(name), flags).map_err(failed)?;
    match connection.execute_batch("BEGIN EXCLUSIVE") {
        Ok(()) => Ok(connection),
        Err(error) if code(&error) == Some(ErrorCode::DatabaseBusy) => {
            let why = "another worker has this file: an outbox in a file has one worker process, which may have many lanes";
            Err(OutboxError::new(OutboxErrorKind::Taken, why).with_source(error))
        }
        Err(error) => Err(failed(error)),
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OutboxError> {
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    // All of the statements are few enough to stay prepared.
    connection.set_prepared_statement_cache_capacity(80);
    Ok(connection)
}

/// Brings the tables to this version. A file of a later version has only more columns, and is used as it is.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let has_meta: bool = transaction.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'outrigger_meta'",
        [],
        |row| row.get(0),
    )?;
    let version: i64 = match has_meta {
        true => transaction.query_row(
            "SELECT coalesce(max(value), 0) FROM outrigger_meta WHERE name = 'version'",
            [],
            |row| row.get(0),
        )?,
        false => 0,
    };
    for (number, migration) in (1..).zip(SQLITE_MIGRATIONS).filter(|(number, _)| *number > version)
    {
        transaction.execute_batch(migration)?;
        transaction.execute(
            "INSERT OR REPLACE INTO outrigger_meta (name, value) VALUES ('version', ?1)",
            [number],
        )?;
    }
    transaction.commit()
}

pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

/// SQLite's error as ours.
pub(super) fn failed(error: rusqlite::Error) -> OutboxError {
    use ErrorCode as Code;
    let (kind, why) = match code(&error) {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            (OutboxErrorKind::Busy, "the file is locked by another writer")
        }
        Some(Code::DiskFull) => (OutboxErrorKind::Full, "the disk is full, so nothing was stored"),
        Some(Code::ReadOnly | Code::PermissionDenied) => {
            (OutboxErrorKind::ReadOnly, "the file can't be written to, so nothing was stored")
        }
        Some(Code::SystemIoFailure | Code::CannotOpen | Code::OutOfMemory) => {
            (OutboxErrorKind::Unavailable, "the file can't be opened, read or written")
        }
        Some(Code::NotADatabase | Code::DatabaseCorrupt) => {
            (OutboxErrorKind::Unsupported, "the file is no intact sqlite database")
        }
        _ => (OutboxErrorKind::Store, "sqlite refused a statement"),
    };
    OutboxError::new(kind, why).with_source(error)
}

impl rusqlite::ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// How long a transaction of the host's may hold up the store's.
const BUSY: Duration = Duration::from_secs(5);
