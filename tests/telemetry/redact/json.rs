//! JSON: brackets and keys, and few values.

use http::HeaderValue;
use outrigger::event::Kept;
use outrigger::redact::Redactor;

use super::{body, json, of_type, standard};

#[test]
fn the_structure_is_shown_and_values_are_not() {
    for (given, shown) in [
        (
            r#"{"vorname":"Ada","alter": 36, "kunde":true,"adresse":{"strasse":null,"tags":["a","bc"]}}"#,
            r#"{"vorname":"[string 3]","alter":"[number 2]","kunde":true,"adresse":{"strasse":null,"tags":["[string 1]","[string 2]"]}}"#,
        ),
        (
            r#"{"error":{"code":"card_declined","message":"Ada's card","param":"number","errors":[{"reason":"rateLimitExceeded"}]}}"#,
            r#"{"error":{"code":"card_declined","message":"[string 10]","param":"number","errors":[{"reason":"rateLimitExceeded"}]}}"#,
        ),
        (
            r#"{"type":"https://p.test/no-credit","title":"Dr","status":402,"detail":"Ada"}"#,
            r#"{"type":"[string 24]","title":"[string 2]","status":402,"detail":"[string 3]"}"#,
        ),
        (
            r#"{"Error":{"Code":"NotFound","RequestId":"x"},"statusCode":404,"error-code":"E1001"}"#,
            r#"{"Error":{"Code":"NotFound","RequestId":"[string 1]"},"statusCode":404,"error-code":"E1001"}"#,
        ),
        ("[]", "[]"),
        (" [ { } , [ ] ] ", "[{},[]]"),
        (r#""Ada""#, r#""[string 3]""#),
        ("4711", r#""[number 4]""#),
        ("null", "null"),
    ] {
        assert_eq!(json(given), shown);
    }
}

#[test]
fn a_value_of_the_list_is_shown_only_if_it_is_a_word_of_a_program() {
    for word in [
        "card_declined",
        "rateLimitExceeded",
        "NotFound",
        "RESOURCE_EXHAUSTED",
        "not-found",
        "EUR",
        "AADSTS50058",
        "E1001",
        "404",
        "address_line1",
    ] {
        let given = format!(r#"{{"code":"{word}"}}"#);
        assert_eq!(json(&given), given);
    }
    for value in [
        "Ada",
        "Lovelace",
        "Ada Lovelace",
        "Smith-Jones",
        "ada.lovelace",
        "ada@crm.test",
        "Müller",
        "エイダ",
        "1815-12-10",
        "123456",
        "532013000",
        "DE89370400440532013000",
        "Hunter2xSecret",
        "hunter2",
        "a1b2c3d4",
        "sk_live_abcdefgh",
        "xKqZbWnPtLmR",
        "abcdefghijklmnopqrstuvwxyz",
        "C01X00T47",
        "\\u0041da",
        "",
    ] {
        let shown = json(&format!(r#"{{"code":"{value}"}}"#));
        let length = value.chars().count();
        assert_eq!(shown, format!(r#"{{"code":"[string {length}]"}}"#));
    }
    for (number, is_shown) in
        [("422", true), ("40401", true), ("532013", false), ("-1", false), ("1.5", false)]
    {
        let shown = json(&format!(r#"{{"code":{number}}}"#));
        assert_eq!(shown.contains(number), is_shown, "{shown}");
    }
}

#[test]
fn fields_of_the_list_are_shown_where_an_error_is_described_and_nowhere_else() {
    for (given, shown) in [
        (
            r#"{"patient":{"status":"divorced","code":"F32","error":{"code":"widowed"}}}"#,
            r#"{"patient":{"status":"[string 8]","code":"[string 3]","error":{"code":"[string 7]"}}}"#,
        ),
        (r#"{"Ada Lovelace":{"status":"divorced"}}"#, r#"{"[key 12]":{"status":"[string 8]"}}"#),
        (r#"{"Ada Lovelace":1,"code":"bad"}"#, r#"{"[key 12]":"[number 1]","code":"bad"}"#),
        (r#"{"status":["divorced"]}"#, r#"{"status":["[string 8]"]}"#),
        (r#"{"errors":["divorced"]}"#, r#"{"errors":["[string 8]"]}"#),
        (
            r#"{"errors":{"code":["x"],"type":"y"}}"#,
            r#"{"errors":{"code":["[string 1]"],"type":"y"}}"#,
        ),
        (r#"{"code":"bad","code":"Ada"}"#, r#"{"code":"bad","code":"[string 3]"}"#),
    ] {
        assert_eq!(json(given), shown);
    }
}

#[test]
fn keys_that_are_values_are_hidden_and_so_are_the_others_of_their_object() {
    for key in [
        "Ada Lovelace",
        "ada@crm.test",
        "José García",
        "田中 太郎",
        "2026-11-30",
        "532013000",
        "acct_532013000",
        "DE89370400440532013000",
        "+49 30 123456",
        "https://crm.test/ada",
    ] {
        let given = format!(r#"{{"a":{{"{key}":1,"grace":2}},"grace":3}}"#);
        let length = key.chars().count();
        let shown = format!(
            r#"{{"a":{{"[key {length}]":"[number 1]","[key 5]":"[number 1]"}},"grace":"[number 1]"}}"#
        );
        assert_eq!(json(&given), shown);
    }
    // These may be somebody's, and say nothing of the others.
    for key in [
        "Ada",
        "LOVELACE",
        "Müller",
        "エイダ",
        "ada.lovelace",
        "Smith-Jones",
        "sk_live_abcdefgh",
        "0",
    ] {
        let shown = json(&format!(r#"{{"{key}":1,"grace":2}}"#));
        assert!(!shown.contains(key) && shown.contains("grace"), "{shown}");
    }
    for key in [
        "vorname",
        "straße",
        "prénom",
        "firstName",
        "line_items",
        "$ref",
        "@type",
        "sha256",
        "RequestId",
    ] {
        assert!(json(&format!(r#"{{"{key}":1}}"#)).contains(key), "{key}");
    }
}

#[test]
fn what_was_cut_is_shown_as_far_as_it_came() {
    let whole =
        r#"{"status":422,"code":"bad_card","name":"Ada","b":[{"kontonummer":"532013000"},true]}"#;
    let shown = json(whole);
    for at in 0..whole.len() {
        let cut = Kept::cut(&whole.as_bytes()[..at], 9_999);
        let Some(cut) = standard().body(&of_type("application/json"), &cut) else { panic!("{at}") };
        let cut = cut.strip_suffix("[cut]").unwrap_or(&cut);
        assert!(shown.starts_with(cut), "{cut}");
    }
    let cut = |text: &str| {
        standard().body(&of_type("application/json"), &Kept::cut(text, 99)).unwrap_or_default()
    };
    assert_eq!(cut(r#"{"status":42"#), r#"{"status":[cut]"#);
    assert_eq!(cut(r#"{"code":"bad"#), r#"{"code":[cut]"#);
    assert_eq!(cut(r#"{"a":1,"vornam"#), r#"{"a":"[number 1]"[cut]"#);
    assert_eq!(cut(r#"{"a":1,"vorname""#), r#"{"a":"[number 1]"[cut]"#);
}

#[test]
fn many_texts_one_after_another_are_each_read() {
    let shown = "{\"code\":\"bad\"}\n{\"name\":\"[string 3]\"}";
    for given in [
        "{\"code\":\"bad\"}\n{\"name\":\"Ada\"}\n",
        "{\"code\":\"bad\"}{\"name\":\"Ada\"}",
        "\u{1e}{\"code\":\"bad\"}\n\u{1e}{\"name\":\"Ada\"}\n",
        "\u{feff}{\"code\":\"bad\"}\r\n{\"name\":\"Ada\"}",
    ] {
        for media in ["application/x-ndjson", "application/json-seq", "application/problem+json"] {
            assert_eq!(body(media, given), shown);
        }
        assert_eq!(standard().body(&Default::default(), &Kept::whole(given)).unwrap(), shown);
    }
    let number = "9".repeat(30);
    assert_eq!(json(&format!(r#"{{"code":{number}}}"#)), r#"{"code":"[number 30]"}"#);
    let inner = r#"{"raw":"{\"code\":\"bad\",\"name\":\"Ada\"}"}"#;
    assert_eq!(json(inner), r#"{"raw":"[string 35]"}"#);
}

#[test]
fn of_anything_else_media_type_and_size_are_shown() {
    for (media, given) in [
        ("application/json", "{\"code\":\"bad\",}"),
        ("application/json", "{code:bad}"),
        ("application/json", "<p>Ada</p>"),
        ("application/json", "{\"a\":01x}"),
        ("application/json", "[1}"),
        ("text/plain", "code: bad"),
        ("text/plain", "[2026-11-30] Ada"),
        ("text/html", "<code>bad</code>"),
        ("application/xml", "<code>bad</code>"),
        ("application/graphql", "{ code }"),
        ("multipart/form-data; boundary=b", "--b\r\n"),
        ("text/csv", "code\nbad"),
        ("application/x-amz-json-1.1", "x"),
        ("image/png", "{\"code\":\"bad\"}"),
    ] {
        let name = media.split(';').next().unwrap();
        assert_eq!(body(media, given), format!("[{name}, {} bytes]", given.len()));
    }
    assert_eq!(body("text/Ada Lovelace", "x"), "[1 bytes]");
    assert_eq!(body("application/hunter2xsecret", "x"), "[1 bytes]");
    let utf16: Vec<u8> =
        "\u{feff}{\"code\":\"bad\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let shown = standard().body(&of_type("application/json"), &Kept::whole(utf16)).unwrap();
    assert_eq!(shown, "[application/json, 30 bytes]");
    let latin1 = b"{\"code\":\"bad\",\"name\":\"J\xf6rg\",\"stra\xdfe\":1}";
    let shown = standard().body(&of_type("application/json"), &Kept::whole(*latin1)).unwrap();
    assert_eq!(shown, r#"{"code":"bad","[key 4]":"[string 4]","[key 6]":"[number 1]"}"#);
    let mut packed = of_type("application/json");
    packed.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(
        standard().body(&packed, &Kept::whole("{}")).unwrap(),
        "[application/json, 2 bytes]"
    );
    assert_eq!(standard().body(&packed, &Kept::default()), None);
}

#[test]
fn a_field_that_somebody_asked_for_is_shown_and_still_swept() {
    let own = standard().show_field("message").show_field("kontonummer");
    let shown = |given: &str| own.body(&of_type("application/json"), &Kept::whole(given)).unwrap();
    for (given, expected) in [
        (r#"{"message":"No credit left, Ada!"}"#, r#"{"message":"No credit left, Ada!"}"#),
        (
            r#"{"a":{"Message":["for ada@crm.test","by 4242 4242 4242 4242"]}}"#,
            r#"{"a":{"Message":["for [redacted]","by [redacted]"]}}"#,
        ),
        (r#"{"Ada B":{"konto_nummer":532013000}}"#, r#"{"[key 5]":{"konto_nummer":532013000}}"#),
        (r#"{"message":4242424242424242}"#, r#"{"message":"[number 16]"}"#),
        (r#"{"message":{"text":"Ada"}}"#, r#"{"message":{"text":"[string 3]"}}"#),
        (r#"{"message":"\nada\u0040crm.test"}"#, r#"{"message":"\n[redacted]"}"#),
        (r#"{"message":"\nada@crm.test"}"#, r#"{"message":"[redacted]"}"#),
        (r#"{"messages":"Ada"}"#, r#"{"messages":"[string 3]"}"#),
    ] {
        assert_eq!(shown(given), expected);
    }
}
