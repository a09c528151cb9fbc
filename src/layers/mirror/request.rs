use http::{HeaderName, HeaderValue, Request};

use crate::body::Body;
use crate::context::{Context, CorrelationId, IdempotencyKey, Scope};
use crate::replay::KEY_HEADER;

/// The request once more, without what ties it to the real call; `None` if its body isn't at hand.
/// A key may stand in `key_header`, too.
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

/// The copy's own stack finds the id here; in its task, there is no scope to find it in.
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

/// Takes the real call's key off, under whatever header it was sent.
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
