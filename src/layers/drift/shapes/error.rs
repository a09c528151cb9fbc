use std::fmt;

/// Why a file's shapes can't be read. It names the place and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapesError {
    /// The endpoint and the pointer; empty for the file as a whole.
    place: String,
    problem: String,
}

impl ShapesError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for ShapesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => write!(f, "shapes: {}", self.problem),
            place => write!(f, "shapes: {place}: {}", self.problem),
        }
    }
}

impl std::error::Error for ShapesError {}
