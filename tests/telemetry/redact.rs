//! What is hidden, and what is still shown.

use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::{Redactor, StandardRedactor};
use proptest::prelude::*;

const CARD: &str = "4242 4242 4242 4242";

fn standard() -> StandardRedactor {
    StandardRedactor::new()
}

fn of_type(media: &str) -> HeaderMap {
    let value = HeaderValue::from_str(media).unwrap();
    HeaderMap::from_iter([(http::header::CONTENT_TYPE, value)])
}

fn body(media: &str, text: &str) -> String {
    standard().body(&of_type(media), &Kept::whole(text)).unwrap_or_default()
}

fn header(name: &'static str, value: &str) -> String {
    standard().header(&HeaderName::from_static(name), &HeaderValue::from_str(value).unwrap())
}

fn text(text: &str) -> String {
    standard().text(text)
}

#[test]
fn secret_headers_are_hidden() {
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-amz-security-token",
        "x-shop-secret",
        "stripe-signature",
        "x-hub-signature-256",
        "x-vault-password",
        "x-csrf-token",
        "x-forwarded-for",
        "x-customer-email",
    ] {
        assert_eq!(header(name, "plain"), "[redacted]", "{name}");
    }
    for name in ["content-type", "idempotency-key", "retry-after", "x-request-id", "etag"] {
        assert_eq!(header(name, "plain"), "plain", "{name}");
    }
    assert_eq!(header("x-note", "to ada@crm.test"), "to [redacted]");
    assert_eq!(header("location", "/a/9?token=x"), "/a/[redacted]?token=[redacted]");
    assert_eq!(header("link", "</a?cursor=x>; rel=next"), "</a?cursor=[redacted]>; rel=next");
    let mut sensitive = HeaderValue::from_static("plain");
    sensitive.set_sensitive(true);
    assert_eq!(standard().header(&HeaderName::from_static("x-any"), &sensitive), "[redacted]");
}

#[test]
fn urls_show_where_and_no_more() {
    let uri = |uri: &str| standard().uri(&uri.parse().unwrap());
    assert_eq!(
        uri("https://ada:p@crm.test:81/orders/7?q=ada&x#f"),
        "https://[redacted]@crm.test:81/[redacted]?q=[redacted]&[redacted]"
    );
    assert_eq!(uri("https://crm.test/"), "https://crm.test/");
    let shows = standard().show_paths().show_query("page").show_query("token");
    let shown = shows.uri(&"https://crm.test/o/7/a@b.test?page=2&token=x".parse().unwrap());
    assert_eq!(shown, "https://crm.test/o/7/[redacted]?page=2&token=[redacted]");
    assert_eq!(
        text("error sending request for url (https://u:p/w@crm.test/v1/orders/77?a=b): reset"),
        "error sending request for url (https://[redacted]/v1/orders/[redacted]?a=[redacted] reset"
    );
    assert_eq!(
        text("see https://crm.test/problems/out-of-credit"),
        "see https://crm.test/problems/out-of-credit"
    );
}

#[test]
fn json_keeps_its_shape() {
    assert_eq!(
        body(
            "application/json",
            r#"{"code":"bad","user":{"id":7,"email":"a@b.c","cardNumber":[1,2]},"pin":12,"ok":true}"#
        ),
        r#"{"code":"bad","user":{"id":7,"email":"[redacted]","cardNumber":"[redacted]"},"pin":"[redacted]","ok":true}"#
    );
    assert_eq!(
        body(
            "application/problem+json",
            r#"{"type":"https://p.test/no-credit","detail":"for ada@crm.test","n":4242424242424242}"#
        ),
        r#"{"type":"https://p.test/no-credit","detail":"for [redacted]","n":"[redacted]"}"#
    );
    assert_eq!(
        body(
            "application/json",
            r#"[{"value":"x1","field":"password"},{"field":"amount","value":"9"}]"#
        ),
        r#"[{"value":"[redacted]","field":"password"},{"field":"amount","value":"9"}]"#
    );
    assert_eq!(
        body("application/json", r#"{"name":"Ada","a":{"name":"first_name"},"b":{"key":"k-1_x"}}"#),
        r#"{"name":"[redacted]","a":{"name":"first_name"},"b":{"key":"[redacted]"}}"#
    );
    assert_eq!(
        body("application/json", r#"{"name":{"first":"Ada"},"\u0070in":"1234"}"#),
        r#"{"name":"[redacted]","\u0070in":"[redacted]"}"#
    );
    assert_eq!(
        body("application/json", r#"{"raw":"{\"password\":\"hunter2\",\"ok\":1}"}"#),
        r#"{"raw":"{\"password\":\"[redacted]\",\"ok\":1}"}"#
    );
    assert_eq!(
        body("application/json", "{\"a\":1}\n{\"token\":2}"),
        "{\"a\":1}\n{\"token\":\"[redacted]\"}"
    );
}

#[test]
fn spaces_that_json_does_not_know_hold_nobody_up() {
    for space in ["\u{a0}", "\u{2003}", "\u{2028}", "\u{3000}", "\u{feff}", "é"] {
        let inside = format!("{{\"address\":{{\n{space}{space}\"street\":\"x\"}},\"n\":{space}1}}");
        let shown = body("application/json", &inside);
        assert!(shown.starts_with(r#"{"address":"#) && !shown.contains("street"), "{shown}");
    }
}

#[test]
fn what_is_cut_loses_its_end() {
    let cut = |media: &str, text: &str| {
        standard().body(&of_type(media), &Kept::cut(text, 9_999)).unwrap_or_default()
    };
    let card = r#"{"code":"bad","note":"4242 4242 42"#;
    assert_eq!(cut("application/json", card), r#"{"code":"bad","note":"[redacted]""#);
    assert_eq!(cut("application/json", r#"{"n":42424242"#), r#"{"n":"[redacted]""#);
    assert_eq!(
        cut("application/json", r#"{"a":1,"user":{"password":{"x":1"#),
        r#"{"a":1,"user":{"password":"[redacted]""#
    );
    assert_eq!(
        cut("application/json", r#"{"value":"x1","field":"pass"#),
        r#"{"value":"[redacted]","field":"[redacted]""#
    );
    assert_eq!(cut("text/plain", "sent to 4242 4242 42"), "sent to[redacted]");
    assert_eq!(cut("text/plain", "sent to ada.love"), "sent to[redacted]");
    assert_eq!(cut("application/x-www-form-urlencoded", "a=1&b=42424"), "a=1&b=[redacted]");
    let lying = cut("application/json", r#"{"a":1,,"password":"hun"#);
    assert!(!lying.contains("hun"), "{lying}");
}

#[test]
fn forms_and_parts_are_redacted_by_name() {
    assert_eq!(
        body(
            "application/x-www-form-urlencoded",
            "amount=7&card%5Bcvc%5D=123&note=ada%40crm.test&x"
        ),
        "amount=7&card%5Bcvc%5D=[redacted]&note=[redacted]&[redacted]"
    );
    let parts = "--b\r\ncontent-disposition: form-data; name=\"amount\"\r\n\r\n7\r\n--b\r\n\
        Content-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\n\
        content-disposition: form-data; name=\"cv\"; filename=\"ada.txt\"\r\n\r\nfile text\r\n--b--\r\n";
    let shown = "amount: 7\npassword: [redacted]\ncv: [11 bytes]\n";
    assert_eq!(body("multipart/form-data; boundary=b", parts), shown);
    assert_eq!(body("text/plain", parts), shown, "whatever it calls itself");
    assert_eq!(body("multipart/form-data", parts), shown);
    assert_eq!(body("multipart/form-data; boundary=other", parts), "");
}

#[test]
fn texts_are_searched() {
    for (given, shown) in [
        ("password=hunter2&x=1", "password=[redacted]&x=1"),
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "Authorization: [redacted]"),
        ("got Bearer abcdef123 and", "got Bearer [redacted] and"),
        ("Incorrect API key provided: sk-abc***def", "Incorrect API key provided: [redacted]"),
        ("<o><pin kind=\"x\">1234</pin><n>5</n></o>", "<o><pin[redacted]</pin><n>5</n></o>"),
        ("<s:Password>a</s:Password>", "<s:Password[redacted]</s:Password>"),
        ("charged 4242-4242-4242-4242.", "charged [redacted]."),
        ("key \"ada l\"@crm.test!", "key [redacted]!"),
        ("jwt eyJhbGciOi.eyJzdWIi.c2ln ok", "jwt [redacted] ok"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "[redacted]"),
        ("connection refused (os error 111)", "connection refused (os error 111)"),
        ("order 1042 failed at 2024-05-01T10:00:00Z", "order 1042 failed at 2024-05-01T10:00:00Z"),
        ("id 01234567-89ab-1234-8234-123456789012", "id 01234567-89ab-1234-8234-123456789012"),
    ] {
        assert_eq!(text(given), shown);
    }
}

#[test]
fn what_is_no_text_is_not_shown() {
    for media in ["application/octet-stream", "image/png", "application/grpc", "text/csv"] {
        assert_eq!(standard().body(&of_type(media), &Kept::whole("plain")), None, "{media}");
    }
    assert_eq!(standard().body(&of_type("text/plain"), &Kept::whole(*b"a\xffb")), None);
    assert_eq!(standard().body(&of_type("text/plain"), &Kept::whole(*b"p\0i\0n\0")), None);
    let mut packed = of_type("application/json");
    packed.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(standard().body(&packed, &Kept::whole("{}")), None);
    let unsaid = standard().body(&HeaderMap::new(), &Kept::whole("down"));
    assert_eq!(unsaid.as_deref(), Some("down"));
}

#[test]
fn what_is_hidden_can_be_set() {
    let own = standard().also_field("loyalty_number").show_field("name");
    let own = own.also_header(HeaderName::from_static("x-plan"));
    let shown = own.body(
        &of_type("application/json"),
        &Kept::whole(r#"{"loyaltyNumber":7,"name":"Ada","token":"t"}"#),
    );
    assert_eq!(
        shown.unwrap(),
        r#"{"loyaltyNumber":"[redacted]","name":"Ada","token":"[redacted]"}"#
    );
    let plan = own.header(&HeaderName::from_static("x-plan"), &HeaderValue::from_static("gold"));
    assert_eq!(plan, "[redacted]");
}

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
        let line = format!("{name}: {secret}");
        prop_assert!(!(body(media, &line) + &text(&line)).contains(&secret));
    }
}
