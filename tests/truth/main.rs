//! Every fault, on every way, over every client: what a caller is told is held against what the
//! provider saw.
//!
//! Time is real here, because sockets are. What is asserted holds on the slowest machine: nothing says
//! how an exchange must end, only that what is said of it is so.

#![expect(clippy::disallowed_methods, reason = "real sockets live on the machine's clock")]

mod fault;
mod http1;
mod http2;
mod judge;
mod provider;
mod way;

use futures_util::{StreamExt, stream};
use tokio::net::TcpSocket;

use fault::Fault;
use judge::Case;
use way::{Ask, Client, Identity, Preset, Way};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_a_call_is_what_the_provider_saw() {
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let identity = Identity::new(taken.local_addr().unwrap());
    let only = std::env::var("OUTRIGGER_CASE").ok();
    let cases: Vec<_> = cases()
        .filter(|case| only.as_ref().is_none_or(|only| format!("{case:?}").contains(only)))
        .collect();
    assert!(cases.len() > 500 || only.is_some(), "{} cases", cases.len());
    let verdicts = stream::iter(cases).map(|case| {
        let identity = identity.clone();
        async move {
            let broken = tokio::spawn(async move { case.run(&identity).await }).await.unwrap();
            broken.into_iter().map(move |what| format!("{case:?}: {what}"))
        }
    });
    let broken: Vec<_> = verdicts.buffer_unordered(64).flat_map(stream::iter).collect().await;
    assert!(broken.is_empty(), "{} broken\n{}", broken.len(), broken.join("\n"));
}

fn cases() -> impl Iterator<Item = Case> {
    let ways = [
        (Way::Http1, Client::Own),
        (Way::Http2, Client::Own),
        (Way::Tls, Client::Own),
        (Way::Proxy, Client::Own),
        (Way::Http1, Client::Reqwest),
        (Way::Http2, Client::Reqwest),
        (Way::Proxy, Client::Reqwest),
    ];
    let asks = [Ask::Get, Ask::Post, Ask::Keyed];
    let presets = [Preset::UserFlow, Preset::Background];
    let of_way = |way, fault| match fault {
        Fault::Stream { .. } | Fault::GoAway { .. } => way == Way::Http2,
        Fault::BreaksHandshake | Fault::IsSomebodyElse => way == Way::Tls,
        _ => true,
    };
    ways.into_iter().flat_map(move |(way, client)| {
        let faults = fault::all().into_iter().filter(move |fault| of_way(way, *fault));
        faults.flat_map(move |fault| {
            let asked = asks.into_iter().flat_map(move |ask| presets.map(|preset| (ask, preset)));
            let cases = asked.flat_map(move |(ask, preset)| {
                [1, u32::MAX].map(|times| Case { fault, times, way, client, preset, ask })
            });
            // Of two attempts, the second tells what a fault that stays would.
            cases.filter(|case| case.times == 1 || case.preset == Preset::Background)
        })
    })
}
