//! Settings that are written well and can't work are refused where they are used, as those of code are.

use outrigger::integration::{OwnClient, Preset};
use outrigger::testing::{Answer, Script};
use outrigger::{ConfigError, Integration, IntegrationBuilder, IntegrationConfig};

fn config(file: &str) -> IntegrationConfig {
    toml::from_str(file).unwrap()
}

/// What is wrong with a file for `builder`, when it is built and when it is applied.
fn wrong_for(builder: IntegrationBuilder<OwnClient>, file: &str) -> Vec<String> {
    let config = config(file);
    let built = builder.clone().config(config.clone()).build();
    let running = builder.build().unwrap();
    let before = running.config();
    let applied = running.apply(&config);
    let fields = |result: Result<(), ConfigError>| -> Vec<String> {
        let Err(error) = result else { return Vec::new() };
        error.errors().iter().map(|mistake| mistake.field().into()).collect()
    };
    let (built, applied) = (fields(built.map(drop)), fields(applied));
    assert_eq!(built, applied, "{file}");
    assert!(built.is_empty() || running.config() == before, "nothing may change");
    built.iter().for_each(|path| assert!(is_known(path), "no file has {path}"));
    built
}

/// Whether a file may say something there.
fn is_known(path: &str) -> bool {
    let mut file = serde_json::Value::Null;
    for key in path.rsplit('.') {
        let (key, listed) = key.split_once('[').map_or((key, false), |(key, _)| (key, true));
        let value = if listed { serde_json::json!([file]) } else { file };
        file = serde_json::json!({ key: value });
    }
    let read = IntegrationConfig::read(&file);
    let unknown = |error: ConfigError| error.to_string().contains("no such setting");
    read.map_or_else(|error| !unknown(error), |_| true)
}

fn wrong(file: &str) -> Vec<String> {
    wrong_for(Integration::user_flow("crm"), file)
}

#[test]
fn they_have_the_paths_that_they_have_in_files() {
    let cases = [
        ("deadline = '2s'", "timeout.attempt"),
        ("deadline = '0s'", "deadline timeout.attempt hyper.connect_timeout"),
        ("timeout.attempt = '9s'", "timeout.attempt"),
        ("timeout.attempt = '500ms'", "hyper.connect_timeout"),
        ("timeout.response_head = '4s'", "timeout.response_head"),
        ("hedge.after = '3s'", "hedge.after"),
        ("hedge.quantile = '100%'", "hedge.quantile"),
        ("circuit_breaker = { failures = 9, window = '5s' }", "circuit_breaker.window"),
        ("circuit_breaker = { failures = 9, window_calls = 8 }", "circuit_breaker.failures"),
        ("circuit_breaker.open_times = ['1s', '0s']", "circuit_breaker.open_times"),
        (
            "circuit_breaker = { window_calls = 10, failure_rate = '50%' }",
            "circuit_breaker.minimum",
        ),
        ("circuit_breaker.failure_rate = '101%'", "circuit_breaker.failure_rate"),
        ("circuit_breaker.window_calls = 0", "circuit_breaker.window_calls"),
        ("circuit_breaker = { slow_over = '1s', slow_rate = '101%' }", "circuit_breaker.slow_rate"),
        ("circuit_breaker.consecutive = 0", "circuit_breaker.consecutive"),
        (
            "circuit_breaker.consecutive_below_minimum = 0",
            "circuit_breaker.consecutive_below_minimum",
        ),
        ("circuit_breaker.probe_successes = 4", "circuit_breaker.probes"),
        ("circuit_breaker.open_for = '2m'", "circuit_breaker.open_for"),
        ("retry.max_attempts = 0", "retry.max_attempts"),
        ("retry.max_attempts = 32", "retry.max_attempts"),
        (
            "deadline = '11s'\nretry = { max_attempts = 32, max_elapsed = '10s' }",
            "retry.max_attempts",
        ),
        ("retry.budget = { under_way = '0%', least = 0 }", "retry.budget"),
        ("retry.budget = { under_way = '10%', floor = 1 }", "retry.budget"),
        ("retry.backoff.base = '1s'", "retry.backoff"),
        ("retry.backoff.fixed = '0s'", "retry.backoff"),
        ("retry.budget.floor_period = '0s'", "retry.budget.floor_period"),
        ("retry.budget = { floor = 0, burst = 0 }", "retry.budget"),
        ("idempotency.max_len = 35", "idempotency.max_len"),
        ("idempotency = { max_len = 37, form = 'quoted' }", "idempotency.max_len"),
        ("idempotency.lifetime = '0s'", "idempotency.lifetime"),
        ("mirror.share = '101%'", "mirror.share"),
        ("mirror.concurrency = 0", "mirror.concurrency"),
        ("fallback.limit = '0s'", "fallback.limit"),
        ("bulkhead.concurrency = 0", "bulkhead.concurrency"),
        ("bulkhead = { adaptive = 'aimd', adaptive_min = 65 }", "bulkhead.adaptive_min"),
        ("bulkhead = { adaptive = 'aimd', adaptive_max = 1 }", "bulkhead.adaptive_max"),
        (
            "bulkhead = { adaptive = 'aimd', adaptive_decrease = '0%' }",
            "bulkhead.adaptive_decrease",
        ),
        ("bulkhead = { adaptive = 'aimd', concurrency = 'none' }", "bulkhead.adaptive"),
        ("rate_limit = { requests = 0, per = '1s' }", "rate_limit.requests"),
        ("rate_limit.forget_after = '0s'", "rate_limit.forget_after"),
        ("rate_limit.pause_cap = '0s'", "rate_limit.pause_cap"),
        ("drift.shapes.answers = 0", "drift.shapes.answers"),
        ("drift.shapes.body_cap = 0", "drift.shapes.body_cap"),
        ("drift.notice_headers = ['sunset']", "drift.notice_headers"),
        ("idle_timeout = '0s'", "idle_timeout"),
        ("fault_injection.header = 'x-fault'", "fault_injection.header"),
        ("fault_injection.plan = { hang = '1%' }", "fault_injection.plan"),
        ("fault_injection = { allow = true, plan = { hang = '101%' } }", "fault_injection.plan"),
        ("hyper.connect_timeout = '0s'", "hyper.connect_timeout"),
        ("hyper.connect_timeout = '4s'", "hyper.connect_timeout"),
        ("hyper.max_connections_per_host = 0", "hyper.max_connections_per_host"),
    ];
    for (file, paths) in cases {
        assert_eq!(wrong(file), paths.split(' ').collect::<Vec<_>>(), "{file}");
    }
}

#[test]
fn what_is_longer_or_more_than_anybody_needs_is_refused_or_works() {
    let most = u32::MAX;
    let forever = "'500000000000years'";
    let cases = [
        (format!("timeout.attempt = {forever}"), "timeout.attempt"),
        (format!("deadline = {forever}\ntimeout.attempt = {forever}"), ""),
        (
            format!(
                "deadline = 'none'\ntimeout.attempt = {forever}\ncircuit_breaker = {{ failures = 5, window = {forever} }}"
            ),
            "circuit_breaker.window",
        ),
        (format!("deadline = {forever}\nidle_timeout = {forever}"), ""),
        (format!("retry.max_attempts = {most}"), "retry.max_attempts"),
        ("retry = { max_attempts = 32, budget.floor = 20 }".into(), ""),
        (format!("retry = {{ max_attempts = {most}, budget.under_way = '10%' }}"), ""),
        ("deadline = '11s'\nretry.max_attempts = 41".into(), ""),
        (
            format!(
                "retry = {{ max_attempts = {most}, max_elapsed = {forever}, budget = 'none' }}"
            ),
            "",
        ),
        (format!("retry.backoff = {{ cap = {forever}, factor = 1e300 }}"), ""),
        (format!("retry.backoff.fixed = {forever}"), ""),
        (format!("retry = {{ retry_after_cap = {forever}, retry_after_spread = '400000%' }}"), ""),
        ("retry.retry_after_cap = '0s'".into(), "retry.retry_after_cap"),
        (format!("retry.budget = {{ burst = {most}, floor_period = {forever} }}"), ""),
        (format!("retry.budget.floor = {most}"), "retry.budget.floor"),
        (format!("hedge.at_least = {forever}"), ""),
        (format!("rate_limit = {{ requests = {most}, per = '1ns', burst = {most} }}"), ""),
        (format!("rate_limit = {{ requests = 1, per = {forever}, pause_cap = {forever} }}"), ""),
        (
            format!(
                "bulkhead = {{ concurrency = {most}, queue = {most}, queue_wait = {forever} }}"
            ),
            "",
        ),
        (format!("mirror = {{ concurrency = {most}, limit = {forever} }}"), ""),
        (format!("fallback.limit = {forever}\nidempotency.lifetime = {forever}"), ""),
        (format!("hyper = {{ pool_idle_timeout = {forever}, time_to_live = {forever} }}"), ""),
    ];
    for (file, paths) in cases {
        assert_eq!(wrong(&file), paths.split_whitespace().collect::<Vec<_>>(), "{file}");
    }
}

#[test]
fn a_breaker_that_could_never_open_is_refused() {
    let file = "
        [circuit_breaker]
        failure_rate = 'none'
        consecutive = 'none'
        consecutive_below_minimum = 'none'
    ";
    assert_eq!(wrong(file), ["circuit_breaker"]);
}

#[test]
fn several_ways_to_say_one_thing_are_too_many() {
    assert_eq!(
        wrong("circuit_breaker = { window = '1m', window_calls = 99 }"),
        ["circuit_breaker"]
    );
    let rows = "circuit_breaker = { consecutive = 9, consecutive_below_minimum = 5 }";
    assert_eq!(wrong(rows), ["circuit_breaker"]);
    assert_eq!(wrong("retry.backoff = { base = '1ms', fixed = '1s' }"), ["retry.backoff"]);
    let three = "retry.backoff = { base = '1ms', fixed = '1s', schedule = ['1s'] }";
    assert_eq!(wrong(three), ["retry.backoff"]);
    assert_eq!(wrong("retry.backoff = { step = '1ms', fixed = '1s' }"), ["retry.backoff.step"]);
    assert_eq!(wrong("retry.backoff = { factor = 2.0, fixed = '1s' }"), ["retry.backoff.factor"]);
    assert_eq!(wrong("retry.backoff = { step = '1ms', factor = 2.0 }"), ["retry.backoff"]);
    assert_eq!(wrong("hedge = { quantile = '95%', after = '1s' }"), ["hedge"]);
    assert_eq!(wrong("hedge = { quantile = 'none', after = '1s' }"), [""; 0]);
    let twice = "[{ share = '10%' }, { share = '5%', code = 429 }, { share = '20%', code = 503 }]";
    let file = format!("fault_injection = {{ allow = true, plan.status = {twice} }}");
    assert_eq!(wrong(&file), ["fault_injection.plan.status[2].code"]);
}

#[test]
fn what_needs_another_setting_says_which() {
    assert_eq!(wrong("rate_limit.requests = 5"), ["rate_limit.per"]);
    assert_eq!(wrong("rate_limit.per = '1s'"), ["rate_limit.per"]);
    assert_eq!(wrong("rate_limit.burst = 2"), ["rate_limit.burst"]);
    assert_eq!(wrong("circuit_breaker.slow_over = '1s'"), ["circuit_breaker.slow_rate"]);
    assert_eq!(wrong("circuit_breaker.slow_rate = '50%'"), ["circuit_breaker.slow_rate"]);
    let slow = "circuit_breaker = { slow_rate = '50%', slow_over = '2s' }";
    assert_eq!(wrong(slow), [""; 0]);
    let place = "fault_injection = { allow = true, plan = ";
    for (fault, path) in [
        ("latency = { from = '1s' }", "latency"),
        ("status = [{ share = '1%' }, { code = 500 }]", "status[1]"),
        ("slow_body = { pause = '1s' }", "slow_body"),
        ("answer = { body = '{}' }", "answer"),
    ] {
        let file = format!("{place}{{ {fault} }} }}");
        assert_eq!(wrong(&file), [format!("fault_injection.plan.{path}.share")]);
    }
    assert_eq!(wrong("bulkhead.adaptive_max = 2"), ["bulkhead.adaptive"]);
    assert_eq!(wrong("bulkhead.adaptive_decrease = '50%'"), ["bulkhead.adaptive"]);
    assert_eq!(wrong("retry.backoff = { fixed = '1s', factor = 2 }"), ["retry.backoff.factor"]);
    let quota = Integration::user_flow("crm")
        .rate_limit(|limit| limit.requests(5, std::time::Duration::from_secs(1)));
    assert_eq!(wrong_for(quota.clone(), "rate_limit.requests = 9"), [""; 0]);
    assert_eq!(wrong_for(quota, "rate_limit.burst = 9"), [""; 0]);
}

#[test]
fn jobs_in_flight_are_bounded_by_their_places_or_by_a_number() {
    let jobs = |file: &str| wrong_for(Integration::background("crm"), file);
    assert_eq!(jobs("rate_limit.in_flight = 'none'"), ["rate_limit.in_flight"]);
    assert_eq!(jobs("rate_limit.in_flight = 3"), [""; 0]);
    assert_eq!(jobs("rate_limit = { in_flight = 'none', on_limit = 'reject' }"), [""; 0]);
    let unbounded = "rate_limit.in_flight = 'none'\nbulkhead = { concurrency = 'none', queue = 0, queue_wait = 'none' }";
    assert_eq!(jobs(unbounded), [""; 0]);
    assert_eq!(wrong("rate_limit.in_flight = 'none'"), [""; 0]);
    let shaped = "rate_limit = { in_flight = 'none', on_limit = 'shape' }";
    assert_eq!(wrong(shaped), ["rate_limit.in_flight"]);
}

#[test]
fn a_jobs_breaker_needs_a_window_for_its_attempts() {
    let background = || Integration::background("crm");
    let on = "circuit_breaker.failures = 5";
    assert_eq!(wrong_for(background(), on), ["circuit_breaker.window"]);
    let wide = "circuit_breaker = { failures = 5, window = '2m' }";
    assert_eq!(wrong_for(background(), wide), [""; 0]);
}

#[test]
fn another_preset_is_refused_with_both_names() {
    assert_eq!(wrong("preset = 'background'"), ["preset"]);
    assert_eq!(wrong("preset = 'user_flow'"), [""; 0]);
    let crm = Integration::background("crm").build().unwrap();
    let error = crm.apply(&config("preset = 'user_flow'")).unwrap_err().to_string();
    assert!(error.contains("integration \"crm\"") && error.contains("build it as user_flow"));
}

#[test]
fn the_pool_of_somebody_elses_client_is_not_ours_to_set() {
    let builder = || Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let file = config("hyper.connect_timeout = '1s'");
    let error = builder().config(file.clone()).build().unwrap_err();
    assert_eq!(error.errors()[0].field(), "hyper");
    let crm = builder().build().unwrap();
    assert_eq!(crm.apply(&file).unwrap_err().errors()[0].field(), "hyper");
    let hyperless = crm.config();
    assert!(serde_json::to_value(&hyperless).unwrap().get("hyper").is_none());
    crm.apply(&hyperless).unwrap();
}

#[test]
fn a_shared_limits_places_are_set_where_it_is_made() {
    let limit = outrigger::bulkhead::Limit::new(8);
    let shared = Integration::user_flow("crm")
        .bulkhead(|bulkhead| bulkhead.limit(limit, outrigger::bulkhead::Priority::High));
    assert_eq!(wrong_for(shared.clone(), "bulkhead.concurrency = 9"), ["bulkhead"]);
    assert_eq!(wrong_for(shared.clone(), "bulkhead.queue = 9"), ["bulkhead"]);
    assert_eq!(wrong_for(shared, "bulkhead.queue_wait = '9s'"), [""; 0]);
}

#[test]
fn from_config_needs_a_preset() {
    let error = Integration::from_config("crm", config("deadline = '5s'")).unwrap_err();
    assert_eq!(error.errors()[0].field(), "preset");
    let text = error.to_string();
    assert!(text.contains("\"crm\"") && text.contains("user_flow") && text.contains("background"));
    let named = config("preset = 'background'\ndeadline = '1h'");
    assert_eq!(named.preset(), Some(Preset::Background));
    let crm = Integration::from_config("crm", named).unwrap().build().unwrap();
    assert_eq!(crm.name(), "crm");
    let config = serde_json::to_value(crm.config()).unwrap();
    assert_eq!(
        (&config["deadline"], &config["retry"]["max_attempts"]),
        (&"1h".into(), &"none".into())
    );
}

#[test]
fn several_are_named_at_once_with_the_integration() {
    let file = config("deadline = '2s'\n[retry]\nmax_attempts = 0\n[rate_limit]\nburst = 2");
    let error = Integration::user_flow("crm").config(file).build().unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("3 settings of integration \"crm\" can't work: "), "{text}");
    for path in ["timeout.attempt: ", "retry.max_attempts: ", "rate_limit.burst: "] {
        assert!(text.contains(path), "{text}");
    }
}
