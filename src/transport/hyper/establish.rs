//! How a connection is made: name, TCP, TLS and the first words of HTTP.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use http::{Request, Uri};
use hyper_util::client::legacy::connect::Connection as _;

use super::http1_io::{Exchange, Http1Watch};
use super::pool::{Driver, Executor, Frames, Host, Lease, Place, Sender, Signals};
use super::protocols;
use super::request::{self, Forward, Http1};
use super::service::Client;
use super::tls;
use super::watched_io::WatchedIo;
use crate::body::Body;
use crate::outcome::{BoxError, Error};

/// A new connection, before a task drives it.
type Made = (Sender, Driver, Arc<Signals>);

impl Client {
    pub(super) async fn connect(
        &self,
        host: &Arc<Host>,
        place: Place,
        uri: &Uri,
    ) -> Result<Lease, Error> {
        let wants_http1 = self.config.http1_only || host.wants_http1();
        let handshake = |io, forward| {
            host.showed(tls::server_expiry(&io));
            self.handshake(io, forward, wants_http1)
        };
        let limit = self.hosts.limits().connect;
        let made = self.make(uri.clone(), limit, wants_http1, handshake).await?;
        let (sender, driver, signals) = made;
        Ok(host.established(place, sender, driver, signals))
    }

    async fn handshake(
        &self,
        io: tls::Io,
        forward: Option<Forward>,
        wants_http1: bool,
    ) -> Result<Made, BoxError> {
        // A proxy that forwards speaks HTTP/1.1.
        let unasked = self.config.http2_prior_knowledge && forward.is_none() && !wants_http1;
        let is_http2 = unasked || io.connected().is_negotiated_h2();
        let signals = Arc::new(Signals::default());
        let watcher = Arc::clone(&signals);
        let (mut sender, mut driver): (_, Driver) = match is_http2 {
            true => {
                let http2 = protocols::http2(&self.config, Executor::new(&signals));
                let (sender, driver) =
                    http2.handshake(WatchedIo::new(io, Frames::new(watcher))).await?;
                (Sender::Http2(sender), Box::pin(driver))
            }
            false => {
                let exchange = Exchange::new(!self.config.heads.is_strict);
                let watch = Http1Watch { exchange: exchange.clone(), signals: watcher };
                let (io, http1) = (WatchedIo::new(io, watch), Http1 { forward, exchange });
                let (sender, driver) = protocols::http1(&self.config).handshake(io).await?;
                (Sender::Http1(sender, http1), Box::pin(driver.with_upgrades()))
            }
        };
        // The sender is ready once the connection was driven for the first time.
        poll_fn(|cx| match driver.as_mut().poll(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(())) => Poll::Ready(Err("the host closed the connection".into())),
            Poll::Pending => sender.poll_ready(cx).map_err(BoxError::from),
        })
        .await?;
        Ok((sender, driver, signals))
    }

    pub(super) async fn warm(self: Arc<Self>, to: Uri, connections: u32) -> Result<(), Error> {
        let request = Request::get(to.clone()).body(Body::empty());
        request::check(&request.map_err(|_| request::unnamed())?)?;
        let host = self.hosts.of(&to).ok_or_else(request::unnamed)?;
        let mut made = tokio::task::JoinSet::new();
        for place in (0..connections).map_while(|_| host.place()) {
            let (client, host, to) = (Arc::clone(&self), Arc::clone(&host), to.clone());
            made.spawn(async move { client.connect(&host, place, &to).await });
        }
        // Hold all connections until all are made: one that is returned early would be used twice.
        let mut held = Vec::new();
        while let Some(result) = made.join_next().await {
            held.extend(result);
        }
        held.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }
}
