//! Webhooks from providers: verified, recorded once, handled once.
//!
//! An [`Inbox`] is a tower service to mount. It verifies the signature over the bytes that arrived, records the
//! event in the store of an [`Outbox`](crate::outbox::Outbox), and answers 200. The outbox's workers handle it
//! afterwards: repeated by a schedule while your function fails, then dead and shown to people.
//!
//! ```
//! use outrigger::inbox::{GitHub, Inbox};
//! use outrigger::outbox::Outbox;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let outbox = Outbox::memory() // or, with feature `sqlite`: `Outbox::sqlite("app.db")`
//!     .on_event("github", |event| {
//!         println!("{:?} of {} bytes", event.kind(), event.body().len());
//!         Ok(())
//!     })
//!     .build()?;
//! let github = GitHub::new(["It's a Secret to Everybody"])?; // several while it is replaced
//! let inbox = Inbox::builder("github", github, &outbox).build()?;
//!
//! let app = axum::Router::<()>::new().route_service("/webhooks/github", inbox.clone());
//! tokio::spawn(async move { outbox.run().await });
//! # let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! # let request = http::Request::post("/webhooks/github").header("x-hub-signature-256", signature);
//! # let request = request.body(axum::body::Body::from("Hello, World!"))?;
//! # assert_eq!(tower::ServiceExt::oneshot(app, request).await?.status(), 200);
//! assert_eq!(inbox.counts().recorded, 1);
//! # Ok(()) }
//! ```
//!
//! # What is guaranteed
//!
//! - **Only what the provider signed is recorded.** The signature is checked over the body as it arrived, before
//!   anything of it is parsed, in a time that doesn't depend on where it is wrong, and with each secret in turn.
//!   Then the signed time is compared with our clock, both ways. What fails leaves no row.
//! - **200 means recorded.** The answer is sent when the store has committed the event. If the store fails or is
//!   slow, the answer is 503, and a provider that repeats sends it again.
//! - **Recorded once.** A second delivery of an event stores nothing, also if both come at once, and is answered
//!   with 200. [By what it is known](#by-what-an-event-is-known) depends on what the provider signs.
//! - **Handled once, if all that handling does is in the store.** With SQLite and PostgreSQL, your function gets
//!   the transaction that marks the event as handled: what it writes is kept if, and only if, the event is handled.
//!   What it does elsewhere may happen again after a crash or a failure: enqueue that as a
//!   [`Message`](crate::outbox::Message) in the same transaction.
//! - **What isn't signed costs little.** Headers are checked before anything of the body is read: a request without
//!   a signature, with one that can't be one, or with an old time is refused at once. How many requests and bytes
//!   are under way is bounded.
//! - **Never given up silently.** An event whose handling fails every time is dead, and stays until a person
//!   decides. If the provider sends it again (somebody pressed "redeliver"), it is handled anew; one that a person
//!   discarded isn't.
//!
//! No provider promises an order, and none that every event arrives: see [below](#order).
//!
//! # Schemes
//!
//! | scheme | headers | what is signed | how | age | source |
//! |---|---|---|---|---|---|
//! | [`StandardWebhooks`], also Svix | `webhook-id`, `-timestamp`, `-signature`, or `svix-*` | id, time, body | several `v1,` (HMAC-SHA256, secret `whsec_`) and `v1a,` (Ed25519, public key `whpk_`), base64 | 5 min | [specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) |
//! | [`Stripe`] | `stripe-signature` | time, body | several `v1=`, HMAC-SHA256, hex | 5 min | [docs.stripe.com](https://docs.stripe.com/webhooks/signature) |
//! | [`GitHub`] | `x-hub-signature-256` | body | HMAC-SHA256, hex | none | [docs.github.com](https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries) |
//! | [`Shopify`] | `x-shopify-hmac-sha256` | body | HMAC-SHA256, base64 | none | [shopify.dev](https://shopify.dev/docs/apps/build/webhooks/verify-deliveries) |
//! | [`Slack`] | `x-slack-signature`, `x-slack-request-timestamp` | time, body | `v0=`, HMAC-SHA256, hex | 5 min | [docs.slack.dev](https://docs.slack.dev/authentication/verifying-requests-from-slack) |
//! | [`MessageSignatures`] | `signature`, `signature-input`, `content-digest` | what the signer covers; the body's digest must be | HMAC-SHA256, Ed25519 or ECDSA P-256, base64 | 5 min | [RFC 9421](https://www.rfc-editor.org/rfc/rfc9421) |
//! | your own [`Scheme`] | | a function of head, body and time | | | |
//!
//! # By what an event is known
//!
//! | scheme | two requests are one event if they have | the handler gets besides the body |
//! |---|---|---|
//! | Standard Webhooks | the same `webhook-id` | `type` and `timestamp` of the body, if they are there |
//! | Stripe | the same `id` in the body | `type`, `created`, `api_version`; order key: the `id` of `data.object` |
//! | GitHub | the same body | `x-github-delivery` as id, `x-github-event` |
//! | Shopify | the same topic and body | `x-shopify-event-id`, topic, `x-shopify-triggered-at`, API version; order key: resource and `id` |
//! | Slack | the same `event_id` in the body; without one, the same body and time | the event's `type`, `event_time` |
//! | Message Signatures | the same id in a header that is signed, if you name one; otherwise the same body | |
//!
//! An id counts only if it is signed. GitHub and Shopify sign the body alone: whoever has seen one signed request
//! could send it again under another id, so the id must not make it a new event. The price is that two real
//! events with byte for byte the same body are one: two `workflow_dispatch` or `repository_dispatch` of GitHub with
//! the same inputs can be; give these something that differs, such as the caller's own id. Shopify's topic isn't
//! signed either; it counts all the same, because one order is told to several topics in the same words. So what
//! the handler gets of GitHub and Shopify besides the body (the kind, the id, the time) is a hint, as whoever sent
//! the request wrote it: decide by the body, or fetch the object from the provider. That holds for
//! [`ReceivedEvent::time`] of Shopify, too, and so for [`is_newest_since`](ReceivedEvent::is_newest_since): an old
//! state that is sent again with a later time would look like the newest. Compare a time in the body instead, such
//! as an order's `updated_at`.
//!
//! Stripe may tell one change in two events with two ids: what must happen once a change needs a key of yours,
//! such as [`order_key`](ReceivedEvent::order_key) and [`kind`](ReceivedEvent::kind).
//!
//! # How long an event is known
//!
//! As long as its row is in the store: [`retention`](crate::outbox::OutboxBuilder::retention) after it was
//! handled, 7 days by default, and for ever while it isn't. An inbox whose outbox keeps events for less than the
//! provider may [send them again](Scheme::repeats_for) isn't built. After that, the age of the signature protects from an old request that somebody captured, but for GitHub's and
//! Shopify's, which have none. It doesn't protect from one that the provider signs anew: an event that somebody
//! resends by hand after so long is handled again, so keep events for as long as that can be, with `retention`.
//!
//! # What is answered
//!
//! | | status | |
//! |---|---|---|
//! | recorded, now or before | 200 | |
//! | Slack's `url_verification` | 200 | with the challenge; no row |
//! | not verified, or too old | 401 | the text says which check failed; no row |
//! | not a POST | 405 | |
//! | the body is too large | 413 | not read further |
//! | the body breaks off, or is too slow | 400, 408 | |
//! | too much is under way | 503 | with `retry-after`; the body is not read further |
//! | the store fails or is slow | 503 | with `retry-after` |
//! | your scheme panics | 500 | |
//!
//! # What providers expect
//!
//! | provider | an answer within | and otherwise sends again |
//! |---|---|---|
//! | Slack | 3 s | 3 times in about 6 minutes |
//! | Shopify | 5 s | 8 times in 4 hours; then it removes the subscription |
//! | GitHub | 10 s | never by itself: a person or your program has to ask for it |
//! | Stripe | "quickly" | for 3 days |
//! | Standard Webhooks | 15 to 30 s are recommended to senders | for 3 days in the specification's example |
//!
//! Recording takes some milliseconds. The limit of the whole answer is below what the provider waits.
//!
//! # Handling
//!
//! `on_event` of the outbox's builder gives a source its function, and a lane named [`lane`]`(source)`. A
//! function that returns an error or panics is called again by the [schedule](EventLane::schedule). A source has
//! one function. It runs for one event at a time in each process, so it must be short and call nobody. With SQLite, it
//! runs on the thread that writes to the file, and must block on nothing. With PostgreSQL
//! (`Outbox::postgres(store).on_event(…)`), it returns a future that may await what its transaction does, for at most
//! 10 s. Errors are not logged: log what you need to know in the function.
//!
//! [`Outbox::run`](crate::outbox::Outbox::run) handles events; it also takes back those of a worker that was
//! lost, and removes old rows. A process that only receives has an outbox without lanes, on the same store.
//!
//! For people, an event is a message of the outbox: [`stats`](crate::outbox::Outbox::stats) and
//! [`browse`](crate::outbox::Outbox::browse) by its lane, [`replay`](crate::outbox::Outbox::replay),
//! [`act`](crate::outbox::Outbox::act), [`pause`](crate::outbox::Outbox::pause). Its correlation id is the provider's id for
//! the event, so that [`Filter::named`](crate::outbox::Filter::named) finds it. A
//! [subscriber](EventLane::subscriber) of the lane is told when an event is dead.
//!
//! # Order
//!
//! No provider promises one: an update may arrive before the creation. So no event waits for another, and one
//! that fails because something is missing succeeds when it is tried again. If an event carries a whole state,
//! skip one that is [older](ReceivedEvent::is_newest_since) than what you applied for its
//! [order key](ReceivedEvent::order_key); or take it for a hint, and ask the provider for the present state through
//! an [integration](crate::Integration). Events also get lost: where that matters, compare both sides from time
//! to time.
//!
//! # Versions
//!
//! A provider may begin to send another version of its API. With the one that your function was written for as
//! [`api_version`](InboxBuilder::api_version), events of another are told and counted, and recorded all the same.
//!
//! # What is told
//!
//! [`Inbox::counts`], and with feature `tracing` a warning for each kind of refusal: at once, then at most every
//! 10 s with how many there were, because anybody can send to a public URL. Neither has a secret, or anything
//! that was sent. [`Secret`] shows nothing in `Debug`.
//!
//! # When not to use it
//!
//! - The answer's body matters to the sender, as for commands that show a result: answer yourself, verify by
//!   [`Scheme::verify`].
//! - A broker or a gateway in front of you verifies and stores already.
//! - Your function has to await more than the store's own transaction: do that in a message of the outbox that it
//!   enqueues, or in a task of your own.
//! - Large files: a body is in memory until it is recorded.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`max_body`](InboxBuilder::max_body) | 1 MiB; Shopify 8 MiB, GitHub 25 MiB | GitHub names 25 MB; the others send some kilobytes |
//! | [`max_under_way`](InboxBuilder::max_under_way) | 256 requests | more than a provider sends at once; hundreds share a transaction |
//! | [`max_bytes_under_way`](InboxBuilder::max_bytes_under_way) | 64 MiB | one of GitHub's largest bodies at a time may arrive in the half that bodies share that aren't whole; the other half is for those that come at once |
//! | `tolerance` of a scheme | 5 min, both ways | the providers' own libraries |
//! | signatures in one request | at most 8 are tried | two while a secret is replaced; the sender must not choose how much work it is |
//! | [`time_limit`](InboxBuilder::time_limit) | 4 s; Slack 2.5 s, GitHub 9 s | less than the provider waits |
//! | [`max_attempts`](InboxBuilder::max_attempts) | 40 | about a day and a half by the default schedule |
//! | [`schedule`](EventLane::schedule) | 1 s, 5 s, 30 s, 5 min, doubled to 1 h | the [outbox's](crate::outbox::Schedule) |
//! | an event that nobody tries to handle | dead after 7 days | longer than a weekend without workers |

mod builder;
mod capacity;
mod counts;
mod error;
mod event;
mod facts;
mod handler;
mod receive;
mod record;
mod scheme;
mod secret;
mod service;
mod verify;

pub use builder::InboxBuilder;
pub use counts::InboxCounts;
pub use error::InboxError;
pub use event::{ReceivedEvent, lane};
pub use facts::{Facts, Verified};
pub use handler::EventLane;
pub use receive::Inbox;
pub use record::Received;
pub use scheme::{GitHub, MessageSignatures, Scheme, Shopify, Slack, StandardWebhooks, Stripe};
pub use secret::Secret;

pub use crate::terms::inbox::InboxErrorKind;
