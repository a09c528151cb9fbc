use std::fmt;
use std::time::SystemTime;

/// A setting that people change by hand while a service runs.
pub trait Control: Send + Sync {
    /// Its name: `kill_switch`.
    fn name(&self) -> &'static str;

    /// The positions that it can be set to, the default first.
    fn positions(&self) -> &'static [&'static str];

    /// Whether it stays in this position. If not, the position asks for something that is done once, such as a load.
    fn holds(&self, _position: &str) -> bool {
        true
    }

    /// Its present state.
    fn state(&self) -> ControlState;

    /// Sets its position. A control may record who did so and why.
    ///
    /// # Errors
    ///
    /// If it has no such position, or can't be set.
    fn set(&self, to: &str, who: &str, why: &str) -> Result<(), ControlError>;
}

/// The state of a control.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlState {
    /// The control's name.
    pub name: &'static str,
    /// Its position.
    pub position: String,
    /// Whether it has its default position.
    pub is_default: bool,
    /// Who set it, if that is recorded.
    pub who: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Since when.
    pub since: Option<SystemTime>,
    /// What is wrong with the source that sets it.
    pub error: Option<String>,
    /// Whether this error matters. A file that has never existed doesn't, while the control has its
    /// default position.
    pub has_error: bool,
}

/// Why a control was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// No integration has this name.
    NoIntegration(String),
    /// The integration has no such control.
    NoControl(String),
    /// The control has no such position.
    NoPosition {
        /// The position that was asked for.
        asked: String,
        /// The positions that it has.
        positions: &'static [&'static str],
    },
    /// The control can't be set to this position at present.
    Refused(String),
}

impl ControlState {
    pub(crate) fn new(name: &'static str, position: impl Into<String>, is_default: bool) -> Self {
        let position = position.into();
        Self {
            name,
            position,
            is_default,
            who: None,
            why: None,
            since: None,
            error: None,
            has_error: false,
        }
    }
}

impl ControlError {
    pub(crate) fn no_position(asked: &str, positions: &'static [&'static str]) -> Self {
        Self::NoPosition { asked: asked.to_owned(), positions }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIntegration(name) => write!(f, "no integration is called {name:?}"),
            Self::NoControl(name) => write!(f, "there is no control {name:?}"),
            Self::NoPosition { asked, positions } => {
                write!(f, "no position {asked:?}: use one of {}", positions.join(", "))
            }
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ControlError {}
