//! How providers sign, one file a scheme.

mod github;
mod scheme;
mod shopify;
mod slack;
mod standard;
mod stripe;

pub use github::GitHub;
pub use scheme::Scheme;
pub use shopify::Shopify;
pub use slack::Slack;
pub use standard::StandardWebhooks;
pub use stripe::Stripe;
