//! Real processes: killed, stopped and woken, with a wall clock that is off, and a database that is restarted.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use outrigger::Integration;
use outrigger::control::{FleetView, InstanceState, Registry};
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;
use outrigger::rt::Clock;
use outrigger::testing::{Answer, Script};

use crate::bench::{PATIENCE, until};
use crate::server::Server;

/// Another process of these tests, which is killed when this is dropped.
struct Process {
    child: Child,
    /// Where its kill switch was moved to.
    moves: mpsc::Receiver<String>,
}

impl Process {
    fn start(url: &str, name: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["processes::the_process_that_obeys", "--exact", "--nocapture"]);
        command.env(URL, url).env(NAME, name).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (tell, moves) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The test runner may have begun the line.
                if let Some((_, moved)) = line.rsplit_once("moved to ") {
                    let _ = tell.send(moved.to_owned());
                }
            }
        });
        Self { child, moves }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the next move of its kill switch.
    fn moved(&self) -> String {
        tokio::task::block_in_place(|| self.moves.recv_timeout(PATIENCE).expect("it moves"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_processes_obey_one_switch_through_kills_stops_wrong_clocks_and_a_restarted_database()
{
    let Some(server) = Server::start() else { return };
    let url = server.connection_string();
    // Whoever steers needs no integration, and doesn't run.
    let fleet = fleet(&url, &Registry::new(), "console", Clock::system());
    fleet.migrate().await.unwrap();
    let names = ["web-1", "web-2", "web-3", "web-4", "web-5-clock-off"];
    let web = names.map(|name| Process::start(&url, name));
    let view = async || fleet.instances().await.unwrap();
    let obeying = |view: &FleetView| view.instances.len() - view.disobeying().count();
    until("all five are there", async || obeying(&view().await) == 5).await;
    let set = async |to| {
        let (began, set) = (Instant::now(), fleet.set("payments", "kill_switch", to, "ada", "why"));
        let revision = set.await.unwrap();
        let view = fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
        println!("{to}: {view} after {:?}", began.elapsed());
        revision
    };
    set("off").await;
    assert_eq!(view().await.to_string(), "5 of 5 obey");
    web.iter().for_each(|process| assert_eq!(process.moved(), "off by ada"));

    web[1].signal("STOP");
    web[2].signal("KILL");
    let unseen = async || {
        let view = view().await;
        view.instances.iter().filter(|it| it.state == InstanceState::NotSeen).count()
    };
    until("two aren't seen", async || unseen().await == 2).await;
    let revision = set("no-retries").await;
    let told = view().await.to_string();
    assert!(told.starts_with("3 of 5 obey; web-2 not seen for 1"), "{told}");
    assert!(told.contains("; web-3 not seen for 1"), "{told}");
    web[1].signal("CONT");
    assert_eq!(web[1].moved(), "no-retries by ada");
    until("it is seen", async || {
        let woken = view().await.instances.remove(1);
        (woken.state, woken.revision) == (InstanceState::Obeys, revision)
    })
    .await;

    server.down();
    server.up();
    set("on").await;
    for nth in [0, 1, 3, 4] {
        let first = web[nth].moved();
        let last = if first.starts_with("on") { first } else { web[nth].moved() };
        assert_eq!(last, "on by ada");
    }
    until("four obey", async || obeying(&view().await) == 4).await;
}

/// Started by another test, in a process of its own; else it has nothing to do.
#[tokio::test]
async fn the_process_that_obeys() {
    let (Ok(url), Ok(name)) = (std::env::var(URL), std::env::var(NAME)) else { return };
    let clock = match name.ends_with("clock-off") {
        true => Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000)),
        false => Clock::system(),
    };
    let registry = Registry::new();
    let payments = Integration::user_flow("payments")
        .service(Script::by(|_| Answer::status(200)))
        .subscriber(Moves)
        .register(&registry)
        .build()
        .unwrap();
    MOVED.set(payments).unwrap();
    let fleet = fleet(&url, &registry, &name, clock);
    // Nobody kills it if the test was ended.
    let _ = tokio::time::timeout(PATIENCE * 3, fleet.run()).await;
}

/// Writes where the kill switch is moved to.
struct Moves;

static MOVED: std::sync::OnceLock<Integration> = std::sync::OnceLock::new();

impl Subscriber for Moves {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let Event::KillSwitchChanged { to, .. } = event {
            let position = MOVED.get().unwrap().kill_switch().position();
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "moved to {} by {}", to.name(), position.who().unwrap()).unwrap();
            stdout.flush().unwrap();
        }
    }
}

fn fleet(url: &str, registry: &Registry, name: &str, clock: Clock) -> Fleet {
    let pool = PostgresPool::no_tls(url).unwrap().connections(1);
    Fleet::postgres(registry, &pool).instance(name).clock(clock).build()
}

const URL: &str = "OUTRIGGER_TEST_FLEET_URL";
const NAME: &str = "OUTRIGGER_TEST_FLEET_NAME";
