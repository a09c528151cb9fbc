//! The text that is signed, line by line: the traps of RFC 9421, 2.

use http::{HeaderName, HeaderValue, Request};
use outrigger::Body;
use outrigger::sign::message::{Component, MessageSigner, SigningKey};
use outrigger::sign::{Sign, SignError, SigningInput};
use ring::hmac;

use crate::bench::{SECRET, noon};

fn request(uri: &str, fields: &[(&str, &[u8])]) -> SigningInput {
    let mut request = Request::post(uri).body(Body::from("{\"hello\": \"world\"}")).unwrap();
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    SigningInput::new(&request, noon())
}

/// Whether a signature of this one component is one of this line.
async fn is_signed(
    component: Component,
    input: &SigningInput,
    line: &str,
) -> Result<bool, SignError> {
    let key = SigningKey::hmac_sha256(SECRET).unwrap();
    let signer = MessageSigner::new("k", key, [component]).unwrap();
    let signed = signer.sign(input).await?;
    let header = |name: &str| {
        signed.headers()[name].to_str().unwrap().trim_start_matches("sig1=").to_owned()
    };
    let base = format!("{line}\n\"@signature-params\": {}", header("signature-input"));
    let right = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), base.as_bytes());
    use base64::Engine;
    let right = base64::engine::general_purpose::STANDARD.encode(right.as_ref());
    Ok(header("signature") == format!(":{right}:"))
}

async fn check(name: &str, input: &SigningInput, value: &str) {
    let line = format!("\"{name}\": {value}");
    let component = Component::try_from(name).unwrap();
    assert_eq!(is_signed(component, input, &line).await, Ok(true), "{} {line:?}", input.uri);
}

#[tokio::test]
async fn a_target_is_written_as_the_rfc_has_it() {
    for (uri, name, value) in [
        ("https://shop.test/orders", "@method", "POST"),
        ("https://SHOP.test:443/", "@authority", "shop.test"),
        ("https://shop.test:8443/", "@authority", "shop.test:8443"),
        ("https://shop.test:80/", "@authority", "shop.test:80"),
        ("http://shop.test:80/", "@authority", "shop.test"),
        ("http://me:pw@shop.test/", "@authority", "shop.test"),
        ("http://[::1]:80/", "@authority", "[::1]"),
        ("http://[::1]/", "@authority", "[::1]"),
        ("HTTPS://shop.test/", "@scheme", "https"),
        ("https://SHOP.test:443/a?b", "@target-uri", "https://shop.test/a?b"),
        ("https://shop.test", "@target-uri", "https://shop.test/"),
        ("https://shop.test/a%2Fb/../c?d", "@request-target", "/a%2Fb/../c?d"),
        ("https://shop.test", "@path", "/"),
        ("https://shop.test/a%2fB//?c", "@path", "/a%2fB//"),
        ("https://shop.test/a?b=c&d%20+", "@query", "?b=c&d%20+"),
        ("https://shop.test/a", "@query", "?"),
        ("https://shop.test/a?", "@query", "?"),
    ] {
        check(name, &request(uri, &[]), value).await;
    }
}

#[tokio::test]
async fn a_parameter_of_the_query_is_decoded_and_encoded_again() {
    // RFC 9421, 2.2.8.
    let uri = "https://shop.test/parameters?var=this%20is%20a%20big%0Amultiline%20value&\
        bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&empty&empty2=&q=%zz%&b=%ff&~=%7e";
    for (name, identifier, value) in [
        ("var", "var", "this%20is%20a%20big%0Amultiline%20value"),
        ("bar", "bar", "with%20plus%20whitespace"),
        ("façade\": ", "fa%C3%A7ade%22%3A%20", "something"),
        ("empty", "empty", ""),
        ("empty2", "empty2", ""),
        ("q", "q", "%25zz%25"),
        ("b", "b", "%EF%BF%BD"),
        ("~", "%7E", "%7E"),
    ] {
        let line = format!("\"@query-param\";name=\"{identifier}\": {value}");
        let component = Component::query_param(name);
        assert_eq!(is_signed(component, &request(uri, &[]), &line).await, Ok(true), "{name}");
    }
    for uri in [
        "https://a.test/?p=1&p=2",
        "https://a.test/?p=1&%70=1",
        "https://a.test/?P=1",
        "https://a.test/",
    ] {
        let error =
            is_signed(Component::query_param("p"), &request(uri, &[]), "").await.unwrap_err();
        assert_eq!(error.to_string(), "\"@query-param\";name=\"p\" is not there once", "{uri}");
    }
}

#[tokio::test]
async fn a_fields_lines_are_trimmed_and_joined_and_an_empty_one_is_one() {
    let input = request(
        "https://shop.test/",
        &[
            ("X-List", b"  a, b "),
            ("x-list", b"\tc\t d"),
            ("x-list", b""),
            ("x-empty", b""),
            ("x-latin", b"caf\xe9"),
        ],
    );
    check("x-list", &input, "a, b, c\t d, ").await;
    check("x-empty", &input, "").await;
    for name in ["x-missing", "x-latin"] {
        let error = is_signed(Component::try_from(name).unwrap(), &input, "").await.unwrap_err();
        assert_eq!(error.to_string(), format!("\"{name}\" is not there once"));
    }
}

#[test]
fn no_line_of_a_field_is_folded_or_ends_early() {
    for value in ["a\r\n b", "a\n b", "a\nsignature: b", "a\0b"] {
        assert!(HeaderValue::from_str(value).is_err(), "{value:?}");
    }
}

#[tokio::test]
async fn what_is_known_of_body_and_time_is_made_if_it_is_not_there() {
    let input = request("https://shop.test/", &[]);
    // RFC 9530, appendix D.
    check("content-digest", &input, "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:").await;
    check("content-length", &input, "18").await;
    check("date", &input, "Fri, 15 Jan 2027 08:00:00 GMT").await;
    let input = request("https://shop.test/", &[("date", b"mine"), ("content-digest", b"mine")]);
    check("date", &input, "mine").await;
    check("content-digest", &input, "mine").await;
}

#[tokio::test]
async fn an_empty_path_is_signed_as_the_slash_that_is_sent() {
    let input = request("https://h.test?x=1", &[]);
    check("@request-target", &input, "/?x=1").await;
    check("@target-uri", &input, "https://h.test/?x=1").await;
}

#[tokio::test]
async fn a_host_of_the_callers_own_that_is_not_the_signed_one_is_refused() {
    for (name, host, is_fit) in [
        ("@authority", "H.test:443", true),
        ("@authority", "other.test", false),
        ("@target-uri", "other.test", false),
        ("@authority", "h\u{e9}", false),
        ("@path", "other.test", true),
    ] {
        let input = request("https://h.test/", &[("host", host.as_bytes())]);
        let key = SigningKey::hmac_sha256(SECRET).unwrap();
        let signed = MessageSigner::new("k", key, [name]).unwrap().sign(&input).await;
        assert_eq!(signed.is_ok(), is_fit, "{name} {host}");
    }
}
