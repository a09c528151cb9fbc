//! A text as it is, and as it is meant: what is percent-encoded or escaped is a text too.

use std::borrow::Cow;
use std::ops::Range;

/// The bytes of a text after so many levels of decoding, and where each began.
pub(super) struct View<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// With one more for the end; nothing where each is where it was.
    starts: Vec<usize>,
}

/// The text as it is, and as it is meant, to a few levels of encoding.
pub(super) fn views(text: &str) -> Vec<View<'_>> {
    let mut views = vec![View { bytes: Cow::Borrowed(text.as_bytes()), starts: Vec::new() }];
    while views.len() < LEVELS {
        match views.last().and_then(View::decoded) {
            Some(next) => views.push(next),
            None => break,
        }
    }
    views
}

impl View<'_> {
    /// Where a part of it is in the text as it is.
    pub(super) fn original(&self, part: &Range<usize>) -> Range<usize> {
        self.start(part.start)..self.start(part.end)
    }

    fn start(&self, at: usize) -> usize {
        self.starts.get(at).copied().unwrap_or(at)
    }

    /// One level less of encoding; nothing if there is none.
    fn decoded(&self) -> Option<Self> {
        let first = self.bytes.iter().position(|byte| matches!(byte, b'%' | b'\\' | b'&'))?;
        let mut bytes = self.bytes[..first].to_vec();
        let mut starts: Vec<usize> = (0..first).map(|at| self.start(at)).collect();
        let (mut at, mut is_other) = (first, false);
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            let is_sign = matches!(byte, b'%' | b'\\' | b'&');
            let escape = if is_sign { escape(&self.bytes[at..]) } else { None };
            is_other |= escape.is_some();
            let (char, taken) = escape.unwrap_or((Escaped::Byte(byte), 1));
            char.push_to(&mut bytes);
            starts.resize(bytes.len(), self.start(at));
            at += taken;
        }
        starts.push(self.start(at));
        is_other.then_some(View { bytes: Cow::Owned(bytes), starts })
    }
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Char(char),
}

impl Escaped {
    fn push_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => bytes.push(*byte),
            Self::Char(char) => {
                bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

/// What the escape that begins here stands for, and how long it is.
fn escape(rest: &[u8]) -> Option<(Escaped, usize)> {
    match (rest[0], *rest.get(1)?) {
        (b'%', _) => Some((Escaped::Byte(number(rest.get(1..3)?, 16)?.try_into().ok()?), 3)),
        (b'\\', b'u') => {
            // Half of a pair: it only needs to be no separator.
            let char = char::from_u32(number(rest.get(2..6)?, 16)?).unwrap_or('x');
            Some((Escaped::Char(char), 6))
        }
        (b'\\', b'x') => Some((Escaped::Byte(number(rest.get(2..4)?, 16)?.try_into().ok()?), 4)),
        (b'\\', b'n' | b'r') => Some((Escaped::Byte(b'\n'), 2)),
        (b'\\', b't') => Some((Escaped::Byte(b'\t'), 2)),
        // What begins another escape belongs to that one.
        (b'\\', other) if other.is_ascii_punctuation() && !b"%&".contains(&other) => {
            Some((Escaped::Byte(other), 2))
        }
        (b'&', b'#') => entity(rest),
        (b'&', _) => ENTITIES.iter().find_map(|(name, byte)| {
            rest.starts_with(name).then_some((Escaped::Byte(*byte), name.len()))
        }),
        _ => None,
    }
}

/// `&#64;` and `&#x40;`.
fn entity(rest: &[u8]) -> Option<(Escaped, usize)> {
    let end = rest.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let is_hex = matches!(rest.get(2)?, b'x' | b'X');
    let digits = rest.get(if is_hex { 3 } else { 2 }..end)?;
    let char = char::from_u32(number(digits, if is_hex { 16 } else { 10 })?)?;
    Some((Escaped::Char(char), end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digit = |sum: u32, byte: &u8| {
        sum.checked_mul(radix)?.checked_add(char::from(*byte).to_digit(radix)?)
    };
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, digit)).flatten()
}

/// What is encoded more often was made to be hidden.
const LEVELS: usize = 4;
const LONGEST_ENTITY: usize = 10;
const ENTITIES: [(&[u8], u8); 6] = [
    (b"&amp;", b'&'),
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&commat;", b'@'),
];
