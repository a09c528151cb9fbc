//! Over real sockets, with bodies that fail.

use std::net::SocketAddr;

use outrigger::telemetry::audit::AuditRecord;
use outrigger::{Body, Integration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::collecting;
use crate::call::read;

/// A provider that says this to each connection, and hangs up.
async fn saying(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"pin=Hunter2xSecret") {
                if socket.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

async fn recorded(answer: &'static str) -> AuditRecord {
    let (audit, collected) = collecting();
    let crm = Integration::user_flow("crm").subscriber(audit.clone()).build().unwrap();
    let at = saying(answer).await;
    let request = http::Request::post(format!("http://{at}/o?k=Hunter2xSecret"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("a=1&pin=Hunter2xSecret"))
        .unwrap();
    let errors = match read(crm.send(request)).await {
        Ok(_) => String::new(),
        Err(error) => format!("{error} {error:?} {:?}", std::error::Error::source(&error)),
    };
    let records = collected.records(&audit);
    assert_eq!(records.len(), 1, "{records:?}");
    for text in [records[0].to_json(), format!("{records:?}"), errors] {
        assert!(!text.contains("Hunter2x"), "{text}");
    }
    records[0].clone()
}

#[tokio::test]
async fn a_refusal_is_shown() {
    let record = recorded(
        "HTTP/1.1 422 No\r\ncontent-type: application/json\r\ncontent-length: 39\r\n\r\n\
        {\"code\":\"bad\",\"token\":\"Hunter2xSecret\"}",
    )
    .await;
    assert_eq!((record.end, record.status.unwrap().as_u16()), ("answered", 422));
    assert!(record.acquired.is_some() && record.head.is_some());
    let exchange = record.exchange.unwrap();
    assert_eq!(exchange.request_body.shown.as_deref(), Some("a=[redacted]&pin=[redacted]"));
    let answer = exchange.response_body.shown.unwrap();
    assert_eq!(answer, "{\"code\":\"bad\",\"token\":\"[string 14]\"}");
}

#[tokio::test]
async fn a_body_that_breaks_is_shown_as_far_as_it_came() {
    let record = recorded(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n\
        {\"code\":\"bad\",\"note\":\"Hunter2xSec",
    )
    .await;
    assert_eq!((record.end, record.status.unwrap().as_u16()), ("failed", 200));
    assert_eq!(record.error, Some("connection_closed"));
    assert_eq!((record.received, record.body_read), (33, false));
    let body = record.exchange.unwrap().response_body;
    assert!(!body.is_whole);
    assert_eq!(body.shown.as_deref(), Some("{\"code\":\"bad\",\"note\":[cut]"));
}

#[tokio::test]
async fn what_is_no_http_is_a_failure() {
    let record = recorded("Hunter2xSecret\r\n\r\n").await;
    assert_eq!((record.end, record.status), ("failed", None));
    assert!(record.exchange.unwrap().response_headers.is_empty());
}
