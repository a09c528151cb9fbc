//! What is secret by its looks.

use super::encoded::Seen;
use super::hidden::Hidden;

pub(super) fn find(view: &[Seen], hidden: &mut Hidden) {
    cards(view, hidden);
    addresses(view, hidden);
    tokens(view, hidden);
}

/// Numbers of cards, in groups or in one.
fn cards(view: &[Seen], hidden: &mut Hidden) {
    let mut at = 0;
    while at < view.len() {
        if !view[at].char.is_ascii_digit() {
            at += 1;
            continue;
        }
        let (digits, end) = digits(view, at);
        if is_card(&digits) && !is_in_uuid(view, at, end) {
            hidden.hide(view[at].from, view[end - 1].to);
        }
        at = end;
    }
}

/// The digits from here on, over what may part them, and where they end.
fn digits(view: &[Seen], from: usize) -> (Vec<u32>, usize) {
    let (mut digits, mut end, mut at) = (Vec::new(), from, from);
    while at < view.len() && at <= end + MOST_BETWEEN {
        match view[at].char.to_digit(10) {
            Some(digit) => {
                digits.push(digit);
                end = at + 1;
            }
            None if BETWEEN.contains(&view[at].char) => {}
            None => break,
        }
        at += 1;
    }
    (digits, end)
}

/// Whether any of them are a card's: a number may stand right beside it.
fn is_card(digits: &[u32]) -> bool {
    let fits = |from: usize| {
        let rest = &digits[from..];
        (13..=19.min(rest.len())).any(|length| rest[0] != 0 && luhn(&rest[..length]))
    };
    digits.len() >= 13 && (0..=digits.len() - 13).any(fits)
}

/// ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u32]) -> bool {
    let weigh = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    digits.iter().rev().enumerate().map(weigh).sum::<u32>() % 10 == 0
}

/// Whether they stand in a UUID with letters, of which there are many and which are needed.
fn is_in_uuid(view: &[Seen], from: usize, to: usize) -> bool {
    let is_part = |seen: &Seen| seen.char.is_ascii_hexdigit() || seen.char == '-';
    let before = view[..from].iter().rev().take(UUID).take_while(|seen| is_part(seen)).count();
    let after = view[to..].iter().take(UUID).take_while(|seen| is_part(seen)).count();
    let word = &view[from - before..to + after];
    let fits = |(at, seen): (usize, &Seen)| match at {
        8 | 13 | 18 | 23 => seen.char == '-',
        _ => seen.char.is_ascii_hexdigit(),
    };
    word.len() == UUID
        && word.iter().enumerate().all(fits)
        && word.iter().any(|seen| seen.char.is_ascii_alphabetic())
}

/// E-mail addresses.
fn addresses(view: &[Seen], hidden: &mut Hidden) {
    let is_local = |seen: &Seen| seen.char.is_alphanumeric() || "._%+-!#$'*^~".contains(seen.char);
    let is_domain = |seen: &Seen| seen.char.is_alphanumeric() || "-.[]:_".contains(seen.char);
    for at in (0..view.len()).filter(|at| view[*at].char == '@') {
        let (before, after) = (&view[..at], &view[at + 1..]);
        let mut local = before.iter().rev().take_while(|seen| is_local(seen)).count();
        if before.last().is_some_and(|seen| seen.char == '"') {
            // A quoted one: "ada l"@crm.test
            let quoted = before.iter().rev().skip(1).take(LONGEST_LOCAL);
            local = quoted.take_while(|seen| seen.char != '"').count() + 2;
        }
        let domain = after.iter().take_while(|seen| is_domain(seen)).count();
        if local > 0 && domain > 0 {
            hidden.hide(view[at.saturating_sub(local)].from, view[at + domain].to);
        }
    }
}

/// Tokens and keys that can be told by how they begin.
fn tokens(view: &[Seen], hidden: &mut Hidden) {
    let mut at = 0;
    while at < view.len() {
        let is_inside = at > 0 && view[at - 1].char.is_ascii_alphanumeric();
        let rest = &view[at..];
        if !is_inside && begins(rest, PEM) {
            return hidden.hide(rest[0].from, view[view.len() - 1].to);
        }
        let skipped = if is_inside { None } else { before_token(rest) };
        let length = skipped.map_or(0, |skipped| {
            rest[skipped..].iter().take_while(|seen| is_token(seen.char)).count()
        });
        let from = at + skipped.unwrap_or_default();
        if length >= SHORTEST_TOKEN {
            hidden.hide(view[from].from, view[from + length - 1].to);
            at = from + length;
        } else {
            at += 1;
        }
    }
}

/// How much stands before a token that begins here or that is announced here.
fn before_token(rest: &[Seen]) -> Option<usize> {
    if let Some(scheme) = SCHEMES.iter().find(|scheme| begins(rest, scheme)) {
        let after = &rest[scheme.len()..];
        return Some(scheme.len() + after.iter().take_while(|s| s.char.is_whitespace()).count());
    }
    PREFIXES.iter().any(|prefix| begins_exactly(rest, prefix)).then_some(0)
}

fn is_token(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~+/=*%".contains(char)
}

fn begins(view: &[Seen], with: &str) -> bool {
    let is_it = |(seen, char): (&Seen, char)| seen.char.eq_ignore_ascii_case(&char);
    view.len() >= with.len() && view.iter().zip(with.chars()).all(is_it)
}

fn begins_exactly(view: &[Seen], with: &str) -> bool {
    let is_it = |(seen, char): (&Seen, char)| seen.char == char;
    view.len() >= with.len() && view.iter().zip(with.chars()).all(is_it)
}

/// How people part the groups of a card's number.
const BETWEEN: [char; 8] = [' ', '-', '+', '\t', '\u{a0}', '\u{202f}', '\u{2011}', '\u{2013}'];
const MOST_BETWEEN: usize = 3;
/// RFC 9562.
const UUID: usize = 36;
/// RFC 5321, 4.5.3.1.1, in quotes.
const LONGEST_LOCAL: usize = 66;
const PEM: &str = "-----BEGIN";
const SCHEMES: [&str; 2] = ["bearer ", "basic "];
/// "basic info" is no credential.
const SHORTEST_TOKEN: usize = 6;
/// JSON web tokens, and the keys of those who mark theirs.
const PREFIXES: [&str; 20] = [
    "AIza",
    "AKIA",
    "ASIA",
    "EAAC",
    "SG.",
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "pk_",
    "rk_",
    "shpat_",
    "shpss_",
    "sk-",
    "sk_",
    "whsec_",
    "xox",
    "ya29.",
];
