use outrigger::context::TraceContext;
use proptest::prelude::*;

use super::{PARENT, TRACE, headers, parent};

#[test]
fn a_parent_is_read_with_its_ids_and_its_flags() {
    let read = parent(PARENT).expect("it is one");
    assert_eq!(read.trace_id().to_string(), TRACE);
    assert_eq!(read.parent_id().to_string(), "1234567890123456");
    assert!(read.is_sampled());
    assert!(!parent(&PARENT.replace("-01", "-00")).expect("it is one").is_sampled());
}

#[test]
fn spaces_around_it_do_no_harm() {
    for text in [format!(" {PARENT}"), format!("\t{PARENT}"), format!("\t {PARENT} \t")] {
        assert!(parent(&text).is_some(), "{text:?}");
    }
}

#[test]
fn what_is_no_parent_is_none() {
    for text in [
        "",
        "00-12345678901234567890123456789012-1234567890123456-01.",
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
        "ff-12345678901234567890123456789012-1234567890123456-01",
        ".0-12345678901234567890123456789012-1234567890123456-01",
        "0.-12345678901234567890123456789012-1234567890123456-01",
        "000-12345678901234567890123456789012-1234567890123456-01",
        "0000-12345678901234567890123456789012-1234567890123456-01",
        "0-12345678901234567890123456789012-1234567890123456-01",
        "00-00000000000000000000000000000000-1234567890123456-01",
        "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01",
        "00-123456789012345678901234567890123-1234567890123456-01",
        "00-1234567890123456789012345678901-1234567890123456-01",
        "00-12345678901234567890123456789012-0000000000000000-01",
        "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01",
        "00-12345678901234567890123456789012-12345678901234567-01",
        "00-12345678901234567890123456789012-123456789012345-01",
        "00-12345678901234567890123456789012-1234567890123456-.0",
        "00-12345678901234567890123456789012-1234567890123456-0.",
        "00-12345678901234567890123456789012-1234567890123456-001",
        "00-12345678901234567890123456789012-1234567890123456-1",
        "00-1234567890123456789012345678901A-1234567890123456-01",
        "00_12345678901234567890123456789012_1234567890123456_01",
    ] {
        assert_eq!(parent(text), None, "{text}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    for text in [
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    ] {
        assert_eq!(parent(text).expect("it is one").trace_id().to_string(), TRACE);
    }
}

#[test]
fn two_parents_are_none() {
    let other = PARENT.replace("12-1234", "13-1234");
    let two = headers(&[("traceparent", PARENT), ("traceparent", &other)]);
    assert_eq!(TraceContext::from_headers(&two), None);
}

#[test]
fn other_names_are_other_headers() {
    for name in ["trace-parent", "trace.parent"] {
        assert_eq!(TraceContext::from_headers(&headers(&[(name, PARENT)])), None);
    }
}

#[test]
fn ids_from_elsewhere_make_one_unless_they_are_zero() {
    let made = TraceContext::new([0x12; 16], [0x34; 8], true).expect("both are known");
    assert_eq!(made.trace_id().to_bytes(), [0x12; 16]);
    assert_eq!((made.parent_id().to_bytes(), made.is_sampled()), ([0x34; 8], true));
    assert_eq!(TraceContext::new([0; 16], [1; 8], true), None);
    assert_eq!(TraceContext::new([1; 16], [0; 8], true), None);
    assert_ne!(TraceContext::root().trace_id(), TraceContext::root().trace_id());
}

proptest! {
    #[test]
    fn whatever_comes_is_one_or_none(bytes in proptest::collection::vec(0x20_u8..0x7f, 0..80)) {
        let text = String::from_utf8(bytes).expect("ascii");
        if let Some(read) = parent(&text) {
            prop_assert!(text.contains(&read.trace_id().to_string()));
        }
    }

    #[test]
    fn one_letter_changed_is_no_crash(at in 0_usize..55, letter in 0x20_u8..0x7f) {
        let mut text = PARENT.as_bytes().to_vec();
        text[at] = letter;
        let _ = parent(std::str::from_utf8(&text).expect("ascii"));
    }
}
