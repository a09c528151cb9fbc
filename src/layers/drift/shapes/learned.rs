use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, StatusCode};

use super::compare::Difference;
use super::config::ShapeConfig;
use super::file::Shapes;
use super::node::Node;
use super::watch::{Seen, Watch};
use crate::context::PathTemplate;

/// The shapes of all endpoints.
#[derive(Debug, Default)]
pub(in crate::layers::drift) struct Learned {
    watches: HashMap<ShapeKey, Watch>,
}

/// Whose answers have one shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ShapeKey {
    method: Method,
    template: PathTemplate,
    /// The status's first digit.
    class: u16,
}

impl ShapeKey {
    pub(super) fn new(method: &Method, template: &PathTemplate, status: StatusCode) -> Self {
        let class = status.as_u16() / 100;
        Self { method: method.clone(), template: template.clone(), class }
    }

    /// What [`name`](Self::name) wrote.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (method, rest) = name.split_once(' ')?;
        let (template, class) = rest.rsplit_once(' ')?;
        let class = class.strip_suffix("xx")?.parse().ok()?;
        let method = method.parse().ok()?;
        (1..=9).contains(&class).then(|| Self {
            method,
            template: PathTemplate::new(template),
            class,
        })
    }

    /// `GET /v1/customers/{id} 2xx`
    pub(super) fn name(&self) -> String {
        format!("{} {} {}", self.method, self.template, self.class())
    }

    pub(super) fn class(&self) -> String {
        format!("{}xx", self.class)
    }
}

impl Learned {
    /// Whether to look at the next answer.
    pub(super) fn samples(&mut self, key: &ShapeKey, now: Instant) -> bool {
        if let Some(watch) = self.watches.get_mut(key) {
            return watch.samples(now);
        }
        if self.watches.len() >= MOST {
            return false;
        }
        let watch = self.watches.entry(key.clone()).or_insert_with(|| Watch::new(now));
        watch.samples(now)
    }

    /// The shape of an endpoint's answers, once it was learned.
    pub(super) fn known(&self, key: &ShapeKey) -> Option<Arc<Node>> {
        self.watches.get(key)?.known()
    }

    pub(super) fn take(
        &mut self,
        key: &ShapeKey,
        answer: Seen,
        config: &ShapeConfig,
        now: Instant,
    ) -> Vec<Difference> {
        let watch = self.watches.get_mut(key);
        watch.map(|watch| watch.take(answer, config, now)).unwrap_or_default()
    }

    pub(in crate::layers::drift) fn export(&self) -> Shapes {
        let shapes = self.watches.iter().map(|(key, watch)| (key.clone(), watch.shape()));
        // Of some no answer has been read to its end yet.
        Shapes::of(shapes.filter(|(_, shape)| !shape.types.is_empty()))
    }

    pub(in crate::layers::drift) fn import(&mut self, shapes: &Shapes, now: Instant) {
        for (key, shape) in shapes.each() {
            self.watches.insert(key.clone(), Watch::frozen(shape.clone(), now));
        }
    }
}

/// As many as there are templates in metrics. What a file names comes on top.
const MOST: usize = 128;
