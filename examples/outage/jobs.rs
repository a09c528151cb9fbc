use std::env;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::{Lane, Outbox, Schedule, UnknownOutcome};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::script::{Phase, Script};

/// Jobs in a file, and the process that delivers them.
pub(crate) struct Jobs {
    folder: PathBuf,
    outbox: Outbox,
}

impl Jobs {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let folder = env::temp_dir().join(format!("outrigger-outage-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let outbox = Outbox::sqlite(folder.join(FILE)).build()?;
        Ok(Self { folder, outbox })
    }

    /// It only enqueues.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Starts the process that delivers, kills it in the middle of the outage, and starts another while the provider
    /// is still down. What it returns is killed when it is dropped.
    pub(crate) async fn work(&self, provider: SocketAddr, script: &Script) -> io::Result<Child> {
        let mut first = self.start(provider)?;
        while script.phase() != Phase::Down {
            sleep(Duration::from_millis(100)).await;
        }
        sleep(INTO_THE_OUTAGE).await;
        first.kill().await?;
        println!("       (the process that delivers the outbox's jobs was killed)");
        sleep(ABSENCE).await;
        println!("       (it was started again)");
        self.start(provider)
    }

    fn start(&self, provider: SocketAddr) -> io::Result<Child> {
        Command::new(env::current_exe()?)
            .arg(DELIVER)
            .arg(self.folder.join(FILE))
            .arg(provider.to_string())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // What is left is in the folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The file and the provider, if this process is one that delivers.
pub(crate) fn arguments() -> Option<(PathBuf, SocketAddr)> {
    let mut arguments = env::args_os().skip(1);
    (arguments.next()? == DELIVER).then_some(())?;
    let file = arguments.next()?.into();
    Some((file, arguments.next()?.to_str()?.parse().ok()?))
}

/// Delivers until it is killed, or whoever started it is gone.
pub(crate) async fn deliver(file: PathBuf, provider: SocketAddr) -> Result<(), Box<dyn Error>> {
    let payments = Integration::background(LANE).base_url(format!("http://{provider}")).build()?;
    // The provider takes a charge once, by its key. The waits of a day are too long for a minute.
    let waits = Schedule::new([1, 2, 4].map(Duration::from_secs));
    let lane = Lane::new(&payments).schedule(waits).unknown_outcome(UnknownOutcome::Resend);
    let outbox = Outbox::sqlite(file).lane(lane).build()?;
    let stops = outbox.clone();
    tokio::spawn(async move {
        let _gone = tokio::io::stdin().read(&mut [0]).await;
        stops.shut_down(Duration::ZERO);
    });
    Ok(outbox.run().await?)
}

pub(crate) const LANE: &str = "payments";
const DELIVER: &str = "deliver";
const FILE: &str = "jobs.db";
const INTO_THE_OUTAGE: Duration = Duration::from_secs(6);
const ABSENCE: Duration = Duration::from_secs(5);
