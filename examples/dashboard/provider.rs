use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// A provider on loopback that is well for two seconds, fails half its answers for two, is slow for
/// one and down for three; then it begins again.
pub(crate) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (address, start) = (listener.local_addr()?, Instant::now());
    tokio::spawn(async move {
        let mut requests = 0_u64;
        while let Ok((socket, _)) = listener.accept().await {
            requests += 1;
            let answer = service_fn(move |_| answer(start, requests));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        }
    });
    Ok(address)
}

async fn answer(start: Instant, nth: u64) -> Result<Response<Full<Bytes>>, Infallible> {
    let elapsed = start.elapsed();
    let status = match elapsed.as_secs() % 8 {
        0 | 1 => 200,
        2 | 3 if (nth + elapsed.subsec_millis() as u64).is_multiple_of(2) => 503,
        2 | 3 => 404,
        4 => {
            sleep(Duration::from_secs(4)).await;
            200
        }
        _ => 500,
    };
    sleep(Duration::from_millis(20)).await;
    let mut response = Response::new(Full::from("{}"));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    Ok(response)
}
