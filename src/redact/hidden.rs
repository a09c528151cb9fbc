use std::ops::Range;

/// The parts of a text to be hidden.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<Range<usize>>);

impl Hidden {
    /// Hides these bytes.
    pub(super) fn hide(&mut self, part: Range<usize>) {
        if part.start < part.end {
            self.0.push(part);
        }
    }

    /// The text without them. What reaches into a character takes all of it, and so does what begins
    /// behind a backslash, which else would escape the mark.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_unstable_by_key(|part| part.start);
        let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
        for part in self.0 {
            let mut from = part.start.max(at);
            while from > at && !text.is_char_boundary(from) {
                from -= 1;
            }
            while from > at && text.as_bytes()[from - 1] == b'\\' {
                from -= 1;
            }
            let is_another = from > at || at == 0;
            if is_another && part.end > at {
                shown.push_str(&text[at..from]);
                shown.push_str(MARK);
            }
            let end = part.end.max(at).min(text.len());
            at = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        }
        shown.push_str(&text[at..]);
        shown
    }
}

/// The mark for a text that was cut.
pub(super) const CUT: &str = "[cut]";
/// How many bytes of a body's structure are shown: more is read by nobody, and masks can be longer than
/// what they stand for.
pub(super) const MOST_SHOWN: usize = 32 * 1024;
/// The mark for a hidden part.
pub(super) const MARK: &str = "[redacted]";
