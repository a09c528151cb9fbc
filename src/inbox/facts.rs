use http::{HeaderMap, HeaderName};

use crate::outbox::Timestamp;

/// What a [`Scheme`](super::Scheme) says of a request that it has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verified {
    /// An event, which is to be recorded.
    Event(Box<Facts>),
    /// A question of the provider's, which is answered with this text and not recorded.
    Answer(String),
}

/// What is known of an event.
///
/// ```
/// use outrigger::inbox::Facts;
///
/// let signed = Facts::signed_id("evt_1").kind("invoice.paid").order_key("in_7");
/// let unsigned = Facts::of_body().id("72d3162e-cc78-11e3-81ab-4c9367dc0958");
/// # let _ = (signed, unsigned);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Facts {
    pub(super) identity: Identity,
    pub(super) id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) order_key: Option<String>,
    pub(super) api_version: Option<String>,
    pub(super) headers: HeaderMap,
}

/// By what a second delivery of the same event is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// The provider's id.
    Id(String),
    /// The body, and what else tells two events of the same body apart.
    Body(Vec<u8>),
}

impl Facts {
    /// An event whose id the signature covers. Another request with this id is a duplicate, whatever its
    /// body. An empty id is none: then it is known [by its body](Self::of_body).
    pub fn signed_id(id: impl Into<String>) -> Self {
        let id = id.into();
        match id.is_empty() {
            true => Self::of_body(),
            false => Self::new(Identity::Id(id.clone())).id(id),
        }
    }

    /// An event without an id, or with one that isn't signed. Another request with this body is a
    /// duplicate, whatever its headers: whoever sends a signed body again can change these.
    pub fn of_body() -> Self {
        Self::of_body_and([])
    }

    /// The same where two events may have the same body, and this tells them apart.
    pub fn of_body_and(other: impl AsRef<[u8]>) -> Self {
        Self::new(Identity::Body(other.as_ref().to_vec()))
    }

    fn new(identity: Identity) -> Self {
        Self {
            identity,
            id: None,
            kind: None,
            time: None,
            order_key: None,
            api_version: None,
            headers: HeaderMap::new(),
        }
    }

    /// The provider's id for it, by which people find it there.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What kind of event it is, such as `invoice.paid`.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// When it happened, as the provider says.
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// What it is about, such as the id of an order. The handler gets it; no event waits for another.
    pub fn order_key(mut self, key: impl Into<String>) -> Self {
        self.order_key = Some(key.into());
        self
    }

    /// The version of the provider's API in which it is written.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    /// Stores these of the request's headers with it. None is stored otherwise, because others may be secret;
    /// credentials and values that are marked sensitive never are.
    pub fn keep(mut self, headers: &HeaderMap, names: &[&'static str]) -> Self {
        // Of any case.
        let names = names.iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        for name in names.filter(|name| !CREDENTIALS.contains(&name.as_str())) {
            let values = headers.get_all(&name).iter().filter(|value| !value.is_sensitive());
            self.headers.extend(values.map(|value| (name.clone(), value.clone())));
        }
        self
    }
}

/// Sets what is known, and leaves out what is not.
macro_rules! known {
    ($facts:expr, $($setter:ident: $value:expr),+ $(,)?) => {{
        let mut facts = $facts;
        $(if let Some(value) = $value {
            facts = facts.$setter(value);
        })+
        facts
    }};
}
pub(super) use known;

const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

impl From<Facts> for Verified {
    fn from(facts: Facts) -> Self {
        Self::Event(Box::new(facts))
    }
}
