//! What a service reads that has `tracing_subscriber::fmt()` as it comes.

use std::io;
use std::sync::{Arc, Mutex};

use http::Method;
use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::local_copy::{Loaded, LocalCopy};
use outrigger::telemetry::tracing::Spans;
use outrigger::testing::{Answer, Script};

use crate::call::{get, keeps_secrets, post, read, request};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// From here on, as `tracing_subscriber::fmt().init()` would, but for this thread.
    fn here() -> (Self, tracing::subscriber::DefaultGuard) {
        let written = Self::default();
        let to = written.clone();
        let fmt = tracing_subscriber::fmt().with_writer(move || to.clone()).finish();
        (written, tracing::subscriber::set_default(fmt))
    }

    fn lines(&self) -> Vec<String> {
        let written = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        written.lines().map(ToOwned::to_owned).collect()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_been_done_is_one_short_line_and_others_are_none() {
    let (written, _guard) = Written::here();
    let registry = Registry::new().subscriber(Spans::new());
    let payments = Integration::user_flow("payments").register(&registry);
    let provider = Script::new([Answer::status(200), Answer::status(404), Answer::hang()]);
    let payments = payments.service(provider).build().unwrap();
    read(payments.send(post())).await.unwrap();
    read(payments.send(get())).await.unwrap();
    assert_eq!(written.lines(), Vec::<String>::new());

    let handler = tracing::info_span!("handler");
    let charge = async { read(payments.send(request(Method::POST))).await };
    tracing::Instrument::instrument(charge, handler).await.unwrap_err();
    let lines = written.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = lines[0].replace("handler: ", "");
    assert!(line.len() < 200, "{} characters: {line}", line.len());
    assert!(lines[0].contains(" WARN handler: outrigger: the provider may have acted"), "{line}");
    assert!(line.contains("payments") && line.contains("attempt_timeout"), "{line}");
    keeps_secrets(&lines[0]);
    read(payments.send(get())).await.unwrap_err();
    assert_eq!(written.lines().len(), 1, "a GET that fails is nothing to repair");
}

#[tokio::test(start_paused = true)]
async fn a_local_copy_that_is_refused_is_an_error_with_its_name_and_one_that_is_loaded_is_no_line()
{
    let (written, _guard) = Written::here();
    let registry = Registry::new().subscriber(Spans::new());
    let shop = Integration::user_flow("shop").register(&registry);
    let shop = shop.service(Script::new([Answer::status(200)])).build().unwrap();
    let entries = Arc::new(Mutex::new(vec!["a secret price"]));
    let now = Arc::clone(&entries);
    let loader = move |_| std::future::ready(Ok(Loaded::new(now.lock().unwrap().clone())));
    let prices = LocalCopy::builder("prices", &shop, Vec::len, loader).start().unwrap();
    prices.ready().await.unwrap();
    assert_eq!(written.lines(), Vec::<String>::new());
    entries.lock().unwrap().clear();
    prices.reload().await.unwrap_err();
    let lines = written.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let parts = ["ERROR outrigger: the guard of a local copy refused", "\"shop\"", "\"prices\""];
    assert!(parts.iter().all(|part| lines[0].contains(part)), "{lines:#?}");
    assert!(!lines[0].contains("secret"), "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_subscriber_nothing_is_written() {
    let (written, _guard) = Written::here();
    let crm = Integration::user_flow("crm").service(Script::new([Answer::hang()]));
    read(crm.build().unwrap().send(post())).await.unwrap_err();
    assert_eq!(written.lines(), Vec::<String>::new());
}
