//! HTTP/1.1 and HTTP/2, as the settings want them spoken.

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::config::HyperConfig;

/// What a stream may hold of a request's body that is not yet sent: it counts as taken, so it is less
/// than hyper's 1 MB, and more than two pieces of a body.
const SEND_BUFFER: usize = 256 * 1024;

pub(super) fn http1(config: &HyperConfig) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    config.heads.set_http1(&mut http1);
    http1
}

pub(super) fn http2(config: &HyperConfig) -> http2::Builder<TokioExecutor> {
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2
        .timer(TokioTimer::new())
        .keep_alive_interval(config.http2_ping_after)
        .keep_alive_timeout(config.http2_ping_timeout)
        .max_send_buf_size(SEND_BUFFER);
    config.heads.set_http2(&mut http2);
    config.http2_windows.set(&mut http2);
    http2
}
