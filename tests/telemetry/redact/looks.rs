//! What is secret by its looks, in what somebody asked for.

use outrigger::redact::{Redactor, StandardRedactor};

use super::text;

#[test]
fn texts_are_hidden_unless_somebody_asks_for_them() {
    assert_eq!(StandardRedactor::new().text("Ada called"), "[10 bytes]");
    assert_eq!(text("Ada called"), "Ada called");
}

#[test]
fn what_is_secret_by_its_looks_is_hidden() {
    for (given, shown) in [
        ("got Bearer abcdef123 and", "got Bearer [redacted] and"),
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "Authorization: Basic [redacted]"),
        ("bearer token \"hunterabc\" is bad", "bearer token \"[redacted]\" is bad"),
        ("got Bearer+hunterabc at 5", "got Bearer+[redacted] at 5"),
        ("got Bearer%20hunterabc at 5", "got Bearer%20[redacted] at 5"),
        ("Incorrect API key: sk-abc***def", "Incorrect API key: [redacted]"),
        ("jwt eyJhbGciOi.eyJzdWIi.c2ln ok", "jwt [redacted] ok"),
        ("order-sk_live_abcdef", "order-[redacted]"),
        ("a\n-----BEGIN PRIVATE KEY-----\nabc", "a\n[redacted]"),
        ("token Zx81kLmq0pQr7t ok", "token [redacted] ok"),
        ("to ada@crm.test, \"ada l\"@crm.test!", "to [redacted], [redacted]!"),
        ("to 田中@crm.test", "to [redacted]"),
        ("to ada&#64;crm.test ok", "to [redacted] ok"),
        ("charged 4242-4242-4242-4242.", "charged [redacted]."),
        (
            "at https://u:p@crm.test:81/v1/orders?a=b#c and ftp://u:p/w@h.test/x",
            "at https://[redacted]/[redacted] and ftp://[redacted]",
        ),
        ("at https://crm.test?a=b", "at https://crm.test[redacted]"),
    ] {
        assert_eq!(text(given), shown);
    }
}

#[test]
fn what_has_other_looks_is_shown() {
    for given in [
        "connection refused (os error 111)",
        "order 1042 failed at 2024-05-01T10:00:00Z",
        "id 01234567-89ab-1234-8234-123456789012",
        "basic info",
        "see https://crm.test/",
        "a @ b",
    ] {
        assert_eq!(text(given), given);
    }
}
