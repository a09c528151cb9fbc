use std::sync::Arc;

use tower_layer::Layer;

use super::around::Pattern;
use super::layered::Layered;
use super::wire::Own;

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

/// Several layers as one. See [`layers`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct Layers<T> {
    layers: T,
}

/// Several layers as one, the first outermost: a tuple of two to twelve layers of this crate, or of
/// [patterns of your own](layer).
///
/// A call through it costs what one layer costs, and what the patterns do: one future, one timer,
/// one answer. Ten layers in a `ServiceBuilder` cost that ten times. The service gets requests with
/// a [`Body`](crate::Body), and so does the service that it wraps.
///
/// ```
/// use std::time::Duration;
///
/// use outrigger::circuit_breaker::CircuitBreakerLayer;
/// use outrigger::deadline::DeadlineLayer;
/// use outrigger::pattern::layers;
/// use outrigger::retry::RetryLayer;
/// use outrigger::{Body, Error};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let provider = tower::service_fn(async |_: Request<Body>| {
///     Ok::<_, std::io::Error>(Response::new(Body::from("here it is")))
/// });
/// let service = ServiceBuilder::new()
///     .layer(layers((
///         DeadlineLayer::new(Duration::from_secs(8)),
///         RetryLayer::new(),
///         CircuitBreakerLayer::new(),
///     )))
///     .service(provider);
/// let response = service.oneshot(Request::new(Body::empty())).await?;
/// # assert_eq!(response.status(), 200);
/// # Ok(()) }
/// ```
pub fn layers<T: ToPattern>(layers: T) -> Layers<T> {
    Layers { layers }
}

impl<T: ToPattern, S> Layer<S> for Layers<T> {
    type Service = Layered<T::Pattern, S, Own>;

    fn layer(&self, inner: S) -> Self::Service {
        Layered::new(Arc::new(self.layers.to_pattern()), inner)
    }
}

impl<A: ToPattern, B: ToPattern> ToPattern for (A, B) {
    type Pattern = (A::Pattern, B::Pattern);

    fn to_pattern(&self) -> Self::Pattern {
        (self.0.to_pattern(), self.1.to_pattern())
    }
}

/// The first pattern around the pattern of the rest.
macro_rules! tuples {
    ($first:ident $second:ident) => {};
    ($first:ident $($rest:ident)+) => {
        impl<$first: ToPattern, $($rest: ToPattern),+> ToPattern for ($first, $($rest),+)
        {
            type Pattern = ($first::Pattern, tuples!(@nested $($rest)+));

            #[expect(non_snake_case, reason = "each variable is named as its type")]
            fn to_pattern(&self) -> Self::Pattern {
                let ($first, $($rest),+) = self;
                ($first.to_pattern(), tuples!(@made $($rest)+))
            }
        }

        tuples!($($rest)+);
    };
    (@nested $last:ident) => { $last::Pattern };
    (@nested $first:ident $($rest:ident)+) => { ($first::Pattern, tuples!(@nested $($rest)+)) };
    (@made $last:ident) => { $last.to_pattern() };
    (@made $first:ident $($rest:ident)+) => { ($first.to_pattern(), tuples!(@made $($rest)+)) };
}

tuples!(A B C D E F G H I J K L);

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
