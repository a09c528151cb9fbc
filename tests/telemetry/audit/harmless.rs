use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use outrigger::event::Kept;
use outrigger::redact::Redactor;
use outrigger::telemetry::audit::{Audit, AuditRecord, AuditSink};
use outrigger::testing::{Answer, Script};
use outrigger::{BoxError, Integration};
use tokio::runtime::Handle;

use super::Collected;
use crate::call::{get, read};

const SOON: Duration = Duration::from_secs(10);

fn crm(audit: &Audit) -> Integration {
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    crm.service(Script::new([Answer::status(404).body("no")])).build().unwrap()
}

/// Takes a record only when it is let.
struct Blocked(Receiver<()>, Arc<Mutex<u32>>);

impl AuditSink for Blocked {
    fn write(&mut self, _: &AuditRecord) -> Result<(), BoxError> {
        let _ = self.0.recv();
        *self.1.lock().unwrap() += 1;
        Ok(())
    }
}

fn blocked() -> (Blocked, Sender<()>, Arc<Mutex<u32>>) {
    let (let_go, gate) = channel();
    let written = Arc::default();
    (Blocked(gate, Arc::clone(&written)), let_go, written)
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_blocks_fills_the_queue_and_no_call_waits() {
    let (sink, let_go, written) = blocked();
    let audit = Audit::to(sink).queue(10).start().unwrap();
    let crm = crm(&audit);
    for _ in 0..25 {
        read(crm.send(get())).await.unwrap();
    }
    assert_eq!(audit.dropped(), 15);
    assert!(!audit.flush(Duration::from_millis(20)));
    drop(let_go);
    assert!(audit.flush(SOON));
    assert_eq!((*written.lock().unwrap(), audit.dropped()), (10, 15));
}

/// Has a call made for each record that it writes, as long as it can: there is always one that waits.
struct Endless(Arc<Mutex<Option<Integration>>>, Handle);

impl AuditSink for Endless {
    fn write(&mut self, _: &AuditRecord) -> Result<(), BoxError> {
        let crm = self.0.lock().unwrap().clone();
        if let Some(crm) = crm {
            self.1.block_on(read(crm.send(get()))).map_err(BoxError::from)?;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_recorded_so_far_is_written_whatever_is_recorded_meanwhile() {
    let caller = Arc::default();
    let audit = Audit::to(Endless(Arc::clone(&caller), Handle::current())).start().unwrap();
    let crm = crm(&audit);
    *caller.lock().unwrap() = Some(crm.clone());
    for _ in 0..3 {
        read(crm.send(get())).await.unwrap();
    }
    assert!(audit.flush(SOON));
    *caller.lock().unwrap() = None;
    assert!(audit.flush(SOON));
    assert_eq!(audit.dropped(), 0);
}

/// Takes a record only when it is let, and keeps it.
struct Held(Receiver<()>, Collected);

impl AuditSink for Held {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        let _ = self.0.recv();
        self.1.write(record)
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_blocks_holds_up_few_bodies() {
    const MIB: usize = 1024 * 1024;
    let (let_go, gate) = channel();
    let collected = Collected::default();
    let audit = Audit::to(Held(gate, collected.clone())).failures(MIB).start().unwrap();
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    let answer = Answer::status(404).body(vec![0xff; MIB]);
    let crm = crm.service(Script::new([answer])).build().unwrap();
    for _ in 0..70 {
        let response = crm.send(get()).await.unwrap();
        response.into_body().bytes().await.unwrap();
    }
    assert_eq!((audit.forgotten(), audit.dropped()), (7, 0));
    drop(let_go);
    let records = collected.records(&audit);
    let kept = records.iter().take_while(|record| record.exchange.is_some()).count();
    assert_eq!((records.len(), kept), (70, 63), "the heads are something too");

    // What is written makes room.
    let response = crm.send(get()).await.unwrap();
    response.into_body().bytes().await.unwrap();
    assert!(collected.records(&audit)[70].exchange.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_last_one_to_leave_writes_what_waits() {
    let (sink, let_go, written) = blocked();
    let audit = Audit::to(sink).start().unwrap();
    let crm = crm(&audit);
    for _ in 0..5 {
        read(crm.send(get())).await.unwrap();
    }
    drop(let_go);
    drop((audit, crm));
    assert_eq!(*written.lock().unwrap(), 5);
}

/// Panics, fails, or takes it, as it is told.
struct Moody(Arc<Mutex<Vec<&'static str>>>, Collected);

impl AuditSink for Moody {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        let next = self.0.lock().unwrap().pop();
        match next {
            Some("panic") => panic!("on purpose"),
            Some(other) => Err(other.into()),
            None => self.1.write(record),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_is_asked_again_and_in_the_end_it_counts() {
    let (moods, collected) = (Arc::new(Mutex::new(vec!["full", "panic"])), Collected::default());
    let audit = Audit::to(Moody(Arc::clone(&moods), collected.clone())).start().unwrap();
    let crm = crm(&audit);
    read(crm.send(get())).await.unwrap();
    let records = collected.records(&audit);
    assert_eq!((records.len(), audit.dropped(), audit.trouble()), (1, 0, None));

    *moods.lock().unwrap() = vec!["full"; 3];
    read(crm.send(get())).await.unwrap();
    assert!(audit.flush(SOON));
    assert_eq!((audit.dropped(), audit.trouble().as_deref()), (1, Some("full")));

    // At the end, nobody waits for it.
    *moods.lock().unwrap() = vec!["full"; 300];
    for _ in 0..100 {
        read(crm.send(get())).await.unwrap();
    }
    let began = Instant::now();
    drop((audit, crm));
    assert!(began.elapsed() < SOON);
}

struct Clumsy;

impl Redactor for Clumsy {
    fn header(&self, _: &HeaderName, _: &HeaderValue) -> String {
        panic!("on purpose")
    }

    fn uri(&self, _: &Uri) -> String {
        panic!("on purpose")
    }

    fn body(&self, _: &HeaderMap, _: &Kept) -> Option<String> {
        panic!("on purpose")
    }

    fn text(&self, _: &str) -> String {
        panic!("on purpose")
    }
}

#[tokio::test(start_paused = true)]
async fn a_redactor_that_panics_shows_nothing() {
    let collected = Collected::default();
    let audit = Audit::to(collected.clone()).failures(99).redactor(Clumsy).start().unwrap();
    read(crm(&audit).send(get())).await.unwrap();
    let records = collected.records(&audit);
    assert_eq!((records.len(), records[0].status.unwrap().as_u16()), (1, 404));
    assert!(records[0].exchange.is_none() && records[0].business_key.is_none());
}
