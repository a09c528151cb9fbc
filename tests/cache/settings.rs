//! What a file says of a cache, and what is changed while calls run.

use std::time::Duration;

use outrigger::cache::{CacheLayer, CacheOutcome, CacheWindows};
use outrigger::context::PathTemplate;
use outrigger::testing::{Answer, Script};
use outrigger::{Integration, IntegrationConfig};

use super::origin::{get, layer, send, wait};
use super::outdating::Watched;

const FILE: &str = r#"
[cache]
fresh_for = "10s"
[cache.templates."/rates/{currency}"]
fresh_for = "1m"
stale_if_error = "1h"
[cache.templates."/stock"]
fresh_for = "0s"
"#;

fn file(text: &str) -> IntegrationConfig {
    toml::from_str(text).unwrap()
}

fn rates(layer: CacheLayer, config: IntegrationConfig) -> Integration {
    Integration::user_flow("rates")
        .cache(layer)
        .service(Script::new([Answer::status(200).body("a")]))
        .config(config)
        .build()
        .unwrap()
}

/// What a call of this template gets.
async fn outcome(rates: &Integration, template: &'static str) -> CacheOutcome {
    let mut request = get(&format!("http://rates.test{}", template.replace(['{', '}'], "")));
    request.extensions_mut().insert(PathTemplate::new(template));
    send(rates, request).await.unwrap().outcome()
}

#[tokio::test(start_paused = true)]
async fn a_file_gives_path_templates_windows_of_their_own_and_can_change_them() {
    use CacheOutcome::{Hit, Miss};
    let in_code = CacheWindows::new().fresh_for(Duration::from_secs(5));
    let rates = rates(layer().template("/rates/{currency}", in_code), file(FILE));
    let templates = ["/rates/{currency}", "/stock", "/others"];
    for (seconds, outcomes) in
        [(0, [Miss, Miss, Miss]), (0, [Hit, Miss, Hit]), (30, [Hit, Miss, Miss])]
    {
        wait(seconds).await;
        for (template, expected) in templates.into_iter().zip(outcomes) {
            assert_eq!(outcome(&rates, template).await, expected, "{template}, {seconds}");
        }
    }
    // What the file doesn't say any more is as it is in code.
    rates.apply(&file("")).unwrap();
    assert_eq!(outcome(&rates, "/rates/{currency}").await, Miss);
    assert_eq!(outcome(&rates, "/rates/{currency}").await, Hit);
    wait(6).await;
    assert_eq!(outcome(&rates, "/rates/{currency}").await, Miss);
}

#[tokio::test(start_paused = true)]
async fn templates_are_written_as_they_are_read() {
    let rates = rates(layer(), file(FILE));
    let written: IntegrationConfig =
        toml::from_str(&toml::to_string(&rates.config()).unwrap()).unwrap();
    assert_eq!(written, rates.config());
    let json: IntegrationConfig =
        serde_json::from_value(serde_json::to_value(rates.config()).unwrap()).unwrap();
    assert_eq!(json, rates.config());
}

#[tokio::test(start_paused = true)]
async fn bounds_change_while_calls_run_and_what_fits_stays() {
    let rates = rates(layer(), file("cache.fresh_for = '1h'"));
    let all = |number: u32| get(&format!("http://rates.test/{number}"));
    for number in 0..40 {
        send(&rates, all(number)).await.unwrap();
    }
    let cache = rates.cache().unwrap();
    assert_eq!(cache.keys(), 40);
    rates.apply(&file("cache = { fresh_for = '1h', max_keys = 16 }")).unwrap();
    assert!((1..=16).contains(&cache.keys()), "{}", cache.keys());
    for number in 0..40 {
        send(&rates, all(number)).await.unwrap();
    }
    assert!((1..=16).contains(&cache.keys()), "{}", cache.keys());
    rates.apply(&file("cache = { fresh_for = '1h', max_keys = 100 }")).unwrap();
    let kept = cache.count(CacheOutcome::Hit);
    for number in 0..40 {
        send(&rates, all(number)).await.unwrap();
    }
    assert_eq!(cache.keys(), 40);
    assert!(cache.count(CacheOutcome::Hit) > kept, "what was stored still is");
}

#[test]
fn what_cannot_work_is_named_with_what_to_do() {
    let build = |layer, text: &str| {
        let config = IntegrationConfig::read(toml::Deserializer::parse(text).unwrap());
        let built = config.and_then(|config| {
            let service = Script::new([Answer::status(200)]);
            Integration::user_flow("rates").cache(layer).service(service).config(config).build()
        });
        let error = built.unwrap_err();
        let one = &error.errors()[0];
        format!("{}: {}", one.field(), one.problem())
    };
    let own = || CacheLayer::with_store(Watched::default());
    for (layer, text, says) in [
        (layer(), "cache.max_keys = 0", "cache.max_keys: with 0 no answer is stored"),
        (layer(), "cache.max_bytes = 4096", "cache.max_bytes: with 4096 bytes"),
        (own(), "cache.max_bytes = 4096", "cache.max_bytes: the store is one of your own"),
        (
            layer(),
            "cache.templates = '/rates'",
            "cache.templates: the text \"/rates\" where there should be",
        ),
        (
            layer(),
            "cache.templates.'/a'.fresh = '1s'",
            "cache.templates./a.fresh: there is no such setting",
        ),
        (layer(), "cache.templates.'/a'.fresh_for = 1", "cache.templates./a.fresh_for: "),
    ] {
        let found = build(layer, text);
        assert!(found.starts_with(says), "{text}: {found}");
    }
}
