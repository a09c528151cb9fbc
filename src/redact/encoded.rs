//! A text as it is, and as it is meant: what is percent-encoded or escaped is a text too.

/// The characters of a text, each with the bytes that it is made of.
pub(super) type View = Vec<Seen>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) char: char,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// The text as it is, and as it is meant, to a few levels of encoding.
pub(super) fn views(text: &str, offset: usize) -> Vec<View> {
    let seen = |(at, char): (usize, char)| {
        let from = offset + at;
        Seen { char, from, to: from + char.len_utf8() }
    };
    let mut views = vec![text.char_indices().map(seen).collect::<View>()];
    while views.len() < LEVELS {
        match views.last().and_then(|last| decoded(last)) {
            Some(next) => views.push(next),
            None => break,
        }
    }
    views
}

/// What a text means, without any encoding.
pub(super) fn meant(text: &str) -> String {
    let view = views(text, 0).pop().unwrap_or_default();
    view.iter().map(|seen| seen.char).collect()
}

/// One level less of encoding; nothing if there is none.
fn decoded(view: &[Seen]) -> Option<View> {
    if !view.iter().any(|seen| matches!(seen.char, '%' | '\\' | '&')) {
        return None;
    }
    let (mut next, mut at, mut is_other) = (View::with_capacity(view.len()), 0, false);
    while at < view.len() {
        let (char, taken) = match escape(&view[at..]) {
            Some(escape) => {
                is_other = true;
                escape
            }
            None => (view[at].char, 1),
        };
        next.push(Seen { char, from: view[at].from, to: view[at + taken - 1].to });
        at += taken;
    }
    is_other.then_some(next)
}

/// The character that an escape stands for, and how long it is.
fn escape(view: &[Seen]) -> Option<(char, usize)> {
    match (view.first()?.char, view.get(1)?.char) {
        // Parts of longer characters only need to be no separators.
        ('%', _) => Some((char::from(u8::try_from(number(view.get(1..3)?, 16)?).ok()?), 3)),
        ('\\', 'u') => Some((char::from_u32(number(view.get(2..6)?, 16)?).unwrap_or('x'), 6)),
        ('\\', 'x') => Some((char::from_u32(number(view.get(2..4)?, 16)?)?, 4)),
        ('\\', 'n' | 'r') => Some(('\n', 2)),
        ('\\', 't') => Some(('\t', 2)),
        // What begins another escape belongs to that one.
        ('\\', other) if !other.is_alphanumeric() && !"%&".contains(other) => Some((other, 2)),
        ('&', '#') => entity(view),
        ('&', _) => ENTITIES.iter().find_map(|(name, char)| {
            let is_it = |(seen, char): (&Seen, char)| seen.char == char;
            let fits = view.len() >= name.len() && view.iter().zip(name.chars()).all(is_it);
            fits.then_some((*char, name.len()))
        }),
        _ => None,
    }
}

/// `&#64;` and `&#x40;`.
fn entity(view: &[Seen]) -> Option<(char, usize)> {
    let end = view.iter().take(LONGEST_ENTITY).position(|seen| seen.char == ';')?;
    let is_hex = matches!(view.get(2)?.char, 'x' | 'X');
    let digits = view.get(if is_hex { 3 } else { 2 }..end)?;
    let char = char::from_u32(number(digits, if is_hex { 16 } else { 10 })?)?;
    Some((char, end + 1))
}

fn number(digits: &[Seen], radix: u32) -> Option<u32> {
    let digit =
        |sum: u32, seen: &Seen| sum.checked_mul(radix)?.checked_add(seen.char.to_digit(radix)?);
    (!digits.is_empty()).then(|| digits.iter().try_fold(0, digit)).flatten()
}

/// What is encoded more often was made to be hidden.
const LEVELS: usize = 4;
const LONGEST_ENTITY: usize = 10;
const ENTITIES: [(&str, char); 6] = [
    ("&amp;", '&'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&commat;", '@'),
];
