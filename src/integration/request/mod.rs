//! Requests by the method, as somebody who comes from reqwest writes them.

mod answer;
mod builder;
mod endpoint;
mod options;
mod uri;

pub use answer::ResponseExt;
pub use builder::RequestBuilder;
pub use options::CallOptions;

pub(super) use endpoint::Endpoint;
