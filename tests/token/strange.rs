//! Issuers that answer otherwise than RFC 6749 has it.

use std::io::ErrorKind;
use std::time::SystemTime;

use outrigger::Integration;
use outrigger::testing::{Answer, Script};
use outrigger::token::oauth::ClientCredentials;
use outrigger::token::{TokenFailure, TokenLayer, TokenState};

use crate::bench::{secs, token_of};
use crate::tenants::ok;

fn shop(issuer: &Script, provider: &Script) -> Integration {
    let login = Integration::user_flow("login").without_retry().service(issuer.clone());
    let url = "http://login.test/token";
    let credentials = ClientCredentials::new(login.build().unwrap(), url, "shop", "s3cr3t");
    let tokens = TokenLayer::new(credentials);
    let shop = Integration::user_flow("shop").without_retry().token(tokens);
    shop.service(provider.clone()).build().unwrap()
}

fn answer(body: impl Into<String>) -> Answer {
    Answer::status(200).body(body.into())
}

/// A token with these members beside it.
fn with(members: &str) -> Answer {
    answer(format!(r#"{{"access_token":"t1",{members}}}"#))
}

#[tokio::test(start_paused = true)]
async fn what_is_a_token_all_the_same_is_sent() {
    let ends_in = |seconds: f64| Some(seconds);
    for (name, answer, ends) in [
        ("a text", with(r#""expires_in":"3600""#), ends_in(3570.0)),
        ("no lifetime", with(r#""token_type":"Bearer""#), None),
        ("null", with(r#""expires_in":null"#), None),
        ("no number", with(r#""expires_in":"soon""#), None),
        ("a hundred billion years", with(r#""expires_in":1e18"#), Some(f64::MAX)),
        ("no end", with(r#""expires_in":1e300"#), Some(f64::MAX)),
        ("a long text", with(r#""expires_in":"99999999999999999999""#), Some(f64::MAX)),
        ("bearer", with(r#""token_type":"bearer","expires_in":60"#), ends_in(54.0)),
        ("Bearer", with(r#""token_type":"Bearer","expires_in":60.9"#), ends_in(54.81)),
        ("a byte order mark", answer("\u{feff}{\"access_token\":\"t1\"}"), None),
        ("created", Answer::status(201).body(r#"{"access_token":"t1"}"#), None),
        ("as HTML", answer(r#"{"access_token":"t1"}"#).header("content-type", "text/html"), None),
    ] {
        let (issuer, provider) = (Script::new([answer]), ok());
        let shop = shop(&issuer, &provider);
        let began = SystemTime::now();
        shop.check().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let _ = shop.get("http://shop.test/").send().await.unwrap();
        assert_eq!(token_of(&provider.requests()[0]), "t1", "{name}");
        let token = shop.token().unwrap();
        assert_eq!(token.state(), TokenState::Fresh, "{name}");
        let left = token.ends().map(|end| end.duration_since(began).unwrap().as_secs_f64());
        match (left, ends) {
            (Some(left), Some(f64::MAX)) => assert!(left > 3e9, "{name}: {left}"),
            (Some(left), Some(ends)) => assert!((left - ends).abs() < 60.0, "{name}: {left}"),
            (left, ends) => assert_eq!(left, ends, "{name}"),
        }
        let health = format!("{:?}", shop.health());
        assert!(!health.contains("t1"), "{name}");
        #[cfg(feature = "serde")]
        serde_json::to_value(shop.health()).unwrap();
        tokio::time::sleep(secs(10)).await;
        assert_eq!(issuer.begun(), 1, "{name}: it is asked again");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_is_said_in_words_and_asked_for_again_in_its_time() {
    use TokenFailure::{Settled, Transient};
    let unauthorized = Answer::status(401).header("www-authenticate", "Basic realm=\"login\"");
    for (failure, text, answer) in [
        (Transient, "a token that has ended", with(r#""expires_in":0"#)),
        (Transient, "a token that has ended", with(r#""expires_in":-1"#)),
        (Transient, "a token that has ended", with(r#""expires_in":"-3600""#)),
        (Settled, "of the type `mac`, not bearer", with(r#""token_type":"mac""#)),
        (Settled, "answered 200, `invalid_client`", answer(r#"{"error":"invalid_client"}"#)),
        (Transient, "its answer is no JSON object", answer("<html>please wait</html>")),
        (Transient, "its answer is no JSON object", answer("")),
        (Transient, "its answer is no JSON object", answer("[1]")),
        (Transient, "its answer has no access_token", answer(r#"{"access_token":7}"#)),
        (Settled, "it answered 401", unauthorized),
        (Transient, "it answered 403", Answer::status(403).body("<html>who are you?</html>")),
        (Transient, "timed out after 3s", Answer::hang()),
        (Transient, "3s", with(r#""expires_in":60"#).stalls_after(9)),
        (Transient, "connection reset", Answer::broken(ErrorKind::ConnectionReset)),
        (Transient, "login: ", with(r#""expires_in":60"#).breaks_after(9)),
    ] {
        let (issuer, provider) = (Script::new([answer]), ok());
        let shop = shop(&issuer, &provider);
        let error = shop.check().await.unwrap_err().to_string();
        assert!(error.contains(text), "{text}: {error}");
        let token = shop.token().unwrap();
        assert_eq!(token.error().unwrap().failure(), failure, "{text}");
        assert_eq!(provider.begun(), 0);
        // A call each 100 ms.
        for _ in 0..300 {
            shop.get("http://shop.test/").send().await.unwrap_err();
            tokio::time::sleep(secs(1) / 10).await;
        }
        let most = if failure == Settled { 2 } else { 12 };
        assert!((1..=most).contains(&issuer.begun()), "{text}: asked {} times", issuer.begun());
    }
}
