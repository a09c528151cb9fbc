//! Queries and `application/x-www-form-urlencoded`: the keys are shown, the values are not.

use super::hidden::{CUT, MARK, MOST_SHOWN};
use super::{patterns, text, words};

/// What is shown of pairs, with the values that somebody asked for by their keys.
pub(super) fn redact(pairs: &str, is_asked: impl Fn(&str) -> bool) -> String {
    let mut shown = String::with_capacity(pairs.len());
    for (at, pair) in pairs.split('&').enumerate() {
        if at > 0 {
            shown.push('&');
        }
        if shown.len() > MOST_SHOWN {
            return shown + CUT;
        }
        match pair.split_once('=') {
            Some((key, value)) => {
                let is_asked = is_asked(key);
                shown.push_str(if is_asked || is_key(key) { key } else { MARK });
                shown.push('=');
                match value {
                    "" => {}
                    value if is_asked => shown.push_str(&text::redact(value)),
                    _ => shown.push_str(MARK),
                }
            }
            // A value without a key.
            None if !pair.is_empty() => shown.push_str(MARK),
            None => {}
        }
    }
    shown
}

/// Whether it looks like a field's name, or like a way to one: `card[number]`, `items%5B0%5D`.
fn is_key(key: &str) -> bool {
    let (first, rest) = key.split_at(key.find(['[', '%']).unwrap_or(key.len()));
    let is_name =
        |name: &str| words::is_identifier(name) && !patterns::holds_token(name.as_bytes());
    let is_step = |step: &str| step.is_empty() || words::is_short_number(step) || is_name(step);
    let mut rest = rest;
    while !rest.is_empty() {
        let begin = strip(rest, "[", "%5b");
        let Some((step, after)) = begin.and_then(|rest| {
            let end = rest.find([']', '%'])?;
            Some((&rest[..end], strip(&rest[end..], "]", "%5d")?))
        }) else {
            return false;
        };
        if !is_step(step) {
            return false;
        }
        rest = after;
    }
    is_name(first)
}

/// What comes after a sign, or after the sign's encoded form.
fn strip<'a>(text: &'a str, sign: &str, encoded: &str) -> Option<&'a str> {
    let is_encoded = |begin: &str| begin.eq_ignore_ascii_case(encoded);
    text.strip_prefix(sign).or_else(|| {
        text.get(..encoded.len()).filter(|begin| is_encoded(begin))?;
        text.get(encoded.len()..)
    })
}
