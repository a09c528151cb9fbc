use std::error::Error as StdError;
use std::fmt;

use crate::control::ControlError;
use crate::outbox::OutboxError;
use crate::settings::{ConfigError, ValidationError};

/// Why a fleet didn't do what was asked.
#[derive(Debug)]
pub struct FleetError(Cause);

/// What kind of failure a [`FleetError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetErrorKind {
    /// No instance has an integration of this name.
    NoIntegration,
    /// No instance has such a control or position; or the control can't be set in this way.
    Control,
    /// The settings have mistakes: [`FleetError::errors`] has all of them.
    Settings,
    /// The database takes nothing at the moment, or nobody knows whether it did. To ask for the same again changes nothing
    /// twice.
    Unavailable,
    /// The database refuses, or its tables are missing or of another version.
    Database,
    /// It runs already.
    Running,
}

#[derive(Debug)]
pub(super) enum Cause {
    NoIntegration {
        name: String,
        /// The one that was probably meant.
        near: Option<String>,
    },
    /// No instance has a control or a position of this name: a sentence.
    NoName(String),
    Control(ControlError),
    Settings(ConfigError),
    Database(OutboxError),
    Running,
}

impl FleetError {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> FleetErrorKind {
        match &self.0 {
            Cause::NoIntegration { .. } => FleetErrorKind::NoIntegration,
            Cause::NoName(_) | Cause::Control(_) => FleetErrorKind::Control,
            Cause::Settings(_) => FleetErrorKind::Settings,
            Cause::Database(error) if error.is_transient() => FleetErrorKind::Unavailable,
            Cause::Database(_) => FleetErrorKind::Database,
            Cause::Running => FleetErrorKind::Running,
        }
    }

    /// All mistakes of settings; none if it failed for another reason.
    #[must_use]
    pub fn errors(&self) -> &[ValidationError] {
        match &self.0 {
            Cause::Settings(error) => error.errors(),
            _ => &[],
        }
    }
}

impl<C: Into<Cause>> From<C> for FleetError {
    fn from(cause: C) -> Self {
        Self(cause.into())
    }
}

impl From<OutboxError> for Cause {
    fn from(error: OutboxError) -> Self {
        Self::Database(error)
    }
}

impl From<ControlError> for Cause {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<ConfigError> for Cause {
    fn from(error: ConfigError) -> Self {
        Self::Settings(error)
    }
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::NoIntegration { name, near } => {
                write!(f, "no instance has an integration of the name {name:?}")?;
                near.iter().try_for_each(|near| write!(f, ": did you mean {near:?}?"))
            }
            Cause::NoName(why) => f.write_str(why),
            Cause::Control(error) => error.fmt(f),
            Cause::Settings(error) => error.fmt(f),
            Cause::Database(error) => error.fmt(f),
            Cause::Running => f.write_str("this fleet runs already in this process"),
        }
    }
}

impl StdError for FleetError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Cause::Database(error) => error.source(),
            _ => None,
        }
    }
}
