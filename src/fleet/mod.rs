//! One switch and one set of settings for all instances of a service (feature `fleet`), over the PostgreSQL that is there already.

mod acts;
mod builder;
mod database;
mod error;
mod handle;
mod hints;
mod inner;
mod obey;
mod polling;
mod share;
mod state;
mod words;

pub use acts::Wanted;
pub use builder::FleetBuilder;
pub use error::{FleetError, FleetErrorKind};
pub use handle::Fleet;

pub use crate::terms::fleet::FleetEvent;
