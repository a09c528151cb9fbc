//! Instances in processes of their own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use outrigger::control::Registry;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;
use outrigger::rt::Clock;

use super::{LEASE, keep_calling, sharing};
use crate::bench::{PATIENCE, Place, run};

/// Another process of these tests, which is killed when this is dropped: by SIGKILL.
pub(crate) struct Process(Child);

impl Process {
    /// One that calls all the time; its clock is ahead by so many seconds.
    pub(crate) fn start(place: &Place, url: &str, name: &str, clock: i64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["shares::process::the_process_that_shares", "--exact", "--nocapture"]);
        let values =
            [&place.server.connection_string(), &place.schema, url, name, &clock.to_string()];
        command.env(INSTANCE, values.join("|"));
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process, by its name: `STOP`, `CONT`.
pub(crate) fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
}

/// Started by other tests, in a process of its own; else it has nothing to do.
#[tokio::test]
async fn the_process_that_shares() {
    let Ok(instance) = std::env::var(INSTANCE) else { return };
    let values: Vec<_> = instance.split('|').collect();
    let [database, schema, url, name, clock] = values[..] else { panic!("{instance}") };
    let seconds: i64 = clock.parse().unwrap();
    let span = Duration::from_secs(seconds.unsigned_abs());
    let wall = SystemTime::now();
    let wall = if seconds < 0 { wall - span } else { wall + span };

    let registry = Registry::new();
    let mailer = sharing("mailer", &registry, None, &format!("{url}/{name}"));
    let pool = PostgresPool::no_tls(database).unwrap().connections(1);
    let fleet = Fleet::postgres(&registry, &pool).schema(schema).instance(name).lease(LEASE);
    run(&fleet.clock(Clock::anchored(wall)).build());
    let calls = keep_calling(mailer);
    // Nobody kills it if the test was ended.
    let _ = tokio::time::timeout(PATIENCE, calls).await;
}

/// What a process needs to know.
const INSTANCE: &str = "OUTRIGGER_TEST_FLEET";
