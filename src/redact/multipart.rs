//! `multipart/*` (RFC 7578): names of fields, and what they hold if it may be shown; never a file.

use std::fmt::Write;

use super::encoded::meant;
use super::hidden::MARK;
use super::names::Names;
use super::text;

/// One line a part.
pub(super) fn redact(
    bytes: &[u8],
    boundary: &[u8],
    is_whole: bool,
    names: &Names,
) -> Option<String> {
    let mark: Vec<u8> = [b"--", boundary].concat();
    let parts = split(bytes, &mark);
    let count = parts.len();
    let mut shown = String::new();
    // What stands before the first boundary is no part.
    for (at, part) in parts.into_iter().enumerate().skip(1) {
        if part.starts_with(b"--") {
            break;
        }
        let is_last = at + 1 == count;
        shown.push_str(&line(part, is_last && !is_whole, names));
        shown.push('\n');
    }
    (!shown.is_empty()).then_some(shown)
}

/// The boundary of a body whose header doesn't say: its first line.
pub(super) fn boundary(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.split(|byte| *byte == b'\n').next()?.trim_ascii();
    line.strip_prefix(b"--").filter(|boundary| is_boundary(boundary))
}

/// Whether it can be one: an empty one is everywhere, and one that is long costs time.
pub(super) fn is_boundary(boundary: impl AsRef<[u8]>) -> bool {
    (1..=LONGEST_BOUNDARY).contains(&boundary.as_ref().len())
}

fn line(part: &[u8], is_cut: bool, names: &Names) -> String {
    let hidden = |size: usize| format!("[{size} bytes]");
    let (head, body) = cut_head(part);
    let head = String::from_utf8_lossy(head).into_owned();
    let disposition = field(&head, "content-disposition");
    let Some(name) = disposition.as_deref().and_then(|text| parameter(text, "name")) else {
        return hidden(body.len());
    };
    let mut line = text::redact(&name.replace(['\r', '\n'], " "), names);
    line.push_str(": ");
    let is_file = disposition.is_some_and(|text| text.to_ascii_lowercase().contains("filename"));
    let kind = field(&head, "content-type").unwrap_or_default();
    let is_plain = field(&head, "content-transfer-encoding").is_none();
    let is_text = is_plain && (kind.is_empty() || kind.starts_with("text/plain"));
    match std::str::from_utf8(body) {
        Ok(value) if is_text && !is_file && !is_cut && is_printable(value) => {
            let shown = match names.is_secret(&meant(&name)) {
                true => MARK.to_owned(),
                false => text::redact(value.trim_ascii(), names),
            };
            line.push_str(&shown);
        }
        _ => {
            let _ = write!(line, "{}", hidden(body.len()));
        }
    }
    line
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|char| !char.is_control() || char.is_whitespace())
}

/// A part's headers, and what they head.
fn cut_head(part: &[u8]) -> (&[u8], &[u8]) {
    let blank = |blank: &[u8]| {
        let at = part.windows(blank.len()).position(|window| window == blank)?;
        Some((&part[..at], &part[at + blank.len()..]))
    };
    blank(b"\r\n\r\n").or_else(|| blank(b"\n\n")).unwrap_or((&[], part))
}

/// A header's value.
fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// A parameter of a header's value.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    parameters(value).skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        let is_it = found.trim().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// A header's value and its parameters; a semicolon in quotes parts none.
fn parameters(value: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |char| {
        match char {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = char == '\\' && !is_escaped;
        char == ';' && !is_quoted
    })
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at + mark.len() <= bytes.len() {
        if &bytes[at..at + mark.len()] == mark {
            parts.push(&bytes[from..at]);
            at += mark.len();
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&bytes[from..]);
    parts
}

/// RFC 2046, 5.1.1.
const LONGEST_BOUNDARY: usize = 70;
