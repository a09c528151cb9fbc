//! One account's rate, shared by leases. See the [module](super).
//!
//! | file | what |
//! |---|---|
//! | `fair` | who gets how much, of what is told |
//! | `ledger` | the same, of the database's rows |
//! | `lease` | what one holder may use, and when it asks again |
//! | `demand` | how much calls ask for |
//! | `store`, `sharing` | the statements, and the task that runs them |

mod demand;
mod fair;
mod lease;
mod ledger;
mod sharing;
mod store;
#[cfg(test)]
mod tests;

pub(super) use sharing::{begin, run};
