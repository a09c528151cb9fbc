//! Numbers of payment cards.

use super::encoded::Seen;
use super::hidden::Hidden;

/// Numbers of cards, in groups or in one; other digits may stand right beside them.
pub(super) fn find(view: &[Seen], hidden: &mut Hidden) {
    for_each_number(view, |digits, from, to| {
        if holds_card(digits) {
            hidden.hide(view[from].from, view[to - 1].to);
        }
    });
}

/// Numbers that are a card's as they stand there, and nothing besides.
pub(super) fn find_alone(view: &[Seen], hidden: &mut Hidden) {
    for_each_number(view, |digits, from, to| {
        if is_card(digits) {
            return hidden.hide(view[from].from, view[to - 1].to);
        }
        let is_digit = |seen: &Seen| seen.char.is_ascii_digit();
        for group in view[from..to].split(|seen| !is_digit(seen)) {
            let digits: Vec<_> = group.iter().filter_map(|seen| seen.char.to_digit(10)).collect();
            if let (true, [first, .., last]) = (is_card(&digits), group) {
                hidden.hide(first.from, last.to);
            }
        }
    });
}

/// Each number with what parts its groups, from where to where.
fn for_each_number(view: &[Seen], mut take: impl FnMut(&[u32], usize, usize)) {
    let mut at = 0;
    while at < view.len() {
        if !view[at].char.is_ascii_digit() {
            at += 1;
            continue;
        }
        let (digits, end) = digits(view, at);
        if digits.len() >= SHORTEST && !is_in_uuid(view, at, end) {
            take(&digits, at, end);
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

/// Whether any of them are a card's.
fn holds_card(digits: &[u32]) -> bool {
    let begins = |from: usize| {
        let rest = &digits[from..];
        (SHORTEST..=LONGEST.min(rest.len())).any(|length| is_card(&rest[..length]))
    };
    digits.len() >= SHORTEST && (0..=digits.len() - SHORTEST).any(begins)
}

/// By its issuer, its length and its check digit.
fn is_card(digits: &[u32]) -> bool {
    let Some(issuer) = digits.get(..6) else { return false };
    let issuer = issuer.iter().fold(0, |sum, digit| sum * 10 + digit);
    let fits = |(from, to, lengths): &(u32, u32, &[usize])| {
        (*from..=*to).contains(&issuer) && lengths.contains(&digits.len())
    };
    ISSUERS.iter().any(fits) && luhn(digits)
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

/// How people part the groups of a card's number.
const BETWEEN: [char; 8] = [' ', '-', '+', '\t', '\u{a0}', '\u{202f}', '\u{2011}', '\u{2013}'];
const MOST_BETWEEN: usize = 3;
/// RFC 9562.
const UUID: usize = 36;
const SHORTEST: usize = 13;
/// ISO/IEC 7812-1.
const LONGEST: usize = 19;
const LONG: &[usize] = &[16, 17, 18, 19];
const DINERS: &[usize] = &[14, 15, 16, 17, 18, 19];
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];
/// The first six digits, and how many there may be (ISO/IEC 7812-1, as far as the schemes publish
/// theirs; Wikipedia, "Payment card number").
const ISSUERS: [(u32, u32, &[usize]); 21] = [
    // JCB, of old
    (180_000, 180_099, &[15]),
    (213_100, 213_199, &[15]),
    // Mir
    (220_000, 220_499, LONG),
    // Mastercard
    (222_100, 272_099, &[16]),
    (510_000, 559_999, &[16]),
    // Diners Club
    (300_000, 305_999, DINERS),
    (309_500, 309_599, DINERS),
    (360_000, 369_999, DINERS),
    (380_000, 399_999, DINERS),
    // American Express
    (340_000, 349_999, &[15]),
    (370_000, 379_999, &[15]),
    // JCB
    (352_800, 358_999, LONG),
    // Visa
    (400_000, 499_999, &[13, 16, 19]),
    // Maestro, Elo, Verve, Dankort, RuPay
    (500_000, 509_999, LONG),
    (560_000, 589_999, LONG),
    // Discover, UnionPay, Maestro, RuPay, Troy
    (600_000, 699_999, LONG),
    // Maestro's short ones
    (501_800, 501_899, MAESTRO),
    (630_400, 630_499, MAESTRO),
    (675_900, 676_399, MAESTRO),
    // UnionPay, RuPay
    (810_000, 829_999, LONG),
    // Troy
    (979_200, 979_299, &[16]),
];
