//! Answers as vendors document them, and what a careful engineer calls each. The bodies are written for
//! these tests, with the members and codes of the page that each row names; `sources` has the pages'
//! addresses, and says which of them were read.

mod bad_looking;
mod clouds;
mod commerce;
mod graphql;
mod models;
mod others;
mod pages;
mod sources;
mod work;

use outrigger::ResponseExt;
use outrigger::event::{End, Event};
use outrigger::outcome::Class;
use outrigger::testing::Answer;
use outrigger::validate::{Problems, ValidateLayer, Vendors};

use crate::bench::Bench;

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Means {
    /// It is as it should be.
    Fine,
    /// A part of it is.
    Part,
    /// The provider failed; later it may not.
    Later,
    /// It would be refused again.
    Refused,
    /// The credentials were refused.
    Login,
    /// Fewer or later requests; after so many seconds, if it says.
    Limit(Option<f64>),
    /// It isn't what was agreed on.
    Wrong,
}

use Means::{Fine, Later, Limit, Login, Part, Refused, Wrong};

/// A page of a vendor's documentation, a status, a media type, a body, and what it means.
type Row = (&'static str, u16, &'static str, &'static str, Means);

const JSON: &str = "application/json; charset=utf-8";
const XML: &str = "application/xml";
const HTML: &str = "text/html; charset=UTF-8";

/// What an integration makes of each of them, sent by POST.
async fn each_means(rows: &[Row], checks: impl Fn() -> ValidateLayer) {
    each_means_with(rows, &[], checks).await;
}

async fn each_means_with(
    rows: &[Row],
    headers: &[(&'static str, &str)],
    checks: impl Fn() -> ValidateLayer,
) {
    for (page, status, media, body, means) in rows {
        let mut answer = Answer::status(*status).body(*body);
        if !media.is_empty() {
            answer = answer.header("content-type", media);
        }
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        let found = found(answer, checks()).await;
        assert_eq!(found, *means, "{page}: {status} {body}");
    }
}

async fn found(answer: Answer, checks: ValidateLayer) -> Means {
    let bench = Bench::new([answer], checks);
    let wait = match bench.send(http::Method::POST).await {
        Err(error) => error.retry_after(),
        Ok(answer) => answer.error_for_status().err().and_then(|error| error.retry_after()),
    };
    let class = bench.events.events().into_iter().find_map(|event| match event {
        Event::AttemptFinished {
            end: End::Answered { class, .. } | End::Failed { class, .. },
            ..
        } => Some(class),
        _ => None,
    });
    match class.unwrap() {
        Class::Success => Fine,
        Class::Partial => Part,
        Class::ServerError => Later,
        Class::ClientError => Refused,
        Class::Unauthorized => Login,
        Class::Throttled => Limit(wait.map(|wait| wait.as_millis() as f64 / 1e3)),
        Class::Invalid => Wrong,
        other => panic!("{other}"),
    }
}

/// What well-known providers say, whatever the media type is.
fn vendors() -> ValidateLayer {
    ValidateLayer::new().enforce(Vendors::new()).enforce(Problems::new())
}
