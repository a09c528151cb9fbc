//! Both systems: an API over some contacts, each with the version of its last change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use outrigger::testing::{Answer, Script};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Contact {
    pub(crate) id: String,
    pub(crate) email: String,
    /// When it was changed last.
    pub(crate) changed: i64,
    /// The system's own number of this state: two states of the same time have two.
    #[serde(default)]
    revision: u64,
}

#[derive(Clone, Default)]
pub(crate) struct System(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    contacts: BTreeMap<String, Contact>,
    writes: Vec<String>,
    revisions: u64,
    is_down: bool,
}

impl Contact {
    pub(crate) fn new(id: &str, host: &str, changed: i64) -> Self {
        Self { id: id.to_owned(), email: format!("{id}@{host}"), changed, revision: 0 }
    }

    /// As an entity tag.
    pub(crate) fn version(&self) -> String {
        format!("\"{}\"", self.revision)
    }
}

impl System {
    pub(crate) fn put(&self, contact: Contact) {
        self.with(|inner| inner.keep(contact));
    }

    pub(crate) fn get(&self, id: &str) -> Contact {
        self.with(|inner| inner.contacts[id].clone())
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.with(|inner| inner.contacts.contains_key(id))
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.with(|inner| inner.is_down = is_down);
    }

    /// The contacts that were written by its API, in order.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.with(|inner| inner.writes.clone())
    }

    pub(crate) fn provider(&self) -> Script {
        let system = self.clone();
        Script::by(move |request| {
            system.with(|inner| match request.method() {
                _ if inner.is_down => Answer::status(503),
                &Method::PUT => inner.write(request),
                _ => inner.read(request.uri().path()),
            })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn keep(&mut self, contact: Contact) {
        self.revisions += 1;
        let contact = Contact { revision: self.revisions, ..contact };
        self.contacts.insert(contact.id.clone(), contact);
    }

    /// All contacts, or one.
    fn read(&self, path: &str) -> Answer {
        let Some(id) = path.strip_prefix("/contacts/") else {
            let all: Vec<_> = self.contacts.values().collect();
            return Answer::status(200).body(serde_json::to_vec(&all).unwrap_or_default());
        };
        let Some(one) = self.contacts.get(id) else { return Answer::status(404) };
        Answer::status(200).body(serde_json::to_vec(one).unwrap_or_default())
    }

    /// On the condition that the request states (RFC 9110, 13.1).
    fn write(&mut self, request: &http::Request<bytes::Bytes>) -> Answer {
        let Ok(new) = serde_json::from_slice::<Contact>(request.body()) else {
            return Answer::status(400);
        };
        let present = self.contacts.get(&new.id).map(Contact::version);
        let (must_be, must_not_be) =
            (request.headers().get("if-match"), request.headers().get("if-none-match"));
        let is_other = must_be.is_some_and(|it| present.as_ref().is_none_or(|has| it != has));
        if is_other || must_not_be.is_some() && present.is_some() {
            return Answer::status(412);
        }
        self.writes.push(new.id.clone());
        self.keep(new);
        Answer::status(200)
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let emails = self.with(|inner| {
            inner.contacts.values().map(|contact| contact.email.clone()).collect::<Vec<_>>()
        });
        f.write_str(&emails.join(", "))
    }
}
