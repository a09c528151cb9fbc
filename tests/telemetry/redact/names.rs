//! Which names are secret, and which only sound so.

use super::{body, header, text};

fn is_hidden(name: &str) -> bool {
    let json = serde_json::json!({ name: "HUNTER2" }).to_string();
    !body("application/json", &json).contains("HUNTER2")
}

#[test]
fn a_key_is_one_however_it_is_written() {
    for name in [
        "key",
        "key1",
        "Key2",
        "authkey",
        "masterkey",
        "primaryMasterKey",
        "primaryKey",
        "secondary_key",
        "encryptionkey",
        "subscriptionkey",
        "Ocp-Apim-Subscription-Key",
        "signingkey",
        "commonKey",
        "publicKeyPassword",
        "idempotencyKeySecret",
    ] {
        assert!(is_hidden(name), "{name}");
    }
    for name in [
        "idempotencyKey",
        "idempotency_key2",
        "business-key",
        "foreign_key",
        "partitionKey",
        "public_key",
        "publishableKey",
        "monkey",
        "surveymonkey",
        "turkey",
        "turnkey",
        "keyboard",
        "keyword",
        "max_tokens",
    ] {
        assert!(!is_hidden(name), "{name}");
    }
}

#[test]
fn what_opens_or_tells_of_somebody_is_hidden_with_a_number_too() {
    for name in [
        "securityCode",
        "securitycode",
        "authcode",
        "pw",
        "db_pw",
        "pin2",
        "otp1",
        "address1",
        "street2",
        "lastName2",
    ] {
        assert!(is_hidden(name), "{name}");
    }
    for name in ["sha256", "oauth2", "status2", "code", "countryCode", "spw"] {
        assert!(!is_hidden(name), "{name}");
    }
    assert_eq!(header("x-ovh-consumer", "plain"), "[redacted]");
    assert_eq!(text("security code: 123"), "security code: [redacted]");
}

#[test]
fn a_list_of_keys_shows_none() {
    let keys = r#"{"keys":[{"keyName":"key1","permissions":"Full","value":"HUNTER2"}]}"#;
    let shown = r#"{"keys":[{"keyName":"[redacted]","permissions":"Full","value":"[redacted]"}]}"#;
    assert_eq!(body("application/json", keys), shown);
}

#[test]
fn keys_are_told_by_how_they_begin() {
    for key in ["npm_", "hvs.", "GOCSPX-", "rzp_live_", "shppa_", "ghu_", "pypi-", "dop_v1_"] {
        assert_eq!(text(&format!("got {key}HUNTER2HUNTER2 at 5")), "got [redacted] at 5");
    }
    for name in ["device_code", "recoveryCodes", "PHPSESSID", "creds", "track2", "mnemonic"] {
        assert_eq!(text(&format!("{name}=HUNTER2")), format!("{name}=[redacted]"));
    }
}
