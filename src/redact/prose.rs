//! Names and their values in a sentence or a command, where no sign parts them.

use super::encoded::Seen;
use super::hidden::Hidden;
use super::names::Names;
use super::pairs::{LONGEST_NAME, closing};

/// Hides what a sentence says of a secret: `password is "…"`, `token -> …`, `--api-key …`, and a word
/// right after it that is none of a language: `invalid token a1b2c3`.
pub(super) fn find(view: &[Seen], names: &Names, hidden: &mut Hidden) {
    let (mut at, mut before, mut line_end) = (0, 0..0, 0);
    while at < view.len() {
        let length = view[at..].iter().take_while(|seen| is_part(seen.char)).count();
        if length == 0 {
            at += 1;
            continue;
        }
        let dashes = view[at..at + length].iter().rev().take_while(|seen| seen.char == '-').count();
        let word = at..at + length - dashes;
        let named = |at| is_name(&view[at], &view[word.clone()], names);
        at += length;
        if let Some((from, is_told)) = begin(view, word.end, is_option(&view[word.clone()]))
            && named(before)
        {
            if line_end <= from {
                let is_end = |seen: &Seen| seen.char == '\n';
                let rest = &view[from..];
                line_end = from + rest.iter().position(is_end).unwrap_or(rest.len());
            }
            let (from, to) = value(&view[..line_end], from, is_told);
            if from < to {
                hidden.hide(view[from].from, view[to - 1].to);
                at = to;
            }
        }
        before = word;
    }
}

fn is_part(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-')
}

fn is_option(word: &[Seen]) -> bool {
    matches!(word, [Seen { char: '-', .. }, second, ..] if second.char != '>')
}

/// Whether a word is the name of a secret, alone or with the word before it: `api key`.
fn is_name(before: &[Seen], word: &[Seen], names: &Names) -> bool {
    if before.len() + word.len() > LONGEST_NAME {
        return false;
    }
    let text = |word: &[Seen]| word.iter().map(|seen| seen.char).collect::<String>();
    let (before, word) = (text(before), text(word));
    match word.to_ascii_lowercase().as_str() {
        "key" | "id" => names.is_spoken(&(before + &word)),
        "code" => names.is_spoken(&before) || names.is_spoken(&(before + &word)),
        // What a parser trips over is a token too.
        _ => names.is_spoken(&word) && !before.eq_ignore_ascii_case("unexpected"),
    }
}

/// Where the value begins that may stand after a word, and whether anything says so.
fn begin(view: &[Seen], end: usize, is_option: bool) -> Option<(usize, bool)> {
    let is_end = |seen: &Seen| matches!(seen.char, '"' | '\'' | '`' | ']');
    let closed = end + usize::from(view.get(end).is_some_and(is_end));
    let mut from = spaces(view, closed);
    let (mut is_told, mut is_apart) = (is_option, from > closed);
    for _ in 0..MOST_BETWEEN {
        let Some((after, is_arrow)) = link(view, from) else { break };
        is_told |= is_arrow;
        is_apart |= is_arrow;
        from = spaces(view, after);
    }
    (is_apart && from < view.len()).then_some((from, is_told))
}

/// From where to where the value is that begins here, in its line; nothing, if it is none.
fn value(view: &[Seen], from: usize, is_told: bool) -> (usize, usize) {
    let first = view[from].char;
    if let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == first) {
        return (from + 1, closing(view, from + 1, *close));
    }
    let to = from + view[from..].iter().take_while(|seen| !is_over(seen.char)).count();
    let is_after = |seen: &&Seen| ".:!?)]}'`".contains(seen.char);
    let to = to - view[from..to].iter().rev().take_while(is_after).count();
    let fits = if is_told { first != '-' } else { is_no_word(&view[from..to]) };
    (from, if fits { to } else { from })
}

/// What stands between a name and its value: where it ends, and whether it is an arrow.
fn link(view: &[Seen], at: usize) -> Option<(usize, bool)> {
    let is_here = |link: &str| {
        let end = at + link.chars().count();
        let here = view.get(at..end).is_some_and(|here| {
            here.iter().zip(link.chars()).all(|(seen, char)| seen.char.eq_ignore_ascii_case(&char))
        });
        let is_cut = link.ends_with(char::is_alphabetic)
            && view.get(end).is_some_and(|seen| is_part(seen.char));
        here && !is_cut
    };
    let arrow = ARROWS.iter().find(|arrow| is_here(arrow));
    let link = arrow.or_else(|| LINKS.iter().find(|link| is_here(link)))?;
    Some((at + link.chars().count(), arrow.is_some()))
}

fn spaces(view: &[Seen], at: usize) -> usize {
    at + view[at..].iter().take_while(|seen| seen.char.is_whitespace()).count()
}

fn is_over(char: char) -> bool {
    char.is_whitespace() || matches!(char, '"' | '<' | ',' | ';' | '&')
}

/// Whether it is a word of no language, and neither a pair nor a URL: letters and digits in one.
fn is_no_word(word: &[Seen]) -> bool {
    let padding = word.iter().rev().take_while(|seen| seen.char == '=').count();
    let core = &word[..word.len() - padding];
    core.len() >= SHORTEST
        && core.iter().any(|seen| seen.char.is_ascii_digit())
        && core.iter().any(|seen| seen.char.is_alphabetic())
        && !core.iter().any(|seen| matches!(seen.char, '=' | ':' | '('))
}

const ARROWS: [&str; 3] = ["->", "\u{2192}", "\u{21d2}"];
const LINKS: [&str; 6] = ["is", "was", "provided", "given", "value", "("];
/// `value provided was`.
const MOST_BETWEEN: usize = 3;
const QUOTES: [(char, char); 6] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{ab}', '\u{bb}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201c}', '\u{201d}'),
];
/// `http2` and `v1beta` are words.
const SHORTEST: usize = 7;
