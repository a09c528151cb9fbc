//! Which requests carry a token, and how.

use http::HeaderName;
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::{Integration, IntegrationBuilder};

use crate::bench::{Issuer, get, millis, secs, token_of};

fn shop(
    script: &Script,
    layer: TokenLayer,
) -> IntegrationBuilder<outrigger::integration::Service<Script>> {
    Integration::user_flow("shop").service(script.clone()).token(layer)
}

fn ok() -> Script {
    Script::new([Answer::status(200)])
}

fn header(script: &Script, name: &str) -> Vec<Option<String>> {
    let requests = script.requests();
    let of = |request: &outrigger::testing::SeenRequest| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    requests.iter().map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn only_requests_to_the_base_urls_origin_carry_the_token() {
    let script = ok();
    let shop = shop(&script, Issuer::default().layer())
        .base_url("https://api.shop.test/v1")
        .allow_origin("https://files.shop.test")
        .build()
        .unwrap();
    for url in ["orders", "https://API.shop.test:443/v1/orders", "https://files.shop.test/1"] {
        shop.get(url).send().await.unwrap();
    }
    let carried = [Some("Bearer t1".to_owned()), Some("Bearer t1".to_owned()), None];
    assert_eq!(header(&script, "authorization"), carried);
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_credential_stays_and_its_401_is_the_callers() {
    let script = Script::new([Answer::status(401)]);
    let issuer = Issuer::default();
    let shop = shop(&script, issuer.layer()).build().unwrap();
    let request = shop.get("http://shop.test/").header("authorization", "Basic own");
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(header(&script, "authorization"), [Some("Basic own".to_owned())]);
    assert_eq!((issuer.begun(), script.begun()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_goes_into_a_header_of_its_own() {
    let script = ok();
    let name = HeaderName::from_static("x-api-key");
    let key = |_| async { Ok(Token::new("k1")) };
    shop(&script, TokenLayer::new(key).header(name.clone()))
        .build()
        .unwrap()
        .send(get())
        .await
        .unwrap();
    shop(&script, TokenLayer::new(key).scheme("Token")).build().unwrap().send(get()).await.unwrap();
    assert_eq!(header(&script, "x-api-key"), [Some("k1".to_owned()), None]);
    assert_eq!(header(&script, "authorization"), [None, Some("Token k1".to_owned())]);
    assert!(script.requests()[0].headers()[&name].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn each_attempt_asks_anew() {
    // The first attempt's answer asks for a wait that the token doesn't outlive.
    let script =
        Script::new([Answer::status(503).header("retry-after", "70"), Answer::status(200)]);
    let issuer = Issuer::default().lifetime(secs(60));
    let shop = Integration::background("shop").service(script.clone()).token(issuer.layer());
    shop.build().unwrap().send(get()).await.unwrap();
    let tokens: Vec<_> = script.requests().iter().map(token_of).collect();
    assert_eq!(tokens, ["t1", "t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_no_header_is_a_settled_error_and_a_builder_may_have_none() {
    let unfit = TokenLayer::new(|_| async { Ok(Token::new("two\nlines")) });
    let error = shop(&ok(), unfit).build().unwrap().send(get()).await.unwrap_err();
    assert!(error.to_string().ends_with("characters that no header may have"), "{error}");

    let script = ok();
    let without = shop(&script, Issuer::default().layer()).without_token().build().unwrap();
    without.send(get()).await.unwrap();
    assert_eq!((header(&script, "authorization"), without.token().is_none()), (vec![None], true));
    let error =
        shop(&script, Issuer::default().layer().fetch_timeout(secs(0))).build().unwrap_err();
    assert_eq!(error.errors()[0].field(), "token.fetch_timeout");
}

#[tokio::test(start_paused = true)]
async fn integrations_share_a_token_if_a_handle_was_taken_before() {
    for is_shared in [true, false] {
        let issuer = Issuer::default();
        let layer = issuer.layer();
        let handle = is_shared.then(|| layer.handle());
        for _ in 0..2 {
            shop(&ok(), layer.clone()).build().unwrap().send(get()).await.unwrap();
        }
        assert_eq!(issuer.begun(), if is_shared { 1 } else { 2 });
        drop(handle);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_renews_the_token_while_calls_go_on() {
    let issuer = Issuer::default();
    let script = ok();
    let shop = shop(&script, issuer.layer()).build().unwrap();
    shop.send(get()).await.unwrap();
    let token = shop.token().unwrap();
    token.renew();
    token.renew();
    shop.send(get()).await.unwrap();
    tokio::time::sleep(millis(200)).await;
    shop.send(get()).await.unwrap();
    let tokens: Vec<_> = script.requests().iter().map(token_of).collect();
    assert_eq!((tokens, issuer.begun()), (vec!["t1".into(), "t1".into(), "t2".into()], 2));
}
