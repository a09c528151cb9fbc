//! How providers sign, one file a scheme.

mod github;
mod message;
mod shopify;
mod slack;
mod standard;
mod stripe;
mod verifier;

pub use github::GitHub;
pub use message::MessageSignatures;
pub use shopify::Shopify;
pub use slack::Slack;
pub use standard::StandardWebhooks;
pub use stripe::Stripe;
pub use verifier::Scheme;
