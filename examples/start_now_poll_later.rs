//! A report that takes a while: the customer gets a ticket at once, and asks for the result later.
//!
//! The provider works in the same way: it answers 202, and says where to ask. The outbox asks, and keeps the
//! answer for the customer.
//!
//! `cargo run --example start_now_poll_later --features outbox`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Router, response::Response};
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use outrigger::outbox::{Lane, Message, Outbox, Polling, Ticket, TicketState, Timestamp};
use outrigger::{Body, Integration, ResponseExt};
use tokio::net::TcpListener;

/// `POST /reports`: nobody waits for the provider.
async fn start(State(outbox): State<Outbox>) -> Result<Response, StatusCode> {
    let report = Message::post("/reports").body("year=2026").keep_answer(64 * 1024);
    let Ticket { id, .. } =
        outbox.enqueue(report).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    show(&outbox, &id.to_string()).await
}

/// `GET /reports/{id}`: 202 while it is made, then 200 with the report.
async fn ask(State(outbox): State<Outbox>, Path(id): Path<String>) -> Result<Response, StatusCode> {
    show(&outbox, &id).await
}

async fn show(outbox: &Outbox, id: &str) -> Result<Response, StatusCode> {
    let ticket = id.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let state: TicketState =
        outbox.ticket(ticket).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let place = HeaderValue::try_from(format!("/reports/{id}")).expect("an id is visible ascii");
    let now = Timestamp::from(std::time::SystemTime::now());
    Ok(state.to_response(&place, now).map(axum::body::Body::from))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = provider::start(|nth, request| match (nth, request.uri().path()) {
        (_, "/reports") => {
            let mut accepted = provider::answer(202, "");
            accepted.headers_mut().insert(LOCATION, HeaderValue::from_static("/jobs/7"));
            accepted.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            accepted
        }
        (2 | 3, _) => provider::answer(202, "making it"),
        _ => provider::answer(200, "all went well in 2026"),
    })
    .await?;
    let reports = Integration::background("reports").base_url(url).build()?;
    let polling = Polling::new().every(Duration::from_secs(1));
    let outbox = Outbox::memory().lane(Lane::new(&reports).polling(polling)).build()?;
    let delivers = outbox.clone();
    tokio::spawn(async move { delivers.run().await });

    let routes = Router::new().route("/reports", post(start)).route("/reports/{id}", get(ask));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes.with_state(outbox)).await });

    // What the customer's browser does.
    let customer = Integration::user_flow("shop").base_url(shop).build()?;
    let mut answer: http::Response<Body> = customer.post("/reports").send().await?;
    while answer.status() == StatusCode::ACCEPTED {
        let place = answer.headers()[LOCATION].to_str()?.to_owned();
        println!("customer: not yet, I ask {place} again");
        tokio::time::sleep(Duration::from_secs(1)).await;
        answer = customer.get(place).send().await?;
    }
    let report = answer.error_for_status()?.text().await?;
    println!("customer: {report}");
    assert_eq!(report, "all went well in 2026");
    Ok(())
}
