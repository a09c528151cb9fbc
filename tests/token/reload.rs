//! What a file may set, also while calls run.

use outrigger::testing::{Answer, Script};
use outrigger::{Integration, IntegrationConfig};

use crate::bench::{Bench, Issuer, get, now, secs, send};

fn file(text: &str) -> IntegrationConfig {
    IntegrationConfig::read(toml::Deserializer::parse(text).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_sets_the_limits_and_a_later_one_holds_for_the_next_fetch() {
    let issuer = Issuer::default();
    let bench = Bench::over(&issuer, Script::new([Answer::status(200)]), |builder| {
        builder
            .without_timeout()
            .config(file("token = { fetch_timeout = '2s', serve_expired = '1h' }"))
    });
    let handle = bench.shop.token().unwrap();
    issuer.takes(secs(60));
    let began = now();
    let error = send(&bench.shop).await.unwrap_err();
    assert!(error.to_string().ends_with("no token came within 2s"), "{error}");
    assert_eq!(now() - began, secs(2));
    // A call waits while it is changed: its fetch goes on as it began, the next is another.
    tokio::time::sleep(secs(2)).await;
    let call = tokio::spawn({
        let shop = bench.shop.clone();
        async move { shop.send(get()).await }
    });
    tokio::time::sleep(secs(1)).await;
    bench.shop.apply(&file("token = { fetch_timeout = '3s', renew_ahead = '1m' }")).unwrap();
    assert!(call.await.unwrap().unwrap_err().to_string().ends_with("within 2s"));
    // A handle from before, too.
    tokio::time::sleep(secs(3)).await;
    handle.renew();
    let began = now();
    assert!(handle.ready().await.unwrap_err().to_string().ends_with("within 3s"));
    assert_eq!(now() - began, secs(3));
    issuer.takes(secs(0));
    tokio::time::sleep(secs(5)).await;
    send(&bench.shop).await.unwrap();
    // Renewed a minute before the end, and not twelve.
    bench.pass(secs(3500)).await;
    send(&bench.shop).await.unwrap();
    assert_eq!(handle.state().name(), "fresh");
    bench.pass(secs(65)).await;
    send(&bench.shop).await.unwrap();
    bench.pass(secs(1)).await;
    assert_eq!((handle.state().name(), handle.generation()), ("fresh", 2));
    // `serve_expired` stands in the file no more, so it is what the code says: off.
    issuer.is_down(true);
    bench.pass(secs(3600)).await;
    send(&bench.shop).await.unwrap_err();
}

#[test]
fn a_limit_that_can_not_work_is_named() {
    let wrong = file("token = { fetch_timeout = '0s', renew_ahead = '0s', serve_expired = '0s' }");
    let shop = Integration::user_flow("shop").service(Script::new([Answer::status(200)]));
    let error = shop.token(Issuer::default().layer()).config(wrong).build().unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(|error| error.field().to_owned()).collect();
    assert_eq!(fields, ["token.fetch_timeout", "token.renew_ahead", "token.serve_expired"]);
}
