//! How long an answer may be used: directives, lifetimes, ages, windows of staleness, variants, groups.
//!
//! Everything here is pure: headers and times in, decisions out. The rules are those of a private
//! cache by RFC 9111, with stale-while-revalidate and stale-if-error by RFC 5861, and groups by RFC 9875.

mod age;
mod directives;
mod groups;
mod storing;
mod validity;
mod vary;

pub(crate) use age::{Moments, TimedHeaders, http_date_of};
pub(crate) use directives::Directives;
pub(crate) use groups::strings;
pub(crate) use storing::{Storing, freshened, stored_headers};
pub(crate) use validity::{Failure, Plan, Validity, Windows};
pub(crate) use vary::{Selection, list_members, names_credential, names_key};
