//! What holds, and what doesn't.

use http::{HeaderMap, HeaderName, HeaderValue, Response, request};
use outrigger::sign::message::{
    Algorithm, Component, Message, MessageError, MessageSigner, MessageVerifier, SigningKey,
    Verification, VerifyingKey,
};
use outrigger::sign::{Sign, SigningInput};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

use crate::bench::{COVERED, SECRET, noon, post, signer, verifier};

/// A request that is signed, as a server has it.
async fn arrived(signer: &MessageSigner) -> request::Parts {
    let request = post("an order");
    let signed = signer.sign(&SigningInput::new(&request, noon())).await.unwrap();
    let mut head = request.into_parts().0;
    head.headers.extend(signed.headers().clone());
    head.headers.insert("host", HeaderValue::from_static("shop.test:80"));
    head.uri = "/orders?page=1".parse().unwrap();
    head
}

fn message(head: &request::Parts) -> Message<'_> {
    Message::request(head).body(b"an order").scheme_of_server("http")
}

async fn verified(change: impl FnOnce(&mut request::Parts)) -> Result<Verification, MessageError> {
    let mut head = arrived(&signer()).await;
    change(&mut head);
    verifier().verify(&message(&head), noon())
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(HeaderName::from_static(name), value.parse().unwrap());
}

/// A message with these components and parameters, signed by hand.
fn by_hand(input: &str, base: &str) -> request::Parts {
    use base64::Engine;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let mac = base64::engine::general_purpose::STANDARD
        .encode(hmac::sign(&key, base.as_bytes()).as_ref());
    let mut head = post("an order").into_parts().0;
    set(&mut head.headers, "signature-input", &format!("a={input}"));
    set(&mut head.headers, "signature", &format!("a=:{mac}:"));
    head
}

#[tokio::test]
async fn each_algorithm_signs_what_its_public_key_verifies() {
    let random = SystemRandom::new();
    let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap();
    let mut spki =
        [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", public.public_key().as_ref()]
            .concat();
    let ed25519 = (SigningKey::pkcs8(&ed25519).unwrap(), VerifyingKey::spki(&spki).unwrap());
    let public =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).unwrap();
    let start = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    spki = [&start[..], public.public_key().as_ref()].concat();
    let p256 = (SigningKey::pkcs8(&p256).unwrap(), VerifyingKey::spki(&spki).unwrap());
    let hmac = (SigningKey::hmac_sha256("s").unwrap(), VerifyingKey::hmac_sha256("s").unwrap());
    let names = [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256, Algorithm::HmacSha256];
    for ((private, public), algorithm) in [ed25519, p256, hmac].into_iter().zip(names) {
        assert_eq!((private.algorithm(), public.algorithm()), (algorithm, algorithm));
        assert_eq!(format!("{private:?}"), format!("SigningKey({})", algorithm.name()));
        let signer = MessageSigner::new("k", private, COVERED).unwrap().name_algorithm();
        let verifier = MessageVerifier::new([("k", public)], COVERED).unwrap();
        let mut head = arrived(&signer).await;
        let verification = verifier.verify(&message(&head), noon()).unwrap();
        assert_eq!((verification.key_id(), verification.created()), ("k", noon()));
        head.method = http::Method::PUT;
        assert_eq!(verifier.verify(&message(&head), noon()), Err(MessageError::Signature));
    }
}

#[tokio::test]
async fn what_was_changed_on_the_way_does_not_hold() {
    assert!(verified(|_| {}).await.is_ok());
    // What isn't covered may change.
    assert!(verified(|head| set(&mut head.headers, "x-proxy", "1")).await.is_ok());
    assert!(verified(|head| head.version = http::Version::HTTP_2).await.is_ok());
    for (at, change) in [
        (|head: &mut request::Parts| head.uri = "/orders?page=2".parse().unwrap())
            as fn(&mut request::Parts),
        |head| head.method = http::Method::GET,
        |head| set(&mut head.headers, "host", "other.test"),
        |head| set(&mut head.headers, "x-trace", "u"),
        |head| {
            head.headers.append("x-trace", HeaderValue::from_static("t"));
        },
        |head| set(&mut head.headers, "content-digest", "sha-256=:AA==:"),
        |head| {
            let input = head.headers["signature-input"]
                .to_str()
                .unwrap()
                .replace("created=1800000000", "created=1800000001");
            set(&mut head.headers, "signature-input", &input);
        },
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(verified(change).await, Err(MessageError::Signature), "{at}");
    }
    let mut head = arrived(&signer()).await;
    let outcome = verifier().verify(&message(&head).body(b"another order"), noon());
    assert_eq!(outcome, Err(MessageError::Digest));
    let without_body = Message::request(&head).scheme_of_server("http");
    assert_eq!(verifier().verify(&without_body, noon()), Err(MessageError::Digest));
    head.headers.append("host", HeaderValue::from_static("shop.test"));
    assert!(matches!(verifier().verify(&message(&head), noon()), Err(MessageError::Absent(_))));
}

#[tokio::test]
async fn fields_that_are_not_as_they_should_be_are_named() {
    let remove =
        |name: &'static str| move |head: &mut request::Parts| drop(head.headers.remove(name));
    for name in ["signature", "signature-input"] {
        assert_eq!(verified(remove(name)).await, Err(MessageError::Missing), "{name}");
        for value in ["", "sig1", "sig1=?", "sig1=(", "sig1=1", "=:AA==:", "sig1=\"x\""] {
            let outcome = verified(|head| set(&mut head.headers, name, value)).await;
            let named = matches!(&outcome, Err(MessageError::Malformed(field)) if *field == name);
            assert!(
                named || value.is_empty() && outcome == Err(MessageError::Missing),
                "{name} {value:?} {outcome:?}"
            );
        }
    }
    let other_label = verified(|head| {
        let input = head.headers["signature-input"].to_str().unwrap().replace("sig1=", "sig2=");
        set(&mut head.headers, "signature-input", &input);
    });
    assert_eq!(other_label.await, Err(MessageError::Missing));
    let outcome = verified(|head| set(&mut head.headers, "x-trace", "")).await;
    assert_eq!(outcome, Err(MessageError::Signature));
    assert!(matches!(verified(remove("x-trace")).await, Err(MessageError::Absent(_))));
}

#[test]
fn what_a_signature_says_of_itself_counts() {
    let base = |lines: &str, input: &str| format!("{lines}\"@signature-params\": {input}");
    let verifier = |required: &str| {
        let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
        MessageVerifier::new([("k", key)], [required]).unwrap().tag("shop")
    };
    let method = "\"@method\": POST\n";
    let check = |input: &str, lines: &str, required: &str| {
        let head = by_hand(input, &base(lines, input));
        verifier(required)
            .verify(&message(&head), noon())
            .map(|found| found.nonce().map(str::to_owned))
    };
    let now = "created=1800000000;keyid=\"k\";tag=\"shop\"";
    assert_eq!(
        check(&format!("(\"@method\");{now};nonce=\"n\""), method, "@method"),
        Ok(Some("n".into()))
    );
    for (input, expected) in [
        // In any order, with what nobody knows.
        (
            "(\"@method\");x=1.50;tag=\"shop\";keyid=\"k\";created=1800000000".into(),
            Err(MessageError::Signature),
        ),
        ("(\"@method\");x=1.5;y;tag=\"shop\";keyid=\"k\";created=1800000000".into(), Ok(None)),
        ("(\"@method\");created=1799999700;keyid=\"k\";tag=\"shop\"".to_owned(), Ok(None)),
        ("(\"@method\");created=1800000300;keyid=\"k\";tag=\"shop\"".into(), Ok(None)),
        (
            "(\"@method\");created=1799999698;keyid=\"k\";tag=\"shop\"".into(),
            Err(MessageError::Expired),
        ),
        (
            "(\"@method\");created=1800000301;keyid=\"k\";tag=\"shop\"".into(),
            Err(MessageError::InFuture),
        ),
        ("(\"@method\");created=-5;keyid=\"k\";tag=\"shop\"".into(), Err(MessageError::Expired)),
        ("(\"@method\");keyid=\"k\";tag=\"shop\"".into(), Err(MessageError::Expired)),
        (format!("(\"@method\");{now};expires=1800000000"), Ok(None)),
        (format!("(\"@method\");{now};expires=1799999999"), Err(MessageError::Expired)),
        (format!("(\"@method\");{now};expires=\"never\""), Err(MessageError::Expired)),
        (format!("(\"@method\");{now};alg=\"hmac-sha256\""), Ok(None)),
        (format!("(\"@method\");{now};alg=\"ed25519\""), Err(MessageError::Algorithm)),
        (format!("(\"@method\");{now};alg=1"), Err(MessageError::Algorithm)),
        ("(\"@method\");created=1800000000;keyid=\"k\"".into(), Err(MessageError::Tag)),
        (
            "(\"@method\");created=1800000000;keyid=\"k\";tag=\"bank\"".into(),
            Err(MessageError::Tag),
        ),
        (
            "(\"@method\");created=1800000000;keyid=\"K\";tag=\"shop\"".into(),
            Err(MessageError::UnknownKey),
        ),
        ("(\"@method\");created=1800000000;tag=\"shop\"".into(), Err(MessageError::UnknownKey)),
        (
            format!("(\"@method\" \"@method\");{now}"),
            Err(MessageError::Malformed("signature-input")),
        ),
        (
            format!("(\"@method\";sf);{now}"),
            Err(MessageError::Unsupported("\"@method\";sf".into())),
        ),
        (
            format!("(\"@method\";name=\"x\");{now}"),
            Err(MessageError::Unsupported("\"@method\";name=\"x\"".into())),
        ),
        (
            format!("(\"@status\" \"@method\");{now}"),
            Err(MessageError::Absent("\"@status\"".into())),
        ),
        (
            format!("(\"@method\";req \"@method\");{now}"),
            Err(MessageError::Absent("\"@method\";req".into())),
        ),
        (format!("(@method);{now}"), Err(MessageError::Malformed("signature-input"))),
        (format!("();{now}"), Err(MessageError::NotCovered("\"@method\"".into()))),
    ] {
        assert_eq!(check(&input, method, "@method"), expected, "{input}");
    }
}

#[tokio::test]
async fn of_several_signatures_one_must_hold() {
    let mut head = arrived(&signer()).await;
    let own = ["signature-input", "signature"].map(|name| head.headers[name].clone());
    let unknown = "a=(\"@method\");created=1800000000;keyid=\"proxy\"";
    for (name, own, other) in
        [("signature-input", &own[0], unknown), ("signature", &own[1], "a=:AA==:")]
    {
        set(&mut head.headers, name, other);
        head.headers.append(name, own.clone());
    }
    assert!(verifier().verify(&message(&head), noon()).is_ok());
    // More than eight are not looked at.
    let many: String = (0..8).map(|at| format!(",b{at}=();keyid=\"x\"")).collect();
    set(&mut head.headers, "signature-input", &format!("{unknown}{many}"));
    let malformed = Err(MessageError::Malformed("signature-input"));
    assert_eq!(verifier().verify(&message(&head), noon()), malformed);
}

#[tokio::test]
async fn an_answer_is_bound_to_its_request() {
    let asked = arrived(&signer()).await;
    let request = message(&asked);
    let verifier = |required: [Component; 2]| {
        let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
        MessageVerifier::new([("k", key)], required).unwrap()
    };
    let component = |name: &str| Component::try_from(name).unwrap();
    let verifier = verifier([component("@status"), component("@query").of_request()]);
    let input = "(\"@status\" \"@query\";req);created=1800000000;keyid=\"k\"";
    let base = format!("\"@status\": 200\n\"@query\";req: ?page=1\n\"@signature-params\": {input}");
    let (mut answer, ()) = Response::new(()).into_parts();
    answer.headers = by_hand(input, &base).headers;
    let check = |message: Message<'_>| verifier.verify(&message, noon()).map(drop);
    assert_eq!(check(Message::response(&answer).answering(&request)), Ok(()));
    let absent = Err(MessageError::Absent("\"@query\";req".into()));
    assert_eq!(check(Message::response(&answer)), absent);
    let mut other = asked.clone();
    other.uri = "/orders?page=2".parse().unwrap();
    let other = message(&other);
    assert_eq!(check(Message::response(&answer).answering(&other)), Err(MessageError::Signature));
}

/// Each would take minutes if the work grew with the square of the length.
#[tokio::test]
async fn hostile_fields_are_read_in_a_time_that_grows_with_their_length() {
    let long = "a".repeat(1_000_000);
    let list = |of: &str| of.repeat(100_000);
    for (name, value) in [
        ("signature-input", format!("sig1=({});keyid=\"key-7\"", list("\"a\" "))),
        ("signature-input", format!("sig1=(\"a\"{});keyid=\"key-7\"", list(";x"))),
        ("signature-input", format!("sig1=();keyid=\"key-7\"{}", list(";x=1"))),
        ("signature-input", list("a=(),") + "b=()"),
        ("signature-input", format!("sig1=();keyid=\"{long}\"")),
        ("signature-input", "(".repeat(100_000)),
        ("signature", list("a=:AA==:,") + "b=:AA==:"),
        ("content-digest", list("a=:AA==:,") + "sha-256=:AA==:"),
        ("x-trace", long.clone()),
    ] {
        assert!(verified(|head| set(&mut head.headers, name, &value)).await.is_err(), "{name}");
    }
    // 64 parameters of a query of 60 kB.
    let query = "k=v&".repeat(15_000);
    let items: Vec<_> = (0..64).map(|at| format!("\"@query-param\";name=\"n{at}\"")).collect();
    let input = format!("({});created=1800000000;keyid=\"key-7\"", items.join(" "));
    let mut head = by_hand(&input, "");
    let required = (0..64).map(|at| Component::query_param(&format!("n{at}")));
    let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
    let verifier = MessageVerifier::new([("key-7", key)], required.collect::<Vec<_>>()).unwrap();
    let named: String = (0..64).map(|at| format!("n{at}=1&")).collect();
    head.uri = format!("/?{named}{query}").parse().unwrap();
    set(&mut head.headers, "host", "shop.test");
    assert_eq!(verifier.verify(&message(&head), noon()), Err(MessageError::Signature));
}
