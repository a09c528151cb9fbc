use bytes::Buf;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::response::Parts;
use http::{HeaderMap, Method};
use http_body::Frame;
use serde_json::Value;

use super::compare::Difference;
use super::config::ShapeConfig;
use super::learned::ShapeKey;
use super::watch::Seen;
use crate::layers::drift::layer::DriftLayer;
use crate::layers::drift::signal::{LONGEST_DETAIL, Signal, essence};
use crate::layers::drift::state::Endpoint;
use crate::rt::{self, Lock};

/// The body of an answer, copied while its caller reads it.
#[derive(Debug)]
pub(in crate::layers::drift) struct Reading {
    key: ShapeKey,
    config: ShapeConfig,
    /// Absent if it was too long, or was looked at.
    bytes: Option<Vec<u8>>,
}

impl Reading {
    /// Begins with an answer that is to be looked at.
    pub(in crate::layers::drift) fn begin(
        layer: &DriftLayer,
        head: &Parts,
        of: &Endpoint,
    ) -> Option<Self> {
        let config = layer.config.shapes.as_ref()?;
        let template = of.template.as_ref()?;
        if of.method == Method::HEAD || !is_plain_json(&head.headers, config.body_cap) {
            return None;
        }
        let key = ShapeKey::new(&of.method, template, head.status);
        let samples = layer.shared.learned.locked().samples(&key, rt::now());
        samples.then(|| Self { key, config: config.clone(), bytes: Some(Vec::new()) })
    }

    /// Copies a frame's data.
    pub(in crate::layers::drift) fn take<D: Buf>(&mut self, frame: &Frame<D>) {
        let (Some(bytes), Some(data)) = (&mut self.bytes, frame.data_ref()) else { return };
        let chunk = data.chunk();
        let is_whole = chunk.len() == data.remaining();
        if is_whole && bytes.len() + chunk.len() <= self.config.body_cap {
            bytes.extend_from_slice(chunk);
        } else {
            self.bytes = None;
        }
    }

    /// The body is over. Returns what has changed, once.
    pub(in crate::layers::drift) fn end(&mut self, layer: &DriftLayer) -> Vec<Signal> {
        let Some(bytes) = self.bytes.take() else { return Vec::new() };
        let Ok(answer) = serde_json::from_slice::<Value>(&bytes) else { return Vec::new() };
        let known = layer.shared.learned.locked().known(&self.key);
        // A large answer takes its time: not while others wait for the lock.
        let answer = Seen::of(&answer, known);
        let mut learned = layer.shared.learned.locked();
        let found = learned.take(&self.key, answer, &self.config, rt::now());
        drop(learned);
        self.signals(&found)
    }

    /// One signal for each kind.
    fn signals(&self, found: &[Difference]) -> Vec<Signal> {
        let mut signals = Vec::new();
        for (at, one) in found.iter().enumerate() {
            if found[..at].iter().any(|before| before.kind == one.kind) {
                continue;
            }
            let places: Vec<_> = found
                .iter()
                .filter(|other| other.kind == one.kind)
                .map(Difference::detail)
                .collect();
            let detail = format!("{}: {}", self.key.class(), listed(&places));
            signals.push(Signal::new(one.kind, detail));
        }
        signals
    }
}

/// As many as a detail has room for.
fn listed(places: &[String]) -> String {
    let mut list = String::new();
    for (at, place) in places.iter().enumerate() {
        if at > 0 && list.chars().count() + place.chars().count() > ROOM {
            return format!("{list} and {} more", places.len() - at);
        }
        let comma = if at > 0 { ", " } else { "" };
        list.push_str(comma);
        list.extend(place.chars().take(ROOM));
    }
    list
}

fn is_plain_json(headers: &HeaderMap, body_cap: usize) -> bool {
    let is_json = essence(headers).is_some_and(|essence| {
        let essence = essence.to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    });
    let is_encoded = headers.get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity");
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    is_json && !is_encoded && length.is_none_or(|length| length <= body_cap)
}

/// What a detail has beside the status's class and the number of those left out.
const ROOM: usize = LONGEST_DETAIL - 30;
