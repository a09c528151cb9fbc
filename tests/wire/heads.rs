//! Heads of answers that break a rule or are large: what is borne, and what must not be.

use http::{HeaderValue, StatusCode, header};
use outrigger::outcome::{Class, Fault, GaveUp};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Delivery, ErrorKind};

use crate::calls::{answered, background, failed, get, post, said, user_flow};
use crate::pool::shop::{BOTH, Http1, Http2, Shop};
use crate::provider::{Act, Provider, Step};
use crate::server::Server;
use crate::tls::Authority;

const REFUSED: (ErrorKind, Delivery) = (ErrorKind::Transport(Fault::Protocol), Delivery::Answered);
const UNREADABLE: (ErrorKind, Delivery) =
    (ErrorKind::Transport(Fault::Protocol), Delivery::Unknown);

/// What comes of this answer, which is followed by the end of the connection if `ends`.
async fn read(
    adjust: impl FnOnce(HyperConfig) -> HyperConfig,
    raw: impl Into<bytes::Bytes>,
    ends: bool,
) -> Result<http::Response<String>, outrigger::Error> {
    let step = Step::write(raw);
    let provider = Provider::script([if ends { step.then(Act::Fin) } else { step }]).await;
    let shop = Shop::new(Http1, adjust);
    let (head, body) = shop.send(get(provider.url("/"))).await?.into_parts();
    Ok(http::Response::from_parts(head, body.text().await?))
}

fn lines(lines: &[&str]) -> String {
    format!("HTTP/1.1 200 OK\r\n{}\r\ncontent-length: 4\r\n\r\nwell", lines.join("\r\n"))
}

#[tokio::test]
async fn many_fields_and_many_bytes_are_borne_on_every_way() {
    let authority = Authority::new();
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client);
        for path in ["/fields/150/120", "/fields/250/10", "/fields/2/100000"] {
            let response = answered(&shop, get(server.url(path))).await;
            assert_eq!(response.body(), "well", "{protocol:?} {path}");
            assert!(response.headers().len() > 2);
        }
        let alpn = if protocol == Http1 { "http/1.1" } else { "h2" };
        let server = authority.server("127.0.0.1", &[alpn]);
        let tls = authority.client(None);
        let shop = Shop::new(Http1, |client| client.tls(tls));
        let response = answered(&shop, get(server.url("/fields/150/120"))).await;
        assert_eq!(response.headers().keys().filter(|name| name.as_str() > "x-").count(), 150);
    }
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn many_fields_are_borne_through_a_proxy() {
    let proxy = Server::start();
    let through = proxy.url("");
    let shop = Shop::new(Http1, |client| client.proxy(&through, ""));
    let response = answered(&shop, get("http://crm.example/fields/150/120")).await;
    assert_eq!(response.headers().keys().filter(|name| name.as_str() > "x-").count(), 150);
}

#[tokio::test]
async fn a_head_over_the_limits_was_answered_is_not_asked_for_again_and_names_the_settings() {
    // The last of them is so large that h2 ends the connection.
    let usual = 256 * 1024;
    let cases = [
        (Http1, "/fields/257/10", usual),
        (Http1, "/fields/3/100000", usual),
        (Http2, "/fields/3/100000", usual),
        (Http2, "/fields/200/1000", 5_000),
    ];
    for (protocol, path, size) in cases {
        let server = Server::start();
        let shop = Shop::of(user_flow(), protocol, |client| client.max_head_size(size));
        for request in [get(server.url(path)), post(server.url(path), "an order")] {
            let error = failed(&shop, request).await;
            let chain: Vec<_> = crate::calls::chain(&error).map(ToString::to_string).collect();
            assert_eq!(said(&error), REFUSED, "{protocol:?} {path}: {error} {chain:?}");
            assert_eq!(error.attempts(), 1, "{protocol:?} {path}");
            let text = error.to_string();
            assert!(text.contains("max_header_fields") && text.contains("max_head_size"), "{text}");
        }
        assert_eq!(server.sockets().requests, 2, "{protocol:?} {path}");
        // Another of a common size is borne as before.
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    }
    // In between, h2 doesn't say why it refuses.
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client.max_head_size(10_000));
    let error = failed(&shop, get(server.url("/fields/1/50000"))).await;
    assert_eq!(said(&error), UNREADABLE);
    assert!(error.to_string().contains("max_head_size"), "{error}");
}

#[tokio::test]
async fn a_head_over_the_limits_is_not_repeated_under_a_key_and_does_not_open_a_breaker() {
    let server = Server::start();
    let jobs = background().hyper(|client| client.max_header_fields(8)).build().unwrap();
    let error = failed(&jobs, post(server.url("/fields/20/1"), "an order")).await;
    assert_eq!((said(&error), error.attempts()), (REFUSED, 1));
    assert_eq!(error.gave_up(), Some(GaveUp::NotRetryable));

    let shop = outrigger::Integration::user_flow("shop")
        .hyper(|client| client.max_header_fields(8))
        .build()
        .unwrap();
    for _ in 0..40 {
        assert_eq!(said(&failed(&shop, get(server.url("/fields/20/1"))).await), REFUSED);
    }
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!(server.sockets().requests, 42);
}

#[tokio::test]
async fn a_fallback_stands_in_for_a_head_over_the_limits() {
    let server = Server::start();
    let shop = user_flow()
        .hyper(|client| client.max_header_fields(8))
        .fallback(outrigger::fallback::FallbackLayer::function(|failed| {
            assert_eq!(failed.class, Class::ClientError);
            Some(http::Response::new("stale".into()))
        }))
        .build()
        .unwrap();
    let response = answered(&shop, get(server.url("/fields/20/1"))).await;
    assert_eq!(response.body(), "stale");
}

#[tokio::test]
async fn the_limits_can_be_raised_and_lowered() {
    let raised = |client: HyperConfig| client.max_header_fields(600).max_head_size(2_000_000);
    let lowered = |client: HyperConfig| client.max_header_fields(20).max_head_size(8_000);
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, raised);
        for path in ["/fields/500/10", "/fields/10/100000"] {
            let response = answered(&shop, get(server.url(path))).await;
            assert_eq!(response.body(), "well", "{protocol:?} {path}");
        }
        let shop = Shop::new(protocol, lowered);
        assert_eq!(answered(&shop, get(server.url("/fields/10/100"))).await.body(), "well");
        let error = failed(&shop, get(server.url("/fields/10/1000"))).await;
        assert_eq!(said(&error), REFUSED, "{protocol:?}");
    }
}

#[tokio::test]
async fn trailers_have_the_same_limits() {
    let trailer = "x".repeat(300_000);
    let raw = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\nx-sum: {trailer}\r\n\r\n"
    );
    let error = read(|client| client, raw, false).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Answered);
}

#[tokio::test]
async fn a_value_that_goes_on_in_the_next_line_is_joined() {
    for fold in ["\r\n  ", "\r\n\t", "\n ", "  \r\n \r\n  "] {
        let policy = format!("content-security-policy: default-src 'self'{fold}script-src 'self'");
        let response = read(|client| client, lines(&[&policy, "x-after: 1"]), false).await.unwrap();
        let value = response.headers()["content-security-policy"].to_str().unwrap();
        let words: Vec<_> = value.split_whitespace().collect();
        assert_eq!(words, ["default-src", "'self'", "script-src", "'self'"], "{fold:?}");
        assert!(!value.contains(['\r', '\n']), "{value:?}");
        assert_eq!(
            (&response.headers()["x-after"], &response.body()[..]),
            (&"1".parse().unwrap(), "well")
        );
    }
    let empty_first = "x-folded:\r\n value";
    let response = read(|client| client, lines(&[empty_first]), false).await.unwrap();
    assert_eq!(response.headers()["x-folded"].to_str().unwrap().trim(), "value");
}

#[tokio::test]
async fn lines_that_are_no_fields_are_left_out() {
    for junk in [
        "PHP Warning:  Unable to load dynamic library",
        "<b>Notice</b>: Undefined index",
        "no colon at all",
        ": no name",
        "x-bad\u{1}name: 1",
        "x-control: a\u{7}b",
        "\u{e4}\u{f6}: latin",
        "PHP Warning: content length unknown",
        " a blank before the first field",
    ] {
        let response = read(|client| client, lines(&[junk, "x-after: 1"]), false).await;
        let response = response.unwrap_or_else(|error| panic!("{junk:?}: {error:?}"));
        assert_eq!(response.headers().len(), 2, "{junk:?} {:?}", response.headers());
        assert_eq!(response.body(), "well", "{junk:?}");
    }
}

#[tokio::test]
async fn a_blank_before_the_colon_does_not_hide_a_field() {
    for length in ["Content-Length : 4", "content-length\t: 4", "Content-Length  :4"] {
        let raw = format!("HTTP/1.1 200 OK\r\nserver : old\r\n{length}\r\n\r\nwell");
        let response = read(|client| client, raw, false).await.unwrap();
        assert_eq!(response.headers()[header::SERVER], "old");
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "4");
        assert_eq!(response.body(), "well");
    }
}

#[tokio::test]
async fn a_broken_line_never_changes_where_a_body_ends() {
    let heads = [
        "\u{1}Content-Length: 4",
        "Content-Length\u{b}: 4",
        "Content-Length 4",
        " Content-Length: 4",
        "\tTransfer-Encoding: chunked",
        "Content-Length: 4\u{1}",
        "Content-Length: 4\r\n \u{1}",
        "content-length: 4\r\nTransfer-Encoding\u{1}: chunked",
        "content-length: 4\r\ntransfer-encoding: \u{1}chunked",
        "content-length: 4\r\n\u{7f}transfer-encoding: chunked",
        "no field\r\n transfer-encoding: chunked\r\ncontent-length: 4",
        "x-a: 1\r\nTRANSFER-ENCODING\u{c}: chunked\r\ncontent-length: 4",
    ];
    for head in heads {
        let raw = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nwell");
        let error = read(|client| client, raw, false).await.unwrap_err();
        assert_eq!(said(&error), UNREADABLE, "{head:?}: {error:?}");
    }
    // The same below an interim answer.
    let raw = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\u{1}content-length: 4\r\n\r\nwell";
    assert_eq!(said(&read(|client| client, raw, false).await.unwrap_err()), UNREADABLE);
}

#[tokio::test]
async fn fields_that_only_speak_of_lengths_are_no_broken_lines() {
    for head in [
        "access-control-expose-headers: content-length,\r\n transfer-encoding",
        "access-control-expose-headers:\r\n content-length",
        "x-content-length: 12",
        "x-note: \"transfer-encoding: chunked\"",
    ] {
        let response = read(|client| client, lines(&[head]), false).await.unwrap();
        assert_eq!(response.body(), "well", "{head:?}");
    }
}

#[tokio::test]
async fn contradicting_lengths_are_refused_and_repeated_ones_are_borne() {
    for head in [
        "content-length: 4\r\ncontent-length: 5",
        "content-length: 4, 5",
        "content-length: +4",
        "content-length: -4",
        "content-length: 4 4",
        "content-length: 0x4",
        "content-length:",
        "content-length: 4\r\n 5",
        "content-length: 99999999999999999999999",
    ] {
        let raw = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nwell");
        let error = read(|client| client, raw, false).await.unwrap_err();
        assert_eq!(said(&error), UNREADABLE, "{head:?}: {error:?}");
    }
    for head in ["content-length: 4\r\nContent-Length: 4", "content-length: 4, 4"] {
        let raw = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nwell");
        assert_eq!(read(|client| client, raw, false).await.unwrap().body(), "well", "{head:?}");
    }
}

#[tokio::test]
async fn chunks_win_over_a_length_and_nothing_of_them_is_taken_for_the_next_answer() {
    // RFC 9112, 6.3: "the Transfer-Encoding overrides the Content-Length".
    let raw = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n\
               4\r\nwell\r\n0\r\n\r\n";
    let provider = Provider::script([Step::write(raw)]).await;
    let shop = Shop::new(Http1, |client| client);
    for _ in 0..3 {
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well");
    }
}

#[tokio::test]
async fn strict_heads_are_refused_where_they_break_a_rule() {
    for head in ["x-folded: a\r\n b", "no colon at all", "x-blank : 1"] {
        let error = read(HyperConfig::strict_heads, lines(&[head]), false).await.unwrap_err();
        assert_eq!(said(&error), UNREADABLE, "{head:?}");
        assert!(read(|client| client, lines(&[head]), false).await.is_ok(), "{head:?}");
    }
    let kept = read(HyperConfig::strict_heads, lines(&["x-kept: 1"]), false).await.unwrap();
    assert_eq!(kept.body(), "well");
}

#[tokio::test]
async fn names_are_written_in_title_case_where_that_is_wanted() {
    for (title, name) in [(true, "Content-Type: text/plain"), (false, "content-type: text/plain")] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.ends_with(b"order") {
                stream.read_buf(&mut seen).await.unwrap();
            }
            stream.write_all(lines(&["x: 1"]).as_bytes()).await.unwrap();
            String::from_utf8(seen).unwrap()
        });
        let shop = Shop::new(Http1, |client| match title {
            true => client.title_case_headers(),
            false => client,
        });
        let mut request = post(url, "order");
        let plain = HeaderValue::from_static("text/plain");
        request.headers_mut().insert(header::CONTENT_TYPE, plain);
        assert_eq!(answered(&shop, request).await.body(), "well");
        let seen = seen.await.unwrap();
        assert!(seen.contains(name), "{seen}");
    }
}

/// An answer, its status, and what its field `x-it` comes to.
type Case = (&'static [u8], u16, Option<&'static [u8]>);

#[tokio::test]
async fn unusual_heads_are_read() {
    let cases: [Case; 10] = [
        (b"HTTP/1.1 200\r\ncontent-length: 4\r\n\r\nwell", 200, None),
        (b"HTTP/1.1 200 \r\ncontent-length: 4\r\n\r\nwell", 200, None),
        (b"HTTP/1.1 200 OK \r\ncontent-length: 4\r\n\r\nwell", 200, None),
        (b"HTTP/1.1 200 J\xe4\r\ncontent-length: 4\r\n\r\nwell", 200, None),
        (b"HTTP/1.1 599 Odd\r\ncontent-length: 4\r\n\r\nwell", 599, None),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell", 200, None),
        (b"HTTP/1.1 200 OK\ncontent-length: 4\nx-it: lf\n\nwell", 200, Some(b"lf")),
        (
            b"HTTP/1.1 200 OK\r\nx-it: J\xfcrgen\r\ncontent-length: 4\r\n\r\nwell",
            200,
            Some(b"J\xfcrgen"),
        ),
        (b"HTTP/1.1 200 OK\r\nx-it:\r\ncontent-length: 4\r\n\r\nwell", 200, Some(b"")),
        (b"HTTP/1.1 200 OK\r\nx-it: \t a \t\r\ncontent-length: 4\r\n\r\nwell", 200, Some(b"a")),
    ];
    for (raw, status, value) in cases {
        let response = read(|client| client, raw, false).await;
        let shown = String::from_utf8_lossy(raw);
        let response = response.unwrap_or_else(|error| panic!("{shown}: {error:?}"));
        assert_eq!((response.status().as_u16(), &response.body()[..]), (status, "well"), "{shown}");
        assert_eq!(response.headers().get("x-it").map(HeaderValue::as_bytes), value, "{shown}");
    }
    let reason = "so ".repeat(5_000);
    let raw = format!("HTTP/1.1 200 {reason}\r\ncontent-length: 4\r\n\r\nwell");
    assert_eq!(read(|client| client, raw, false).await.unwrap().body(), "well");
}

#[tokio::test]
async fn answers_without_a_length_end_with_their_connection() {
    for head in ["HTTP/1.0 200 OK", "HTTP/1.0 200 OK\r\nconnection: close", "HTTP/1.1 200 OK"] {
        let raw = format!("{head}\r\nx-it: 1\r\n\r\nwell");
        assert_eq!(read(|client| client, raw, true).await.unwrap().body(), "well", "{head}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_is_complete_is_taken() {
    let early = "HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwell";
    let step = Step::of([Act::ReadHead, Act::Write(early.into()), Act::Hang]);
    let provider = Provider::script([step, Step::reply(200, "next")]).await;
    let shop = user_flow().without_retry().build().unwrap();
    let response = answered(&shop, post(provider.url("/"), vec![0; 8 << 20])).await;
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::PAYLOAD_TOO_LARGE, "well"));
    // What is left of the upload goes over no connection that the next call uses.
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "next");
    assert_eq!(provider.seen().last().unwrap().connection, 1);
}

#[test]
fn limits_of_nothing_are_refused() {
    let client = HyperConfig::new().max_header_fields(0).max_head_size(0);
    let error = client.check().unwrap_err();
    let fields: Vec<_> = error.mistakes().iter().map(outrigger::Mistake::field).collect();
    assert_eq!(fields, ["hyper.max_header_fields", "hyper.max_head_size"]);
}

#[tokio::test]
async fn a_head_that_comes_bit_by_bit_is_read_the_same() {
    let bits = |raw: &str, size| {
        let bits = raw.as_bytes().chunks(size).map(bytes::Bytes::copy_from_slice);
        let pause = Act::Pause(std::time::Duration::from_millis(1));
        let acts = bits.flat_map(|bit| [Act::Write(bit), pause.clone()]);
        Step::of([Act::Read].into_iter().chain(acts.collect::<Vec<_>>()))
    };
    let borne = "HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\njunk line\r\nx-f: a\r\n b\r\n\
                 content-length : 4\r\n\r\nwell";
    let refused = "HTTP/1.1 200 OK\r\nx-f: a\r\ncontent-length: 4\r\ntransfer-encoding\u{1}: chunked\r\n\r\nwell";
    for size in [1, 3, 7] {
        let provider = Provider::script([bits(borne, size), bits(refused, size)]).await;
        let shop = Shop::new(Http1, |client| client);
        let response = answered(&shop, get(provider.url("/"))).await;
        assert_eq!(response.headers()["x-f"], "a b");
        assert_eq!(response.body(), "well");
        assert_eq!(said(&failed(&shop, get(provider.url("/"))).await), UNREADABLE);
    }
}
