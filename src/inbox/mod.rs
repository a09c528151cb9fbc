//! Webhooks: verified, recorded once, handled once.

mod counts;
mod error;
mod event;
mod facts;
mod handler;
mod inbox;
mod record;
mod scheme;
mod secret;
mod service;
mod verify;

pub use counts::InboxCounts;
pub use error::InboxError;
pub use event::{ReceivedEvent, lane};
pub use facts::{Facts, Verified};
pub use inbox::{Inbox, InboxBuilder};
pub use record::Received;
pub use scheme::{GitHub, Scheme, Shopify, Slack, StandardWebhooks, Stripe};
pub use secret::Secret;

pub use crate::terms::inbox::InboxErrorKind;

/// How long an event must stay known, at least: 7 days.
pub const WINDOW: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
