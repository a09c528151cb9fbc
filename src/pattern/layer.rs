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

/// Settings of a layer, from which its pattern is made.
pub trait ToPattern {
    /// The pattern.
    type Pattern: Pattern;

    /// Makes the pattern with these settings, for one stack.
    fn to_pattern(&self) -> Self::Pattern;
}

impl<P: Pattern> ToPattern for PatternLayer<P> {
    type Pattern = Arc<P>;

    fn to_pattern(&self) -> Arc<P> {
        Arc::clone(&self.pattern)
    }
}

/// Implements [`ToPattern`] and [`tower_layer::Layer`] for a layer's settings.
macro_rules! pattern_layer {
    ($layer:ty => $pattern:ty, $form:ty, |$settings:ident| $make:expr) => {
        impl $crate::pattern::ToPattern for $layer {
            type Pattern = $pattern;

            fn to_pattern(&self) -> $pattern {
                let $settings = self;
                $make
            }
        }

        impl<S> tower_layer::Layer<S> for $layer {
            type Service = $crate::pattern::Layered<$pattern, S, $form>;

            fn layer(&self, inner: S) -> Self::Service {
                let pattern = $crate::pattern::ToPattern::to_pattern(self);
                $crate::pattern::Layered::new(std::sync::Arc::new(pattern), inner)
            }
        }
    };
}

pub(crate) use pattern_layer;
