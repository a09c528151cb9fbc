//! The errors of hyper, hyper-util and h2.

use std::error::Error as StdError;

use hyper_util::client::legacy;

use super::Findings;
use crate::terms::Fault;

pub(super) fn look_at(error: &(dyn StdError + 'static), findings: &mut Findings) {
    if let Some(client) = error.downcast_ref::<legacy::Error>() {
        findings.connecting |= client.is_connect();
        // Without a source, hyper refused the request itself: its version, its method, its URI.
        findings.request |= client.source().is_none() && !client.is_connect();
    } else if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
        look_at_hyper(hyper, findings);
    } else if let Some(h2) = error.downcast_ref::<h2::Error>() {
        look_at_h2(h2, findings);
    }
}

fn look_at_hyper(error: &hyper::Error, findings: &mut Findings) {
    // hyper cancels only requests that its connection has not yet taken.
    findings.not_processed |= error.is_canceled();
    findings.half_sent |= error.is_user() && !is_gone(error);
    if is_gone(error) {
        findings.fault = Some(Fault::Closed);
    }
    findings.timed_out |= error.is_timeout();
    findings.head_too_large |= is_head_too_large(error);
    if error.is_incomplete_message() || error.is_closed() {
        findings.fault = Some(Fault::Closed);
    } else if error.is_parse() {
        findings.fault = Some(Fault::Protocol);
    }
}

/// hyper reports a connection task that has ended as a user error. It has no method to recognise
/// that, so the text is compared.
fn is_gone(error: &hyper::Error) -> bool {
    error.is_user() && error.to_string().starts_with("dispatch task is gone")
}

/// hyper has a method for this only in servers, so the text is compared.
fn is_head_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().starts_with("message head is too large")
}

fn look_at_h2(error: &h2::Error, findings: &mut Findings) {
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    // Of the stream or of the connection: the host carries out nothing over HTTP/2.
    let wants_http1 = error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED);
    findings.not_processed |= error.is_remote() && (refused || wants_http1);
    findings.malformed |= error.is_library();
    if let Some(io) = error.get_io() {
        findings.look_at_io(io);
        if let Some(carried) = io.get_ref() {
            findings.look_at(carried);
        }
        return;
    }
    // A graceful GOAWAY should fail just the streams above the last that the peer will process. But
    // h2 tells it to whoever opens a stream just then, also to one whose head is out already.
    let graceful = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    findings.fault = Some(match error.is_reset() {
        // It was reset here, for what the peer had sent.
        true if error.is_library() => Fault::Protocol,
        true => Fault::Reset,
        false if graceful && error.is_remote() => Fault::GoneAway,
        false => Fault::Protocol,
    });
}
