//! HTTP/1.1 and HTTP/2, as the settings want them spoken.

use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioTimer;

use super::config::HyperConfig;
use super::heads::Heads;
use super::pool::Executor;
use super::windows::Windows;

/// How HTTP/2 is spoken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Http2 {
    ping_after: Option<Duration>,
    ping_timeout: Duration,
    heads: Heads,
    windows: Windows,
}

/// What a stream may hold of a request's body that is not yet sent: it counts as taken, so it is less
/// than hyper's 1 MB, and more than two pieces of a body.
const SEND_BUFFER: usize = 256 * 1024;

pub(super) fn http1(config: &HyperConfig) -> http1::Builder {
    let mut http1 = http1::Builder::new();
    config.heads.set_http1(&mut http1);
    http1
}

impl Http2 {
    pub(super) fn new(config: &HyperConfig) -> Self {
        Self {
            ping_after: config.http2_ping_after,
            ping_timeout: config.http2_ping_timeout,
            heads: config.heads,
            windows: config.http2_windows,
        }
    }

    /// Makes a connection, whose tasks `executor` runs.
    pub(super) fn builder(&self, executor: Executor) -> http2::Builder<Executor> {
        let mut http2 = http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(self.ping_after)
            .keep_alive_timeout(self.ping_timeout)
            .max_send_buf_size(SEND_BUFFER);
        self.heads.set_http2(&mut http2);
        self.windows.set(&mut http2);
        http2
    }
}
