//! Headers that hold references, or say who somebody is.

use super::header;

#[test]
fn headers_with_references_show_no_more_than_urls_do() {
    for (name, given, shown) in [
        ("link", "</reset/HUNTER2>; rel=next", "</reset/[redacted]>; rel=next"),
        (
            "link",
            "</a/b?t=HUNTER2>; rel=next, <c/HUNTER2>; rel=\"prev\"",
            "</a/b?t=[redacted]>; rel=next, <c/[redacted]>; rel=\"prev\"",
        ),
        ("x-original-uri", "/reset/HUNTER2?a=HUNTER2", "/reset/[redacted]?a=[redacted]"),
        ("operation-location", "/jobs/HUNTER2", "/jobs/[redacted]"),
        ("baggage", "userId=HUNTER2", "[redacted]"),
        ("dpop", "HUNTER2", "[redacted]"),
        ("x-forwarded-client-cert", "HUNTER2", "[redacted]"),
    ] {
        assert_eq!(header(name, given), shown);
    }
    let refresh = header("refresh", "0; url=/reset/HUNTER2?a=HUNTER2");
    assert!(!refresh.contains("HUNTER2"), "{refresh}");
}
