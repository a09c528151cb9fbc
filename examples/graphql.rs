//! GraphQL: answers that say 200 and failed, a query that is repeated, a mutation that isn't.
//!
//! `cargo run --features json --example graphql`

use std::error::Error;

use outrigger::testing::{Answer, Script};
use outrigger::validate::FailedCheck;
use outrigger::validate::graphql::GraphQl;
use outrigger::{Integration, ResponseExt};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = Script::new([
        answer(
            &json!({"data": null, "errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}),
        ),
        answer(&json!({"data": {"shop": {"name": "Ada's"}}})),
        answer(
            &json!({"data": {"shop": {"name": "Ada's", "owner": null}}, "errors": [{"path": ["shop", "owner"]}]}),
        ),
        answer(&json!({"data": {"orderCreate": {"userErrors": [{"message": "sold out"}]}}})),
        answer(
            &json!({"data": null, "errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}),
        ),
    ]);
    let shop = Integration::user_flow("shop")
        .graphql(GraphQl::shopify())
        .service(provider.clone())
        .build()?;
    let ask = |document: &str| {
        shop.post("http://shop.test/graphql").json(&json!({ "query": document })).send()
    };

    let name: Value = ask("query { shop { name } }").await?.json().await?;
    println!("a query failed in the provider's code, and was repeated: {}", name["data"]);
    assert_eq!(provider.begun(), 2);

    let part: Value = ask("{ shop { name owner } }").await?.json().await?;
    println!("a part of what was asked is an answer: {}", part["data"]);

    let refused = ask("mutation { orderCreate { userErrors { message } } }").await?;
    let why = refused.extensions().get::<FailedCheck>().map(ToString::to_string);
    println!("the business refused, so it is no failure of the provider: {why:?}");

    let error = ask("mutation { orderCreate { id } }").await.unwrap_err();
    println!("a mutation is not repeated, because it may have been done: {error}");
    assert_eq!(provider.begun(), 5);
    Ok(())
}

fn answer(body: &Value) -> Answer {
    Answer::status(200).header("content-type", "application/json").body(body.to_string())
}
