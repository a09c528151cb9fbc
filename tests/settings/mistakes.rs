//! What is wrong with a file is said in words, all of it at once, each with its path.

use outrigger::testing::{Answer, Script};
use outrigger::{ConfigError, Integration, IntegrationConfig, ValidationError};

/// What is said of a file: paths and problems.
fn said(file: &str) -> Vec<(String, String)> {
    let Err(error) = IntegrationConfig::read(toml::Deserializer::parse(file).unwrap()) else {
        return Vec::new();
    };
    let mistakes = error.errors().iter();
    mistakes.map(|mistake| (mistake.field().into(), mistake.problem().into())).collect()
}

/// The one thing that is wrong with a file.
#[track_caller]
fn says(file: &str, path: &str, words: &[&str]) {
    let said = said(file);
    let [(field, problem)] = &said[..] else { panic!("{file}: {said:?}") };
    assert_eq!(field, path);
    for words in words {
        assert!(problem.contains(words), "{problem:?} doesn't say {words:?}");
    }
}

#[test]
fn an_unknown_key_on_any_level_is_told_the_nearest_name() {
    let near = |file: &str, path: &str, name: &str| {
        says(file, path, &["no such setting", &format!("did you mean {name:?}?")]);
    };
    near("dedline = '1s'", "dedline", "deadline");
    near("[retri]", "retri", "retry");
    near("retry.max_atempts = 3", "retry.max_atempts", "max_attempts");
    near("retry.backoff.bse = '1s'", "retry.backoff.bse", "base");
    near("retry.budget.rate = '1%'", "retry.budget.rate", "ratio");
    near("hyper.idle_timeout = '1s'", "hyper.idle_timeout", "pool_idle_timeout");
    near("hyper.max_idle_per_host = 1", "hyper.max_idle_per_host", "pool_max_idle_per_host");
    near("timeout.attempt_timeout = '1s'", "timeout.attempt_timeout", "attempt");
    near("circuit_breaker.slow_after = '1s'", "circuit_breaker.slow_after", "slow_over");
    near("circuit_breaker.open_fro = '1s'", "circuit_breaker.open_fro", "open_for");
    near("hyper.connect-timeout = '1s'", "hyper.connect-timeout", "connect_timeout");
    near("fault_injection.plan.latncy = {}", "fault_injection.plan.latncy", "latency");
    let status = "fault_injection.plan.status = [{ share = '1%' }, { cod = 503 }]";
    near(status, "fault_injection.plan.status[1].cod", "code");
    near("Circuit_Breaker = {}", "Circuit_Breaker", "circuit_breaker");
}

#[test]
fn a_key_that_is_like_none_is_told_them_all() {
    says("[hedge]\nxyz = 1", "hedge.xyz", &["there are quantile, after, at_least"]);
    says("[fallback]\nxyz = 1", "fallback.xyz", &["there are limit"]);
    says("retry.max_retries = 1", "retry.max_retries", &["there are max_attempts, max_elapsed"]);
    says("circuit_breaker.min_calls = 1", "circuit_breaker.min_calls", &["there are", "minimum"]);
    says("hyper.timeout = '1s'", "hyper.timeout", &["there are connect_timeout"]);
}

#[test]
fn another_kind_of_value_is_said_in_words() {
    let five = "the number 5 where there should be a duration such as \"250ms\", \"2s\" or \"5m\"";
    says("deadline = 5", "deadline", &[five]);
    says("retry = 'twice'", "retry", &["the text \"twice\" where there should be a table"]);
    says("retry.max_attempts = '3'", "retry.max_attempts", &["the text \"3\"", "a whole number"]);
    says("retry.max_attempts = -1", "retry.max_attempts", &["the number -1", "from 0 to"]);
    says("retry.max_attempts = 2.5", "retry.max_attempts", &["the number 2.5"]);
    says("retry.max_attempts = 4294967296", "retry.max_attempts", &["from 0 to 4294967295"]);
    says("retry.backoff.factor = true", "retry.backoff.factor", &["true where", "a number"]);
    says("retry.budget.ratio = 0.1", "retry.budget.ratio", &["the number 0.1", "\"10%\""]);
    says(
        "fault_injection.allow = 'yes'",
        "fault_injection.allow",
        &["the text \"yes\"", "true or false"],
    );
    says("retry.backoff.schedule = '1s'", "retry.backoff.schedule", &["where", "a list"]);
    says("retry.backoff.schedule = ['1s', 2]", "retry.backoff.schedule[1]", &["the number 2"]);
    says("hedge.after = []", "hedge.after", &["a list where", "a duration"]);
    says("correlation.header = 1", "correlation.header", &["a header's name"]);
    says("preset = 1", "preset", &["one of user_flow, background"]);
    says("hyper = 1", "hyper", &["the number 1", "a table of settings"]);
}

#[test]
fn a_number_that_is_none_is_no_value() {
    for number in ["inf", "-inf", "nan"] {
        let shown = number.replace("nan", "NaN");
        let is = format!("{shown} where there should be");
        says(&format!("deadline = {number}"), "deadline", &[&is, "a duration"]);
        let factor = format!("retry.backoff.factor = {number}");
        says(&factor, "retry.backoff.factor", &[&is, "a number"]);
        let attempts = format!("retry.max_attempts = {number}");
        says(&attempts, "retry.max_attempts", &[&is, "a whole number"]);
    }
}

#[test]
fn what_json_can_say_and_settings_cannot_is_refused() {
    let said = |file: &str| {
        let error = IntegrationConfig::read(&mut serde_json::Deserializer::from_str(file));
        let error = error.unwrap_err();
        let mistakes = error.errors().iter();
        mistakes.map(ToString::to_string).collect::<Vec<_>>()
    };
    let null = "null sets nothing: leave it out, or say \"none\" for no limit";
    assert_eq!(said(r#"{"deadline": null}"#), [format!("deadline: {null}")]);
    assert_eq!(said(r#"{"retry": {"budget": null}}"#), [format!("retry.budget: {null}")]);
    let listed = said(r#"{"retry": {"backoff": {"schedule": ["1s", null]}}}"#);
    assert!(listed[0].starts_with("retry.backoff.schedule[1]: nothing where"), "{listed:?}");
    let twice = "it is there more than once: keep the one that counts";
    let file = r#"{"deadline": "5s", "retry": {"max_attempts": 2, "max_attempts": 3, "max_attempts": 4},
        "deadline": "6s"}"#;
    let twice = ["deadline", "retry.max_attempts"].map(|path| format!("{path}: {twice}"));
    assert_eq!(said(file), twice);
}

#[test]
fn a_file_that_is_no_table_is_told_so() {
    let error = IntegrationConfig::read(serde_json::json!([1])).unwrap_err();
    let text = error.to_string();
    assert_eq!(
        text,
        "1 setting can't work: settings: a list where there should be a table of settings"
    );
    let error = serde_json::from_str::<IntegrationConfig>("[").unwrap_err();
    assert!(error.is_syntax() || error.is_eof() || error.is_data());
}

#[test]
fn a_value_of_the_right_kind_that_is_none_is_told_how_to_write_one() {
    says("deadline = '5'", "deadline", &["\"5\" is no duration", "\"2s\""]);
    says("deadline = '-1s'", "deadline", &["is no duration"]);
    says("deadline = '5 parsecs'", "deadline", &["is no duration"]);
    says("deadline = '999999999999999999years'", "deadline", &["is no duration"]);
    let longest = "18446744073709551615s 999999999ns";
    assert_eq!(said(&format!("deadline = '{longest}'")), []);
    let over = ["18446744073709551615s 1000000000ns", "18446744073709551615s 500ms 500ms"];
    for over in over {
        says(&format!("deadline = '{over}'"), "deadline", &["is no duration"]);
    }
    for odd in ["", " ", "s", "5s 0", "5 s x", "1..5s", "5s5", "-5s"] {
        says(&format!("deadline = '{odd}'"), "deadline", &["is no duration"]);
    }
    for fine in ["0", "5 s", "1h30m", "1h 30m 5s", "1.5s", "5µs 1ns", " 5s "] {
        assert_eq!(said(&format!("deadline = '{fine}'")), [], "{fine}");
    }
    for share in ["10", "ten%", "-1%", "nan%", "inf%", "99999999%", "%"] {
        let file = format!("retry.budget.ratio = '{share}'");
        says(&file, "retry.budget.ratio", &["is no share", "\"0.5%\""]);
    }
    says("retry.backoff.jitter = 'ful'", "retry.backoff.jitter", &["did you mean \"full\"?"]);
    says(
        "retry.backoff.jitter = 'half'",
        "retry.backoff.jitter",
        &["use one of full", "50%..150%"],
    );
    says("retry.backoff.jitter = '50%..x'", "retry.backoff.jitter", &["\"x\" is no share"]);
    says("retry.backoff.jitter = '-1%..100%'", "retry.backoff.jitter", &["\"-1%\" is no share"]);
    says("retry.backoff.jitter = 'nan%..100%'", "retry.backoff.jitter", &["\"nan%\" is no share"]);
    says("retry.backoff.jitter = '..'", "retry.backoff.jitter", &["no share"]);
    says("retry.backoff.jitter = 1", "retry.backoff.jitter", &["number 1", "50%..150%"]);
    says("preset = 'user-flow'", "preset", &["did you mean \"user_flow\"?"]);
    let far = "use one of enforce, report-only";
    says("circuit_breaker.mode = 'xyz'", "circuit_breaker.mode", &["\"xyz\" is not known", far]);
    let plan = "fault_injection.plan.status = [{ code = 503 }, { code = 99 }, { code = 1000 }]";
    let wrong = said(plan);
    let paths: Vec<_> = wrong.iter().map(|(path, _)| &path[..]).collect();
    assert_eq!(
        paths,
        ["fault_injection.plan.status[1].code", "fault_injection.plan.status[2].code"]
    );
    assert!(wrong[0].1.contains("the number 99 where there should be a status"), "{wrong:?}");
    says("idempotency.header = 'two words'", "idempotency.header", &["no header's name"]);
    let value = "fault_injection.plan.answer.content_type = \"a\\nb\"";
    says(value, "fault_injection.plan.answer.content_type", &["no header's value"]);
}

#[test]
fn none_is_nothing_where_something_must_be() {
    says("bulkhead.queue = 'none'", "bulkhead.queue", &["a whole number"]);
    says("mirror.limit = 'none'", "mirror.limit", &["\"none\" is no duration"]);
    assert_eq!(said("retry.backoff.jitter = 'none'"), []);
    assert_eq!(said("retry.budget = 'none'"), []);
    assert_eq!(said("retry.max_attempts = 'none'"), []);
    assert_eq!(said("deadline = 'none'"), []);
}

#[test]
fn all_mistakes_are_named_at_once_each_with_its_path() {
    let file = r#"
        deadline = 5
        colour = "blue"
        [retry]
        max_atempts = 2
        backoff = { base = "soon", jiter = "full" }
        [fault_injection.plan]
        status = [{ share = "1%", code = 503 }, { share = 1, code = "x" }]
        [hyper]
        connect_timeout = true
    "#;
    let mut paths: Vec<_> = said(file).into_iter().map(|(path, _)| path).collect();
    paths.sort();
    let expected = [
        "colour",
        "deadline",
        "fault_injection.plan.status[1].code",
        "fault_injection.plan.status[1].share",
        "hyper.connect_timeout",
        "retry.backoff.base",
        "retry.backoff.jiter",
        "retry.max_atempts",
    ];
    assert_eq!(paths, expected);
    let error = toml::from_str::<IntegrationConfig>(file).unwrap_err().to_string();
    assert!(error.contains("8 settings can't work"), "{error}");
    for path in expected {
        assert!(error.contains(&format!("{path}: ")), "{path} is not in {error}");
    }
}

#[test]
fn shape_and_sense_are_told_together_where_the_preset_is_named() {
    let file = "
        preset = 'user_flow'
        retry.max_attempts = 'two'
        timeout.attempt = '9s'
        bulkhead.concurrency = 0
    ";
    let mut paths: Vec<_> = said(file).into_iter().map(|(path, _)| path).collect();
    paths.sort();
    assert_eq!(paths, ["bulkhead.concurrency", "retry.max_attempts", "timeout.attempt"]);
    // What was not understood may be what makes the rest right.
    for unread in ["deadline = 20", "dedline = '20s'"] {
        let file = format!("preset = 'user_flow'\n{unread}\ntimeout.attempt = '9s'");
        assert_eq!(
            IntegrationConfig::read(toml::Deserializer::parse(&file).unwrap())
                .unwrap_err()
                .errors()
                .len(),
            1,
            "{file}"
        );
    }
    let beside = "preset = 'user_flow'\nretry.backoff = { base = '1s', cap = 2 }";
    says(beside, "retry.backoff.cap", &["the number 2"]);
    let shorter = "preset = 'user_flow'\ntimeout = { attempt = 1 }\nhyper.connect_timeout = '4s'";
    says(shorter, "timeout.attempt", &["the number 1"]);
    // Without a preset nobody knows what they are laid over.
    let nameless = file.replace("preset = 'user_flow'", "");
    assert_eq!(said(&nameless).len(), 1);
}

#[test]
fn what_may_be_a_secret_is_in_no_text() {
    let files = [
        "deadline = 'https://ada:hunter2@crm.test/'",
        "retry.budget.ratio = 'https://ada:hunter2@crm.test/'",
        "correlation.header = 'https://ada:hunter2@crm.test/'",
        "circuit_breaker.mode = 'https://ada:hunter2@crm.test/'",
        "retry = 'https://ada:hunter2@crm.test/'",
        "retry.max_attempts = 'https://ada:hunter2@crm.test/'",
        "fault_injection.plan.answer.content_type = \"hunter2\\n\"",
        "deadline = 'a key that is as long as keys are hunter2'",
    ];
    for file in files {
        let error: ConfigError =
            IntegrationConfig::read(toml::Deserializer::parse(file).unwrap()).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_file_of_several_integrations_is_told_all_that_is_wrong_in_each() {
    let read = |file: &str| IntegrationConfig::read_all(toml::Deserializer::parse(file).unwrap());
    let file = "
        [pages]
        preset = 'user_flow'
        dedline = '1s'

        [sync]
        preset = 'background'
        bulkhead = { concurrency = 0 }
        retry = { max_attempts = 'many' }
    ";
    let error = read(file).unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(ValidationError::field).collect();
    assert_eq!(fields, ["pages.dedline", "sync.retry.max_attempts", "sync.bulkhead.concurrency"]);
    let error = read("preset = 'user_flow'\n[sync]\ndeadline = '1s'").unwrap_err();
    assert!(error.to_string().contains("preset: this is no table"), "{error}");
    let twice = r#"{"sync": {}, "sync": {}}"#;
    let error = IntegrationConfig::read_all(&mut serde_json::Deserializer::from_str(twice));
    assert!(error.unwrap_err().to_string().contains("sync: it is here twice"));
    let right = read("[sync]\ndeadline = '1s'\n[pages]\n").unwrap();
    assert_eq!(right.keys().collect::<Vec<_>>(), ["pages", "sync"]);
    assert_ne!(right["sync"], right["pages"]);
    assert!(read("").unwrap().is_empty());
}

#[test]
fn settings_can_be_checked_without_being_applied() {
    let crm = Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let crm = crm.build().unwrap();
    let read = |file: &str| IntegrationConfig::read(toml::Deserializer::parse(file).unwrap());
    let before = crm.config();
    crm.check_config(&read("deadline = '5s'").unwrap()).unwrap();
    let error = crm.check_config(&read("bulkhead.concurrency = 0").unwrap()).unwrap_err();
    assert!(error.to_string().contains("bulkhead.concurrency"), "{error}");
    assert_eq!(crm.config(), before);
}
