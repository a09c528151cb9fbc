//! Answers against an OpenAPI document.

mod check;
mod dialect;
mod operation;

pub use check::OpenApi;
