//! A secret in one format inside of another.

use std::fmt::Write;

use proptest::prelude::*;

use super::{body, text};

const NAMES: [&str; 7] =
    ["password", "apiKey", "x-auth-token", "cvc", "client_secret", "Authorization", "pin"];

/// What passwords are made of, and what ends a value where nobody looks closely.
const NOISE: [&str; 20] = [
    "", "a", "é", " ", ",", ", ", "\"", "'", "\\", "\\\"", "}", ")", "]", "{", "[", "(", "&", "<",
    ";", "\n",
];

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(byte.into());
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A secret under its name, and the type of what it then is.
fn named(format: usize, name: &str, secret: &str) -> (String, &'static str) {
    let json = |value: serde_json::Value| (value.to_string(), "application/json");
    match format {
        0 => json(serde_json::json!({ "a": 1, name: secret, "z": "y" })),
        1 => json(serde_json::json!([{ "x": { name: ["b", secret] } }])),
        2 => json(serde_json::json!({ "name": name, "value": secret })),
        3 => (format!("a=1&{name}={}&z=2", percent(secret)), "application/x-www-form-urlencoded"),
        4 => (format!("<a><{name} k=\"v\">{}</{name}></a>", escaped(secret)), "application/xml"),
        5 => (format!("<a {name}=\"{}\" z=\"y\"/>", escaped(secret)), "application/xml"),
        6 => (format!("https://crm.test/a?z=1&{name}={}#b", percent(secret)), "text/plain"),
        7 => (format!("C {{ a: 1, {name}: Some({secret:?}), z: 2 }}"), "text/plain"),
        8 => (format!("C {{ a: 1, {name}: {secret:?}, z: 2 }}"), "text/plain"),
        9 => (format!("H {{ name: {name:?}, value: {secret:?} }}"), "text/plain"),
        10 => (format!("[(\"a\", \"b\"), ({name:?}, {secret:?})]"), "text/plain"),
        11 => (format!("{:#?}", [(name, Some(secret))]), "text/plain"),
        12 => (format!("{{{name:?}: [{secret:?}]}}"), "text/plain"),
        _ => {
            let head = "content-disposition: form-data; name=";
            let part =
                |name: &str, value: &str| format!("--b\r\n{head}\"{name}\"\r\n\r\n{value}\r\n");
            let parts = part("a", "1") + &part(name, secret) + "--b--\r\n";
            (parts, "multipart/form-data; boundary=b")
        }
    }
}

/// A text in another one.
fn within(format: usize, inner: &str) -> (String, &'static str) {
    match format {
        0 => (serde_json::json!({ "note": inner, "z": 1 }).to_string(), "application/json"),
        1 => (serde_json::json!([["a", inner]]).to_string(), "application/json"),
        2 => (format!("a=1&note={}&z=2", percent(inner)), "application/x-www-form-urlencoded"),
        3 => (format!("<a><note>{}</note></a>", escaped(inner)), "application/xml"),
        4 => (format!("Err(Custom {{ kind: Other, error: {inner:?} }})"), "text/plain"),
        5 => (format!("https://crm.test/a?note={}", percent(inner)), "text/plain"),
        6 => (format!("it said: {inner}\nat 5"), "text/plain"),
        _ => (format!("Some({inner:?})"), "text/plain"),
    }
}

proptest! {
    #[test]
    fn a_secret_never_survives_whatever_it_is_wrapped_in(
        name in prop::sample::select(NAMES.to_vec()),
        before in prop::collection::vec(prop::sample::select(NOISE.to_vec()), 0..3),
        core in "[A-Z]{9}",
        format in 0..14_usize,
        around in prop::collection::vec(0..8_usize, 0..3),
    ) {
        let mut secret = before.concat() + &core;
        if !around.is_empty() && (matches!(format, 4 | 5) || around.contains(&3)) {
            // Which of two ways to escape came first can't be told.
            secret = secret.replace(['"', '\\'], "");
        }
        let (mut given, mut media) = named(format, name, &secret);
        for format in around {
            (given, media) = within(format, &given);
        }
        let shown = body(media, &given) + &text(&given);
        prop_assert!(!shown.contains(&core), "{given}\n{shown}");
    }
}
