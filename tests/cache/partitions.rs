//! Whose answers a call is given.

use std::time::Duration;

use http::HeaderValue;
use outrigger::Integration;
use outrigger::cache::{CacheOutcome, CachePartition};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};

use super::origin::{RATE, ask, cached, fresh, get, integration, is, layer, send, wait};

#[tokio::test(start_paused = true)]
async fn partitions_and_credentials_never_share_an_answer() {
    let by_who = Script::by(|seen| {
        let who = seen.headers().get("authorization").or_else(|| seen.headers().get("tenant"));
        Answer::status(200)
            .header("cache-control", "max-age=60")
            .body(who.map_or("nobody".to_owned(), |who| who.to_str().unwrap().to_owned()))
    });
    let rates = integration(layer(), &by_who);
    let of = |name: &'static str, value: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert(name, value.parse().unwrap());
        if name == "tenant" {
            request.extensions_mut().insert(CachePartition::new(value));
        }
        request
    };
    for _ in 0..2 {
        for (name, value) in
            [("authorization", "a"), ("authorization", "b"), ("tenant", "a"), ("tenant", "b")]
        {
            assert_eq!(send(&rates, of(name, value)).await.unwrap().text, value);
        }
        assert_eq!(ask(&rates).await.text, "nobody");
    }
    assert_eq!(by_who.requests().len(), 5);
    // A token that rotates finds what its tenant has.
    let mut rotated = of("tenant", "a");
    rotated.headers_mut().insert("authorization", "new".parse().unwrap());
    assert_eq!(send(&rates, rotated).await.unwrap().outcome(), CacheOutcome::Hit);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_is_set_for_one_caller_is_given_to_no_other() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        let cookie = format!("session={number}");
        Answer::status(200).header("set-cookie", &cookie).body(cookie)
    });
    let rates = integration(layer().fresh_for(Duration::from_secs(60)), &provider);
    assert_eq!(
        (ask(&rates).await.text.as_str(), ask(&rates).await.text.as_str()),
        ("session=1", "session=2")
    );
    let named = || {
        let mut request = get(RATE);
        request.extensions_mut().insert(CachePartition::new("ada"));
        request
    };
    for _ in 0..2 {
        let own = send(&rates, named()).await.unwrap();
        assert_eq!((own.text.as_str(), own.header("set-cookie")), ("session=3", "session=3"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_304_that_sets_a_cookie_does_not_store_it_for_all() {
    let stored = cached("a", "max-age=10").header("etag", "\"a\"");
    let confirmed = Answer::status(304)
        .header("etag", "\"a\"")
        .header("cache-control", "max-age=60")
        .header("set-cookie", "session=1");
    let provider = Script::new([stored, confirmed, fresh("b")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    assert_eq!(ask(&rates).await.header("set-cookie"), "session=1");
    let next = ask(&rates).await;
    assert_eq!((next.text.as_str(), next.header("set-cookie")), ("b", ""));
}

#[tokio::test(start_paused = true)]
async fn whatever_header_holds_a_credential_makes_a_partition_and_so_does_another_host() {
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        cached("", "max-age=60").body(number.to_string())
    });
    let rates = integration(layer(), &provider);
    let with = |name: &'static str, value: &'static str, is_sensitive: bool| {
        let mut request = get(RATE);
        let mut value = HeaderValue::from_static(value);
        value.set_sensitive(is_sensitive);
        request.headers_mut().insert(name, value);
        request
    };
    assert_eq!(ask(&rates).await.text, "1");
    for _ in 0..2 {
        for (name, value, is_sensitive, text) in [
            ("x-api-key", "ada", false, "2"),
            ("x-api-key", "bob", false, "3"),
            ("private-token", "ada", false, "4"),
            ("x-caller", "ada", true, "5"),
            ("x-caller", "bob", true, "6"),
            ("host", "other.test", false, "7"),
            ("host", "Rates.test", false, "1"),
            ("x-request-id", "any", false, "1"),
        ] {
            let got = send(&rates, with(name, value, is_sensitive)).await.unwrap();
            assert_eq!(got.text, text, "{name}: {value}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_rotates_finds_its_partitions_answer_even_if_that_varies_by_it() {
    for name in ["authorization", "x-caller"] {
        let answer = |text| fresh(text).header("vary", "Authorization, Cookie, X-Caller");
        let provider = Script::new([answer("a"), answer("b")]);
        let rates = integration(layer(), &provider);
        for token in ["old", "new"] {
            let mut request = get(RATE);
            let mut value = HeaderValue::from_static(token);
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
            request.extensions_mut().insert(CachePartition::new("ada"));
            assert_eq!(send(&rates, request).await.unwrap().text, "a", "{name}");
        }
    }
}

#[test]
fn a_handle_shows_no_secret() {
    let handle = layer().handle().unwrap();
    assert!(!format!("{handle:?}").contains("secret"), "{handle:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_an_answer_to_another_request_fetches_its_own() {
    let provider = Script::by(|seen| {
        let language = seen.headers()["accept-language"].to_str().unwrap().to_owned();
        Answer::status(200)
            .header("cache-control", "max-age=60")
            .header("vary", "accept-language")
            .body(language)
            .after(Duration::from_secs(1))
    });
    let rates = integration(layer(), &provider);
    let of = |language: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        let rates = rates.clone();
        async move { send(&rates, request).await.unwrap().text }
    };
    let (german, french) = tokio::join!(of("de"), of("fr"));
    assert_eq!((german.as_str(), french.as_str()), ("de", "fr"));
    assert_eq!((of("de").await.as_str(), of("fr").await.as_str()), ("de", "fr"));
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_another_variant_is_not_given_its_own_old_one() {
    let mut number = 0;
    let provider = Script::by(move |seen| {
        number += 1;
        let language = seen.headers()["accept-language"].to_str().unwrap().to_owned();
        cached("", "max-age=10")
            .header("vary", "accept-language")
            .body(format!("{language} {number}"))
            .after(Duration::from_secs(1))
    });
    let rates = integration(layer(), &provider);
    let of = |language: &'static str| {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        let rates = rates.clone();
        async move { send(&rates, request).await.unwrap().text }
    };
    assert_eq!((of("de").await.as_str(), of("en").await.as_str()), ("de 1", "en 2"));
    wait(3_600).await;
    let (english, german) = tokio::join!(of("en"), of("de"));
    assert_eq!((english.as_str(), german.as_str()), ("en 3", "de 4"));
}

/// A provider that answers with the token that it saw, behind an integration with a token for each tenant.
fn by_tenant() -> (Script, Integration) {
    let provider = Script::by(|seen| {
        cached("", "max-age=60").body(seen.headers()["authorization"].to_str().unwrap().to_owned())
    });
    let tokens = TokenLayer::keyed(
        10,
        Duration::from_secs(3600),
        |head| head.extensions.get::<Tenant>().map_or("", |tenant| tenant.0).into(),
        |tenant: &str| {
            let token = tenant.to_owned();
            move |_| std::future::ready(Ok(Token::new(token.clone())))
        },
    );
    let crm = Integration::user_flow("crm").cache(layer()).token(tokens);
    let crm = crm.service(provider.clone()).build().unwrap();
    (provider, crm)
}

#[derive(Clone)]
struct Tenant(&'static str);

#[tokio::test(start_paused = true)]
async fn with_a_token_for_each_tenant_none_is_given_the_answer_of_another() {
    let (provider, crm) = by_tenant();
    let of = |tenant: &'static str, partition: Option<&'static str>| {
        let mut request = get(RATE);
        request.extensions_mut().insert(Tenant(tenant));
        partition.map(|it| request.extensions_mut().insert(CachePartition::new(it)));
        request
    };
    for tenant in ["acme", "globex", "acme"] {
        let got = send(&crm, of(tenant, None)).await.unwrap();
        is(&got, CacheOutcome::Bypass, &format!("Bearer {tenant}"));
    }
    for (tenant, outcome) in [
        ("acme", CacheOutcome::Miss),
        ("globex", CacheOutcome::Miss),
        ("acme", CacheOutcome::Hit),
        ("globex", CacheOutcome::Hit),
    ] {
        let got = send(&crm, of(tenant, Some(tenant))).await.unwrap();
        is(&got, outcome, &format!("Bearer {tenant}"));
    }
    assert_eq!(provider.requests().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_key_in_a_header_of_any_name_is_its_callers() {
    let names = ["fastly-key", "accesskey", "x-functions-key", "x-appwrite-key", "x-master-key"];
    for (name, is_shared) in names.map(|name| (name, false)).into_iter().chain([
        ("idempotency-key", true),
        ("surrogate-key", true),
        ("sec-websocket-key", true),
        ("keystone", true),
    ]) {
        let provider = Script::new([fresh("ada's"), fresh("bob's")]);
        let rates = integration(layer(), &provider);
        let of = |value: &'static str| {
            let mut request = get(RATE);
            request.headers_mut().insert(name, HeaderValue::from_static(value));
            request
        };
        assert_eq!(send(&rates, of("ada")).await.unwrap().text, "ada's");
        let bobs = if is_shared { "ada's" } else { "bob's" };
        assert_eq!(send(&rates, of("bob")).await.unwrap().text, bobs, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_varies_by_a_key_still_does_in_a_partition_with_a_name() {
    let varied = |text| fresh(text).header("vary", "x-sort-key");
    let rates = integration(layer(), &Script::new([varied("by name"), varied("by date")]));
    for order in ["by name", "by date", "by name"] {
        let mut request = get(RATE);
        request.headers_mut().insert("x-sort-key", HeaderValue::from_static(order));
        request.extensions_mut().insert(CachePartition::new("ada"));
        assert_eq!(send(&rates, request).await.unwrap().text, order);
    }
}

#[tokio::test(start_paused = true)]
async fn partitions_that_differ_by_any_sign_share_nothing() {
    let names = ["a\nb", "a b", "a\\nb", "a\\\\nb", "a\\\nb", "a\n", "a"];
    let provider = Script::new((0..10).map(|number| {
        Answer::status(200).header("cache-control", "max-age=60").body(number.to_string())
    }));
    let rates = integration(layer(), &provider);
    for _ in 0..2 {
        for (number, name) in names.into_iter().enumerate() {
            let mut request = get(RATE);
            request.extensions_mut().insert(CachePartition::new(name));
            assert_eq!(send(&rates, request).await.unwrap().text, number.to_string(), "{name:?}");
        }
    }
}
