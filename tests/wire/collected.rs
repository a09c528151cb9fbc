//! Answers that are larger than their reader allows.

use outrigger::{Body, Error, ErrorKind};

use crate::calls::{answered, get, user_flow};
use crate::provider::{Act, Provider, Step};

/// What is read of such an answer, and on how many connections that call and the next one went.
async fn read(
    answer: Step,
    read: impl AsyncFnOnce(Body) -> Result<(), Error>,
) -> (Result<(), Error>, usize) {
    let provider = Provider::script([answer, Step::reply(200, "small")]).await;
    let shop = user_flow().build().unwrap();
    let response = shop.send(get(provider.url("/"))).await.unwrap();
    let result = read(response.into_body()).await;
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "small");
    (result, provider.counts().connections)
}

fn chunk(size: usize) -> String {
    format!("{size:x}\r\n{}\r\n", "x".repeat(size))
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn one_that_announces_too_much_fails_at_once_and_its_connection_is_not_kept() {
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 16777217\r\n\r\nx";
    let answer = Step::write(announced).then(Act::Hang);
    let (result, connections) = read(answer, async |body| body.bytes().await.map(drop)).await;
    assert_eq!((result.unwrap_err().kind(), connections), (ErrorKind::TooLarge, 2));
}

#[tokio::test]
async fn one_that_never_ends_fails_at_its_bound_and_its_connection_is_not_kept() {
    let answer = Step::write(CHUNKED).then(Act::Drip(chunk(1000).into(), MOMENT));
    let read_up_to = async |body: Body| body.text_up_to(5_000).await.map(drop);
    let (result, connections) = read(answer, read_up_to).await;
    assert_eq!((result.unwrap_err().kind(), connections), (ErrorKind::TooLarge, 2));
}

#[tokio::test]
async fn one_within_its_bound_is_read_and_its_connection_is_kept() {
    let answer = [CHUNKED, &chunk(1000), &chunk(1000), "0\r\n\r\n"].concat();
    let whole = async |body: Body| {
        assert_eq!(body.bytes_up_to(2000).await?.len(), 2000);
        Ok(())
    };
    let (result, connections) = read(Step::write(answer), whole).await;
    assert_eq!((result.is_ok(), connections), (true, 1));
}

const MOMENT: std::time::Duration = std::time::Duration::from_millis(1);
