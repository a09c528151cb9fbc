//! Signers that can't work, and requests that can't be signed.

use http::Request;
use outrigger::sign::message::{
    Component, MessageSigner, MessageVerifier, SigningKey, StreamedBody, VerifyingKey,
};
use outrigger::sign::{Sign, SignError, SigningInput};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery};

use crate::bench::{Bench, SECRET, noon, post, signer};

fn key() -> SigningKey {
    SigningKey::hmac_sha256(SECRET).unwrap()
}

fn stream() -> Body {
    Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("an order")]))
}

#[test]
fn each_component_that_cannot_be_signed_is_named() {
    for (components, problem) in [
        (vec![], "there are none: a signature of nothing proves nothing"),
        (vec!["@status"], "\"@status\" is no component of a request"),
        (vec!["date", "date"], "\"date\" is there twice: remove one"),
        (vec!["Date"], "Date is not supported"),
        (vec!["@foo"], "@foo is not supported"),
        (vec!["@query-param"], "@query-param is not supported"),
        (vec!["@signature-params"], "@signature-params is not supported"),
        (vec!["two words"], "two words is not supported"),
        (vec![""], " is not supported"),
    ] {
        let error = MessageSigner::new("k", key(), components.clone()).unwrap_err();
        assert_eq!(error.errors()[0].problem(), problem, "{components:?}");
        assert_eq!(error.errors()[0].field(), "components");
    }
    let of_request = Component::try_from("date").unwrap().of_request();
    assert!(MessageSigner::new("k", key(), [of_request]).is_err());
    let error = MessageSigner::new("é", key(), ["@foo", "Bar"]).unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(outrigger::ValidationError::field).collect();
    assert_eq!(fields, ["components", "components", "key_id"]);
    assert!(MessageSigner::new("k", key(), ["date"]).unwrap().label("Sig 1").is_err());
    assert!(MessageSigner::new("k", key(), ["date"]).unwrap().tag("é").is_err());
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let pem = |label: &str| format!("-----BEGIN {label}-----\n{SECRET}\n-----END {label}-----");
    for text in ["", SECRET, &pem("PRIVATE KEY"), &pem("PUBLIC KEY"), &pem("EC PRIVATE KEY")] {
        let errors = [SigningKey::pkcs8(text).err(), VerifyingKey::spki(text).err()];
        for error in errors {
            let error = error.unwrap();
            assert_eq!(error.errors()[0].field(), "key");
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
    assert!(SigningKey::hmac_sha256("").is_err() && VerifyingKey::hmac_sha256("").is_err());
    let key = || VerifyingKey::hmac_sha256(SECRET).unwrap();
    let none: [(&str, VerifyingKey); 0] = [];
    assert!(MessageVerifier::new(none, ["date"]).is_err());
    assert!(MessageVerifier::new([("k", key())], [""; 0]).is_err());
    assert!(MessageVerifier::new([("k", key()), ("k", key())], ["date"]).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_refused_where_its_digest_is_to_be_signed() {
    let bench = Bench::new(Script::new([Answer::status(200)]), signer());
    let error = bench.shop.send(post(stream())).await.unwrap_err();
    assert_eq!((error.delivery(), bench.provider.begun()), (Delivery::NotSent, 0));
    assert!(error.to_string().contains("its body is a stream"), "{error}");
    // A request without what is to be signed.
    let request = Request::get("http://shop.test/").body(Body::empty()).unwrap();
    let error = bench.shop.send(request).await.unwrap_err();
    assert!(error.to_string().ends_with("\"x-trace\" is not there once"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_sent_without_a_signed_digest_where_that_is_said() {
    let signer = signer().streamed_body(StreamedBody::Unsigned);
    let bench = Bench::new(Script::new([Answer::status(200)]), signer.clone());
    bench.shop.send(post(stream())).await.unwrap();
    bench.shop.send(post("an order")).await.unwrap();
    let input = |at: usize| {
        let headers = bench.provider.requests()[at].headers().clone();
        (
            headers["signature-input"].to_str().unwrap().to_owned(),
            headers.contains_key("content-digest"),
        )
    };
    let start = "sig1=(\"@method\" \"@target-uri\" \"x-trace\");created=1800000000;keyid=\"key-7\"";
    assert_eq!(input(0), (start.into(), false));
    let start = "sig1=(\"@method\" \"@target-uri\" \"content-digest\" \"x-trace\");created=1800000000;keyid=\"key-7\"";
    assert_eq!(input(1), (start.into(), true));
    assert_eq!(bench.provider.requests()[0].body(), "an order");

    // A digest of the caller's is signed as it is.
    let mut request = post(stream());
    request.headers_mut().insert("content-digest", "sha-256=:AA==:".parse().unwrap());
    let signed = signer.sign(&SigningInput::new(&request, noon())).await.unwrap();
    assert!(signed.headers()["signature-input"].to_str().unwrap().contains("content-digest"));
}

#[tokio::test]
async fn all_parameters_are_written_in_one_order() {
    let rng = outrigger::rt::Rng::seeded(7);
    let signer = MessageSigner::new("k", key(), ["@method"]).unwrap();
    let signer = signer.label("mine").unwrap().tag("shop \"7\"").unwrap().nonce().name_algorithm();
    let signer = signer.lifetime(std::time::Duration::from_secs(60)).rng(rng);
    let nonce = async |_: u8| -> Result<String, SignError> {
        let signed = signer.sign(&SigningInput::new(&post(""), noon())).await?;
        let input = signed.headers()["signature-input"].to_str().unwrap().to_owned();
        let rest =
            input.strip_prefix("mine=(\"@method\");created=1800000000;expires=1800000060;nonce=\"");
        let (nonce, rest) = rest.unwrap().split_at(32);
        assert_eq!(rest, "\";alg=\"hmac-sha256\";keyid=\"k\";tag=\"shop \\\"7\\\"\"");
        Ok(nonce.to_owned())
    };
    assert_ne!(nonce(1).await, nonce(2).await);
}
