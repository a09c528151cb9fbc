/// The parts of a text that nobody may see.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<Part>);

#[derive(Clone, Copy, Debug)]
struct Part {
    from: usize,
    to: usize,
    mark: &'static str,
}

impl Hidden {
    /// Hides the bytes from `from` to before `to`.
    pub(super) fn hide(&mut self, from: usize, to: usize) {
        self.hide_as(from, to, MARK);
    }

    /// The same, where a JSON value stood.
    pub(super) fn hide_value(&mut self, from: usize, to: usize) {
        self.hide_as(from, to, MARKED_VALUE);
    }

    pub(super) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    fn hide_as(&mut self, from: usize, to: usize, mark: &'static str) {
        if from < to {
            self.0.push(Part { from, to, mark });
        }
    }

    /// The text without them. What reaches into a character takes all of it.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|part| (part.from, std::cmp::Reverse(part.to)));
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for Part { from, to, mark } in self.0 {
            let to = text.ceil_boundary(to);
            if to <= at {
                continue;
            }
            // What overlaps with the part before is the same part.
            if from > at || shown.is_empty() {
                shown.push_str(&text[at..text.floor_boundary(from).max(at)]);
                shown.push_str(mark);
            } else if from == at && !shown.ends_with(MARK) && !shown.ends_with(MARKED_VALUE) {
                shown.push_str(mark);
            }
            at = to;
        }
        shown.push_str(&text[at..]);
        shown
    }
}

/// Where a byte's character begins and ends.
trait Boundaries {
    fn floor_boundary(&self, at: usize) -> usize;
    fn ceil_boundary(&self, at: usize) -> usize;
}

impl Boundaries for str {
    fn floor_boundary(&self, at: usize) -> usize {
        let at = at.min(self.len());
        (0..=at).rev().find(|at| self.is_char_boundary(*at)).unwrap_or(0)
    }

    fn ceil_boundary(&self, at: usize) -> usize {
        (at..self.len()).find(|at| self.is_char_boundary(*at)).unwrap_or(self.len())
    }
}

/// What stands in the place of what is hidden.
pub(super) const MARK: &str = "[redacted]";
const MARKED_VALUE: &str = "\"[redacted]\"";
