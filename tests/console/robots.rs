//! What robots get, and what they may do.

use http::{Request, StatusCode};
use outrigger::Body;
use outrigger::console::{ActResult, Right};
use outrigger::event::SwitchMode;
use serde_json::{Value, json};

use super::bench::{Bench, Got, Named, all};

async fn state(bench: &Bench, query: &str) -> Got {
    let request = Request::get(format!("/{query}")).header("x-user", "robot");
    let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
    bench.send(request).await
}

fn read(got: &Got) -> Value {
    assert_eq!(got.headers["content-type"], "application/json", "{}", got.text);
    serde_json::from_str(&got.text).unwrap()
}

async fn act(bench: &Bench, headers: &[(&str, &str)], fields: &Value) -> Got {
    let mut request = Request::post("/").header("x-user", "robot");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    bench.send(request.body(Body::from(fields.to_string())).unwrap()).await
}

const ROBOT: [(&str, &str); 2] =
    [("authorization", "Bearer s3cr3t"), ("content-type", "application/json")];

fn stop() -> Value {
    json!({ "act": "set", "integration": "payments", "control": "kill_switch", "to": "off", "why": "an alert" })
}

#[tokio::test(start_paused = true)]
async fn every_page_that_shows_state_is_there_as_json_with_the_same_rights() {
    let bench = Bench::new(Named(|who, _, _| who == "robot"));
    let ids = bench.dead(2).await;
    let overview = read(&state(&bench, "").await);
    assert_eq!(overview["integrations"].as_array().unwrap().len(), 2);
    assert_eq!(overview["lanes"][0]["dead"]["expired"], 2);
    let one = read(&state(&bench, "?integration=payments").await);
    assert_eq!(one["health"]["integration"], "payments");
    assert!(one["positions"]["kill_switch"].as_array().unwrap().contains(&json!("off")));
    let lane = read(&state(&bench, "?lane=mailer&state=dead").await);
    assert_eq!(lane["messages"][1]["id"], ids[1].to_string());
    let found = read(&state(&bench, "?find=order+0").await);
    assert_eq!(found["life"][0]["to"]["message"], ids[0].to_string());
    let message = read(&state(&bench, &format!("?message={}", ids[0])).await);
    assert_eq!(message["message"]["dead_reason"], "expired");
    assert!(!message.to_string().contains("ada@example.com"), "it is redacted: {message}");
    assert_eq!(read(&state(&bench, "?acts").await), json!([]));
    let message = format!("?message={}", ids[0]);
    for page in ["", "?integration=payments", "?lane=mailer", "?find=x", "?acts", &message] {
        let request = Request::get(format!("/{page}")).header("x-user", "stranger");
        let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
        assert_eq!(bench.send(request).await.status, StatusCode::FORBIDDEN, "{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_robot_acts_by_its_bearer_token_and_is_recorded() {
    let bench = Bench::new(all());
    let done = act(&bench, &ROBOT, &stop()).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(read(&done)["is_done"], true);
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::Off);
    let acts = bench.recorded.lock().unwrap().clone();
    assert_eq!((acts[0].who.as_str(), acts[0].why.as_str()), ("robot", "an alert"));
    assert!(matches!(acts[1].result, ActResult::Done(_)));
    let mut sideways = stop();
    sideways["to"] = json!("sideways");
    let failed = act(&bench, &ROBOT, &sideways).await;
    assert_eq!(failed.status, StatusCode::CONFLICT, "{}", failed.text);
    // As of a person's form: a reason is asked for, and twenty a minute are enough.
    let mut silent = stop();
    silent["why"] = json!(" ");
    assert_eq!(act(&bench, &ROBOT, &silent).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..18 {
        assert_eq!(act(&bench, &ROBOT, &stop()).await.status, StatusCode::OK);
    }
    assert_eq!(act(&bench, &ROBOT, &stop()).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn a_word_that_says_nothing_does_not_make_a_robots_filter_mean_all() {
    let bench = Bench::new(all());
    let ids = bench.dead(3).await;
    let at = read(&state(&bench, "?lane=mailer&state=dead").await);
    assert_eq!(at["dead_in_all"], 3);
    let give_up = |name: &str, value: &str| {
        let mut fields = json!({
            "act": "discard_all", "lane": "mailer", "at": at["at"], "why": "a test", "count": 3, "expected": 3,
        });
        fields[name] = json!(value);
        fields
    };
    for (name, value) in [
        ("key", " "),
        ("error", " "),
        ("status", "5xx"),
        ("status", "70000"),
        ("reason", "old"),
        ("within", "month"),
        ("state", "Dead"),
    ] {
        let refused = act(&bench, &ROBOT, &give_up(name, value)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert!(refused.text.contains(value), "{}", refused.text);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    for id in ids {
        let message = bench.outbox.history(id).await.unwrap().unwrap().message;
        assert_eq!(message.progress.state, outrigger::outbox::State::Dead);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_messages_that_are_not_there_is_counted_too() {
    let bench = Bench::new(all());
    let reveal = |nth: u8| {
        let id = format!("01936f2a-0000-7000-8000-0000000000{nth:02}");
        json!({ "act": "reveal", "message": id, "why": "a guess" })
    };
    for nth in 0..20 {
        let unknown = act(&bench, &ROBOT, &reveal(nth)).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.text);
    }
    assert_eq!(act(&bench, &ROBOT, &reveal(20)).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn a_page_of_another_site_can_not_pass_for_a_robot() {
    let bench = Bench::new(all());
    let [bearer, json] = ROBOT;
    for headers in [
        &[json][..],
        &[json, ("cookie", "session=1")],
        &[json, bearer, ("cookie", "session=1")],
        &[json, bearer, ("sec-fetch-site", "cross-site")],
        &[json, bearer, ("origin", "https://evil.example"), ("host", "ops.example")],
        &[json, ("authorization", "Basic YTpi")],
        &[json, ("authorization", "Bearer ")],
        &[("content-type", "application/x-www-form-urlencoded"), bearer],
    ] {
        let refused = act(&bench, headers, &stop()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let text = [("content-type", "text/plain"), bearer];
    assert_eq!(act(&bench, &text, &stop()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for fields in [json!([]), json!({ "act": {} })] {
        assert_eq!(act(&bench, &ROBOT, &fields).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(bench.payments.kill_switch().mode(), SwitchMode::On);
    assert!(bench.recorded.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_robot_without_the_right_is_refused_and_that_is_recorded() {
    let bench = Bench::new(Named(|_, right, _| right == Right::Look));
    let refused = act(&bench, &ROBOT, &stop()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(read(&refused)["error"], "You have no right to this.");
    assert_eq!(bench.recorded.lock().unwrap()[0].result, ActResult::NotAllowed);
}

#[tokio::test(start_paused = true)]
async fn what_a_robot_reveals_is_in_that_answer_alone() {
    let bench = Bench::new(all());
    let id = bench.dead(1).await[0].to_string();
    let fields = json!({ "act": "reveal", "message": id, "why": "an export" });
    let shown = read(&act(&bench, &ROBOT, &fields).await);
    assert_eq!(shown["revealed"]["request"]["body"], "to=ada@example.com");
    assert_eq!(bench.recorded.lock().unwrap()[0].what, format!("message {id}: reveal"));
}
