//! What looks like a program's, and so like nobody's name, number or secret.

#[cfg(feature = "json")]
use super::patterns;

/// Whether a key looks like a field's name in a program: `first_name`, `lineItems`, `straße`, `$ref`.
///
/// A dot or a hyphen is in no such name, but in a user's (`ada.lovelace`). One word with a capital may
/// be anybody's name; two that are run together (`RequestId`) hardly are.
pub(super) fn is_identifier(key: &str) -> bool {
    let name = key.trim_start_matches(['$', '@', '_']);
    let begins = match name.chars().next() {
        Some(first) if first.is_ascii_uppercase() => humps(name.as_bytes()) > 1,
        first => first.is_some_and(char::is_lowercase),
    };
    let capitals = name.bytes().filter(u8::is_ascii_uppercase).count();
    begins
        && key.len() <= LONGEST
        && name.chars().all(|char| char.is_alphanumeric() || char == '_')
        && digits(name) <= MOST_DIGITS_OF_KEY
        && capitals * 3 <= name.len()
}

/// Whether a key can only be a value: a date, a number, an address, what somebody wrote. Where one is,
/// the others of the same object are too.
pub(super) fn is_value(key: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || "_-.$".contains(char);
    key.len() > LONGEST
        || digits(key) > MOST_DIGITS_OF_KEY
        || !key.trim_start_matches('@').chars().all(is_part)
}

/// Whether an object's key is an id, a date, an address or a token, and no field's name. Names of people
/// that are written as a program's words look like fields.
#[cfg(feature = "json")]
pub(crate) fn is_id_key(key: &str) -> bool {
    // An annotation of OData (`name@odata.type`), or a name with a namespace (`og:title`).
    let parts = key.split_once("@odata.").or_else(|| key.split_once(':'));
    if let Some((name, term)) = parts.filter(|(name, term)| !name.is_empty() && !term.contains(':'))
    {
        return is_id_key(name) || is_id_key(term);
    }
    let is_dotted = key.contains('.') && !key.starts_with('@');
    key.is_empty()
        || is_dotted
        || is_value(key)
        || key.bytes().all(|byte| byte.is_ascii_digit())
        || patterns::holds_token(key.as_bytes())
}

/// Whether a value is a word of a program: `card_declined`, `NotFound`, `RATE_LIMITED`, `E1001`, `404`.
///
/// Letters and digits that take turns are none, but a secret or a number of something. More digits
/// than an error's code has may be an account, a date or a code that opens something. One word
/// with a capital may be anybody's name.
pub(crate) fn is_word(value: &str) -> bool {
    let digits = digits(value);
    // `hunter2` is a password, and `address_line1` a field.
    let is_password = digits > 0
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        && digits < value.len();
    value.len() <= LONGEST
        && digits <= MOST_DIGITS_OF_WORD
        && !is_password
        && value.as_bytes().split(|byte| matches!(byte, b'_' | b'-')).all(is_part)
}

/// Whether a number is short enough for a code, a status or seconds.
pub(super) fn is_short_number(number: &str) -> bool {
    number.len() <= MOST_DIGITS_OF_WORD && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a header's value is a date (RFC 9110, 5.6.7), or made of numbers with their units:
/// `6m0s`, `100;w=60`, `2026-11-30T08:00:00Z`.
pub(super) fn is_numbers(value: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b" .,:;=+-@\"".contains(&byte);
    let mut words = value.split(|char: char| !char.is_ascii_alphabetic());
    let is_number = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().all(is_part)
        && words.all(is_unit);
    is_number || httpdate::parse_http_date(value).is_ok()
}

/// Of times, and what stands beside the figures of rate limits
/// (draft-ietf-httpapi-ratelimit-headers).
fn is_unit(word: &str) -> bool {
    match word {
        "T" | "Z" | "burst" | "d" | "default" | "h" | "limit" | "m" | "ms" | "q" | "r"
        | "remaining" | "reset" | "s" | "t" | "w" => true,
        other => other.is_empty(),
    }
}

/// Whether a header's name can hold nothing else.
#[cfg(feature = "audit")]
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= LONGEST_HEADER_NAME
        && name.bytes().all(is_part)
        && digits(name) <= MOST_DIGITS_OF_KEY
}

fn digits(text: &str) -> usize {
    text.chars().filter(|char| char.is_numeric()).count()
}

/// A part of a word: letters of one case, or words that are run together, and then digits.
fn is_part(part: &[u8]) -> bool {
    let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (letters, digits) = part.split_at(letters);
    let is_one_case = |is: fn(&u8) -> bool| letters.len() <= LONGEST_HUMP && letters.iter().all(is);
    !part.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && (is_one_case(u8::is_ascii_lowercase)
            || is_one_case(u8::is_ascii_uppercase)
            || humps(letters) > 1)
}

/// How many words are run together: two in `NotFound` and `notFound`. None if it is not made of such.
fn humps(text: &[u8]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < text.len() {
        let is_first = count == 0 && text[at].is_ascii_lowercase();
        let from = if is_first { at } else { at + 1 };
        let length = text[from..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        if !(is_first || text[at].is_ascii_uppercase()) || !(1..=LONGEST_HUMP).contains(&length) {
            return 0;
        }
        count += 1;
        at = from + length;
    }
    count
}

const LONGEST: usize = 40;
/// `sha256`. Four are a year, or the end of an account's number.
const MOST_DIGITS_OF_KEY: usize = 3;
/// As long as the codes of errors get. Six are what opens an account (RFC 6238).
const MOST_DIGITS_OF_WORD: usize = 5;
/// `misconfiguration` has 16 letters. Longer runs are a secret's.
const LONGEST_HUMP: usize = 18;
#[cfg(feature = "audit")]
const LONGEST_HEADER_NAME: usize = 64;
