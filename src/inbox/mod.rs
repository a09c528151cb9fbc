//! Webhooks: verified, recorded once, handled once.

mod builder;
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
pub use scheme::{GitHub, Scheme, Shopify, Slack, StandardWebhooks, Stripe};
pub use secret::Secret;

pub use crate::terms::inbox::InboxErrorKind;
