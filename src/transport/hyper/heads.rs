//! Limits and rules for the heads of answers, and how our own heads are written.

use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::client::conn::{http1, http2};

use super::config::HyperConfig;
use crate::outcome::{Error, foreign};
use crate::settings::Errors;

/// What the head of an answer may be like, and how ours are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    max_fields: usize,
    max_size: u32,
    pub(super) is_strict: bool,
    title_case: bool,
}

impl HyperConfig {
    /// How many header fields an answer over HTTP/1.1 may have; 256 by default. hyper's own limit is
    /// 100, which storage services and CDNs exceed; curl takes 5,000 (`MAX_HTTP_RESP_HEADER_COUNT`),
    /// and browsers bound the size alone. Each field that is allowed costs 64 bytes while a head is
    /// read.
    ///
    /// Over HTTP/2, [`max_head_size`](Self::max_head_size) is the bound: each field counts 32 bytes
    /// there beside its own.
    pub fn max_header_fields(mut self, fields: usize) -> Self {
        self.heads.max_fields = fields;
        self
    }

    /// How many bytes the head of an answer may have, over HTTP/1.1 and HTTP/2 (and its trailers, over
    /// HTTP/1.1);
    /// 256 KiB by default, as in Chromium. curl takes 300 KiB, Firefox 384 KiB.
    ///
    /// HTTP/1.1 counts the head as it comes, HTTP/2 its fields without compression, 32 bytes added to
    /// each (RFC 9113, 6.5.2).
    ///
    /// A larger head is an error of the kind
    /// [`Transport`](crate::ErrorKind::Transport)`(`[`Protocol`](crate::terms::Fault::Protocol)`)`
    /// and the delivery "answered" that names these settings. It is not tried again, and doesn't
    /// speak against the provider.
    pub fn max_head_size(mut self, bytes: u32) -> Self {
        self.heads.max_size = bytes;
        self
    }

    /// Refuses each answer over HTTP/1.1 whose head breaks the rules.
    ///
    /// By default, what browsers and curl bear is borne:
    ///
    /// - A value that goes on in the next line is joined by a space, as RFC 9112, 5.2 wants it.
    /// - Blanks between a field's name and its colon are left out, as RFC 9112, 5.1 wants it of proxies.
    /// - A line that is no field, such as a warning that a script printed, is left out.
    ///
    /// None of that changes where the body ends. A head with a broken line that names
    /// `Content-Length` or `Transfer-Encoding` is refused all the same, and so are lengths that differ
    /// and lengths that are no numbers: two who read one connection differently can be made to take a
    /// part of one answer for another (RFC 9112, 11.1).
    pub fn strict_heads(mut self) -> Self {
        self.heads.is_strict = true;
        self
    }

    /// Writes the names of header fields as `Content-Type` over HTTP/1.1, for servers that take case
    /// into account, against RFC 9110, 5.1. Off by default: names are written in lower case.
    pub fn title_case_headers(mut self) -> Self {
        self.heads.title_case = true;
        self
    }
}

impl Heads {
    pub(super) fn set_http1(self, http1: &mut http1::Builder) {
        let max_size = self.max_size as usize;
        http1
            .max_headers(self.max_fields)
            .max_header_size(max_size)
            .title_case_headers(self.title_case)
            .allow_obsolete_multiline_headers_in_responses(!self.is_strict)
            .allow_spaces_after_header_name_in_responses(!self.is_strict)
            .ignore_invalid_headers_in_responses(!self.is_strict);
        if max_size > BUFFER {
            http1.max_buf_size(max_size + READ);
        }
    }

    pub(super) fn set_http2<E: Clone>(self, http2: &mut http2::Builder<E>) {
        http2.max_header_list_size(self.max_size.saturating_mul(BEYOND));
    }

    /// Refuses a head over HTTP/2 that is larger than allowed.
    pub(super) fn check(self, headers: &HeaderMap) -> Result<(), Error> {
        let size = |(name, value): (&HeaderName, &HeaderValue)| {
            name.as_str().len() + value.len() + OVERHEAD
        };
        match headers.iter().map(size).sum::<usize>() > self.max_size as usize {
            true => Err(foreign::head_too_large()),
            false => Ok(()),
        }
    }

    pub(super) fn check_into(self, errors: &mut Errors<'_>) {
        if self.max_fields == 0 {
            errors.add("max_header_fields", "every answer has some: allow at least one");
        }
        if self.max_size == 0 {
            errors.add("max_head_size", "every answer has a head: allow at least a kilobyte");
        }
    }
}

impl Default for Heads {
    fn default() -> Self {
        Self { max_fields: 256, max_size: 256 * 1024, is_strict: false, title_case: false }
    }
}

/// RFC 9113, 6.5.2.
const OVERHEAD: usize = 32;
/// h2 reports a head over its own limit like any malformed head. So its limit is higher than ours,
/// and only an even larger head is reported without its reason.
const BEYOND: u32 = 4;
/// hyper's read buffer has 400 KiB and one read of this size. A head must fit into it.
const READ: usize = 8 * 1024;
const BUFFER: usize = 400 * 1024;
