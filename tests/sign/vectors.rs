//! The examples of RFC 9421, whose notice stands in their file.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, Request, Response};
use outrigger::Body;
use outrigger::sign::message::{
    Message, MessageError, MessageSigner, MessageVerifier, SigningKey, VerifyingKey,
};
use outrigger::sign::{Sign, SigningInput};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    keys: HashMap<String, Key>,
    request: Sent,
    response: Sent,
    created: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Key {
    public: Option<String>,
    private: Option<String>,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    method: Option<String>,
    path: Option<String>,
    status: Option<u16>,
    fields: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct Case {
    section: String,
    of: String,
    label: String,
    key: String,
    components: Vec<String>,
    input: String,
    signature: String,
}

impl Vectors {
    fn read() -> Self {
        serde_json::from_str(include_str!("../vectors/rfc9421.json")).unwrap()
    }

    fn created(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.created)
    }
}

impl Key {
    fn secret(&self) -> Option<Vec<u8>> {
        self.secret.as_ref().map(|secret| STANDARD.decode(secret).unwrap())
    }

    fn signing(&self) -> Option<SigningKey> {
        match (&self.private, self.secret()) {
            (Some(private), _) => Some(SigningKey::pkcs8(private).unwrap()),
            (None, secret) => secret.map(|secret| SigningKey::hmac_sha256(secret).unwrap()),
        }
    }

    fn verifying(&self) -> VerifyingKey {
        match (&self.public, self.secret()) {
            (Some(public), _) => VerifyingKey::spki(public).unwrap(),
            (None, secret) => VerifyingKey::hmac_sha256(secret.unwrap()).unwrap(),
        }
    }
}

impl Sent {
    fn headers(&self) -> HeaderMap {
        let fields = self.fields.iter();
        fields
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn verify(
        &self,
        case: &Case,
        verifier: &MessageVerifier,
        body: &str,
        now: SystemTime,
    ) -> Result<(), MessageError> {
        let mut headers = self.headers();
        let (label, input, signature) = (&case.label, &case.input, &case.signature);
        headers.insert("signature-input", format!("{label}={input}").parse().unwrap());
        headers.insert("signature", format!("{label}=:{signature}:").parse().unwrap());
        let done = |verification: outrigger::sign::message::Verification| {
            assert_eq!((verification.label(), verification.key_id()), (&**label, &*case.key));
        };
        match self.status {
            Some(status) => {
                let (mut head, ()) =
                    Response::builder().status(status).body(()).unwrap().into_parts();
                head.headers = headers;
                verifier.verify(&Message::response(&head).body(body.as_bytes()), now).map(done)
            }
            None => {
                let request = Request::builder()
                    .method(&**self.method.as_ref().unwrap())
                    .uri(self.path.as_ref().unwrap());
                let (mut head, ()) = request.body(()).unwrap().into_parts();
                head.headers = headers;
                verifier.verify(&Message::request(&head).body(body.as_bytes()), now).map(done)
            }
        }
    }
}

#[test]
fn what_the_rfc_has_signed_is_verified_and_nothing_else() {
    let vectors = Vectors::read();
    assert_eq!(vectors.cases.len(), 3);
    for case in &vectors.cases {
        let sent = if case.of == "request" { &vectors.request } else { &vectors.response };
        let key = vectors.keys[&case.key].verifying();
        let components = case.components.iter().map(String::as_str);
        let verifier = MessageVerifier::new([(&*case.key, key)], components).unwrap();
        let now = vectors.created();
        assert_eq!(sent.verify(case, &verifier, &sent.body, now), Ok(()), "{}", case.section);

        let mut changed = Sent {
            fields: sent.fields.clone(),
            body: String::new(),
            method: sent.method.clone(),
            path: sent.path.clone(),
            status: sent.status,
        };
        for (name, value) in &mut changed.fields {
            if name == "content-type" {
                value.push('x');
            }
        }
        let outcome = changed.verify(case, &verifier, &sent.body, now);
        assert_eq!(outcome, Err(MessageError::Signature), "{}", case.section);
        if case.components.iter().any(|name| name == "content-digest") {
            let outcome = sent.verify(case, &verifier, "{\"message\": \"bad dog\"}", now);
            assert_eq!(outcome, Err(MessageError::Digest));
        }
    }
}

#[tokio::test]
async fn the_rfcs_signatures_are_made_where_there_is_one_right_one() {
    let vectors = Vectors::read();
    let mut made = 0;
    for case in &vectors.cases {
        let Some(key) = vectors.keys[&case.key].signing() else { continue };
        let components = case.components.iter().map(String::as_str);
        let signer =
            MessageSigner::new(&case.key, key, components).unwrap().label(&case.label).unwrap();
        let uri = format!("https://example.com{}", vectors.request.path.as_ref().unwrap());
        let mut request =
            Request::post(uri).body(Body::from(vectors.request.body.clone())).unwrap();
        *request.headers_mut() = vectors.request.headers();
        let signed = signer.sign(&SigningInput::new(&request, vectors.created())).await.unwrap();
        let header = |name| signed.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("signature-input"), format!("{}={}", case.label, case.input));
        assert_eq!(header("signature"), format!("{}=:{}:", case.label, case.signature));
        made += 1;
    }
    assert_eq!(made, 2);
}
