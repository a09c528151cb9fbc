//! Whatever is around it.

use outrigger::event::Kept;
use outrigger::redact::Redactor;
use proptest::prelude::*;

use super::{body, of_type, standard, text};

const CARD: &str = "4242 4242 4242 4242";

/// Media types that a body may claim to have.
fn media() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "text/plain",
        "text/html",
        "application/xml",
        "image/png",
    ])
}

/// Texts with the signs in them that mean something.
fn odd() -> impl Strategy<Value = String> {
    "([a-z0-9 ]|[{}\\[\\]\":,&=<>/?#%\\\\@\\-\\n.;'+]|password|token|https://|--b|\\\\u00|%4|é|Ω|\u{a0}|\u{3000}|\u{2028}){0,40}"
}

/// What a secret may stand in.
const WRAPPERS: [(&str, &str); 8] = [
    ("", ""),
    ("\"", "\""),
    ("Some(\"", "\")"),
    ("Some(\n    \"", "\",\n)"),
    ("String(\"x y ", "\")"),
    ("b\"", "\""),
    ("+\"", "\""),
    ("\u{a0}\"", "\""),
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        media in media(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        total in 0..300_u64,
    ) {
        let _ = standard().body(&of_type(media), &Kept::whole(bytes.clone()));
        let _ = standard().body(&of_type(media), &Kept::cut(bytes.clone(), total));
        let _ = standard().text(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_makes_it_panic(media in media(), odd in odd(), at in 0..60_usize) {
        let cut = &odd.as_bytes()[..at.min(odd.len())];
        let _ = standard().body(&of_type(media), &Kept::whole(odd.clone()));
        let _ = standard().body(&of_type(media), &Kept::cut(cut, 999));
        let _ = standard().text(&odd);
    }

    #[test]
    fn a_planted_card_never_survives(
        media in media(), before in odd(), after in odd(), by in prop::sample::select(vec!["", " ", "-"]),
    ) {
        let card = CARD.replace(' ', by);
        let planted = format!("{before}{card}{after}");
        let shown = body(media, &planted) + &text(&planted);
        prop_assert!(!shown.contains(&card), "{shown}");
        let json = serde_json::json!({ "a": [before, { "note": planted }] }).to_string();
        let shown = body(media, &json);
        prop_assert!(!shown.contains(&card), "{shown}");
        for cut in [json.len() * 2 / 3, json.len() - 1] {
            let cut = Kept::cut(&json.as_bytes()[..cut], json.len() as u64);
            let shown = standard().body(&of_type(media), &cut).unwrap_or_default();
            prop_assert!(!shown.contains(&card), "{shown}");
        }
    }

    #[test]
    fn a_planted_address_never_survives(
        media in media(), before in odd(), after in odd(),
        address in "[a-z][a-z0-9.]{0,8}@[a-z]{1,8}\\.(test|org)",
    ) {
        let planted = format!("{before} {address} {after}");
        let json = serde_json::json!({ "a": [before, { "note": planted }] }).to_string();
        for given in [&planted, &json] {
            let shown = body(media, given) + &text(given);
            prop_assert!(!shown.contains(&address), "{shown}");
        }
    }

    #[test]
    fn what_stands_under_a_secret_name_never_survives(
        media in media(), before in odd(), secret in "[A-Z]{8}",
        name in prop::sample::select(vec!["password", "apiKey", "x-auth-token", "cvc", "iban"]),
    ) {
        let json = serde_json::json!({ "a": before, "b": [{ name: { "x": [secret] } }] }).to_string();
        for at in 0..=json.len() {
            let Some(cut) = json.get(..at) else { continue };
            let shown = standard().body(&of_type(media), &Kept::cut(cut, 999)).unwrap_or_default();
            prop_assert!(!shown.contains(&secret[..4]), "{cut}: {shown}");
        }
        let form = format!("a=1&{name}={secret}&b=2");
        prop_assert!(!body(media, &form).contains(&secret));
        let xml = format!("<a><{name} x=\"1\">{secret}</{name}></a>");
        prop_assert!(!body(media, &xml).contains(&secret));
        for (before, after) in WRAPPERS {
            let line = format!("{name}: {before}{secret}{after}");
            prop_assert!(!(body(media, &line) + &text(&line)).contains(&secret), "{line}");
            let json = serde_json::json!({ "note": format!("{{\"{name}\": {before}{secret}{after}}}") });
            prop_assert!(!body(media, &json.to_string()).contains(&secret), "{json}");
        }
    }
}
