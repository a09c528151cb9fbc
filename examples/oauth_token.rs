//! A token server fails for three seconds; who has a token doesn't notice. Then a key is revoked.
//!
//! `cargo run --example oauth_token --features oauth`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod server;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Response;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::token::{TokenLayer, oauth::ClientCredentials};
use outrigger::{Integration, ResponseExt};

/// The issuer and the provider, which takes only the issuer's last token.
#[derive(Default)]
struct World {
    tokens: AtomicU32,
    down_until: Mutex<Option<Instant>>,
    fetches: AtomicU32,
}

/// Prints what becomes of the token.
struct Print(Instant);

impl Subscriber for Print {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        let at = self.0.elapsed().as_secs_f64();
        match event {
            Event::TokenRefreshed { generation, .. } => println!("  {at:.1} s: token {generation}"),
            Event::TokenRefreshFailed { failure, served_for, .. } => {
                println!("  {at:.1} s: no token ({}); served for {served_for:.1?}", failure.name());
            }
            Event::TokenRefused { generation, .. } => {
                println!("  {at:.1} s: the provider refused token {generation}");
            }
            _ => {}
        }
    }
}

fn answer(status: u16, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status.try_into().expect("the examples' statuses are statuses");
    response
}

impl World {
    fn issue(&self) -> Response<String> {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let down_until = self.down_until.lock().expect("nobody panics with it");
        if down_until.is_some_and(|until| Instant::now() < until) {
            return answer(503, "<html>back soon</html>".to_owned());
        }
        let number = self.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        answer(
            200,
            format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":20}}"#),
        )
    }

    fn serve(&self, authorization: Option<&str>) -> Response<String> {
        let valid = format!("Bearer t{}", self.tokens.load(Ordering::Relaxed));
        match authorization == Some(&valid) {
            true => answer(200, "done".to_owned()),
            false => answer(401, String::new()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = Arc::new(World::default());
    let (issuer, provider) = (Arc::clone(&world), Arc::clone(&world));
    let issuer = server::start(move |_| std::future::ready(issuer.issue())).await?;
    let provider = server::start(move |request| {
        let authorization = request.headers().get("authorization");
        std::future::ready(provider.serve(authorization.and_then(|value| value.to_str().ok())))
    })
    .await?;

    // The issuer is a third party of its own.
    let login = Integration::user_flow("login").build()?;
    let credentials = ClientCredentials::new(login, format!("{issuer}/token"), "shop", "s3cr3t");
    let orders = Integration::user_flow("orders")
        .base_url(provider)
        .subscriber(Print(Instant::now()))
        .token(TokenLayer::new(credentials))
        .build()?;
    // Says in words what is wrong: better now than at the first order.
    orders.check().await?;
    let token = orders.token().expect("it has one");

    println!("the issuer is down for three seconds, and the token is to be renewed:");
    *world.down_until.lock().expect("nobody panics with it") =
        Some(Instant::now() + Duration::from_secs(3));
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    while token.generation() < 2 {
        if answered % 20 == 0 {
            // As it does by itself, sixteen seconds from now.
            token.renew();
        }
        let began = Instant::now();
        let answer = orders.get("orders/1").send().await?.error_for_status()?;
        answer.text().await?;
        slowest = slowest.max(began.elapsed());
        answered += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let fetches = world.fetches.load(Ordering::Relaxed);
    println!("{answered} calls, all answered, the slowest in {slowest:.0?}; {fetches} fetches");
    assert!(answered > 50, "nobody waits for the issuer");

    println!("somebody revokes the token:");
    world.tokens.fetch_add(1, Ordering::Relaxed);
    let answer = orders.get("orders/2").send().await?;
    // A token that is refused in its first minute was refused for another reason than its age.
    println!("a new one isn't fetched for a token this young: {}", answer.status());
    token.renew();
    while token.generation() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("renewed by hand: {}", orders.get("orders/2").send().await?.status());
    Ok(())
}
