//! graphql_client: it makes bodies and reads answers; the request is the caller's.

// recipe
use graphql_client::{GraphQLQuery, Response};
use outrigger::retry::RetryOverride;
use outrigger::{Error, Integration, ResponseExt};

async fn query<Q: GraphQLQuery>(
    api: &Integration,
    variables: Q::Variables,
) -> Result<Response<Q::ResponseData>, Error> {
    // A query is a POST that only reads. For a mutation, leave `retries` out.
    let request = api.post("/graphql").retries(RetryOverride::Safe);
    request.json(&Q::build_query(variables)).send().await?.json().await
}
// end

use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

#[derive(GraphQLQuery)]
#[graphql(schema_path = "graphql/schema.graphql", query_path = "graphql/query.graphql")]
struct Greeting;

fn name() -> greeting::Variables {
    greeting::Variables { name: "Ada".into() }
}

#[tokio::test]
async fn a_query_that_fails_is_repeated() {
    let answer = Answer::json(r#"{"data":{"greeting":"hello"}}"#);
    let provider = Provider::start([Answer::Closes, answer]).await;
    let answer = query::<Greeting>(&provider.integration(), name()).await.unwrap();
    assert_eq!(answer.data.unwrap().greeting.as_deref(), Some("hello"));
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_query_that_hangs_has_its_verdict() {
    let provider = Provider::start([Answer::Hangs]).await;
    let error = query::<Greeting>(&provider.impatient(), name()).await.err().unwrap();
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
}
