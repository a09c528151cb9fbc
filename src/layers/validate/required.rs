use std::borrow::Cow;

use serde_json::Value;

use super::check::{Answered, Check};
use super::finding::Finding;
use super::path::at;
use super::prefix::Prefix;

/// Whether these members of a JSON answer are there, and not null.
///
/// ```
/// use outrigger::validate::{Required, ValidateLayer};
///
/// let layer = ValidateLayer::new().enforce(Required::new(["/id", "/balance/0/amount"]));
/// # let _ = layer;
/// ```
///
/// A member that is missing is [`Verdict::Invalid`](super::Verdict::Invalid); a body that is no JSON at all,
/// such as a page of a proxy, [`Verdict::Transient`](super::Verdict::Transient).
#[derive(Clone, Debug)]
pub struct Required {
    pointers: Vec<Cow<'static, str>>,
}

impl Required {
    /// These JSON pointers (RFC 6901): `/items/0/id`.
    ///
    /// # Panics
    ///
    /// If one doesn't begin with a slash: it would never be found.
    #[must_use]
    pub fn new(pointers: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        let pointers: Vec<_> = pointers.into_iter().map(Into::into).collect();
        for pointer in &pointers {
            assert!(pointer.starts_with('/'), "a JSON pointer begins with a slash: {pointer:?}");
        }
        Self { pointers }
    }

    fn find(&self, json: &Value) -> Finding {
        let is_missing =
            |pointer: &&Cow<'static, str>| at(json, pointer).is_none_or(Value::is_null);
        match self.pointers.iter().find(is_missing) {
            Some(pointer) => Finding::invalid("it is missing").at(pointer.clone()),
            None => Finding::pass(),
        }
    }
}

impl Check for Required {
    fn name(&self) -> &'static str {
        "required"
    }

    fn check(&self, _: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        body.json().map_or_else(|finding| finding, |json| self.find(json))
    }
}
