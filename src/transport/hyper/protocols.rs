//! HTTP/1.1 and HTTP/2, as the settings want them spoken.

use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use super::config::HyperConfig;
use super::pool::Executor;

pub(super) fn http1(config: &HyperConfig) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    config.heads.set_http1(&mut http1);
    http1
}

/// HTTP/2 for one connection, whose tasks `executor` runs.
pub(super) fn http2(config: &HyperConfig, executor: Executor) -> http2::Builder<Executor> {
    let mut http2 = http2::Builder::new(executor);
    http2
        .timer(TokioTimer::new())
        .keep_alive_interval(config.http2_ping_after)
        .keep_alive_timeout(config.http2_ping_timeout)
        .max_send_buf_size(SEND_BUFFER);
    config.heads.set_http2(&mut http2);
    config.http2_windows.set(&mut http2);
    http2
}

/// What a stream may hold of a request's body that is not yet sent: it counts as taken, so it is less
/// than hyper's 1 MB, and more than two pieces of a body.
const SEND_BUFFER: usize = 256 * 1024;
