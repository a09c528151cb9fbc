//! Calls, and what they are expected to come to.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use outrigger::backoff::Backoff;
use outrigger::integration::OwnClient;
use outrigger::retry::RetryBudget;
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, IntegrationBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Long enough for an answer from the loopback on a busy machine, short enough to wait for.
pub(crate) const ATTEMPT: Duration = Duration::from_millis(600);

/// A preset whose limits are made for tests: waits are short, retries are not rationed.
pub(crate) fn quick(preset: IntegrationBuilder<OwnClient>) -> IntegrationBuilder<OwnClient> {
    preset
        .retry(|retry| {
            retry
                .backoff(Backoff::fixed(Duration::from_millis(10)))
                .budget(RetryBudget::unlimited())
        })
        .without_breaker()
}

/// The preset for people, quick.
pub(crate) fn user_flow() -> IntegrationBuilder<OwnClient> {
    quick(Integration::user_flow("shop"))
}

/// The preset for jobs, quick.
pub(crate) fn background() -> IntegrationBuilder<OwnClient> {
    quick(Integration::background("shop"))
}

/// The preset for people, with an attempt that is over soon.
pub(crate) fn impatient() -> IntegrationBuilder<OwnClient> {
    user_flow()
        .timeout(|timeout| timeout.attempt(ATTEMPT))
        .hyper(|client| client.connect_timeout(ATTEMPT))
}

/// The preset for jobs, with an attempt that is over soon.
pub(crate) fn brief_jobs() -> IntegrationBuilder<OwnClient> {
    background()
        .timeout(|timeout| timeout.attempt(ATTEMPT))
        .hyper(|client| client.connect_timeout(ATTEMPT))
}

/// The preset for people, with limits that even a machine that stands still for a while keeps to.
pub(crate) fn patient() -> IntegrationBuilder<OwnClient> {
    let long = Duration::from_secs(30);
    user_flow()
        .deadline(2 * long)
        .timeout(|timeout| timeout.attempt(long))
        .idle_timeout(long)
        .hyper(|client| client.connect_timeout(long))
}

/// The same integration over the own client and, where it is there, over reqwest.
pub(crate) fn over_each_client(
    builder: impl Fn() -> IntegrationBuilder<OwnClient>,
) -> Vec<Integration> {
    let own = builder().build().unwrap();
    #[cfg(feature = "reqwest")]
    let others = {
        let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
        [builder().reqwest(client).build().unwrap()]
    };
    #[cfg(not(feature = "reqwest"))]
    let others = [];
    [own].into_iter().chain(others).collect()
}

pub(crate) fn get(url: impl AsRef<str>) -> Request<Body> {
    Request::get(url.as_ref()).body(Body::empty()).unwrap()
}

pub(crate) fn post(url: impl AsRef<str>, body: impl Into<Body>) -> Request<Body> {
    Request::post(url.as_ref()).body(body.into()).unwrap()
}

/// Calls, and expects an answer that is read to its end, after which nothing is held.
pub(crate) async fn answered(to: &Integration, request: Request<Body>) -> Response<String> {
    let (head, body) = to.send(request).await.unwrap().into_parts();
    let body = body.text().await.unwrap();
    assert_eq!(to.bulkhead().in_use(), 0, "a place was not given back");
    Response::from_parts(head, body)
}

/// Calls, and expects an error before the head of an answer, after which nothing is held.
pub(crate) async fn failed(to: &Integration, request: Request<Body>) -> Error {
    let error = to.send(request).await.unwrap_err();
    assert_eq!(to.bulkhead().in_use(), 0, "a place was not given back");
    error
}

/// Calls, and expects an answer whose body breaks, after which nothing is held.
pub(crate) async fn broken(to: &Integration, request: Request<Body>) -> Error {
    let response = to.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let error = response.into_body().bytes().await.unwrap_err();
    assert_eq!(to.bulkhead().in_use(), 0, "a place was not given back");
    error
}

pub(crate) fn said(error: &Error) -> (ErrorKind, Delivery) {
    (error.kind(), error.delivery())
}

/// A port that is taken, and on which nobody listens.
pub(crate) fn deaf() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A listener that takes no more: its queue is full, and the system ignores those who knock.
pub(crate) struct Blackhole {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    queued: Vec<TcpStream>,
}

impl Blackhole {
    pub(crate) async fn new() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        let patience = Duration::from_millis(300);
        while let Ok(connected) = tokio::time::timeout(patience, TcpStream::connect(address)).await
        {
            queued.push(connected.unwrap());
            assert!(queued.len() < 64, "the queue never fills");
        }
        Self { address, listener, queued }
    }

    /// Takes everybody from here on, those who still knock included, and gives them this answer.
    pub(crate) async fn open(self, answer: String) {
        drop(self.queued);
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                // Those who queued to fill it ask for nothing.
                if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    }
}

/// Every level below an error.
pub(crate) fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |level| level.source())
}
