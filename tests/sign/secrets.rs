//! A planted secret and its signatures are in no output.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};

use http::HeaderName;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::sign::message::{SigningKey, VerifyingKey};
use outrigger::sign::{HmacSigner, Part, SignLayer, SigningInput};
use outrigger::testing::{Answer, Script};

use crate::bench::{Bench, SECRET, noon, post, signer, verifier};

#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn add(&self, text: impl std::fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{text:?} {text:#?}\n"));
    }
}

impl Subscriber for Said {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        self.add((event, origin.context(), origin.integration()));
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_and_no_signature_is_in_an_event_an_error_health_or_debug() {
    let said = Said::default();
    let header = HeaderName::from_static("x-signature");
    let hmac = || HmacSigner::new(SECRET, header.clone(), [Part::Method]).unwrap();
    said.add((signer(), verifier(), hmac(), SignLayer::new(signer())));
    said.add((SigningKey::hmac_sha256(SECRET), VerifyingKey::hmac_sha256(SECRET)));
    let answers = || {
        let date = httpdate::fmt_http_date(noon() + std::time::Duration::from_secs(600));
        let reset = Answer::broken(std::io::ErrorKind::ConnectionReset);
        Script::new([Answer::status(401).header("date", &date), Answer::status(500), reset])
    };
    let layers = [
        SignLayer::new(signer()),
        SignLayer::new(hmac().key_id(HeaderName::from_static("x-key"), "key-7")),
    ];
    let mut signatures = Vec::new();
    for layer in layers {
        let bench = Bench::with(answers(), layer, |shop| shop.subscriber(said.clone()));
        let mut without = post("an order");
        without.headers_mut().remove("x-trace");
        for request in [post("an order"), post("an order"), without] {
            said.add(SigningInput::new(&request, noon()));
            match bench.shop.send(request).await {
                Ok(answer) => said.add(answer),
                Err(error) => {
                    let sources = std::iter::successors(error.source(), |error| (*error).source());
                    sources.for_each(|error| said.add(error.to_string()));
                    said.add((&error, error.to_string()));
                }
            }
        }
        said.add((&bench.shop, bench.shop.health()));
        for request in bench.provider.requests() {
            let names = ["signature", "x-signature"].into_iter();
            let values = names.filter_map(|name| request.headers().get(name));
            signatures.extend(values.map(|value| value.to_str().unwrap().replace("sig1=", "")));
        }
    }
    let said = said.0.lock().unwrap();
    for expected in ["Signed {", "SigningFailed", "ClockSkewed", "\"key-7\""] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(signatures.len() > 3);
    for secret in signatures.iter().map(String::as_str).chain([SECRET]) {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
