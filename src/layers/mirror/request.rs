use http::{HeaderName, HeaderValue, Request};

use crate::body::Body;
use crate::context::{Context, CorrelationId, IdempotencyKey, Scope};
use crate::replay::KEY_HEADER;

/// A copy of the request, without the real call's context and key; `None` if its body is a stream.
/// Keys may also be in `key_header`.
pub(super) fn copy(
    request: &Request<Body>,
    context: &Context,
    key_header: Option<&HeaderName>,
) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().again()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy.extensions_mut().remove::<Context>();
    keep_correlation(&mut copy, context);
    forget_key(&mut copy, context, key_header);
    Some(copy)
}

/// The copy's own layers find the id here, because its task has no scope.
fn keep_correlation(copy: &mut Request<Body>, context: &Context) {
    let known = context.correlation_id().cloned();
    let scoped = || match copy.extensions().get::<CorrelationId>() {
        Some(_) => None,
        None => Scope::current_correlation_id(),
    };
    if let Some(id) = known.or_else(scoped) {
        copy.extensions_mut().insert(id);
    }
}

/// Removes the real call's key, in whichever header it is.
fn forget_key(copy: &mut Request<Body>, context: &Context, key_header: Option<&HeaderName>) {
    copy.extensions_mut().remove::<IdempotencyKey>();
    let key = context.idempotency_key();
    let is_key = |(name, value): (&HeaderName, &HeaderValue)| {
        let is_its_name = name == KEY_HEADER || Some(name) == key_header;
        (is_its_name || Some(value) == key).then(|| name.clone())
    };
    let names: Vec<_> = copy.headers().iter().filter_map(is_key).collect();
    for name in names {
        copy.headers_mut().remove(name);
    }
}
