use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use outrigger::Integration;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::outbox::{Lane, Message, Outbox, Schedule, UnknownOutcome};

use super::{CONCURRENCY, PATIENCE, Place};

/// Another process of these tests, which is killed when this is dropped: by SIGKILL on Unix.
pub(super) struct Process(Child);

/// What it does besides delivering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Enqueues, with numbers from this on, for the keys of this name.
    Enqueue { name: usize, first: usize },
    /// Ends when nothing is left.
    Finish,
    /// Nothing.
    Deliver,
    /// Is killed when a message is claimed and not sent.
    DieClaimed,
    /// Is killed when a message is answered and not settled.
    DieAnswered,
    /// Is killed in the function that settles, after it has written.
    DieSettling,
    /// Is stopped when a message is answered.
    Stop,
}

impl Process {
    pub(super) fn start(
        place: &Place,
        url: &str,
        task: Task,
    ) -> (Self, Lines<BufReader<ChildStdout>>) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["crash::process::the_process_that_is_killed", "--exact", "--nocapture"]);
        command.env(PLACE, place.text()).env(URL, url).env(TASK, task.text());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        (Self(child), BufReader::new(stdout).lines())
    }

    /// Waits for its end, and says whether it was a good one.
    pub(super) async fn ended(mut self) -> bool {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(tokio::time::Instant::now() < end, "the process has to end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process, by its name: `KILL`, `STOP`, `CONT`.
pub(super) fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
}

fn kill_this() {
    signal(std::process::id(), "KILL");
}

impl Task {
    fn text(self) -> String {
        match self {
            Self::Enqueue { name, first } => format!("enqueue {name} {first}"),
            other => format!("{other:?}"),
        }
    }

    fn of_text(text: &str) -> Self {
        let numbers: Vec<usize> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        match (text, &numbers[..]) {
            (_, &[name, first]) => Self::Enqueue { name, first },
            ("Finish", _) => Self::Finish,
            ("Deliver", _) => Self::Deliver,
            ("DieClaimed", _) => Self::DieClaimed,
            ("DieAnswered", _) => Self::DieAnswered,
            ("DieSettling", _) => Self::DieSettling,
            ("Stop", _) => Self::Stop,
            _ => panic!("no task is named {text}"),
        }
    }
}

impl Subscriber for Task {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        match (self, event) {
            (Self::DieClaimed, Event::AttemptStarted)
            | (Self::DieAnswered, Event::AttemptAnswered { .. }) => kill_this(),
            (Self::Stop, Event::AttemptAnswered { .. }) => {
                say("stops");
                signal(std::process::id(), "STOP");
            }
            _ => {}
        }
    }
}

fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").unwrap();
    stdout.flush().unwrap();
}

/// How a process delivers. Its leases are short, so that others soon have what is left of it.
pub(super) fn lane(url: &str, listener: impl Subscriber) -> Lane {
    let mailer = Integration::background("mailer").base_url(url).subscriber(listener);
    Lane::new(&mailer.build().unwrap())
        .concurrency(CONCURRENCY)
        .schedule(Schedule::new([Duration::from_millis(20)]))
        .call_limit(Duration::from_secs(2))
        .lease(Duration::from_secs(3))
        .unknown_outcome(UnknownOutcome::Resend)
}

/// Started by other tests, in a process of its own; else it has nothing to do.
#[tokio::test]
async fn the_process_that_is_killed() {
    let variables = [PLACE, URL, TASK].map(std::env::var);
    let [Ok(place), Ok(url), Ok(task)] = variables else { return };
    let (place, task) = (Place::of_text(&place), Task::of_text(&task));
    let charged: fn() = if task == Task::DieSettling { kill_this } else { || {} };
    let mut lane = lane(&url, task);
    if task == Task::Finish {
        lane = lane.concurrency(32);
    }
    let outbox = place.outbox(Some(lane), charged);
    let runs = outbox.clone();
    let run = tokio::spawn(async move { runs.run().await.unwrap() });
    match task {
        Task::Enqueue { name, first } => enqueue(&outbox, name, first).await,
        Task::Finish => finish(&outbox).await,
        // Nobody kills it if the test was ended.
        _ => tokio::time::sleep(PATIENCE).await,
    }
    outbox.shut_down(Duration::from_secs(5));
    run.await.unwrap();
}

async fn enqueue(outbox: &Outbox, name: usize, first: usize) {
    let began = tokio::time::Instant::now();
    for number in first.. {
        if began.elapsed() > PATIENCE {
            return;
        }
        let order = format!("key-{name}-{}", number % 5);
        let message = Message::post("/mails").body(format!("{order} {number}")).order_key(order);
        let ticket = outbox.enqueue(message.max_attempts(1_000)).await.unwrap();
        say(&format!("accepted {}", ticket.idempotency_key));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn finish(outbox: &Outbox) {
    let ends = async {
        loop {
            // Both of one moment.
            let stats = outbox.stats("mailer").await.unwrap();
            if stats.ready + stats.leased == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ends).await.expect("everything comes to an end");
}

/// Names what a process works with.
const PLACE: &str = "OUTRIGGER_TEST_OUTBOX";
const URL: &str = "OUTRIGGER_TEST_OUTBOX_URL";
const TASK: &str = "OUTRIGGER_TEST_OUTBOX_TASK";
