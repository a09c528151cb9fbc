use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::io;

use super::next;
use crate::outcome::Error;
use crate::redact::Redactor;

/// Shows a foreign error and its sources by their types and the lengths of their texts.
///
/// The texts were written by other crates and may contain anything. A redactor may show them.
pub(crate) struct Sources<'a> {
    pub(crate) first: Option<&'a (dyn StdError + 'static)>,
    pub(crate) redactor: Option<&'a dyn Redactor>,
}

/// One level of it.
struct Level<'a> {
    error: &'a (dyn StdError + 'static),
    redactor: Option<&'a dyn Redactor>,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = std::iter::successors(self.first, |error| next(*error)).take(DEEPEST);
        let levels = levels.map(|error| Level { error, redactor: self.redactor });
        f.debug_list().entries(levels).finish()
    }
}

impl fmt::Debug for Level<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = type_name(self.error);
        if let Some(redactor) = self.redactor {
            let mut text = String::new();
            // If writing fails, show what was written so far.
            let _ = write!(text, "{}", self.error);
            return write!(f, "{name}: {:?}", redactor.text(&text));
        }
        let mut length = Length(0);
        let _ = write!(length, "{}", self.error);
        match self.error.downcast_ref::<io::Error>() {
            Some(error) => write!(f, "{name}({:?}) [{} bytes]", error.kind(), length.0),
            None => write!(f, "{name} [{} bytes]", length.0),
        }
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// The type's name, for known types.
fn type_name(error: &(dyn StdError + 'static)) -> &'static str {
    match error {
        error if error.is::<Error>() => "outrigger::Error",
        error if error.is::<io::Error>() => "io::Error",
        #[cfg(feature = "hyper")]
        error if error.is::<hyper_util::client::legacy::Error>() => "hyper_util::Error",
        #[cfg(feature = "hyper")]
        error if error.is::<hyper::Error>() => "hyper::Error",
        #[cfg(feature = "hyper")]
        error if error.is::<h2::Error>() => "h2::Error",
        #[cfg(feature = "rustls")]
        error if error.is::<rustls::Error>() => "rustls::Error",
        #[cfg(feature = "reqwest")]
        error if error.is::<reqwest::Error>() => "reqwest::Error",
        _ => "error",
    }
}

/// A limit, because a chain of sources may be a circle.
const DEEPEST: usize = 16;
