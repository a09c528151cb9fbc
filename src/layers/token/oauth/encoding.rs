//! Forms, and base64 in both directions.

use std::fmt::Write;

/// A text as in `application/x-www-form-urlencoded` (WHATWG URL, 5.2), added to `to`.
pub(super) fn form_encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                to.push(byte.into());
            }
            b' ' => to.push('+'),
            _ => write!(to, "%{byte:02X}").expect("a string takes everything"),
        }
    }
}

/// Base64 with padding (RFC 4648, 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) as usize & 63;
            text.push(if at > chunk.len() { '=' } else { ALPHABET[index].into() });
        }
    }
    text
}

/// Base64url without padding (RFC 4648, 5), as in a JWT.
pub(super) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len()), 0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let letter = match letter {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(from_base64url(coded), Some(plain.as_bytes().to_vec()));
        }
        assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(from_base64url("no base64!"), None);
    }

    #[test]
    fn a_form_has_a_plus_for_a_blank_and_percents_for_what_could_be_misread() {
        let mut text = String::new();
        form_encode("a b&c=d+e%:é", &mut text);
        assert_eq!(text, "a+b%26c%3Dd%2Be%25%3A%C3%A9");
    }
}
