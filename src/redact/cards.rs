//! Numbers of payment cards.

use std::ops::Range;

/// Numbers of cards, in groups or in one; other digits may stand right beside them.
pub(super) fn find(text: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    for_each_number(text, |digits, part| {
        if digits.len() > MOST_DIGITS || holds_card(digits) {
            hide(part);
        }
    });
}

/// Numbers that are a card's as they stand there, and nothing besides.
pub(super) fn find_alone(text: &[u8], hide: &mut impl FnMut(Range<usize>)) {
    for_each_number(text, |digits, part| {
        if is_card(digits) {
            return hide(part);
        }
        let mut at = part.start;
        for group in text[part].split(|byte| !byte.is_ascii_digit()) {
            let digits: Vec<u8> = group.iter().map(|byte| byte - b'0').collect();
            if is_card(&digits) {
                hide(at..at + group.len());
            }
            at += group.len() + 1;
        }
    });
}

/// Each number with what parts its groups, and where it is.
fn for_each_number(text: &[u8], mut take: impl FnMut(&[u8], Range<usize>)) {
    let (mut digits, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = read_digits(text, at, &mut digits);
        if digits.len() >= SHORTEST && !is_in_uuid(text, at..end) {
            take(&digits, at..end);
        }
        at = end;
    }
}

/// The digits from here on, over what may part them; says where they end.
fn read_digits(text: &[u8], from: usize, digits: &mut Vec<u8>) -> usize {
    digits.clear();
    let (mut end, mut between) = (from, 0);
    for (at, byte) in text.iter().enumerate().skip(from) {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                (end, between) = (at + 1, 0);
            }
            // A narrow space or a dash of print: the rest of a longer character counts no more.
            0x80..=0xbf => {}
            b' ' | b'-' | b'+' | b'\t' | 0xc0.. if between < MOST_BETWEEN => between += 1,
            _ => break,
        }
    }
    end
}

/// Whether any of them are a card's.
fn holds_card(digits: &[u8]) -> bool {
    // How much all digits before weigh, if this one is of those that count once.
    let mut sums = [[0_u32; MOST_DIGITS + 1]; 2];
    for (at, digit) in digits.iter().enumerate() {
        for (parity, sums) in sums.iter_mut().enumerate() {
            sums[at + 1] = sums[at] + weight(*digit, at % 2 == parity);
        }
    }
    (0..=digits.len() - SHORTEST).any(|from| {
        lengths(&digits[from..]).iter().any(|length| {
            let to = from + length;
            // The last digit counts once.
            let sums = &sums[(to + 1) % 2];
            to <= digits.len() && (sums[to] - sums[from]).is_multiple_of(10)
        })
    })
}

/// By its issuer, its length and its check digit (ISO/IEC 7812-1, annex B).
fn is_card(digits: &[u8]) -> bool {
    let sum = digits.iter().rev().enumerate().map(|(at, digit)| weight(*digit, at % 2 == 0));
    lengths(digits).contains(&digits.len()) && sum.sum::<u32>().is_multiple_of(10)
}

fn weight(digit: u8, is_once: bool) -> u32 {
    match (is_once, digit * 2) {
        (true, _) => digit.into(),
        (false, twice @ 10..) => (twice - 9).into(),
        (false, twice) => twice.into(),
    }
}

/// How many digits cards have that begin so.
fn lengths(digits: &[u8]) -> &'static [usize] {
    let Some(issuer) = digits.get(..6) else { return &[] };
    let issuer = issuer.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit));
    let after = ISSUERS.partition_point(|(from, _, _)| *from <= issuer);
    match after.checked_sub(1).map(|at| ISSUERS[at]) {
        Some((_, to, lengths)) if issuer <= to => lengths,
        _ => &[],
    }
}

/// Whether they stand in a UUID with letters, of which there are many and which are needed.
fn is_in_uuid(text: &[u8], number: Range<usize>) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let before = text[..number.start].iter().rev().take(UUID).take_while(is_part).count();
    let after = text[number.end..].iter().take(UUID).take_while(is_part).count();
    let word = &text[number.start - before..number.end + after];
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    word.len() == UUID
        && word.iter().enumerate().all(fits)
        && word.iter().any(u8::is_ascii_alphabetic)
}

/// Between two groups of a card's number: spaces, dashes.
const MOST_BETWEEN: usize = 3;
/// RFC 9562.
const UUID: usize = 36;
const SHORTEST: usize = 13;
/// More of them are hidden, whatever they are.
const MOST_DIGITS: usize = 64;
const LONG: &[usize] = &[16, 17, 18, 19];
const DINERS: &[usize] = &[14, 15, 16, 17, 18, 19];
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];
/// The first six digits in order, and how many there may be (ISO/IEC 7812-1, as far as the schemes
/// publish theirs; Wikipedia, "Payment card number").
const ISSUERS: [(u32, u32, &[usize]); 24] = [
    // JCB, of old
    (180_000, 180_099, &[15]),
    (213_100, 213_199, &[15]),
    // Mir
    (220_000, 220_499, LONG),
    // Mastercard
    (222_100, 272_099, &[16]),
    // Diners Club
    (300_000, 305_999, DINERS),
    (309_500, 309_599, DINERS),
    // American Express
    (340_000, 349_999, &[15]),
    // JCB
    (352_800, 358_999, LONG),
    // Diners Club
    (360_000, 369_999, DINERS),
    // American Express
    (370_000, 379_999, &[15]),
    // Diners Club
    (380_000, 399_999, DINERS),
    // Visa
    (400_000, 499_999, &[13, 16, 19]),
    // Maestro, Elo, Verve, Dankort, RuPay; Maestro's short ones
    (500_000, 501_799, LONG),
    (501_800, 501_899, MAESTRO),
    (501_900, 509_999, LONG),
    // Mastercard
    (510_000, 559_999, &[16]),
    // Maestro
    (560_000, 589_999, LONG),
    // Discover, UnionPay, Maestro, RuPay, Troy; Maestro's short ones
    (600_000, 630_399, LONG),
    (630_400, 630_499, MAESTRO),
    (630_500, 675_899, LONG),
    (675_900, 676_399, MAESTRO),
    (676_400, 699_999, LONG),
    // UnionPay, RuPay
    (810_000, 829_999, LONG),
    // Troy
    (979_200, 979_299, &[16]),
];
