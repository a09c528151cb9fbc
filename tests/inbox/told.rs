//! What is told of refusals: enough, not too much, and nothing that was sent.

use std::io::Write;
use std::sync::{Arc, Mutex};

use outrigger::inbox::GitHub;
use tracing_subscriber::fmt::MakeWriter;

use crate::bench::{Bench, receive};
use crate::sign;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_refusals_is_one_line_a_kind_every_ten_seconds_without_what_was_sent() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let bench = Bench::new();
    let inbox = bench.inbox(GitHub::new(["hush, a secret"]).unwrap());
    let forged = sign::github("another", "delivery-7", "{\"private\":1}");
    for _ in 0..100 {
        assert!(receive(&inbox, &forged).await.is_err());
        assert!(receive(&inbox, &forged.clone().without("x-hub-signature-256")).await.is_err());
    }
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    assert!(receive(&inbox, &forged).await.is_err());
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(told.contains("source=\"acme\" why=\"signature\" times=100"), "{told}");
    for hidden in ["hush", "private", "delivery-7", "sha256"] {
        assert!(!told.contains(hidden), "{told}");
    }
}
