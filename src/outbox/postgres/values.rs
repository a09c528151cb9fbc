//! Values of ours as parameters, and rows as values of ours.

use bytes::{Bytes, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::error::Failure;
use crate::outbox::columns::{SqlValue, content_values, millis};
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::row::{self, SqlRow};
use crate::outbox::stored::{NewMessage, StoredMessage};
use crate::outcome::BoxError;

/// Many rows as one array a column, so that one statement takes them all.
pub(super) struct Columns(Vec<Column>);

enum Column {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// A parameter with its type, so that the server isn't asked for it.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

impl Columns {
    /// One column for each letter: `t` for text, `i` for integers, `b` for bytes.
    pub(super) fn new(kinds: &str) -> Self {
        let column = |kind| match kind {
            't' => Column::Text(Vec::new()),
            'i' => Column::Integer(Vec::new()),
            _ => Column::Bytes(Vec::new()),
        };
        Self(kinds.chars().map(column).collect())
    }

    pub(super) fn push(&mut self, values: Vec<SqlValue>) {
        debug_assert_eq!(values.len(), self.0.len(), "a row has a value for each column");
        for (column, value) in self.0.iter_mut().zip(values) {
            match (column, value) {
                (Column::Text(column), SqlValue::Text(text)) => column.push(Some(text)),
                (Column::Integer(column), SqlValue::Integer(value)) => column.push(Some(value)),
                (Column::Bytes(column), SqlValue::Bytes(bytes)) => column.push(Some(bytes)),
                (column, value) => {
                    debug_assert_eq!(value, SqlValue::Null, "a value has its column's type");
                    column.push_null();
                }
            }
        }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.0.first().map_or(0, |column| match column {
            Column::Text(values) => values.len(),
            Column::Integer(values) => values.len(),
            Column::Bytes(values) => values.len(),
        })
    }

    pub(super) fn params(&self) -> Vec<Param<'_>> {
        self.0.iter().map(Column::param).collect()
    }
}

impl Column {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Text(values) => (values, Type::TEXT_ARRAY),
            Self::Integer(values) => (values, Type::INT8_ARRAY),
            Self::Bytes(values) => (values, Type::BYTEA_ARRAY),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Text(values) => values.push(None),
            Self::Integer(values) => values.push(None),
            Self::Bytes(values) => values.push(None),
        }
    }
}

/// The parameters of the function `enqueue`. Times are told as spans: the database's clock counts.
pub(crate) fn enqueue_values(new: &NewMessage) -> Vec<SqlValue> {
    let progress = &new.progress;
    let mut values = content_values(&new.content);
    // When it was enqueued, by another clock.
    values.pop();
    let tenant = values.pop();
    values.push(i64::from(progress.max_attempts).into());
    values.push(millis(progress.not_before.since(new.content.created)).into());
    values.push(millis(progress.max_age).into());
    values.push(progress.phase.name().to_owned().into());
    values.push(millis(progress.dedup_window).into());
    values.extend(tenant);
    values
}

/// The types of these parameters.
pub(super) const ENQUEUE: &str = "ttttttttttbbtiiiiitit";

/// The messages of rows. One in a state that only a later version knows is left alone.
pub(super) fn messages(rows: &[Row]) -> Result<Vec<StoredMessage>, Failure> {
    rows.iter()
        .filter_map(|found| row::message(found).transpose())
        .collect::<Result<_, _>>()
        .map_err(Failure::from)
}

impl SqlRow for Row {
    type Error = OutboxError;

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>, OutboxError> {
        let value: Option<Integer> = self.try_get(column).map_err(|_| self.invalid(column))?;
        Ok(value.map(|value| value.0))
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>, OutboxError> {
        let value: Option<Text> = self.try_get(column).map_err(|_| self.invalid(column))?;
        Ok(value.map(|value| value.0))
    }

    fn maybe_bytes(&self, column: &str) -> Result<Option<Bytes>, OutboxError> {
        let value: Option<&[u8]> = self.try_get(column).map_err(|_| self.invalid(column))?;
        Ok(value.map(Bytes::copy_from_slice))
    }

    fn invalid(&self, column: &str) -> OutboxError {
        let why = format!("the column {column} has a value that this version doesn't know");
        OutboxError::new(OutboxErrorKind::Unsupported, why)
    }
}

/// An integer of any size, or a truth as 0 or 1.
struct Integer(i64);

impl FromSql<'_> for Integer {
    fn from_sql(kind: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        Ok(Self(match *kind {
            Type::INT2 => i16::from_sql(kind, raw)?.into(),
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            Type::BOOL => bool::from_sql(kind, raw)?.into(),
            _ => i64::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::INT8, Type::BOOL].contains(kind)
    }
}

/// A text, or a UUID as one.
struct Text(String);

impl FromSql<'_> for Text {
    fn from_sql(kind: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        Ok(Self(match *kind {
            Type::UUID => uuid::Uuid::from_slice(raw)?.to_string(),
            _ => String::from_sql(kind, raw)?,
        }))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID || <String as FromSql<'_>>::accepts(kind)
    }
}

impl ToSql for SqlValue {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql_checked(kind, out),
            Self::Text(text) => text.to_sql_checked(kind, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each value looks at its type by itself.
        true
    }

    to_sql_checked!();
}
