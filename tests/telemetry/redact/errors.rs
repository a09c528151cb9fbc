//! Errors of other crates, whose texts may hold anything.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use outrigger::redact::StandardRedactor;
use outrigger::testing::{Answer, Script};
use outrigger::{Error, Integration};
use tower::service_fn;

use crate::call::{get, read};

/// Whose text says too much, at each level.
#[derive(Debug)]
struct Talkative(Option<Box<Self>>);

impl fmt::Display for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ada Lovelace, ada@crm.test, pw hunter2")
    }
}

impl StdError for Talkative {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.as_deref().map(|inner| inner as _)
    }
}

async fn failed() -> Error {
    let fails = service_fn(|_: http::Request<outrigger::Body>| async {
        let inner = Talkative(Some(Box::new(Talkative(None))));
        Err::<http::Response<outrigger::Body>, _>(io::Error::other(inner))
    });
    let crm = Integration::user_flow("crm").without_retry().service(fails).build().unwrap();
    read(crm.send(get())).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn debug_shows_which_errors_they_are_and_how_long_their_texts_are() {
    let error = failed().await;
    let shown = format!("{error} {error:?} {error:#?}");
    for part in ["Ada", "ada@", "hunter2"] {
        assert!(!shown.contains(part), "{shown}");
    }
    let shown = format!("{error:?}");
    let sources = "sources: [io::Error(Other) [38 bytes], error [38 bytes], error [38 bytes]]";
    assert!(shown.contains(sources), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_the_texts_gets_them_swept() {
    let error = failed().await;
    let shown = format!("{:?}", error.debug_with(&StandardRedactor::new().show_texts()));
    assert!(shown.contains("io::Error: \"Ada Lovelace, [redacted], pw hunter2\""), "{shown}");
    let shown = format!("{:?}", error.debug_with(&StandardRedactor::new()));
    assert!(!shown.contains("Ada") && shown.contains("io::Error: \"[38 bytes]\""), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_system_is_told_by_its_kind() {
    let answer = Answer::broken(io::ErrorKind::ConnectionReset);
    let crm = Integration::user_flow("crm").without_retry().service(Script::new([answer]));
    let error = read(crm.build().unwrap().send(get())).await.unwrap_err();
    assert!(format!("{error:?}").contains("io::Error(ConnectionReset)"), "{error:?}");
}
