//! An integration whose pool is looked into.

use std::ops::Deref;
use std::time::Duration;

use http::Request;
use outrigger::event::{CloseCause, Event};
use outrigger::integration::OwnClient;
use outrigger::testing::EventRecorder;
use outrigger::transport::hyper::HyperConfig;
use outrigger::transport::pool::PoolFigures;
use outrigger::{Body, Error, Integration, IntegrationBuilder};
use tokio::task::JoinHandle;

use crate::calls::user_flow;

/// An integration, and what its events said.
pub(crate) struct Shop {
    integration: Integration,
    pub(crate) events: EventRecorder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

pub(crate) use Protocol::{Http1, Http2};

pub(crate) const BOTH: [Protocol; 2] = [Http1, Http2];

impl Shop {
    /// With nothing in front of the pool: one attempt, and as many calls as there are.
    pub(crate) fn new(protocol: Protocol, adjust: impl FnOnce(HyperConfig) -> HyperConfig) -> Self {
        Self::of(user_flow().without_retry().without_bulkhead(), protocol, adjust)
    }

    pub(crate) fn of(
        builder: IntegrationBuilder<OwnClient>,
        protocol: Protocol,
        adjust: impl FnOnce(HyperConfig) -> HyperConfig,
    ) -> Self {
        let events = EventRecorder::new();
        let builder = match protocol {
            Http1 => builder,
            Http2 => builder.hyper(HyperConfig::http2_prior_knowledge),
        };
        let integration = builder.hyper(adjust).subscriber(events.clone()).build().unwrap();
        Self { integration, events }
    }

    pub(crate) fn figures(&self) -> PoolFigures {
        self.pool().unwrap().figures()
    }

    /// Connections that were closed, by what closed them.
    pub(crate) fn closed(&self) -> Vec<(CloseCause, u64)> {
        let closed = self.figures().closed;
        let by_cause = [
            (CloseCause::ByPeer, closed.by_peer),
            (CloseCause::Broken, closed.broken),
            (CloseCause::Idle, closed.idle),
            (CloseCause::Expired, closed.expired),
            (CloseCause::Cut, closed.cut),
            (CloseCause::Misdirected, closed.misdirected),
            (CloseCause::Surplus, closed.surplus),
        ];
        by_cause.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Waits until the figures are so.
    pub(crate) async fn until(&self, mut reached: impl FnMut(&PoolFigures) -> bool) {
        for _ in 0..5_000 {
            if reached(&self.figures()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("waited in vain: {:?}", self.figures());
    }

    /// Waits until nothing is on its way, and compares the figures with the events.
    pub(crate) async fn rests(&self) -> PoolFigures {
        self.until(|now| now.in_use + now.connecting + now.waiting == 0).await;
        let figures = self.figures();
        let told = |of: &dyn Fn(&Event) -> bool| self.events.count(of) as u64;
        assert_eq!(figures.opened, told(&|event| matches!(event, Event::ConnectionOpened)));
        let is_closed = |event: &Event| matches!(event, Event::ConnectionClosed { .. });
        let closed = self.closed();
        assert_eq!(told(&is_closed), closed.iter().map(|(_, count)| count).sum::<u64>());
        for (why, count) in closed {
            let is_it = |event: &Event| matches!(event, Event::ConnectionClosed { cause, .. } if *cause == why);
            assert_eq!(told(&is_it), count, "{why:?}");
        }
        assert_eq!(u64::from(figures.open), figures.opened - told(&is_closed));
        assert_eq!(figures.idle, figures.open);
        figures
    }

    /// Calls, and reads the answer, beside the test.
    pub(crate) fn spawn(&self, request: Request<Body>) -> JoinHandle<Result<String, Error>> {
        let call = self.integration.send(request);
        tokio::spawn(async move { call.await?.into_body().text().await })
    }
}

impl Deref for Shop {
    type Target = Integration;

    fn deref(&self) -> &Integration {
        &self.integration
    }
}
