//! Alerts and dashboard ask for metrics that there are, by labels that they have.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::page::{Page, Sample};
use crate::promql::asked;
use crate::trouble::all_of_it;

const RULES: &str = include_str!("../../examples/observability/rules.yml");
const RULES_TESTS: &str = include_str!("../../examples/observability/rules.test.yml");
const DASHBOARD: &str = include_str!("../../examples/observability/dashboard.json");

/// One expression, with where it stands.
#[derive(Clone)]
struct Question {
    of: String,
    expression: String,
}

fn rules() -> Vec<Yaml> {
    let document = &YamlLoader::load_from_str(RULES).unwrap()[0];
    let groups = document["groups"].as_vec().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_vec().unwrap().clone()).collect()
}

fn text<'a>(rule: &'a Yaml, key: &str) -> Option<&'a str> {
    rule[key].as_str()
}

/// What rules record, and what of it can be asked for.
fn recorded() -> BTreeSet<String> {
    rules().iter().filter_map(|rule| text(rule, "record")).map(str::to_owned).collect()
}

fn questions_of_rules() -> Vec<Question> {
    let question = |rule: &Yaml| Question {
        of: text(rule, "alert").or(text(rule, "record")).unwrap().to_owned(),
        expression: text(rule, "expr").unwrap().to_owned(),
    };
    rules().iter().map(question).collect()
}

fn questions_of_dashboard() -> Vec<Question> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        targets.iter().map(|target| Question {
            of: panel["title"].as_str().unwrap().to_owned(),
            expression: target["expr"].as_str().unwrap().to_owned(),
        })
    });
    targets.collect()
}

/// The samples that a metric's name stands for.
fn samples<'a>(page: &'a Page, metric: &str) -> Vec<&'a Sample> {
    page.0.iter().filter(|sample| sample.name == metric).collect()
}

/// What is wrong with a question.
fn mistakes(page: &Page, recorded: &BTreeSet<String>, question: &Question) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("{}: {what}", question.of));
    let mut labels_here = BTreeSet::new();
    let asked = asked(&question.expression);
    for metric in asked.iter().filter(|asked| asked.metric.is_some()) {
        let name = metric.metric.as_deref().unwrap_or_default();
        if recorded.contains(name) {
            labels_here.insert("outrigger_integration");
            continue;
        }
        let samples = samples(page, name);
        if samples.is_empty() {
            wrong(format!("there is no {name}"));
        }
        labels_here.extend(samples.iter().flat_map(|it| it.labels.keys().map(String::as_str)));
        for (label, values) in &metric.labels {
            let said: BTreeSet<_> = samples.iter().filter_map(|it| it.labels.get(label)).collect();
            if said.is_empty() {
                wrong(format!("{name} has no {label}"));
            }
            for value in values.iter().filter(|value| is_a_word(value)) {
                if !said.contains(value) && !is_known_elsewhere(page, label, value) {
                    wrong(format!("{label} of {name} is never {value}"));
                }
            }
        }
    }
    for (label, _) in asked.iter().filter(|it| it.metric.is_none()).flat_map(|it| &it.labels) {
        if !labels_here.contains(label.as_str()) {
            wrong(format!("nothing has {label}"));
        }
    }
    found
}

/// Not a variable of the dashboard, and not the empty text that means "has none".
fn is_a_word(value: &str) -> bool {
    !value.is_empty() && !value.contains('$')
}

/// Methods and causes are the same words everywhere, and not every metric has met all of them.
fn is_known_elsewhere(page: &Page, label: &str, value: &str) -> bool {
    const METHODS: [&str; 4] = ["GET", "HEAD", "OPTIONS", "TRACE"];
    let said = |sample: &Sample| sample.labels.get(label).is_some_and(|says| says == value);
    (label == "http_request_method" && METHODS.contains(&value)) || page.0.iter().any(said)
}

#[tokio::test(start_paused = true)]
async fn every_name_and_label_in_alerts_and_dashboard_is_one_that_there_is() {
    let (page, recorded) = (all_of_it().await, recorded());
    let questions = [questions_of_rules(), questions_of_dashboard()].concat();
    assert!(questions.len() > 60, "only {} questions were read", questions.len());
    let mistakes: Vec<_> =
        questions.iter().flat_map(|question| mistakes(&page, &recorded, question)).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_a_label_or_a_value_that_there_is_not_would_be_found() {
    let (page, recorded) = (all_of_it().await, recorded());
    for wrong in [
        "outrigger_call_total",
        "sum by (integration) (outrigger_calls_total)",
        r#"outrigger_calls_total{class="success"}"#,
        r#"outrigger_calls_total{outrigger_class=~"success|sucess"}"#,
        r#"outrigger_fault_injection_on{outrigger_reason="bulkhead_full"}"#,
    ] {
        let question = Question { of: "a mistake".into(), expression: wrong.into() };
        assert!(!mistakes(&page, &recorded, &question).is_empty(), "{wrong}");
    }
}

#[test]
fn every_alert_is_tested_to_be_raised() {
    let tests = &YamlLoader::load_from_str(RULES_TESTS).unwrap()[0];
    let raised: BTreeSet<_> = tests["tests"]
        .as_vec()
        .unwrap()
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_vec().unwrap())
        .filter(|check| check["exp_alerts"].as_vec().is_some_and(|alerts| !alerts.is_empty()))
        .map(|check| text(check, "alertname").unwrap().to_owned())
        .collect();
    let rules = rules();
    let alerts: BTreeSet<_> =
        rules.iter().filter_map(|rule| text(rule, "alert")).map(str::to_owned).collect();
    assert_eq!(raised, alerts);
}

#[test]
fn what_alerts_and_legends_say_is_filled_in() {
    for rule in rules().iter().filter(|rule| text(rule, "alert").is_some()) {
        let summary = rule["annotations"]["summary"].as_str().unwrap();
        let expression = text(rule, "expr").unwrap();
        for label in summary.split("$labels.").skip(1) {
            let label = label.split(|char: char| char != '_' && !char.is_alphanumeric()).next();
            let label = label.unwrap();
            let by_rule = label == "outrigger_integration" && expression.contains("integration:");
            assert!(by_rule || expression.contains(label), "{label} in {summary}");
        }
    }
}

/// Grafana shows one of two panels that have one id, and lays one over another that has its place.
#[test]
fn each_panel_of_the_dashboard_has_an_id_and_a_place_of_its_own() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let (mut ids, mut places) = (HashSet::new(), HashSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let (title, place) = (&panel["title"], &panel["gridPos"]);
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "the id of {title} is used twice");
        let number = |name: &str| place[name].as_u64().unwrap();
        for (x, y) in (0..number("w")).flat_map(|x| (0..number("h")).map(move |y| (x, y))) {
            let cell = (number("x") + x, number("y") + y);
            assert!(places.insert(cell), "{title} lies over another panel, at {cell:?}");
        }
    }
}
