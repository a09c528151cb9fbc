//! Recognises secrets by their form, whatever their name.

use std::ops::Range;

use super::cards;

/// Finds card numbers, e-mail addresses, tokens, and secrets in URLs.
pub(super) fn find(text: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    urls(text, hide);
    cards::find(text, hide);
    addresses(text, hide);
    tokens(text, is_mixed, hide);
}

/// The same in an id, which may well be a long number, or letters and digits.
pub(super) fn find_in_id(id: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    cards::find_alone(id, hide);
    addresses(id, hide);
    tokens(id, |_| false, hide);
}

/// Whether a token is in it.
pub(super) fn holds_token(text: &[u8]) -> bool {
    let mut is_any = false;
    if text.len() < SHORTEST_TOKEN {
        return false;
    }
    tokens(text, is_mixed, &mut |_| is_any = true);
    is_any
}

/// Of URLs: credentials, and all that follows the host.
fn urls(text: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(|byte| *byte == b':') {
        let begin = at + found + 3;
        if text.get(begin - 2..begin) != Some(b"//") {
            at = begin - 2;
            continue;
        }
        let until = |from: usize, ends: fn(u8) -> bool| {
            let rest = &text[from..];
            from + rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len())
        };
        let end = until(begin, |byte| byte.is_ascii_whitespace() || b"\"<>".contains(&byte));
        let path = until(begin, |byte| b"/?#\\".contains(&byte)).min(end);
        let authority = &text[begin..path];
        let host = authority.iter().rposition(|byte| *byte == b'@').map_or(0, |sign| sign + 1);
        let port = authority[host..].iter().position(|byte| *byte == b':').map(|at| host + at + 1);
        let is_port = |port: usize| authority[port..].iter().all(u8::is_ascii_digit);
        if authority[host..].starts_with(b"[") || port.is_none_or(is_port) {
            hide(begin..begin + host);
            hide((path + usize::from(text.get(path) == Some(&b'/'))).min(end)..end);
        } else {
            // A password may hold what nobody encoded.
            hide(begin..end);
        }
        at = end;
    }
}

/// E-mail addresses.
fn addresses(text: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    for at in (0..text.len()).filter(|at| text[*at] == b'@') {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let mut local = before.iter().rev().take_while(|byte| is_in(&LOCAL, byte)).count();
        if before.ends_with(b"\"") {
            // A quoted one: "ada l"@crm.test
            let quoted = before.iter().rev().skip(1).take(LONGEST_LOCAL);
            local = (quoted.take_while(|byte| **byte != b'"').count() + 2).min(at);
        }
        let domain = after.iter().take_while(|byte| is_in(&DOMAIN, byte)).count();
        if local > 0 && domain > 0 {
            hide(at - local..at + 1 + domain);
        }
    }
}

/// Words that are tokens, by how they begin, by what announces them, or by what they are made of.
fn tokens(text: &[u8], is_token: fn(&[u8]) -> bool, hide: &mut impl FnMut(Range<usize>)) {
    let (mut at, mut is_announced) = (0, false);
    while at < text.len() {
        let end = word_end(text, at);
        if at == end {
            is_announced &= b" \t\r\n\"'`<[{(:".contains(&text[at]);
            at += 1;
            continue;
        }
        let word = &text[at..end];
        if word.windows(PEM.len()).any(|part| part[5] == PEM[5] && part == PEM) {
            return hide(at..text.len());
        }
        if is_announced && word.eq_ignore_ascii_case(TOKEN) {
            at = end;
            continue;
        }
        if is_token(word) || (is_announced && word.len() >= SHORTEST_TOKEN) {
            hide(at..end);
        } else if let Some(from) = marked(word) {
            hide(at + from..end);
        }
        is_announced = SCHEMES.iter().any(|scheme| {
            let before = word.len().checked_sub(scheme.len());
            before.is_some_and(|before| {
                word[before..].eq_ignore_ascii_case(scheme)
                    && !before.checked_sub(1).is_some_and(|at| word[at].is_ascii_alphanumeric())
            })
        });
        at = end;
    }
}

/// Where in a word a token begins that can be told by its first letters.
fn marked(word: &[u8]) -> Option<usize> {
    let last = word.len().checked_sub(SHORTEST_TOKEN)?;
    let is_inside = |at: usize| at > 0 && word[at - 1].is_ascii_alphanumeric();
    let begins = |at: &usize| word[*at].is_ascii_alphabetic() && !is_inside(*at);
    (0..=last).filter(begins).find_map(|at| {
        let rest = &word[at..];
        let first = PREFIXES.partition_point(|prefix| prefix.as_bytes()[0] < rest[0]);
        let mut same =
            PREFIXES[first..].iter().take_while(|prefix| prefix.as_bytes()[0] == rest[0]);
        if same.any(|prefix| rest.starts_with(prefix.as_bytes())) {
            return Some(at);
        }
        // As forms write a space.
        SCHEMES.iter().find_map(|scheme| {
            let is_it = rest.len() > scheme.len()
                && rest[scheme.len()] == b'+'
                && rest[..scheme.len()].eq_ignore_ascii_case(scheme);
            is_it.then_some(at + scheme.len() + 1)
        })
    })
}

/// Whether letters and digits are mixed in a run that is longer than any of a UUID's.
fn is_mixed(word: &[u8]) -> bool {
    word.split(|byte| !byte.is_ascii_alphanumeric()).any(|run| {
        run.len() >= SHORTEST_MIXED
            && run.iter().any(u8::is_ascii_digit)
            && run.iter().any(u8::is_ascii_alphabetic)
    })
}

/// Where the word ends that begins here, with what fills up base64.
fn word_end(text: &[u8], from: usize) -> usize {
    let end = from + text[from..].iter().take_while(|byte| is_in(&WORD, byte)).count();
    if end == from {
        return end;
    }
    let fill = text[end..].iter().take_while(|byte| **byte == b'=').count();
    let is_value = text.get(end + fill).is_some_and(|byte| is_in(&WORD, byte));
    if is_value { end } else { end + fill }
}

fn is_in(set: &Set, byte: &u8) -> bool {
    set[usize::from(*byte)]
}

/// Letters and digits, these signs, and all that is from `others` on.
const fn letters_and(signs: &[u8], others: usize) -> Set {
    let (mut set, mut at) = ([false; 256], 0);
    while at < 256 {
        set[at] = (at as u8).is_ascii_alphanumeric() || at >= others;
        at += 1;
    }
    at = 0;
    while at < signs.len() {
        set[signs[at] as usize] = true;
        at += 1;
    }
    set
}

/// Whether each byte is in it.
type Set = [bool; 256];

const BEYOND_ASCII: usize = 128;
const NOTHING: usize = 256;
static DOMAIN: Set = letters_and(b"-.[]:_", BEYOND_ASCII);
static LOCAL: Set = letters_and(b"._%+-!#$'*^~", BEYOND_ASCII);
static WORD: Set = letters_and(b"-._~+/*%", NOTHING);
/// RFC 5321, 4.5.3.1.1, in quotes.
const LONGEST_LOCAL: usize = 66;
const PEM: &[u8] = b"-----BEGIN";
const SCHEMES: [&[u8]; 2] = [b"bearer", b"basic"];
const TOKEN: &[u8] = b"token";
/// "basic info" is no credential.
const SHORTEST_TOKEN: usize = 6;
/// The last group of a UUID has 12 digits (RFC 9562).
const SHORTEST_MIXED: usize = 13;
/// JSON web tokens, and the keys of those who mark theirs; sorted.
const PREFIXES: [&str; 43] = [
    "AGE-SECRET-KEY-",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT3",
    "ATCTT3",
    "EAAA",
    "EAAC",
    "GOCSPX-",
    "LTAI5",
    "PMAK-",
    "SG.",
    "doo_v1_",
    "dop_v1_",
    "eyJ",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "glrt-",
    "hf_",
    "hvs.",
    "lin_api_",
    "npm_",
    "pk_",
    "pypi-",
    "rk_",
    "rzp_live_",
    "rzp_test_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    "sk-",
    "sk_",
    "sq0atp-",
    "sq0csp-",
    "whsec_",
    "xox",
    "ya29.",
];
