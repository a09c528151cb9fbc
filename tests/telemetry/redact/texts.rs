//! Texts of unknown making.

use super::{body, text};

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
fn what_a_value_quotes_is_a_part_of_it() {
    for (given, shown) in [
        (
            r#"Credentials { user: "ada", password: Some("hunter2"), tries: 3 }"#,
            r#"Credentials { user: "ada", password: [redacted]}"#,
        ),
        (
            "C {\n  password: Some(\n    \"hunter2\",\n  ),\n  n: 5\n}",
            "C {\n  password: [redacted]\n  n: 5\n}",
        ),
        (r#"key: Some(" hunter2")"#, "key: [redacted]"),
        (r#"password: b"hunter2", "n": 5"#, r#"password: [redacted], "n": 5"#),
        (r#"password: "a" + String("hunter2")"#, r#"password: "[redacted]" + String("hunter2")"#),
        ("{\"password\":\u{a0}\"hunter2\",\"n\":5}", "{\"password\":\u{a0}\"[redacted]\",\"n\":5}"),
        ("password:\n  hunter2\nhost: a", "password:\n  [redacted]\nhost: a"),
        (r#"<a href="?token=hunter2">in</a>"#, r#"<a href="?token=[redacted]">in</a>"#),
        (r#"said "token=hunter2" at 5"#, r#"said "token=[redacted]" at 5"#),
        (r#"{\"pin\":hunter2,\"n\":5}"#, r#"{\"pin\":[redacted],\"n\":5}"#),
        (r#"{\"pin\":Some(\"hunter2\"),\"n\":5}"#, r#"{\"pin\":[redacted],\"n\":5}"#),
    ] {
        assert_eq!(text(given), shown);
    }
    let form = "payload=%7B%22apiKey%22%3A+%22hunter2%22%7D&n=5";
    let shown = body("application/x-www-form-urlencoded", form);
    assert!(!shown.contains("hunter2") && shown.ends_with("&n=5"), "{shown}");
}

#[test]
fn an_element_ends_with_its_own_tag() {
    for (given, shown) in [
        (
            "<key><keyId>k1</keyId><material>HUNTER2</material></key><n>5</n>",
            "<key[redacted]</key><n>5</n>",
        ),
        ("<key><key>a</key><b>HUNTER2</b></key><n>5</n>", "<key[redacted]</key><n>5</n>"),
        ("<pin kind=\"x\"/><n>5</n>", "<pin[redacted]><n>5</n>"),
        ("<key><key kind=\"x\"/>HUNTER2</key ><n>5</n>", "<key[redacted]</key ><n>5</n>"),
        ("<key><key>a</key>HUNTER2", "<key[redacted]"),
        ("<key", "<key"),
    ] {
        assert_eq!(text(given), shown);
    }
    // In no more steps than there are signs.
    let deep = "<key".repeat(100_000);
    assert_eq!(text(&deep), "<key[redacted]");
}
