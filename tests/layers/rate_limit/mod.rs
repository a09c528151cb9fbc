//! A provider's rate: kept, learned, and shared by all callers.

mod learning;
mod provider;
