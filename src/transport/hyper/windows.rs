//! How much of an answer's body may arrive over HTTP/2 before it is read.

use hyper::client::conn::http2;

use super::config::HyperConfig;
use crate::settings::Errors;

/// Flow control over HTTP/2 (RFC 9113, 5.2), in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    stream: u32,
    connection: u32,
}

impl HyperConfig {
    /// How many bytes of one answer, and of all answers on one connection, may come over HTTP/2
    /// before they are read; 1 MiB and 1 GiB by default.
    ///
    /// An answer that nobody reads fills its own window, and takes as much of the connection's. Once
    /// that is used up, no answer on the connection goes on, whoever waits for it. So the connection's
    /// is far larger than all answers' together, as in Go's client (1 GiB), and each answer's bounds
    /// the memory: a preset's bulkhead has 64 places, which hold 64 MiB at most.
    ///
    /// An answer comes no faster than its window in each round trip: 1 MiB in 100 ms is 10 MiB/s.
    /// More than 2³¹ − 1 is not possible.
    pub fn http2_windows(mut self, stream: u32, connection: u32) -> Self {
        self.http2_windows = Windows { stream, connection };
        self
    }
}

impl Windows {
    pub(super) fn set<E: Clone>(self, http2: &mut http2::Builder<E>) {
        http2
            .initial_stream_window_size(self.stream)
            .initial_connection_window_size(self.connection);
    }

    pub(super) fn check_into(self, errors: &mut Errors<'_>) {
        let Self { stream, connection } = self;
        if stream == 0 || connection > LARGEST || stream > connection {
            errors.add(
                "http2_windows",
                format_args!(
                    "{stream} and {connection} bytes can't be: a stream's is at least 1, the \
                     connection's at least as much and at most {LARGEST}"
                ),
            );
        }
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self { stream: 1024 * 1024, connection: 1024 * 1024 * 1024 }
    }
}

/// RFC 9113, 6.9.1.
const LARGEST: u32 = i32::MAX.cast_unsigned();
