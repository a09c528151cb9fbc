//! Conditional requests over real sockets.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outrigger::local_copy::{LoadError, Loaded, LocalCopy};
use outrigger::{Integration, ResponseExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that answers as these validators ask it to, as RFC 9110, 13.2.2, has it.
async fn server(validator: (&'static str, &'static str), seen: Seen) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            let service = service_fn(move |request: Request<Incoming>| {
                let headers = request.headers().clone();
                let asked = headers.get("if-none-match").or(headers.get("if-modified-since"));
                let status = if asked.is_some_and(|it| it == validator.1) { 304 } else { 200 };
                let body = if status == 200 { "one\ntwo\n" } else { "" };
                seen.lock().unwrap().push(headers);
                let answer = Response::builder().status(status).header(validator.0, validator.1);
                async move { Ok::<_, Infallible>(answer.body(body.to_owned()).unwrap()) }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(connection), service).await
            });
        }
    });
    url
}

fn copy_of(shop: &Integration) -> LocalCopy<Vec<String>> {
    let of = shop.clone();
    let loader = move |load: outrigger::local_copy::Load| {
        let shop = of.clone();
        async move {
            let Some(answer) = load.fetch(shop.get("list")).await? else {
                return Ok(Loaded::unchanged());
            };
            let headers = answer.headers().clone();
            let lines = answer.text().await?.lines().map(str::to_owned).collect();
            Ok::<_, LoadError>(Loaded::new(lines).validators(&headers))
        }
    };
    // So far apart that only the test begins loads.
    let copy = LocalCopy::builder("list", shop, Vec::len, loader).every(Duration::from_secs(3600));
    copy.start().unwrap()
}

#[tokio::test]
async fn a_304_over_a_socket_keeps_the_copy_and_counts_as_a_success() {
    for (name, value, condition) in [
        ("etag", "W/\"7\"", "if-none-match"),
        ("last-modified", "Fri, 15 Jan 2027 08:00:00 GMT", "if-modified-since"),
    ] {
        let seen = Seen::default();
        let url = server((name, value), Arc::clone(&seen)).await;
        let shop = Integration::user_flow("shop").base_url(url).build().unwrap();
        let copy = copy_of(&shop);
        let first = copy.ready().await.unwrap();
        let loaded = copy.last_success().unwrap();
        let second = copy.reload().await.unwrap();
        assert!(Arc::ptr_eq(&first, &second) && second.len() == 2);
        assert!(copy.last_success().unwrap() > loaded);
        let seen = seen.lock().unwrap();
        assert_eq!((seen.len(), seen[0].get(condition)), (2, None));
        assert_eq!(seen[1][condition], value);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_list_costs_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for body in ["one\ntwo\n", "one\n"] {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _read = tokio::io::AsyncReadExt::read(&mut socket, &mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n";
            socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    let shop = Integration::user_flow("shop").base_url(url).without_retry().build().unwrap();
    let copy = copy_of(&shop);
    assert_eq!(copy.ready().await.unwrap().len(), 2);
    copy.reload().await.unwrap_err();
    assert_eq!(copy.get().unwrap().len(), 2, "half a list is none");
}
