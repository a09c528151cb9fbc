use std::sync::Arc;

use tower_layer::Layer;

use super::around::Pattern;
use super::layered::Layered;

/// A pattern as a tower layer. See [`layer`].
#[derive(Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct PatternLayer<P> {
    pattern: Arc<P>,
}

/// A pattern of your own as a tower layer.
///
/// All services that are made from it share the pattern.
pub fn layer<P: Pattern>(pattern: P) -> PatternLayer<P> {
    PatternLayer { pattern: Arc::new(pattern) }
}

impl<P> Clone for PatternLayer<P> {
    fn clone(&self) -> Self {
        Self { pattern: Arc::clone(&self.pattern) }
    }
}

impl<P: Pattern, S> Layer<S> for PatternLayer<P> {
    type Service = Layered<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Layered::new(Arc::clone(&self.pattern), inner)
    }
}
