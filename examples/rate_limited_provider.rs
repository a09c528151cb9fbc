//! A provider that allows fifty requests a second, and says so: jobs keep to it, people are told.
//!
//! `cargo run --example rate_limited_provider`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod server;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, Response};
use outrigger::Integration;
use outrigger::context::CallDeadline;
use tokio::task::JoinSet;

/// Fifty requests in each second, counted from the first.
#[derive(Default)]
struct Provider {
    window: Option<Instant>,
    /// How many came in each of them.
    counts: Vec<u32>,
    /// Who asked, in which order.
    arrived: Vec<usize>,
    refused: u32,
}

impl Provider {
    fn answer(&mut self, path: &str) -> Response<String> {
        let now = Instant::now();
        let began = self.window.filter(|began| now < *began + WINDOW).unwrap_or_else(|| {
            self.counts.push(0);
            now
        });
        self.window = Some(began);
        let used = self.counts.last_mut().expect("a window has begun");
        *used += 1;
        self.arrived.extend(path.rsplit('/').next().and_then(|job| job.parse::<usize>().ok()));

        let mut response = Response::new("done".to_owned());
        let reset = (began + WINDOW).duration_since(now).as_secs_f64().ceil();
        let state = format!(r#""default";r={};t={reset}"#, ALLOWED.saturating_sub(*used));
        let policy = format!(r#""default";q={ALLOWED};w=1"#);
        for (name, text) in [("ratelimit", state), ("ratelimit-policy", policy)] {
            response.headers_mut().insert(name, text.parse().expect("it is plain text"));
        }
        if *used > ALLOWED {
            self.refused += 1;
            *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert("retry-after", (reset as u32).into());
        }
        response
    }
}

/// Starts a provider; returns what it sees, and its URL.
async fn provider() -> std::io::Result<(Arc<Mutex<Provider>>, String)> {
    let provider = Arc::new(Mutex::new(Provider::default()));
    let at_work = Arc::clone(&provider);
    let url = server::start(move |request| {
        let answer = at_work.lock().expect("nobody panics with it").answer(request.uri().path());
        async { answer }
    })
    .await?;
    Ok((provider, url))
}

/// Two hundred jobs at once, of which none may be lost.
async fn jobs() -> Result<(), Box<dyn std::error::Error>> {
    let (provider, url) = provider().await?;
    let crm = Integration::background("crm").build()?;

    println!("{JOBS} jobs at once, for {ALLOWED} a second that nobody was told of:");
    let began = Instant::now();
    let mut jobs = JoinSet::new();
    for job in 0..JOBS {
        let request = Request::get(format!("{url}/contacts/{job}")).body(())?;
        jobs.spawn(crm.send(request));
    }
    let (mut done, mut learned) = (0, None);
    while let Some(result) = jobs.join_next().await {
        done += usize::from(result??.status().is_success());
        if learned.is_none() {
            learned = crm.rate_limit().interval();
            let interval = learned.ok_or("the answers tell the limit")?;
            println!("  learned from the first answers: a request every {interval:.1?}");
        }
    }
    let took = began.elapsed();

    let provider = provider.lock().expect("nobody panics with it");
    let late = provider.arrived.windows(2).filter(|pair| pair[0] > pair[1]).count();
    println!("  {done} done in {took:.1?}, each second so many: {:?}", provider.counts);
    println!("  {} refused with 429, {late} overtaken by a later one", provider.refused);
    assert_eq!(done, JOBS, "no job is lost");
    assert_eq!(provider.refused, 0, "nothing is refused once the limit is learned");
    assert!(late <= JOBS / 20, "they go in order: {:?}", provider.arrived);
    Ok(())
}

/// Somebody waits, for three tenths of a second at most.
async fn people() -> Result<(), Box<dyn std::error::Error>> {
    let (provider, url) = provider().await?;
    let shop = Integration::user_flow("shop").build()?;
    let ask = || {
        let deadline = CallDeadline::after(PATIENCE);
        Request::get(format!("{url}/prices")).extension(deadline).body(())
    };

    println!("people, as fast as they come:");
    let began = Instant::now();
    let (mut answered, mut refusal) = (0, None);
    while refusal.is_none() {
        let asked = Instant::now();
        match shop.send(ask()?).await {
            Ok(_) => answered += 1,
            Err(error) => refusal = Some((error, asked.elapsed())),
        }
    }
    let (error, after) = refusal.ok_or("nobody was refused")?;
    println!("  {answered} answered in {:.0?}", began.elapsed());
    println!("  the next is refused after {after:.0?}: {error}");
    let wait = error.retry_after().ok_or("it doesn't say when to come back")?;
    println!("  come back in {wait:.1?}");
    tokio::time::sleep(wait).await;
    let response = shop.send(ask()?).await?;
    println!("  then: {}", response.status());
    let provider = provider.lock().expect("nobody panics with it");
    println!("  {} refused with 429", provider.refused);
    assert!(error.is_rejected() && after < PATIENCE / 3, "refused here, and at once: {error:?}");
    assert_eq!((answered, provider.refused), (ALLOWED, 0), "all that is allowed, and no more");
    assert!(response.status().is_success(), "who comes back when told is answered");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    jobs().await?;
    people().await
}

const ALLOWED: u32 = 50;
const WINDOW: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_millis(300);
const JOBS: usize = 200;
