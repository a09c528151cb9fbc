//! The provider over HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::fault::{After, Fault};
use crate::http1::place;
use crate::provider::Shared;

/// What a stream wants of its connection.
enum Wish {
    Close,
    GoAway,
}

pub(crate) async fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let (wish, mut wishes) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    let mut served = 0;
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                if served > 0 && shared.standing() == Some(Fault::ClosesKept) {
                    shared.take();
                    return;
                }
                served += 1;
                streams.spawn(exchange(request, respond, Arc::clone(shared), wish.clone()));
            }
            Some(wished) = wishes.recv() => match wished {
                Wish::Close => return,
                Wish::GoAway => connection.graceful_shutdown(),
            }
        }
    }
}

async fn exchange(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    wish: mpsc::UnboundedSender<Wish>,
) {
    let (head, mut body) = request.into_parts();
    let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let entry = shared.note(head.method.as_str(), head.uri.path(), key);
    let fault = match head.uri.path() {
        "/charge" => shared.take(),
        page => page.strip_prefix("/page/").map(|status| Fault::Says(status.parse().unwrap())),
    };
    if let Some(Fault::Stream { done: false, reason }) = fault {
        shared.leave_alone(entry);
        return respond.send_reset(Reason::from(reason));
    }
    if fault == Some(Fault::ResetsAfterHead) {
        let _ = wish.send(Wish::Close);
        return;
    }
    while let Some(data) = body.data().await {
        let Ok(data) = data else { return };
        let _ = body.flow_control().release_capacity(data.len());
    }
    shared.complete(entry);
    answer(respond, fault, &shared, entry, &wish).await;
}

async fn answer(
    mut respond: SendResponse<Bytes>,
    fault: Option<Fault>,
    shared: &Shared,
    entry: usize,
    wish: &mpsc::UnboundedSender<Wish>,
) {
    let mut location = None;
    let status = match fault {
        None | Some(Fault::Done(After::Early)) => 200,
        Some(Fault::Says(status)) => {
            if matches!(status, 421 | 425) {
                shared.leave_alone(entry);
            }
            status
        }
        Some(Fault::Points(status, to)) => {
            location = Some(place(shared, to));
            status
        }
        Some(Fault::Stream { reason, .. }) => return respond.send_reset(Reason::from(reason)),
        Some(Fault::GoAway { .. }) => {
            let _ = wish.send(Wish::GoAway);
            200
        }
        Some(Fault::Done(after)) => return act(respond, after, wish).await,
        Some(_) => {
            let _ = wish.send(Wish::Close);
            return;
        }
    };
    let mut response = Response::builder().status(status);
    if let Some(location) = location {
        response = response.header("location", location);
    }
    if let Ok(mut stream) = respond.send_response(response.body(()).unwrap(), false) {
        let _ = stream.send_data(Bytes::from_static(b"done"), true);
    }
}

async fn act(mut respond: SendResponse<Bytes>, after: After, wish: &mpsc::UnboundedSender<Wish>) {
    let silent = || std::future::pending::<()>();
    match after {
        After::Silence | After::HalfHeadAndSilence => silent().await,
        After::HalfBody | After::HalfBodyAndSilence | After::Drip | After::AnswersAndCloses => {
            let Ok(mut stream) = respond.send_response(Response::new(()), false) else { return };
            let whole = after == After::AnswersAndCloses;
            let _ = stream.send_data(Bytes::from_static(b"half"), whole);
            if after == After::Drip {
                while stream.send_data(Bytes::from_static(b"."), false).is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                return;
            }
            if after == After::HalfBodyAndSilence {
                silent().await;
            }
            // What was written goes out before the connection ends.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        _ => {}
    }
    let _ = wish.send(Wish::Close);
    // Held until the connection is gone: a stream that is let go of is reset, which says less.
    silent().await;
}
