//! How providers sign, one file a scheme.

/// The setter of a scheme that signs a time, with where its default is from.
macro_rules! tolerance {
    ($scheme:ident, $source:literal) => {
        impl $scheme {
            #[doc = concat!(
                "How much earlier or later than now it may be signed; 5 minutes by default, as in ",
                $source,
                "."
            )]
            ///
            /// Less than a second is a second, because signed times are whole seconds.
            #[must_use]
            pub fn tolerance(mut self, tolerance: Duration) -> Self {
                self.tolerance = tolerance;
                self
            }
        }
    };
}

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
