use std::fmt;
use std::time::SystemTime;

/// Something that people move while a service runs.
pub trait Lever: Send + Sync {
    /// Its name: `kill_switch`.
    fn name(&self) -> &'static str;

    /// The positions that it can be pulled to, the usual one first.
    fn positions(&self) -> &'static [&'static str];

    /// Where it stands.
    fn state(&self) -> LeverState;

    /// Moves it; who does so and why is kept where the lever keeps it.
    ///
    /// # Errors
    ///
    /// When it has no such position, or can't be moved.
    fn pull(&self, to: &str, who: &str, why: &str) -> Result<(), LeverError>;
}

/// Where a lever stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeverState {
    /// The lever's name.
    pub name: &'static str,
    /// Its position.
    pub position: String,
    /// It is where it usually is.
    pub is_usual: bool,
    /// Who moved it there, where that is kept.
    pub who: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Since when.
    pub since: Option<SystemTime>,
    /// What is wrong with what moves it.
    pub trouble: Option<String>,
    /// Whether that matters: a file that was never there isn't missed while the lever is where it
    /// usually is.
    pub is_troubled: bool,
}

/// Why a lever was not moved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeverError {
    /// No integration has this name.
    NoIntegration(String),
    /// The integration has no such lever.
    NoLever(String),
    /// The lever has no such position.
    NoPosition {
        /// The position that was asked for.
        asked: String,
        /// Those that there are.
        positions: &'static [&'static str],
    },
    /// The lever can't be moved there as things are.
    Refused(String),
}

impl LeverState {
    pub(crate) fn new(name: &'static str, position: impl Into<String>, is_usual: bool) -> Self {
        let position = position.into();
        Self {
            name,
            position,
            is_usual,
            who: None,
            why: None,
            since: None,
            trouble: None,
            is_troubled: false,
        }
    }
}

impl LeverError {
    pub(crate) fn no_position(asked: &str, positions: &'static [&'static str]) -> Self {
        Self::NoPosition { asked: asked.to_owned(), positions }
    }
}

impl fmt::Display for LeverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIntegration(name) => write!(f, "no integration is called {name:?}"),
            Self::NoLever(name) => write!(f, "there is no lever {name:?}"),
            Self::NoPosition { asked, positions } => {
                write!(f, "no position {asked:?}: use one of {}", positions.join(", "))
            }
            Self::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LeverError {}
