//! What well-known providers say in the bodies of answers whose status is ambiguous.

mod check;
mod codes;
mod known;
mod row;
mod xml_codes;

pub use check::Vendors;
pub use row::Row;
