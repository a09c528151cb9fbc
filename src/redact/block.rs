//! Texts of many lines under a name (YAML 1.2, 8.1): `key: |`, and then lines that stand further in.

use super::encoded::Seen;

/// From where to where the lines are, if what follows the sign says that they come.
pub(super) fn find(view: &[Seen], from: usize) -> Option<(usize, usize)> {
    let count = |at: usize, signs: &str| {
        view[at..].iter().take_while(|seen| signs.contains(seen.char)).count()
    };
    let style = from + count(from, " \t");
    if !matches!(view.get(style)?.char, '|' | '>') {
        return None;
    }
    let head = style + 1 + count(style + 1, "+-0123456789");
    let begin = head + count(head, " \t\r") + 1;
    if view.get(begin - 1)?.char != '\n' {
        return None;
    }
    let line = view[..from].iter().rev().take_while(|seen| seen.char != '\n').count();
    let outer = count(from - line, " ");
    let mut end = begin;
    while end < view.len() {
        let inner = count(end, " ");
        let length = view[end..].iter().take_while(|seen| seen.char != '\n').count();
        let is_blank = inner == length || view[end].char == '\r';
        if inner <= outer && !is_blank {
            break;
        }
        end = (end + length + 1).min(view.len());
    }
    // The line's own end stays.
    let end = end - usize::from(view[end - 1].char == '\n' && end < view.len());
    (begin < end).then_some((begin, end))
}
