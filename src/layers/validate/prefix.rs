#[cfg(feature = "json")]
use std::cell::OnceCell;
use std::fmt;

use http_body::SizeHint;
#[cfg(feature = "json")]
use serde_json::Value;

use super::finding::Finding;
#[cfg(feature = "json")]
use super::json;
use crate::terms::Unchecked;

/// The beginning of an answer's body, up to the layer's cap; mostly all of it. `Debug` shows its size.
pub struct Prefix<'a> {
    bytes: &'a [u8],
    /// Why it isn't the whole body.
    missing: Option<Unchecked>,
    size: SizeHint,
    #[cfg(feature = "json")]
    json: OnceCell<Result<Value, Finding>>,
}

impl<'a> Prefix<'a> {
    pub(super) fn new(bytes: &'a [u8], missing: Option<Unchecked>, size: SizeHint) -> Self {
        Self {
            bytes,
            missing,
            size,
            #[cfg(feature = "json")]
            json: OnceCell::new(),
        }
    }

    /// What was read. It is empty where nobody may look into the body.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The size of the whole body in bytes, as far as it is known: announced, or read.
    #[must_use]
    pub fn size(&self) -> SizeHint {
        self.size
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// The finding that it can't be checked, and why, if this is only a part of it.
    pub fn whole(&self) -> Result<&'a [u8], Finding> {
        self.missing.map_or(Ok(self.bytes), |why| Err(Finding::unchecked(why)))
    }

    /// The whole body as JSON, which is parsed once for all checks. A byte order mark is skipped (RFC 8259,
    /// 8.1). Of two members with one name, the last counts, and the
    /// [handle](super::ValidateHandle::duplicates) counts such an answer.
    ///
    /// # Errors
    ///
    /// The finding that it can't be checked: also where it is JSON that can't be read here, because it is
    /// nested more than 127 levels deep, or has a number or a character out of range. Or that the
    /// provider failed ([`Finding::transient`]), where the body is no JSON.
    #[cfg(feature = "json")]
    pub fn json(&self) -> Result<&Value, Finding> {
        let bytes = self.whole()?;
        self.json.get_or_init(|| json::read(bytes)).as_ref().map_err(Finding::clone)
    }

    /// How many members of the JSON, if a check read it, were overwritten by another with the same name.
    #[cfg(feature = "json")]
    pub(super) fn duplicates(&self) -> usize {
        let read = self.json.get().and_then(|read| read.as_ref().ok());
        read.map_or(0, |json| json::duplicates(self.bytes, json))
    }
}

impl fmt::Debug for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefix")
            .field("bytes", &self.bytes.len())
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}
