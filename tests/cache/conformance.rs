//! The cases of http-tests/cache-tests, which other caches are measured by too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use outrigger::Body;
use outrigger::cache::CacheLayer;
use outrigger::rt::Clock;
use serde::Deserialize;
use serde_json::Value;
use tower::{Service, ServiceExt, service_fn};

/// Required cases that aren't kept, each with its reason.
const DEPARTURES: [(&str, &str); 6] = [
    ("freshness-s-maxage-shared", SHARED),
    ("freshness-max-age-s-maxage-shared-longer", SHARED),
    ("freshness-max-age-s-maxage-shared-longer-reversed", SHARED),
    ("freshness-max-age-s-maxage-shared-longer-multiple", SHARED),
    ("cc-resp-private-shared", SHARED),
    ("cc-resp-immutable-stale", IMMUTABLE),
];
const IMMUTABLE: &str = "a case for browsers: it wants `max-age=0` added to a validation, by which a CDN on the way would have to ask the provider, too";
const SHARED: &str = "it is for shared caches, and this one is private";

/// The suite, whose source and licence stand in it.
#[derive(Deserialize)]
struct Suite {
    groups: BTreeMap<String, Vec<Case>>,
}

#[derive(Clone, Deserialize)]
struct Case {
    id: String,
    kind: String,
    #[serde(default)]
    needs: Vec<String>,
    requests: Vec<Step>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Step {
    method: Option<String>,
    send: Vec<(String, Value)>,
    send_body: Option<String>,
    query: Option<String>,
    file: Option<String>,
    status: Option<(u16, String)>,
    reply: Vec<Value>,
    reply_body: Option<String>,
    drop: bool,
    delay_s: u64,
    pause: bool,
    magic_ims: bool,
    magic_locations: bool,
    want: Option<String>,
    #[serde(deserialize_with = "present")]
    want_status: Option<Option<u16>>,
    want_headers: Vec<Value>,
    want_no_headers: Vec<String>,
    want_sent: Vec<(String, String)>,
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u16>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// What the origin has seen.
#[derive(Default)]
struct Seen {
    /// The number of each request that came, from 1, with its headers.
    came: Vec<(usize, HeaderMap)>,
    /// The headers of the last answer.
    answered: HeaderMap,
}

struct Run {
    case: Case,
    base: SystemTime,
    seen: Mutex<Seen>,
}

#[tokio::test(start_paused = true)]
async fn every_required_case_is_kept_but_for_those_that_are_named() {
    let suite: Suite =
        serde_json::from_str(include_str!("../vectors/http-cache-tests.json")).unwrap();
    let cases: Vec<_> = suite.groups.into_values().flatten().collect();
    let (mut passed, mut failed) = (BTreeSet::new(), BTreeMap::new());
    for case in &cases {
        match run(case).await {
            Ok(()) => drop(passed.insert(case.id.clone())),
            Err(why) => drop(failed.insert(case.id.clone(), why)),
        }
    }
    let is_due = |case: &&Case| case.needs.iter().all(|need| passed.contains(need));
    let of = |kind: &'static str| cases.iter().filter(move |case| case.kind == kind);
    for kind in ["required", "optimal", "check"] {
        let (all, kept) =
            (of(kind).count(), of(kind).filter(|case| passed.contains(&case.id)).count());
        println!("{kind}: {kept} of {all}");
    }
    for case in of("optimal").filter(|case| !passed.contains(&case.id)) {
        println!("not optimal: {}: {}", case.id, failed[&case.id]);
    }
    let known: BTreeSet<_> = DEPARTURES.iter().map(|(id, _)| (*id).to_owned()).collect();
    let broken: BTreeSet<_> = of("required")
        .filter(is_due)
        .filter(|case| !passed.contains(&case.id))
        .map(|case| case.id.clone())
        .collect();
    let news: Vec<_> = broken.difference(&known).map(|id| (id, &failed[id])).collect();
    assert!(news.is_empty(), "{news:#?}");
    let kept: Vec<_> = known.iter().filter(|id| passed.contains(*id)).collect();
    assert!(kept.is_empty(), "take these off the departures: {kept:?}");
}

/// Runs one case against a new cache.
async fn run(case: &Case) -> Result<(), String> {
    let base = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let layer = CacheLayer::new().clock(Clock::anchored(base));
    let run = Arc::new(Run { case: case.clone(), base, seen: Mutex::default() });
    let origin = Arc::clone(&run);
    let service = service_fn(move |request: Request<Body>| {
        let origin = Arc::clone(&origin);
        async move {
            origin
                .answer(&request)
                .await
                .ok_or(std::io::ErrorKind::ConnectionReset)
                .map_err(std::io::Error::from)
        }
    });
    let mut service = tower::Layer::layer(&layer, service);
    for (at, step) in case.requests.iter().enumerate() {
        let number = at + 1;
        let request = run.request(number, step);
        let response = service.ready().await.unwrap().call(request).await;
        let response = match response {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let body = http_body_util::BodyExt::collect(body).await;
                body.ok().map(|_| Response::from_parts(head, ()))
            }
            Err(_) => None,
        };
        // Background fetches have their turn.
        tokio::time::sleep(Duration::from_millis(1)).await;
        run.check(number, step, response.as_ref()).map_err(|why| format!("{number}: {why}"))?;
        if step.pause {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }
    Ok(())
}

impl Run {
    fn request(&self, number: usize, step: &Step) -> Request<Body> {
        let file = step.file.as_deref().unwrap_or("case");
        let query = step.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Request::builder()
            .method(step.method.as_deref().unwrap_or("GET"))
            .uri(format!("http://origin.test/{file}{query}"))
            .header("req-num", number)
            .body(step.send_body.clone().map_or_else(Body::empty, Body::from))
            .unwrap();
        for (name, value) in &step.send {
            let known = self.seen.lock().unwrap().answered.get("last-modified").cloned();
            let value = match known.filter(|_| {
                step.magic_ims && name == "If-Modified-Since" && value == &Value::from(-3000)
            }) {
                Some(known) => known,
                None => self.value(name, value),
            };
            request.headers_mut().append(header(name), value);
        }
        request
    }

    /// Numbers in dates are seconds from the start.
    fn value(&self, name: &str, value: &Value) -> HeaderValue {
        let is_date = ["date", "expires", "last-modified", "if-modified-since"]
            .contains(&name.to_ascii_lowercase().as_str());
        let text = match value {
            Value::Number(seconds) if is_date => {
                let seconds = seconds.as_i64().unwrap();
                let at = self.base + self.elapsed();
                let by = Duration::from_secs(seconds.unsigned_abs());
                httpdate::fmt_http_date(if seconds < 0 { at - by } else { at + by })
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        HeaderValue::try_from(text).unwrap()
    }

    fn elapsed(&self) -> Duration {
        // The clock of the cache is anchored where the case began.
        Duration::ZERO
    }

    async fn answer(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let number: usize = request.headers()["req-num"].to_str().unwrap().parse().unwrap();
        let step = &self.case.requests[number - 1];
        tokio::time::sleep(Duration::from_secs(step.delay_s)).await;
        let mut seen = self.seen.lock().unwrap();
        seen.came.push((number, request.headers().clone()));
        if step.drop {
            return None;
        }
        let mut response = Response::new(Body::from(
            step.reply_body.clone().unwrap_or_else(|| format!("answer {number}")),
        ));
        *response.status_mut() =
            StatusCode::from_u16(step.status.as_ref().map_or(200, |status| status.0)).unwrap();
        if response.status() == StatusCode::NO_CONTENT {
            *response.body_mut() = Body::empty();
        }
        for line in &step.reply {
            let name = line[0].as_str().unwrap();
            let value = match step.magic_locations && name.ends_with("ocation") {
                true => format!(
                    "http://origin.test/{}",
                    match line[1].as_str().unwrap() {
                        "" => "case",
                        file => file,
                    }
                )
                .parse()
                .unwrap(),
                false => self.value(name, &line[1]),
            };
            response.headers_mut().append(header(name), value);
        }
        response.headers_mut().insert("client-request-count", number.into());
        response.headers_mut().insert("server-request-count", seen.came.len().into());
        let validated = |condition: &str, field: &str| {
            let told = request.headers().get(condition);
            told.is_some() && told == seen.answered.get(field)
        };
        let wants = step.want.as_deref().unwrap_or_default();
        if wants.ends_with("validated")
            && (validated("if-none-match", "etag")
                || validated("if-modified-since", "last-modified"))
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            return Some(response);
        }
        seen.answered.clone_from(response.headers());
        Some(response)
    }

    fn check(
        &self,
        number: usize,
        step: &Step,
        response: Option<&Response<()>>,
    ) -> Result<(), String> {
        let seen = self.seen.lock().unwrap();
        let sent = seen.came.iter().find(|(of, _)| *of == number).map(|(_, headers)| headers);
        // What was sent in the background isn't the call's.
        let from_store = response.is_some_and(|response| {
            response
                .headers()
                .get("client-request-count")
                .is_none_or(|of| *of != HeaderValue::from(number))
        });
        let good = match step.want.as_deref() {
            None => true,
            Some("cached") => from_store,
            Some("not_cached") => sent.is_some() && !from_store,
            Some("etag_validated") => sent.is_some_and(|sent| sent.contains_key("if-none-match")),
            Some("lm_validated") => sent.is_some_and(|sent| sent.contains_key("if-modified-since")),
            Some(other) => panic!("unknown: {other}"),
        };
        ensure(good, || format!("wanted {:?}, sent {sent:?}", step.want))?;
        for (name, value) in &step.want_sent {
            let told = sent.and_then(|sent| sent.get(name));
            ensure(told.is_some_and(|told| told == value), || format!("sent {name}: {told:?}"))?;
        }
        let status = step.status.as_ref().map_or(200, |status| status.0);
        match (step.want_status, response) {
            (Some(None), None) => return Ok(()),
            (Some(None), Some(response)) => {
                ensure(!response.headers().contains_key("server-request-count"), || {
                    "an answer".to_owned()
                })?;
            }
            (_, None) => return Err("no answer".to_owned()),
            (Some(Some(wanted)), Some(response)) => {
                ensure(response.status() == wanted, || response.status().to_string())?;
            }
            (None, Some(response))
                if !from_store
                    && !step.want.as_deref().is_some_and(|want| want.ends_with("validated")) =>
            {
                ensure(response.status() == status, || response.status().to_string())?;
            }
            (None, Some(_)) => {}
        }
        let headers = response.map(Response::headers).cloned().unwrap_or_default();
        for wanted in &step.want_headers {
            self.wanted(wanted, &headers)?;
        }
        for name in &step.want_no_headers {
            ensure(!headers.contains_key(name), || format!("it has {name}"))?;
        }
        Ok(())
    }

    fn wanted(&self, wanted: &Value, headers: &HeaderMap) -> Result<(), String> {
        if let Some(name) = wanted.as_str() {
            return ensure(headers.contains_key(name), || format!("no {name}"));
        }
        let name = wanted[0].as_str().unwrap();
        let told = headers.get(name);
        let good = match wanted[1].as_str() {
            Some(">") => {
                let number = told.and_then(|told| told.to_str().ok()?.parse::<i64>().ok());
                number >= wanted[2].as_i64()
            }
            _ => told == Some(&self.value(name, &wanted[1])),
        };
        ensure(good, || format!("{name} is {told:?}, wanted {wanted}"))
    }
}

fn ensure(good: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if good { Ok(()) } else { Err(why()) }
}

fn header(name: &str) -> HeaderName {
    HeaderName::try_from(name).unwrap()
}
