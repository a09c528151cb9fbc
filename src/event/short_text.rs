use std::fmt;

/// A short text of an event, such as the name of a key: at most 48 bytes, the rest is cut off.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortText {
    bytes: [u8; MOST],
    length: u8,
}

impl ShortText {
    pub(crate) fn new(text: &str) -> Self {
        let fits = |at: &usize| text.is_char_boundary(*at);
        let end = (0..=text.len().min(MOST)).rev().find(fits).unwrap_or_default();
        let text = &text[..end];
        let mut bytes = [0; MOST];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self { bytes, length: text.len() as u8 }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length.into()]).unwrap_or_default()
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Most names of keys, headers and versions are shorter, and an event stays small enough to be copied.
const MOST: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character() {
        for (text, kept) in [("", 0), ("key-1", 5), (&"k".repeat(48), 48), (&"k".repeat(49), 48)] {
            assert_eq!(ShortText::new(text).as_str(), &text[..kept]);
        }
        let umlauts = format!("k{}", "ä".repeat(40));
        assert_eq!(ShortText::new(&umlauts).as_str().chars().count(), 24);
    }
}
