//! HMAC over a list of parts.

use http::{HeaderMap, HeaderName, Request};
use outrigger::Body;
use outrigger::rt::Rng;
use outrigger::sign::{HmacSigner, Part, Sign, SignError, SigningInput};
use ring::{digest, hmac};

use crate::bench::{SECRET, noon};

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const TIME: HeaderName = HeaderName::from_static("x-time");
const NONCE: HeaderName = HeaderName::from_static("x-nonce");
const KEY: HeaderName = HeaderName::from_static("x-key");

fn input(body: Body) -> SigningInput {
    let request = Request::put("https://shop.test/a%2Fb?c=d%20e&f")
        .header("x-list", "1")
        .header("x-list", "2")
        .body(body);
    SigningInput::new(&request.unwrap(), noon())
}

fn signer(parts: impl IntoIterator<Item = Part>) -> HmacSigner {
    HmacSigner::new(SECRET, SIGNATURE, parts).unwrap().rng(Rng::seeded(7))
}

async fn sign(signer: HmacSigner) -> Result<HeaderMap, SignError> {
    Ok(signer.sign(&input("an order".into())).await?.headers().clone())
}

fn mac(text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test]
async fn parts_are_joined_in_their_order() {
    let parts = [
        Part::Text("v1".into()),
        Part::Seconds(TIME),
        Part::Method,
        Part::Path,
        Part::Query,
        Part::Header(HeaderName::from_static("x-list")),
        Part::Nonce(NONCE),
        Part::Digest,
        Part::Body,
    ];
    let headers = sign(signer(parts).key_id(KEY, "key-7")).await.unwrap();
    let nonce = headers[NONCE].to_str().unwrap();
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    let sha256 = hex(digest::digest(&digest::SHA256, b"an order").as_ref());
    let text = format!("v1\n1800000000\nPUT\n/a%2Fb\nc=d%20e&f\n1, 2\n{nonce}\n{sha256}\nan order");
    assert_eq!(headers[SIGNATURE], hex(&mac(&text)));
    assert_eq!(
        (&headers[TIME], &headers[KEY]),
        (&"1800000000".parse().unwrap(), &"key-7".parse().unwrap())
    );
}

#[tokio::test]
async fn it_is_written_as_the_provider_wants_it() {
    let parts = || [Part::Millis(TIME), Part::Body];
    let mac = mac("1800000000000.an order");
    let hexadecimal = signer(parts()).separator(".").prefix("sha256=");
    let headers = sign(hexadecimal.clone()).await.unwrap();
    assert_eq!(headers[SIGNATURE], format!("sha256={}", hex(&mac)));
    assert_eq!(headers[TIME], "1800000000000");
    let headers = sign(hexadecimal.base64()).await.unwrap();
    assert_eq!(headers[SIGNATURE], format!("sha256={}", base64(&mac)));

    let headers = sign(signer([Part::Digest]).base64()).await.unwrap();
    let digest = base64(digest::digest(&digest::SHA256, b"an order").as_ref());
    assert_eq!(headers[SIGNATURE], base64(&self::mac(&digest)));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_signed() {
    let missing = signer([Part::Header(HeaderName::from_static("x-missing"))]);
    let error = sign(missing).await.unwrap_err();
    assert_eq!(error.to_string(), "it has no header x-missing, which is to be signed");
    let stream =
        || Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("an order")]));
    for part in [Part::Digest, Part::Body] {
        let error = signer([part]).sign(&input(stream())).await.unwrap_err();
        assert_eq!(error, SignError::streamed());
    }
    // The rest of it is known.
    assert!(signer([Part::Method, Part::Path]).sign(&input(stream())).await.is_ok());
    assert!(sign(signer([Part::Method]).key_id(KEY, "two\nlines")).await.is_err());
}

#[test]
fn a_secret_or_a_list_that_is_empty_is_named() {
    let error = HmacSigner::new("", SIGNATURE, []).unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(outrigger::ValidationError::field).collect();
    assert_eq!(fields, ["secret", "parts"]);
}
