//! One switch for all instances of a service, over PostgreSQL.
//!
//! It starts no server: give it the URL of a database in which it may make tables.
//!
//! ```text
//! export DATABASE_URL=postgres://postgres@localhost/postgres
//! cargo run --example fleet --features fleet -- run web-1
//! cargo run --example fleet --features fleet -- run web-2
//! cargo run --example fleet --features fleet -- stop "charges are wrong"
//! cargo run --example fleet --features fleet -- who
//! ```
//!
//! Each of the first two says when its switch moves, and how much of the account's rate is its own. Stop one by Ctrl-Z, move the switch by `go`, and ask `who` obeys; wake it
//! by `fg`.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

use std::future::Future;
use std::time::Duration;

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::fleet::Fleet;
use outrigger::outbox::postgres::PostgresPool;

pub(crate) type Ended = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Ended {
    let url = std::env::var("DATABASE_URL").map_err(|_| {
        "set DATABASE_URL to a database of PostgreSQL, such as postgres://postgres@localhost/postgres"
    })?;
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run", name] => run(&url, name, async { drop(tokio::signal::ctrl_c().await) }).await,
        ["stop", why] => println!("{}", steer(&url, "off", why).await?),
        ["go", why] => println!("{}", steer(&url, "on", why).await?),
        ["who"] => println!("{}", person(&url).await?.instances().await?),
        _ => return Err("say `run <name>`, `stop <why>`, `go <why>` or `who`".into()),
    }
    Ok(())
}

/// One instance of the service: it obeys until it is to stop.
pub(crate) async fn run(url: &str, name: &str, stop: impl Future<Output = ()>) {
    if let Err(error) = obey(url, name, stop).await {
        eprintln!("{error}");
    }
}

async fn obey(url: &str, name: &str, stop: impl Future<Output = ()>) -> Ended {
    let registry = Registry::new();
    let pool = PostgresPool::no_tls(url)?.connections(1);
    let fleet = Fleet::postgres(&registry, &pool).instance(name).build();
    fleet.migrate().await?;
    // All instances together send no more than the account allows.
    let payments = Integration::user_flow("payments")
        .rate_limit(|limit| limit.requests(100, Duration::from_secs(1)).account("payments-live"))
        .register(&registry)
        .build()?;
    let watches = async {
        let mut known = None;
        loop {
            let position = payments.kill_switch().position();
            let why = position.why().unwrap_or("-");
            let share = payments.health().share.map_or(0.0, |share| share.rate);
            let text = format!("payments: {} ({why}), {share:.0} a second", position.mode());
            if known.as_ref() != Some(&text) {
                println!("{name}: {text}");
                known = Some(text);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let stops = async {
        tokio::select! {
            () = watches => {}
            () = stop => fleet.shut_down(),
        }
    };
    let (ended, ()) = tokio::join!(fleet.run(), stops);
    Ok(ended?)
}

/// Moves the switch of all, and says who obeys.
pub(crate) async fn steer(
    url: &str,
    to: &str,
    why: &str,
) -> Result<String, Box<dyn std::error::Error>> {
    let fleet = person(url).await?;
    let change = fleet.set("payments", "kill_switch", to, "ada", why).await?;
    Ok(fleet.wait_obeyed(change, Duration::from_secs(4)).await?.to_string())
}

/// Whoever steers needs no integration, and is no instance: it doesn't run.
async fn person(url: &str) -> Result<Fleet, Box<dyn std::error::Error>> {
    let fleet = Fleet::postgres(&Registry::new(), &PostgresPool::no_tls(url)?).build();
    fleet.migrate().await?;
    Ok(fleet)
}
