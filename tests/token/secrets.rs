//! A planted token is in no output.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};

use outrigger::Integration;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};

use crate::bench::{get, secs};

const PLANTED: &str = "PLANTED-SECRET";

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
async fn a_token_is_in_no_event_no_error_no_health_and_no_debug() {
    let said = Said::default();
    for status in [200, 401, 500] {
        let layer = TokenLayer::new(|_| async { Ok(Token::new(PLANTED).expires_in(secs(60))) });
        said.add((&layer, layer.handle(), Token::new(PLANTED)));
        let shop = Integration::user_flow("shop")
            .subscriber(said.clone())
            .service(Script::new([
                Answer::status(status),
                Answer::broken(std::io::ErrorKind::ConnectionReset),
            ]))
            .token(layer)
            .build()
            .unwrap();
        for _ in 0..3 {
            match shop.send(get()).await {
                Ok(answer) => said.add(answer),
                Err(error) => {
                    let sources = std::iter::successors(error.source(), |error| (*error).source());
                    sources.for_each(|error| said.add(error.to_string()));
                    said.add((&error, error.to_string()));
                }
            }
            tokio::time::sleep(secs(61)).await;
        }
        said.add((&shop, shop.health(), shop.token(), shop.check().await));
    }
    let said = said.0.lock().unwrap();
    assert!(said.contains("TokenRefreshed") && said.contains("TokenRefused"));
    assert!(!said.contains(PLANTED), "{said}");
}
