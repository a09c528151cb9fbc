//! The audits of GraphQL over HTTP (`graphql-http`, audits of servers by their ids) seen from a client: what
//! it sends so that a server can meet them, and what it makes of the answers that they ask for.

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use outrigger::event::{End, Event};
use outrigger::outcome::Class;
use outrigger::testing::Answer;
use outrigger::validate::ValidateLayer;
use outrigger::validate::graphql::GraphQl;

use crate::bench::Bench;

const OWN: &str = "application/graphql-response+json; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const DATA: &str = r#"{"data":{"__typename":"Query"}}"#;
const REFUSED: &str = r#"{"errors":[{"message":"Syntax Error"}]}"#;

fn bench(answers: impl IntoIterator<Item = Answer>) -> Bench {
    Bench::with(answers, ValidateLayer::new(), |builder| builder.graphql(GraphQl::new()))
}

fn answer(status: u16, media: &str, body: &'static str) -> Answer {
    Answer::status(status).header("content-type", media).body(body)
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_and_sent_is_what_every_server_must_take() {
    // 22EB, 4655, 80D8: both types are asked for, the new one first. BF61, 78D5, 2C94, 03D4: a POST of JSON.
    let bench = bench([answer(200, OWN, DATA)]);
    let query = serde_json::json!({ "query": "{ __typename }" });
    bench.api.post("http://api.test/graphql").json(&query).send().await.unwrap();
    let request = &bench.provider.requests()[0];
    assert_eq!(request.method(), "POST");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(
        request.headers()[ACCEPT],
        "application/graphql-response+json, application/json;q=0.9"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_that_the_audits_ask_for_mean_what_happened() {
    let partial = r#"{"data":{"a":1,"b":null},"errors":[{"path":["b"],"message":"no"}]}"#;
    let null = r#"{"data":null,"errors":[{"path":["b"],"message":"no"}]}"#;
    for (audits, status, media, body, class) in [
        ("22EB, 82A3, 34A2, 8161, 94B0 to 94B2, 2EA1, 428F", 200, OWN, DATA, Class::Success),
        ("4655, 13EE, B8B3, 0220 to 0222, 28B9, 1B7A", 200, JSON, DATA, Class::Success),
        ("572B, FDE2, 7B9B: refused, with the old type", 200, JSON, REFUSED, Class::ClientError),
        ("556A, 865D, D586: not parsed", 400, OWN, REFUSED, Class::ClientError),
        ("51FE, 74FF, 5E5B: not valid", 400, OWN, REFUSED, Class::ClientError),
        ("86EE: variables", 400, OWN, REFUSED, Class::ClientError),
        ("86EE, as some servers do", 422, OWN, REFUSED, Class::ClientError),
        ("BCF8, B6DC, 3E3A, 8764, A5BF, 423L", 400, JSON, REFUSED, Class::ClientError),
        ("9ABE: a media type is missing", 415, JSON, REFUSED, Class::ClientError),
        ("9C48: a mutation by GET", 405, JSON, REFUSED, Class::ClientError),
        ("6.4.1: data is there", 200, JSON, partial, Class::Partial),
        ("6.4.2: data is there", 200, OWN, partial, Class::Partial),
        ("6.4.2: data is there, and a status says so", 294, OWN, partial, Class::Partial),
        ("6.4.2: data is null", 200, OWN, null, Class::ServerError),
        ("6.4.2: not permitted", 401, OWN, REFUSED, Class::Unauthorized),
        ("6.4.2: not permitted", 403, OWN, REFUSED, Class::ClientError),
        ("6.4: somebody between", 203, JSON, REFUSED, Class::Success),
        ("6.4: somebody between", 502, JSON, DATA, Class::ServerError),
        ("6.4: somebody between", 429, JSON, REFUSED, Class::Throttled),
    ] {
        let bench = bench([answer(status, media, body)]);
        let _ = bench.api.post("http://api.test/graphql").body("{}").send().await;
        let found = bench.events.events().into_iter().find_map(|event| match event {
            Event::AttemptFinished {
                end: End::Answered { class, .. } | End::Failed { class, .. },
                ..
            } => Some(class),
            _ => None,
        });
        // An answer whose body nobody reads has no end: by its head, then.
        let answered = || {
            bench.events.events().into_iter().find_map(|event| match event {
                Event::AttemptAnswered { class, .. } => Some(class),
                _ => None,
            })
        };
        assert_eq!(found.or_else(answered), Some(class), "{audits}: {status} {media} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_audits_call_wrong_is_never_taken_for_a_query() {
    for (audits, body, is_safe) in [
        ("34A2, 13EE", r#"{"query":"{a}"}"#, true),
        ("8161, B8B3", r#"{"query":"query A{a} query B{b}","operationName":"A"}"#, true),
        (
            "94B0 to 94B2",
            r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#,
            true,
        ),
        ("2EA1, 428F", r#"{"query":"{a}","variables":{"a":1},"extensions":{"a":1}}"#, true),
        ("423L", r#"{"qeury":"{a}"}"#, false),
        ("LKJ0", r#"{"query":{"obj":"ect"}}"#, false),
        ("LKJ1", r#"{"query":0}"#, false),
        ("LKJ2", r#"{"query":false}"#, false),
        ("LKJ3", r#"{"query":["array"]}"#, false),
        ("6C00", r#"{"query":"{a}","operationName":{"obj":"ect"}}"#, false),
        ("6C01", r#"{"query":"{a}","operationName":0}"#, false),
        ("6C02", r#"{"query":"{a}","operationName":false}"#, false),
        ("6C03", r#"{"query":"{a}","operationName":["array"]}"#, false),
        ("BCF8, B6DC", r#"{ "not a JSON"#, false),
        ("556A, 865D", r#"{"query":"{"}"#, false),
        ("9C48", r#"{"query":"mutation { a }"}"#, false),
    ] {
        let bench = bench([Answer::status(503), answer(200, OWN, DATA)]);
        let request = Request::post("http://api.test/graphql").header(CONTENT_TYPE, JSON);
        bench.api.send(request.body(outrigger::Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(bench.provider.begun(), 1 + usize::from(is_safe), "{audits}: {body}");
    }
}
