//! The text that is signed against a simple model, and what any change does to a signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Request, request};
use outrigger::Body;
use outrigger::sign::message::{Message, MessageSigner, MessageVerifier, SigningKey, VerifyingKey};
use outrigger::sign::{Sign, SigningInput};
use proptest::prelude::*;
use ring::{digest, hmac};

use crate::bench::{SECRET, noon};

/// A request as text.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    scheme: &'static str,
    host: String,
    path: String,
    query: Option<String>,
    /// The lines of `x-a`.
    lines: Vec<String>,
    body: String,
    /// Which of [`ALL`] are covered, in which order.
    covered: Vec<&'static str>,
}

/// Where a byte is changed.
#[derive(Clone, Copy, Debug)]
enum Place {
    Path,
    Query,
    Line,
    Body,
    Input,
    Signature,
}

impl Sent {
    fn target(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}"));
        format!("{}{}", self.path, query.unwrap_or_default())
    }

    fn request(&self) -> Request<Body> {
        let uri = format!("{}://{}{}", self.scheme, self.host, self.target());
        let builder = Request::builder().method(self.method).uri(uri);
        let mut request = builder.body(Body::from(self.body.clone())).unwrap();
        for line in &self.lines {
            request.headers_mut().append("x-a", HeaderValue::from_str(line).unwrap());
        }
        request
    }

    /// A component's value, from the text alone.
    fn value(&self, name: &str) -> String {
        let host = self.host.to_lowercase();
        let port = if self.scheme == "http" { ":80" } else { ":443" };
        let host = host.strip_suffix(port).unwrap_or(&host);
        match name {
            "@method" => self.method.to_owned(),
            "@scheme" => self.scheme.to_owned(),
            "@authority" => host.to_owned(),
            "@path" => self.path.clone(),
            "@query" => format!("?{}", self.query.clone().unwrap_or_default()),
            "@request-target" => self.target(),
            "@target-uri" => format!("{}://{host}{}", self.scheme, self.target()),
            "x-a" => self.lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(", "),
            "content-digest" => {
                let digest = digest::digest(&digest::SHA256, self.body.as_bytes());
                format!("sha-256=:{}:", STANDARD.encode(digest.as_ref()))
            }
            other => panic!("{other}"),
        }
    }

    fn base(&self) -> String {
        let line = |name: &&str| format!("\"{name}\": {}\n", self.value(name));
        let lines: String = self.covered.iter().map(line).collect();
        let names: Vec<_> = self.covered.iter().map(|name| format!("\"{name}\"")).collect();
        let names = names.join(" ");
        format!("{lines}\"@signature-params\": ({names});created=1800000000;keyid=\"k\"")
    }

    fn signer(&self) -> MessageSigner {
        let key = SigningKey::hmac_sha256(SECRET).unwrap();
        MessageSigner::new("k", key, self.covered.iter().copied()).unwrap()
    }

    /// As a server has it.
    fn arrived(&self) -> request::Parts {
        let request = self.request();
        let input = SigningInput::new(&request, noon());
        let signed = self.signer().sign(&input).now_or_never().unwrap().unwrap();
        let mut head = request.into_parts().0;
        head.headers.extend(signed.headers().clone());
        head.headers.insert("host", HeaderValue::from_str(&self.host).unwrap());
        head.uri = self.target().parse().unwrap();
        head
    }

    fn verify(&self, head: &request::Parts, body: &str) -> bool {
        let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
        let verifier = MessageVerifier::new([("k", key)], self.covered.iter().copied()).unwrap();
        let message = Message::request(head).body(body.as_bytes()).scheme_of_server(self.scheme);
        verifier.verify(&message, noon()).is_ok()
    }

    /// Whether a change of this place is a change of what is covered.
    fn covers(&self, place: Place) -> bool {
        let any = |names: &[&str]| self.covered.iter().any(|name| names.contains(name));
        match place {
            Place::Path => any(&["@path", "@request-target", "@target-uri"]),
            Place::Query => any(&["@query", "@request-target", "@target-uri"]),
            Place::Line => any(&["x-a"]),
            Place::Body => any(&["content-digest"]),
            Place::Input | Place::Signature => true,
        }
    }
}

const ALL: [&str; 9] = [
    "@method",
    "@scheme",
    "@authority",
    "@path",
    "@query",
    "@request-target",
    "@target-uri",
    "x-a",
    "content-digest",
];

fn sent() -> impl Strategy<Value = Sent> {
    let host = "[a-zA-Z]{1,8}\\.(test|TEST)(:80|:443|:8080)?";
    let query = proptest::option::of("[a-z0-9%+=&;.~-]{0,20}");
    let lines = proptest::collection::vec("[ -~]{0,12}", 1..4);
    let covered = proptest::sample::subsequence(ALL.to_vec(), 1..=ALL.len()).prop_shuffle();
    (
        proptest::sample::select(vec!["GET", "POST", "DELETE", "PURGE"]),
        proptest::sample::select(vec!["http", "https"]),
        host,
        "/[a-zA-Z0-9%/.~_-]{0,20}",
        query,
        lines,
        ".{0,40}",
        covered,
    )
        .prop_map(|(method, scheme, host, path, query, lines, body, covered)| Sent {
            method,
            scheme,
            host,
            path,
            query,
            lines,
            body,
            covered,
        })
}

fn places() -> impl Strategy<Value = Place> {
    use Place::{Body, Input, Line, Path, Query, Signature};
    proptest::sample::select(vec![Path, Query, Line, Body, Input, Signature])
}

/// The text with another letter at this place; `None` if it has none there.
fn changed(text: &str, at: prop::sample::Index) -> Option<String> {
    let letters: Vec<_> = text.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).collect();
    let (place, letter) = *letters.get(at.index(letters.len().max(1)))?;
    let other = if letter == 'x' { "y" } else { "x" };
    Some(format!("{}{other}{}", &text[..place], &text[place + 1..]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_signature_is_of_the_models_text_and_holds(sent in sent()) {
        let head = sent.arrived();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let mac = STANDARD.encode(hmac::sign(&key, sent.base().as_bytes()).as_ref());
        prop_assert_eq!(head.headers["signature"].to_str().unwrap(), format!("sig1=:{mac}:"));
        prop_assert!(sent.verify(&head, &sent.body));
    }

    #[test]
    fn any_changed_byte_of_what_is_covered_fails(
        sent in sent(),
        place in places(),
        at: prop::sample::Index,
    ) {
        let (mut head, mut body) = (sent.arrived(), sent.body.clone());
        let header = |head: &request::Parts, name: &str| head.headers[name].to_str().unwrap().to_owned();
        let text = match place {
            Place::Path => sent.path.clone(),
            Place::Query => sent.query.clone().unwrap_or_default(),
            Place::Line => sent.lines[0].clone(),
            Place::Body => body.clone(),
            Place::Input => header(&head, "signature-input")["sig1=".len()..].to_owned(),
            Place::Signature => header(&head, "signature")["sig1=:".len()..].trim_end_matches(['=', ':']).to_owned(),
        };
        let Some(other) = changed(&text, at) else { return Ok(()) };
        let mut set = |name: &'static str, value: String| {
            head.headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
        };
        match place {
            Place::Path => head.uri = Sent { path: other, ..sent.clone() }.target().parse().unwrap(),
            Place::Query => head.uri = Sent { query: Some(other), ..sent.clone() }.target().parse().unwrap(),
            Place::Body => body = other,
            Place::Input => set("signature-input", format!("sig1={other}")),
            // Some bits of its last letter mean nothing, and then it is malformed.
            Place::Signature => set("signature", format!("sig1=:{other}=:")),
            Place::Line => {
                head.headers.remove("x-a");
                for line in std::iter::once(&other).chain(&sent.lines[1..]) {
                    head.headers.append("x-a", HeaderValue::from_str(line).unwrap());
                }
            }
        }
        prop_assert_eq!(sent.verify(&head, &body), !sent.covers(place));
    }

    #[test]
    fn no_header_makes_it_panic(input in "[ -~]{0,60}", signature in "[ -~]{0,60}", digest in "[ -~]{0,30}") {
        let sent = Sent {
            method: "POST",
            scheme: "https",
            host: "a.test".into(),
            path: "/".into(),
            query: None,
            lines: vec!["1".into()],
            body: "{}".into(),
            covered: vec!["@method", "content-digest"],
        };
        let mut head = sent.arrived();
        for (name, value) in [("signature-input", input), ("signature", signature), ("content-digest", digest)] {
            head.headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value).unwrap());
        }
        let holds = sent.verify(&head, "{}");
        prop_assert!(!holds);
    }
}
