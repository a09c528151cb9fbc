//! A service between its callers and a provider: one trace and one id from end to end.
//!
//! `cargo run --example axum_in_the_middle` shows it. With `-- --serve 5000` it goes on serving: a
//! POST to `/test` of `[{"url": "…", "arguments": […]}]` is answered by POSTs of the arguments to
//! those URLs, which is how the W3C's trace-context test suite talks to a service.

use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use outrigger::correlation::InboundLayer;
use outrigger::{Body, Integration};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let port = std::env::args().skip_while(|argument| argument != "--serve").nth(1);
    if let Some(port) = port {
        let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
        return Ok(axum::serve(listener, harness()?).await?);
    }
    // A provider that answers with what it was sent.
    let provider = start(Router::new().route("/echo", get(echo))).await?;
    let crm = Integration::user_flow("crm").build()?;
    let app = Router::new()
        .route("/orders", get(orders))
        .with_state((crm, format!("{provider}/echo")))
        // Once, around everything: its calls carry on what came in.
        .layer(InboundLayer::new());
    let service = start(app).await?;

    let browser = Integration::user_flow("browser").build()?;
    let request = Request::get(format!("{service}/orders"))
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("tracestate", "congo=t61rcWkgMzE")
        .header("x-request-id", "order-1042")
        .body(())?;
    let response = browser.send(request).await?;
    let back = response.headers()["x-request-id"].to_str()?.to_owned();
    let seen = response.into_body().text().await?;
    println!("the provider saw:\n{seen}\nthe browser got back: {back}");
    let carried = ["0af7651916cd43dd8448eb211c80319c", "congo=t61rcWkgMzE", "order-1042"];
    if back != "order-1042" || !carried.iter().all(|text| seen.contains(text)) {
        return Err("something was lost on the way".into());
    }
    Ok(())
}

async fn orders(
    State((crm, url)): State<(Integration, String)>,
) -> Result<String, (StatusCode, String)> {
    let unanswered = |error: outrigger::Error| (StatusCode::BAD_GATEWAY, error.to_string());
    let request = Request::get(url).body(Body::empty()).expect("the URL is one");
    crm.send(request).await.map_err(unanswered)?.into_body().text().await.map_err(unanswered)
}

async fn echo(headers: HeaderMap) -> String {
    let of = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        format!("  {name}: {}", value.unwrap_or("nothing"))
    };
    ["traceparent", "tracestate", "x-request-id"].map(of).join("\n")
}

/// What is to be called, and with what.
#[derive(Deserialize)]
struct Errand {
    url: String,
    arguments: Vec<Self>,
}

impl Serialize for Errand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::json!({ "url": self.url, "arguments": self.arguments }).serialize(serializer)
    }
}

fn harness() -> Result<Router, Failure> {
    let others = Integration::user_flow("others").build()?;
    let run = async |State(others): State<Integration>, Json(errands): Json<Vec<Errand>>| {
        for errand in errands {
            let body = serde_json::to_string(&errand.arguments).unwrap_or_default();
            let request = Request::post(&errand.url).header("content-type", "application/json");
            if let Ok(request) = request.body(Body::from(body)) {
                let _ = others.send(request).await;
            }
        }
        "done"
    };
    Ok(Router::new().route("/test", post(run)).with_state(others).layer(InboundLayer::new()))
}

async fn start(app: Router) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    #[expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}
