use std::fmt;
use std::hint::black_box;

/// A text that nothing shows, and that is overwritten when it is dropped, as far as that is possible
/// without `unsafe`: copies that a `String` left when it grew are out of reach.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text.into_bytes())
    }

    /// `None` if it is no text.
    pub(super) fn of(bytes: Vec<u8>) -> Option<Self> {
        let secret = Self(bytes);
        std::str::from_utf8(&secret.0).is_ok().then_some(secret)
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Its lines without blanks around them, as those of a file that people write: editors on Windows may put
    /// a byte order mark before the first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.as_str().trim_start_matches('\u{feff}').lines().map(str::trim)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Somebody might look, so the bytes must be written.
        black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
