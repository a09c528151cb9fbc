//! Server-sent events (the HTML standard, section 9.2): parts of the overview, whenever they change.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

use crate::rt;

/// How many streams are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams(Arc<AtomicUsize>);

/// One open stream's place.
#[derive(Debug)]
pub(super) struct Place(Streams);

impl Streams {
    /// `None` if there are too many.
    pub(super) fn place(&self) -> Option<Place> {
        let place = Place(self.clone());
        (self.0.fetch_add(1, Ordering::Relaxed) < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of a stream. `parts` is asked once a second for the fragments, each an element with an id; `None` ends the
/// stream.
pub(super) fn stream<F, W>(
    place: Place,
    parts: F,
) -> impl Stream<Item = Result<Bytes, crate::BoxError>> + Send
where
    F: Fn() -> W + Send + 'static,
    W: Future<Output = Option<Vec<String>>> + Send,
{
    let (sender, receiver) = mpsc::channel(1);
    rt::spawn(async move {
        let _place = place;
        let mut sent = HashSet::new();
        let mut quiet = 0;
        // A browser that lost the stream comes back after three seconds, and gets all of it again.
        let mut text = "retry: 3000\n\n".to_owned();
        while let Some(parts) = parts().await {
            for part in parts.iter().filter(|part| !sent.contains(*part)) {
                text += &event(part);
            }
            sent = parts.into_iter().collect();
            quiet = if text.is_empty() { quiet + 1 } else { 0 };
            if quiet >= SILENCE {
                // Shows that it lives, to whatever stands between.
                text.push_str(":\n\n");
                quiet = 0;
            }
            if !text.is_empty() {
                let send = sender.send(Bytes::from(std::mem::take(&mut text)));
                // Who doesn't read holds a place that others want.
                let Some(Ok(())) = rt::until(Some(rt::after(rt::now(), UNREAD)), send).await else {
                    return;
                };
            }
            let ended = rt::until(Some(rt::after(rt::now(), SECOND)), sender.closed()).await;
            if ended.is_some() {
                return;
            }
        }
    });
    Received(receiver)
}

fn event(part: &str) -> String {
    // A string in JSON has no line break in it.
    format!("event: part\ndata: {}\n\n", serde_json::Value::from(part))
}

struct Received(mpsc::Receiver<Bytes>);

impl Stream for Received {
    type Item = Result<Bytes, crate::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(Ok))
    }
}

/// Streams at a time; who comes then is asked to come again by the page's own refresh.
const MOST: usize = 50;
const SECOND: Duration = Duration::from_secs(1);
/// How long one may not read.
const UNREAD: Duration = Duration::from_secs(30);
/// Seconds without a change after which something is sent.
const SILENCE: u32 = 15;
