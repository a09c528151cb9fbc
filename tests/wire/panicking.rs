//! A resolver that panics: a name that was not found, and nothing that is held.

use outrigger::outcome::Fault;
use outrigger::transport::hyper::{Resolve, Resolved};
use outrigger::{Delivery, ErrorKind};

use crate::calls::{failed, get, said, user_flow};

enum Panics {
    Asked,
    Later,
}

impl Resolve for Panics {
    fn resolve(&self, _: &str) -> Resolved {
        match self {
            Self::Asked => panic!("while it is asked"),
            Self::Later => Box::pin(async {
                tokio::task::yield_now().await;
                panic!("later")
            }),
        }
    }
}

#[tokio::test]
async fn a_resolver_that_panics_has_found_nothing() {
    for panics in [Panics::Asked, Panics::Later] {
        let shop = user_flow().hyper(|client| client.resolver(panics).max_connections_per_host(1));
        let shop = shop.build().unwrap();
        for _ in 0..3 {
            let error = failed(&shop, get("http://shop.example/")).await;
            assert_eq!(said(&error), (ErrorKind::Transport(Fault::Dns), Delivery::NotSent));
        }
    }
}
