use http::Response;

use super::super::encoding::base64;
use super::*;
use crate::terms::TokenFailure;
use crate::token::issuer::Lifetime;

fn read(status: u16, body: &str) -> Result<Granted, Refused> {
    let date = "Tue, 01 Dec 2026 00:00:00 GMT";
    let response = Response::builder().status(status).header(DATE, date).body(()).unwrap();
    Granted::read(&response.into_parts().0, body.as_bytes())
}

fn lifetime(body: &str) -> Lifetime {
    read(200, body).unwrap().token.lifetime
}

#[test]
fn a_lifetime_is_a_number_or_a_text_or_the_jwts() {
    let of = |expires_in: &str| {
        lifetime(&format!(
            r#"{{"access_token":"t","token_type":"BeArEr","expires_in":{expires_in}}}"#
        ))
    };
    for (written, seconds) in [
        ("3600", 3600.0),
        ("\"3600\"", 3600.0),
        ("-1", 0.0),
        ("0", 0.0),
        ("1e12", 1e12),
        ("0.5", 0.5),
    ] {
        assert_eq!(of(written), Lifetime::For(Duration::from_secs_f64(seconds)), "{written}");
    }
    for written in ["null", "\"soon\"", "[]"] {
        assert_eq!(of(written), Lifetime::Unknown, "{written}");
    }
    let jwt = |claims: &str| {
        let claims = base64(claims.as_bytes()).replace('=', "").replace('+', "-").replace('/', "_");
        lifetime(&format!(r#"{{"access_token":"e30.{claims}.sig"}}"#))
    };
    assert_eq!(jwt(r#"{"exp":1900,"iat":1000}"#), Lifetime::For(Duration::from_secs(900)));
    // By the answer's date.
    assert_eq!(jwt(r#"{"exp":1796083230}"#), Lifetime::For(Duration::from_secs(30)));
    assert_eq!(jwt(r#"{"sub":"me"}"#), Lifetime::Unknown);
}

#[test]
fn errors_are_of_three_kinds() {
    let kind = |status, body: &str| match read(status, body).unwrap_err() {
        Refused::InvalidGrant(_) => "invalid grant",
        Refused::Other(error) => error.failure().name(),
    };
    for (status, body, expected) in [
        (503, "", TokenFailure::Transient.name()),
        (500, r#"{"error":"invalid_client"}"#, "transient"),
        (429, r#"{"error":"slow_down"}"#, "transient"),
        (200, "<html>please wait</html>", "transient"),
        (200, r#"{"token":"t"}"#, "transient"),
        (200, r#"{"access_token":""}"#, "transient"),
        (403, "<html>blocked</html>", "transient"),
        (302, "", "transient"),
        (400, r#"{"error":"temporarily_unavailable"}"#, "transient"),
        (401, "", "settled"),
        (400, r#"{"error":"invalid_client"}"#, "settled"),
        (400, r#"{"error":"unauthorized_client"}"#, "settled"),
        (400, r#"{"error":"invalid_scope"}"#, "settled"),
        (400, r#"{"error":"unsupported_grant_type"}"#, "settled"),
        (200, r#"{"error":"bad_verification_code"}"#, "settled"),
        (200, r#"{"access_token":"t","token_type":"mac"}"#, "settled"),
        (400, r#"{"error":"invalid_grant"}"#, "invalid grant"),
    ] {
        assert_eq!(kind(status, body), expected, "{status} {body}");
    }
}

#[test]
fn an_errors_text_is_shown_only_if_it_is_a_code() {
    let text = |body: &str| match read(400, body).unwrap_err() {
        Refused::InvalidGrant(error) | Refused::Other(error) => error.to_string(),
    };
    assert_eq!(text(r#"{"error":"invalid_scope"}"#), "it answered 400, `invalid_scope`");
    assert_eq!(text(r#"{"error":"the secret s3cr3t is wrong"}"#), "it answered 400, `?`");
}
