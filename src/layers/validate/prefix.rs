#[cfg(feature = "json")]
use std::cell::OnceCell;
use std::fmt;

use http_body::SizeHint;
#[cfg(feature = "json")]
use serde_json::Value;

use super::finding::Finding;
use crate::terms::Unchecked;

/// The beginning of an answer's body, up to the layer's cap; mostly all of it. `Debug` shows its size.
pub struct Prefix<'a> {
    bytes: &'a [u8],
    /// Why it isn't the whole body.
    missing: Option<Unchecked>,
    size: SizeHint,
    #[cfg(feature = "json")]
    json: OnceCell<Option<Value>>,
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

    /// The whole body as JSON, which is parsed once for all checks. Of two members with one name, the
    /// last counts.
    ///
    /// # Errors
    ///
    /// The finding that it can't be checked; or that the provider failed ([`Finding::transient`]), where
    /// the body is no JSON, or is nested more than 127 levels deep.
    #[cfg(feature = "json")]
    pub fn json(&self) -> Result<&Value, Finding> {
        let bytes = self.whole()?;
        let json = self.json.get_or_init(|| serde_json::from_slice(bytes).ok());
        json.as_ref().ok_or_else(|| {
            let what = if bytes.is_empty() { "there is no body" } else { "the body is no json" };
            Finding::transient(what)
        })
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
