//! Names and their values in a text of unknown making.

use super::block;
use super::debug;
use super::encoded::Seen;
use super::hidden::Hidden;
use super::names::Names;
use super::told::Told;
use super::url::{Place, value};

/// Hides what follows a secret name: `password=…`, `"token": …`, `api key: …`, `<pin>…</pin>`; what
/// another field names so; what a type does: `Token("…")`.
pub(super) fn find(view: &[Seen], names: &Names, hidden: &mut Hidden) {
    let (mut at, mut told, mut place) = (0, Told::Nothing, Place::Text);
    while at < view.len() {
        place = place.at(view, at);
        let is_in_query = place == Place::Query && view[at].char == '=';
        let next = match view[at].char {
            ':' | '=' | '\u{ff1a}' | '\u{ff1d}' => {
                told = told.by(view, at, names);
                match told.hides(view, at) || is_named(view, at, names) {
                    // It ends with its URL: what is said of that stands behind it.
                    true if is_in_query => value(view, at + 1, hidden),
                    true => assigned(view, at + 1, hidden),
                    false => at + 1,
                }
            }
            '<' => {
                let is_told = told.hides_element(view, at);
                told = if is_told { Told::Nothing } else { told.by_element(view, at, names) };
                element(view, at, |name| is_told || names.is_secret(name), hidden)
            }
            '>' if told.is_in_tag() => {
                told = Told::Nothing;
                content(view, at + 1, "<", hidden)
            }
            '\n' if told.is_in_tag() && is_blank(&view[at + 1..]) => {
                told = Told::Nothing;
                content(view, at + 1, "\n--", hidden)
            }
            '(' | '{' => debug::find(view, at, names, hidden),
            _ => at + 1,
        };
        if next > at + 1 && !is_in_query {
            place = Place::Text;
        }
        at = next;
    }
}

/// Whether what stands before the sign is a secret name, or ends with the words of one.
fn is_named(view: &[Seen], at: usize, names: &Names) -> bool {
    let phrase = phrase(view, at);
    let phrase = trimmed(&phrase);
    let mut words = phrase.rsplit(is_between);
    let is_secret = words.next().is_some_and(|name| names.is_secret(name));
    is_secret
        || words.take(2).any(|word| names.is_opening(word))
        || names.is_opening(&last_words(phrase))
}

/// The last word before the sign.
pub(super) fn key(view: &[Seen], at: usize) -> String {
    let phrase = phrase(view, at);
    trimmed(&phrase).rsplit(is_between).next().unwrap_or_default().to_owned()
}

/// What stands before the sign.
fn phrase(view: &[Seen], at: usize) -> String {
    let is_end = |char: char| {
        matches!(
            char,
            '\n' | '\r'
                | ','
                | ';'
                | '{'
                | '}'
                | '('
                | ')'
                | '<'
                | '>'
                | '&'
                | '?'
                | '='
                | ':'
                | '\u{ff1a}'
                | '\u{ff1d}'
        )
    };
    let before = view[..at].iter().rev().map(|seen| seen.char).take(LONGEST_NAME);
    let phrase: String = before.take_while(|char| !is_end(*char)).collect();
    phrase.chars().rev().collect()
}

fn trimmed(phrase: &str) -> &str {
    phrase.trim_matches(is_between)
}

fn is_between(char: char) -> bool {
    char.is_whitespace() || QUOTES.contains(&char)
}

/// The last two words as one name: `api key`.
fn last_words(phrase: &str) -> String {
    let mut words: Vec<_> = phrase.split_whitespace().rev().take(2).collect();
    words.reverse();
    words.concat()
}

/// Hides the value that begins here; says where it ends.
pub(super) fn assigned(view: &[Seen], from: usize, hidden: &mut Hidden) -> usize {
    if let Some((begin, end)) = block::find(view, from) {
        hidden.hide(view[begin].from, view[end - 1].to);
        return end;
    }
    let is_before = |char: char| char.is_whitespace() || matches!(char, '+' | '>' | '=');
    let from = from + view[from..].iter().take_while(|seen| is_before(seen.char)).count();
    let Some(first) = view.get(from) else { return from };
    let escaped = |at: usize| (view.get(at)?.char == '\\').then(|| view.get(at + 1)).flatten();
    let (begin, end) = match first.char {
        '"' | '\'' => {
            let end = closing(view, from + 1, first.char);
            (from + 1, if goes_on(view, end + 1) { bare(view, end + 1) } else { end })
        }
        // In quotes that are escaped themselves.
        '\\' if escaped(from).is_some_and(|next| QUOTES.contains(&next.char)) => {
            (from + 2, closing_escaped(view, from + 2))
        }
        '{' | '[' => {
            let end = bracketed(view, from);
            (from, if goes_on(view, end) { bare(view, end) } else { end })
        }
        _ => (from, bare(view, from)),
    };
    if begin < end {
        hidden.hide(view[begin].from, view[end - 1].to);
    }
    end.max(from)
}

/// Where a quoted text ends; at the end of all, if nowhere. A quote may be escaped or doubled.
pub(super) fn closing(view: &[Seen], from: usize, quote: char) -> usize {
    let mut at = from;
    while let Some(seen) = view.get(at) {
        let next = view.get(at + 1).map(|next| next.char);
        match seen.char {
            '\\' => at += 2,
            char if char == quote && next == Some(quote) && at > from => at += 2,
            char if char == quote => return at,
            _ => at += 1,
        }
    }
    view.len()
}

fn closing_escaped(view: &[Seen], from: usize) -> usize {
    let is_end = |at: &usize| view[*at].char == '\\' && QUOTES.contains(&view[*at + 1].char);
    (from..view.len().saturating_sub(1)).find(is_end).unwrap_or(view.len())
}

/// Whether a value that seemed to be at its end is not: one that nobody quoted may hold anything.
fn goes_on(view: &[Seen], end: usize) -> bool {
    let is_end = |char: char| char.is_whitespace() || ",;:.!?&<>()[]{}|/\\\"'`#".contains(char);
    view.get(end).is_some_and(|seen| !is_end(seen.char))
}

/// Where a bracket is closed, with all that is inside.
pub(super) fn bracketed(view: &[Seen], from: usize) -> usize {
    let open = view[from].char;
    let close = match open {
        '{' => '}',
        '[' => ']',
        _ => ')',
    };
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(seen) = view.get(at) {
        match seen.char {
            '"' => at = closing(view, at + 1, '"'),
            '\\' if view.get(at + 1).is_some_and(|next| next.char == '"') => {
                at = closing_escaped(view, at + 2) + 1;
            }
            char if char == open => depth += 1,
            char if char == close && depth == 1 => return at + 1,
            char if char == close => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    view.len()
}

/// Where a value that doesn't begin with a quote ends: with its line, unless something else clearly
/// begins. What it quotes (`Some("…")`, `b"…"`) is a part of it.
fn bare(view: &[Seen], from: usize) -> usize {
    let mut at = from;
    while let Some(seen) = view.get(at) {
        at = match seen.char {
            '\n' | '\r' | '&' | '<' => return at,
            ',' | '}' if is_another(&view[at + 1..]) => return at,
            '"' if is_closing(view, from, at) => return at,
            '"' => quoted(view, from, at),
            '(' | '[' | '{' if is_laid_out(&view[at + 1..]) => bracketed(view, at),
            _ => at + 1,
        };
    }
    view.len()
}

/// Whether a value begins here, or a name, and nothing of the one before.
fn is_another(view: &[Seen]) -> bool {
    let mut rest = view.iter().map(|seen| seen.char).skip_while(|char| char.is_whitespace());
    match (rest.next(), rest.next()) {
        (None | Some('"' | '}' | ']' | '{'), _) => true,
        (Some('\\'), next) => next.is_some_and(|next| QUOTES.contains(&next)),
        _ => false,
    }
}

/// Whether a quote in a value that began without one ends what the value stands in.
fn is_closing(view: &[Seen], from: usize, at: usize) -> bool {
    let after = view.get(at + 1).map(|seen| seen.char);
    let is_after = |char: char| char.is_whitespace() || ",}]):;&<>".contains(char);
    !matches!(view[from..at].last(), Some(Seen { char: '(' | '[' | '{', .. }))
        && after.is_none_or(is_after)
}

/// What is after the text whose quote is here.
fn quoted(view: &[Seen], from: usize, at: usize) -> usize {
    match view[from..at].last() {
        Some(Seen { char: '\\', .. }) => closing_escaped(view, at + 1) + 2,
        _ => closing(view, at + 1, '"') + 1,
    }
}

/// Whether what a bracket holds are values: `Some(["…", "…"])`, `Some(⏎    "…",⏎)`.
fn is_laid_out(inside: &[Seen]) -> bool {
    let first = inside.iter().map(|seen| seen.char).find(|char| *char != ' ');
    first.is_some_and(|char| "\n\r\"\\([{".contains(char))
}

/// Hides what an element or a part holds whose name is in an attribute of it, to where it ends:
/// `<field name="pin">…</field>`.
fn content(view: &[Seen], from: usize, end: &str, hidden: &mut Hidden) -> usize {
    let end = (from..view.len()).find(|at| is_sign(&view[*at..], end)).unwrap_or(view.len());
    if from < end {
        hidden.hide(view[from].from, view[end - 1].to);
    }
    end
}

/// Whether the line that begins here is empty: what follows has the headers before it.
fn is_blank(line: &[Seen]) -> bool {
    line.iter().map(|seen| seen.char).find(|char| *char != '\r') == Some('\n')
}

/// Hides what is inside an element with a secret name; says where to look on.
fn element(
    view: &[Seen],
    at: usize,
    is_secret: impl Fn(&str) -> bool,
    hidden: &mut Hidden,
) -> usize {
    let name: Vec<char> =
        view[at + 1..].iter().map(|seen| seen.char).take_while(|char| is_named_by(*char)).collect();
    let local: String =
        name.rsplit(|char| *char == ':').next().unwrap_or_default().iter().collect();
    if name.is_empty() || name.len() > LONGEST_NAME || !is_secret(&local) {
        return at + 1;
    }
    let from = at + 1 + name.len();
    let end = closed(view, at, &name);
    // Its attributes go too.
    if from < end {
        hidden.hide(view[from].from, view[end - 1].to);
    }
    end.max(at + 1)
}

/// Where the element that begins here is closed, over others of its name that are inside.
fn closed(view: &[Seen], from: usize, name: &[char]) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < view.len() {
        if is_sign(&view[at..], CDATA) {
            at += cdata(&view[at..]);
            continue;
        }
        if is_tag(&view[at..], &['<', '/'], name) {
            depth = depth.saturating_sub(1);
        } else if is_tag(&view[at..], &['<'], name) {
            at += view[at..].iter().take_while(|seen| seen.char != '>').count();
            depth += usize::from(view[at - 1].char != '/');
        } else {
            at += 1;
            continue;
        }
        if depth == 0 {
            return at;
        }
        at += 1;
    }
    view.len()
}

/// Whether a tag of this very name begins here: `</keyId>` closes no `<key>`.
fn is_tag(view: &[Seen], sign: &[char], name: &[char]) -> bool {
    let whole = || sign.iter().chain(name);
    let begins = view.iter().map(|seen| &seen.char).take(sign.len() + name.len()).eq(whole());
    begins && view.get(sign.len() + name.len()).is_none_or(|seen| !is_named_by(seen.char))
}

/// How long a text is in which no sign means anything.
fn cdata(view: &[Seen]) -> usize {
    let end = (CDATA.len()..view.len()).find(|at| is_sign(&view[*at..], "]]>"));
    end.map_or(view.len(), |end| end + 3)
}

fn is_sign(view: &[Seen], sign: &str) -> bool {
    view.iter().take(sign.len()).map(|seen| seen.char).eq(sign.chars())
}

pub(super) fn is_named_by(char: char) -> bool {
    char.is_alphanumeric() || "-_.:".contains(char)
}

const CDATA: &str = "<![CDATA[";
pub(super) const QUOTES: [char; 4] = ['"', '\'', '\\', '`'];
/// No name of anything is longer.
pub(super) const LONGEST_NAME: usize = 64;
