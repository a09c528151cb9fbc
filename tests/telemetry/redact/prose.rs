//! What a sentence says of a secret, and what else it says.

use super::{body, text};

#[test]
fn a_sentence_tells_no_secret() {
    for (given, shown) in [
        (r#"password is "x y", try"#, r#"password is "[redacted]", try"#),
        ("the password 'hunter' is wrong", "the password '[redacted]' is wrong"),
        (r#"password "hun\"ter" rejected"#, r#"password "[redacted]" rejected"#),
        ("password was `hunter`.", "password was `[redacted]`."),
        (
            "Passwort \u{201c}hunter\u{201d} ist falsch",
            "Passwort \u{201c}[redacted]\u{201d} ist falsch",
        ),
        ("password -> hunter at 5", "password -> [redacted] at 5"),
        ("\"password\"\u{2192}hunter", "\"password\"\u{2192}[redacted]"),
        ("run: db --password hunter -v", "run: db --password [redacted] -v"),
        ("db --api-key 'hun ter' -v", "db --api-key '[redacted]' -v"),
        ("invalid token HUNTER2 (code 51)", "invalid token [redacted] (code 51)"),
        ("the secret was HUNTER2.", "the secret was [redacted]."),
        ("API key HUNTER2 not found", "API key [redacted] not found"),
        ("Invalid API Key 'hunter'", "Invalid API Key '[redacted]'"),
        ("api_key (HUNTER2) is unknown", "api_key ([redacted]) is unknown"),
        ("OTP code \"123456\" was used", "OTP code \"[redacted]\" was used"),
    ] {
        assert_eq!(text(given), shown);
        let json = serde_json::json!({ "message": given }).to_string();
        let lower = body("application/json", &json).to_ascii_lowercase();
        assert!(
            !lower.contains("hun") && !lower.contains("x y") && !lower.contains("3456"),
            "{lower}"
        );
    }
}

#[test]
fn a_sentence_without_a_secret_stays_as_it_is() {
    for said in [
        "the password is wrong",
        "password is too short, at least 12 characters",
        "password must differ from the last 5",
        "the password was changed at 2024-05-01T10:00:00Z",
        "invalid token (RFC 6750)",
        "token expired 30 s ago, request req_7Xa12b",
        "token for order A1042-7 is gone",
        "refresh token revoked for client shop-7",
        "Unexpected token '<', \"<html>\" is not valid JSON",
        "unexpected token `}` at line 1 column 17",
        r#"{"error":"invalid token","order":"A1042-77"}"#,
        r#"error="invalid_token", error_description="The access token expired""#,
        "key \"amount\" is missing",
        "session 'checkout' not found",
        "missing --password",
        "db --password --host db7.shop.test",
        "secret not found in https://vault.test/v1/kv",
        "Basic authentication required",
        "use Bearer authentication, please",
        "Basic realm=\"shop\"",
    ] {
        assert_eq!(text(said), said);
    }
}

#[test]
fn a_scheme_and_its_credential_may_be_quoted() {
    for (given, shown) in [
        ("got Bearer \"hunter\" at 5", "got Bearer \"[redacted]\" at 5"),
        ("got Bearer <hunter2abc> at 5", "got Bearer <[redacted]> at 5"),
        ("got Bearer+hunter2abc at 5", "got Bearer+[redacted] at 5"),
        ("bearer token hunterabc is bad", "bearer token [redacted] is bad"),
        ("Basic\tYWRhOmh1bnRlcjI= at 5", "Basic\t[redacted] at 5"),
        ("bearer token is bad", "bearer token is bad"),
    ] {
        assert_eq!(text(given), shown);
    }
}

#[test]
fn a_long_text_of_names_costs_no_more_a_word() {
    // In no more steps than there are signs: one of their square would take minutes.
    for word in [
        "token a1b2c3d ",
        "token \"",
        "token \u{201c}",
        "token 'a\n",
        "--pin a ",
        "Bearer \"abcdef1",
    ] {
        assert!(text(&word.repeat(50_000)).contains("[redacted]"));
    }
}
