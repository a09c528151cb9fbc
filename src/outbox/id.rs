use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::time::Timestamp;
use crate::rt::Rng;

/// The id of a message: a UUID of version 7 (RFC 9562, 5.7).
///
/// It begins with the time at which it was made, so that an index over ids grows at its end. 74 bits are
/// random, so that nobody guesses another message's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(Uuid);

/// A text that is no [`MessageId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidMessageId(());

impl MessageId {
    pub(crate) fn new(at: Timestamp, rng: &Rng) -> Self {
        let mut random = [0; 10];
        random.copy_from_slice(&rng.id_bytes()[..10]);
        let millis = u64::try_from(at.0).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    fn from_str(text: &str) -> Result<Self, InvalidMessageId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidMessageId(()))
    }
}

impl fmt::Display for InvalidMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message's id must be a uuid")
    }
}

impl std::error::Error for InvalidMessageId {}
