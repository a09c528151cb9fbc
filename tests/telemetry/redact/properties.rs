//! A secret in any place of anything is shown nowhere, but where somebody asked for it by its name.

use http::{HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::Redactor;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{of_type, standard};

/// Secrets: passwords, tokens, names, numbers, dates, addresses.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-z]{3,8}[0-9]{2,4}[A-Za-z0-9]{4,12}",
        "[0-9a-f]{16,40}",
        "[A-Za-z0-9+/]{24,60}={0,2}",
        "[A-Z][a-z]{3,10}",
        "[A-Z][a-z]{3,10} [A-Z][a-z]{3,10}",
        "[A-Z][a-z]{3,10}-[A-Z][a-z]{3,10}",
        "(M|J|K)(ü|ö|ł|é|ñ)[a-z]{4,8}",
        "[一-龠]{2,4}",
        "[ァ-ヴ]{3,6}",
        "[1-9][0-9]{6,29}",
        "(DE|PL|FR|ES|GB)[0-9]{18,24}",
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
        "[0-3][0-9]\\.[01][0-9]\\.(19|20)[0-9]{2}",
        "[a-z]{3,8}\\.[a-z]{3,8}",
        "[a-z]{3,8}@[a-z]{3,8}\\.(test|org)",
        "\\+[1-9]{2} [0-9]{2,4} [0-9]{5,8}",
    ]
}

/// Names of fields, with those of the list among them.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("code".to_owned()),
        Just("status".to_owned()),
        Just("error".to_owned()),
        Just("errors".to_owned()),
        Just("type".to_owned()),
        Just("message".to_owned()),
        Just("$ref".to_owned()),
        "[a-z]{1,3}(_[a-z]{1,3})?",
        "[A-Z][a-z]{1,2}",
    ]
}

/// JSON with the secret in it, as a value, as a part of one, as a number or as a key.
fn planted(secret: &str) -> impl Strategy<Value = Value> + use<> {
    let number = secret.parse::<u64>().ok().map(Value::from);
    let secret = secret.to_owned();
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::Bool(true)),
        Just(Value::from(7)),
        Just(Value::from(secret.clone())),
        Just(Value::from(format!("for {secret}, at 5"))),
        Just(Value::from(serde_json::json!({ "code": secret }).to_string())),
        Just(number.unwrap_or(Value::Null)),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let keys = prop_oneof![4 => key(), 1 => Just(secret.clone())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys, inner), 1..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn a_secret_and_json() -> impl Strategy<Value = (String, Value)> {
    secret().prop_flat_map(|secret| (Just(secret.clone()), planted(&secret)))
}

/// Texts with the signs in them that mean something.
fn odd() -> impl Strategy<Value = String> {
    "([a-z0-9 ]|[{}\\[\\]\":,&=<>/?#%\\\\@\\-\\n.;'+]|code|https://|\\\\u00|%4|é|Ω|\u{a0}|\u{3000}){0,40}"
}

const MEDIA: [&str; 7] = [
    "application/json",
    "application/problem+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "application/xml",
    "image/png",
];

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            encoded + &char::from(byte).to_string()
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}

proptest! {
    #[test]
    fn json_shows_no_secret_wherever_it_is_and_wherever_it_was_cut(
        (secret, json) in a_secret_and_json(), media in prop::sample::select(MEDIA.to_vec()), at in 0.0..1.0,
    ) {
        let text = json.to_string();
        let cut = (text.len() as f64 * at) as usize;
        for kept in [Kept::whole(text.as_str()), Kept::cut(&text.as_bytes()[..cut], 9_999)] {
            let shown = standard().body(&of_type(media), &kept).unwrap_or_default();
            prop_assert!(!shown.contains(&secret), "{text}\n{shown}");
            let part: String = secret.chars().take(6).collect();
            prop_assert!(part.chars().count() < 6 || !shown.contains(&part), "{text}\n{shown}");
        }
    }

    #[test]
    fn a_form_and_a_query_show_no_secret(
        secret in secret(), keys in prop::collection::vec(key(), 1..5), at in 0..5_usize, as_key: bool,
    ) {
        let pair = |(here, key): (usize, &String)| match (here == at % keys.len(), as_key) {
            (true, true) => format!("{}=x", percent(&secret)),
            (true, false) => format!("{}={}", percent(key), percent(&secret)),
            _ => format!("{}=1", percent(key)),
        };
        let pairs: Vec<_> = keys.iter().enumerate().map(pair).collect();
        let form = pairs.join("&");
        let media = of_type("application/x-www-form-urlencoded");
        let shown = standard().body(&media, &Kept::whole(form.as_str())).unwrap();
        let path = percent(&secret);
        let uri = format!("https://{path}:{path}@crm.test/orders/{path}?{form}").parse().unwrap();
        let shown = shown + &standard().uri(&uri);
        prop_assert!(!shown.contains(&secret) && !shown.contains(&path), "{form}\n{shown}");
    }

    #[test]
    fn a_header_shows_no_secret(secret in secret(), name in "x-[a-z]{3,8}", around in "[a-z ]{0,9}") {
        let value = HeaderValue::from_bytes(format!("{around}{secret}").as_bytes()).unwrap();
        for name in [&*name, "authorization", "set-cookie", "link", "retry-after", "location"] {
            let shown = standard().header(&HeaderName::from_bytes(name.as_bytes()).unwrap(), &value);
            let is_digit = |byte: u8| byte.is_ascii_digit() || b"+-. ".contains(&byte);
            let is_number = name == "retry-after" && secret.bytes().all(is_digit);
            prop_assert!(!shown.contains(&secret) || is_number, "{name}: {shown}");
        }
    }

    #[test]
    fn what_somebody_asked_for_by_its_name_is_shown_and_nothing_else(
        shown in "[A-Z][a-z]{3,9} [A-Z][a-z]{3,9}", secret in secret(), media in prop::sample::select(MEDIA[..2].to_vec()),
    ) {
        prop_assume!(!shown.contains(&secret));
        let json = serde_json::json!({ "a": { "message": shown, "note": secret }, "code": secret });
        let own = standard().show_field("message");
        let left = own.body(&of_type(media), &Kept::whole(json.to_string())).unwrap();
        prop_assert!(left.contains(&shown) && !left.contains(&secret), "{left}");
    }

    #[test]
    fn nothing_makes_it_panic(
        media in prop::sample::select(MEDIA.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        odd in odd(),
        at in 0..60_usize,
    ) {
        let own = standard().show_texts().show_field("code");
        let cut = &odd.as_bytes()[..at.min(odd.len())];
        for body in [&bytes[..], odd.as_bytes(), cut] {
            let _ = own.body(&of_type(media), &Kept::whole(body));
            let _ = own.body(&of_type(media), &Kept::cut(body, 999));
            let text = String::from_utf8_lossy(body);
            let _ = own.text(&text);
            let _ = own.text(&format!("{{\"code\":\"{text}\"}}"));
        }
    }

    #[test]
    fn cards_and_addresses_are_hidden_in_what_is_shown_whatever_is_around_them(
        before in odd(), after in odd(), by in prop::sample::select(vec!["", " ", "-"]),
        address in "[a-z][a-z0-9.]{0,8}@[a-z]{1,8}\\.(test|org)",
    ) {
        let card = "4242 4242 4242 4242".replace(' ', by);
        let own = standard().show_texts().show_field("note");
        for (secret, around) in [(card, ""), (address, " ")] {
            let planted = format!("{before}{around}{secret}{around}{after}");
            let json = serde_json::json!({ "a": [before, { "note": planted }] }).to_string();
            let body = own.body(&of_type("application/json"), &Kept::whole(json)).unwrap();
            let shown = own.text(&planted) + &body;
            prop_assert!(!shown.contains(&secret), "{shown}");
        }
    }
}
