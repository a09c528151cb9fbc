//! The shapes of answers in JSON: learned, compared, written to a file.

mod change;
mod compare;
mod config;
mod error;
mod file;
mod json_types;
mod learned;
mod node;
mod reading;

mod watch;
mod words;

pub use change::ShapeChange;
pub use config::ShapeConfig;
pub use error::ShapesError;
pub use file::Shapes;

pub(super) use learned::Learned;
pub(super) use reading::Reading;
