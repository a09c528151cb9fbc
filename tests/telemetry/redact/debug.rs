//! What Rust's `Debug` writes of secrets, in an error's text for example.

use super::{body, text};

/// Texts that hold a secret, wherever they are themselves.
const SECRETS: [&str; 43] = [
    r#"token: Some("HUNTER2")"#,
    r#"password: Ok("HUNTER2..")"#,
    r#"Authorization: "Bearer HUNTER2""#,
    r#"password: Some(["a", "HUNTER2"])"#,
    r#"password: ("a", "HUNTER2"), n: 1"#,
    r#"password: Some("a", "HUNTER2")"#,
    r#"password: Some('H'), token: ["x", "HUNTER2"], n: 1"#,
    r#"password: Some(Secret { a: "x, y", b: "HUNTER2" })"#,
    r#"password: Wrapper { "a": "1", "b": "HUNTER2" }"#,
    r#"password: "a""HUNTER2""#,
    r#"password: 'it''s HUNTER2'"#,
    r#"password="a"HUNTER2 n=1"#,
    r#"password=[a]HUNTER2 n=1"#,
    r#"password={a}HUNTER2 n=1"#,
    r##"password: r#"a"HUNTER2"#"##,
    r#"Header { name: "authorization", value: "Basic HUNTER2" }"#,
    r#"Header { name: "authorization", value: "HUNTER2" }"#,
    r#"Header { name: "x-api-key", n: 1, value: "HUNTER2" }"#,
    r#"Field { name: "password", value: Some("HUNTER2") }"#,
    r#"Field { key: "password", val: "HUNTER2", n: 1 }"#,
    r#"Object {"name": String("password"), "value": String("HUNTER2")}"#,
    "Header {\n    name: \"authorization\",\n    value: \"HUNTER2\",\n}",
    r#"("password", "HUNTER2")"#,
    r#"[("user", "ada"), ("password", "HUNTER2"), ("n", "1")]"#,
    r#"Some(Pair("token", Some("HUNTER2")))"#,
    "(\n    \"password\",\n    \"HUNTER2\",\n)",
    r#"Secret("HUNTER2")"#,
    r#"AccessToken("HUNTER2")"#,
    r#"ApiKey(Some("HUNTER2"))"#,
    r#"Token([72, 85, 78], b"HUNTER2")"#,
    "Secret(\n    \"HUNTER2\",\n)",
    r#"Password { value: "HUNTER2" }"#,
    "Token {\n    inner: \"HUNTER2\",\n}",
    r#"source: Custom { kind: Other, error: "password: Some(\"HUNTER2\")" }"#,
    r#"source: Custom { kind: Other, error: "Secret(\"HUNTER2\")" }"#,
    r#"<field name="password">HUNTER2</field>"#,
    r#"<add key="ApiKey" value="HUNTER2" />"#,
    "<password><![CDATA[a</password>HUNTER2]]></password>",
    r#"name: "password", value: "HUNTER2""#,
    r#"name=password&value=HUNTER2"#,
    r#"Some("a=1&note=C { password: Some(",&HUNTER2"), z: 2 }")"#,
    r#"<a password=\"&quot; HUNTER2\"/>"#,
    "--b\r\ncontent-disposition: form-data; name=\"pin\"\r\n\r\nHUNTER2\r\n--b--",
];

#[test]
fn no_secret_is_left_of_it_however_it_is_quoted() {
    for given in SECRETS {
        let quoted = format!("{given:?}");
        let json = serde_json::json!({ "error": given }).to_string();
        let again = serde_json::json!({ "error": quoted }).to_string();
        for given in [given, &quoted, &json, &again] {
            let shown = text(given) + &body("application/json", given);
            assert!(!shown.contains("HUNTER2"), "{given}: {shown}");
        }
    }
}

#[test]
fn what_is_beside_it_is_shown() {
    for (given, shown) in [
        (
            r#"[("user", "ada"), ("password", "hunter2"), ("n", "1")]"#,
            r#"[("user", "ada"), ("password", "[redacted]"), ("n", "1")]"#,
        ),
        (
            r#"Header { name: "x-api-key", value: "hunter2", n: 5 }"#,
            r#"Header { name: "[redacted]", value: "[redacted]", n: 5 }"#,
        ),
        (
            r#"[Field { key: "pin", value: "1" }, Field { key: "kind", value: "new" }]"#,
            r#"[Field { key: "[redacted]", value: "[redacted]" }, Field { key: "[redacted]", value: "new" }]"#,
        ),
        (r#"Err(Token("hunter2"), 5)"#, "Err(Token([redacted]), 5)"),
        ("Password { value: 1 } at 5", "Password {[redacted]} at 5"),
        (
            r#"<field name="pin">1</field><n>5</n>"#,
            r#"<field name="[redacted]">[redacted]</field><n>5</n>"#,
        ),
        ("<pin><![CDATA[</pin>]]></pin><n>5</n>", "<pin[redacted]</pin><n>5</n>"),
        (r#"password: Some(["a", "b"]) of 5"#, "password: [redacted]"),
        // Types and texts that hold no secret.
        (r#"TokenExpired("at 5")"#, r#"TokenExpired("at 5")"#),
        (r#"PublicKey("abc")"#, r#"PublicKey("abc")"#),
        ("Token(expired)", "Token(expired)"),
        ("invalid Token (RFC 6750)", "invalid Token (RFC 6750)"),
        ("query Session { user(id: 5) }", "query Session { user(id: 5) }"),
        (r#"missing ["token", "kind"]"#, r#"missing ["token", "kind"]"#),
        (r#"field: "amount", value: "5""#, r#"field: "amount", value: "5""#),
    ] {
        assert_eq!(text(given), shown);
    }
}
