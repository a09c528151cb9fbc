//! The provider over HTTP/1.1.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fault::{After, Fault, To};
use crate::provider::{Shared, Wire};

struct Head {
    path: String,
    entry: usize,
    length: Option<usize>,
}

pub(crate) async fn serve<W: Wire>(mut wire: W, shared: &Arc<Shared>) {
    let mut read = Vec::new();
    let mut served = 0;
    while let Some(head) = read_head(&mut wire, &mut read, shared, served).await {
        let fault = match head.path.as_str() {
            "/charge" => shared.take(),
            page => page.strip_prefix("/page/").map(|status| Fault::Says(status.parse().unwrap())),
        };
        if fault == Some(Fault::ResetsAfterHead) {
            return wire.reset();
        }
        if !read_body(&mut wire, &mut read, head.length).await {
            return;
        }
        shared.complete(head.entry);
        served += 1;
        if !answer(&mut wire, fault, shared, head.entry).await {
            if fault == Some(Fault::Done(After::Resets)) {
                wire.reset();
            }
            return;
        }
    }
}

async fn read_head<W: Wire>(
    wire: &mut W,
    read: &mut Vec<u8>,
    shared: &Shared,
    served: usize,
) -> Option<Head> {
    let end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if wire.read_buf(read).await.ok()? == 0 {
            return None;
        }
        if served > 0 && shared.standing() == Some(Fault::ClosesKept) {
            shared.take();
            return None;
        }
    };
    let text = String::from_utf8_lossy(&read[..end]).into_owned();
    read.drain(..end);
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let header = |name: &str| {
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        let mut found = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    };
    let chunked = header("transfer-encoding").is_some();
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let entry = shared.note(method, path, header("idempotency-key"));
    Some(Head { path: path.to_owned(), entry, length: (!chunked).then_some(length) })
}

async fn read_body<W: Wire>(wire: &mut W, read: &mut Vec<u8>, length: Option<usize>) -> bool {
    loop {
        let end = match length {
            Some(length) => (read.len() >= length).then_some(length),
            None => read.windows(5).position(|five| five == b"0\r\n\r\n").map(|at| at + 5),
        };
        if let Some(end) = end {
            read.drain(..end);
            return true;
        }
        if !matches!(wire.read_buf(read).await, Ok(1..)) {
            return false;
        }
    }
}

/// Whether the connection goes on.
async fn answer<W: Wire>(
    wire: &mut W,
    fault: Option<Fault>,
    shared: &Shared,
    entry: usize,
) -> bool {
    let text = match fault {
        None => "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone".to_owned(),
        Some(Fault::Says(status)) => {
            if matches!(status, 421 | 425) {
                shared.leave_alone(entry);
            }
            match status {
                204 | 304 => format!("HTTP/1.1 {status} Said\r\n\r\n"),
                _ => format!("HTTP/1.1 {status} Said\r\ncontent-length: 4\r\n\r\nsaid"),
            }
        }
        Some(Fault::Points(status, to)) => {
            let to = place(shared, to);
            format!("HTTP/1.1 {status} There\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
        }
        Some(Fault::Done(after)) => return act(wire, after).await,
        Some(_) => return false,
    };
    wire.write_all(text.as_bytes()).await.is_ok()
}

async fn act<W: Wire>(wire: &mut W, after: After) -> bool {
    const LONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\nhalf";
    let (text, then) = match after {
        After::Closes | After::Resets => ("", false),
        After::Silence => ("", true),
        After::HalfHead => ("HTTP/1.1 200 OK\r\ncontent-le", false),
        After::HalfHeadAndSilence => ("HTTP/1.1 200 OK\r\ncontent-le", true),
        After::Garbage => ("SSH-2.0-OpenSSH_9.2\r\n\r\n", false),
        After::HalfBody => (LONG, false),
        After::HalfBodyAndSilence | After::Drip => (LONG, true),
        After::BrokenChunk => {
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nbroken\r\n", false)
        }
        After::Early => {
            let text = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
                HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
            return wire.write_all(text.as_bytes()).await.is_ok();
        }
        After::AnswersAndCloses => ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone", false),
    };
    let _ = wire.write_all(text.as_bytes()).await;
    if then && after == After::Drip {
        drip(wire).await;
    }
    if then {
        std::future::pending::<()>().await;
    }
    let _ = wire.flush().await;
    false
}

async fn drip<W: Wire>(wire: &mut W) {
    while wire.write_all(b".").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn place(shared: &Shared, to: To) -> String {
    match to {
        To::Page(status) => format!("/page/{status}"),
        To::Itself => "/charge".to_owned(),
        To::Nobody => format!("http://{}/", shared.identity.nobody),
        To::NoName => "http://nobody.invalid/".to_owned(),
        To::App => "myapp://done".to_owned(),
    }
}
