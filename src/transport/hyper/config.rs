use std::time::Duration;

use super::heads::Heads;
use super::proxy::Proxies;
use super::resolve::{Resolve, Source};
use super::service::HyperTransport;
use super::windows::Windows;
use crate::event::Emitter;
use crate::settings::{ConfigError, Errors, validate};
use crate::transport::pool::PoolLimits;

/// The settings of the own hyper client.
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a client is built of them"]
pub struct HyperConfig {
    pub(crate) limits: PoolLimits,
    pub(super) tcp_keepalive: Option<Duration>,
    pub(super) http1_only: bool,
    pub(super) http2_prior_knowledge: bool,
    pub(super) http2_ping_after: Option<Duration>,
    pub(super) http2_ping_timeout: Duration,
    pub(super) http2_windows: Windows,
    pub(super) heads: Heads,
    pub(super) happy_eyeballs: Duration,
    pub(super) resolve: Source,
    pub(super) proxies: Proxies,
    #[cfg(feature = "decompression")]
    pub(super) decompression: bool,
    #[cfg(feature = "redirect")]
    pub(super) max_redirects: u32,
    #[cfg(feature = "redirect")]
    pub(crate) redirects_to: super::redirect::AllowedUris,
    pub(super) tls: super::tls::Settings,
}

impl HyperConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            limits: PoolLimits {
                connect: Some(Duration::from_secs(1)),
                idle: Some(Duration::from_secs(30)),
                life: Some(Duration::from_secs(300)),
                ..PoolLimits::unset()
            },
            tcp_keepalive: Some(Duration::from_secs(30)),
            http1_only: false,
            http2_prior_knowledge: false,
            http2_ping_after: Some(Duration::from_secs(20)),
            http2_ping_timeout: Duration::from_secs(10),
            http2_windows: Windows::default(),
            heads: Heads::default(),
            happy_eyeballs: Duration::from_millis(250),
            resolve: Source::default(),
            proxies: Proxies::default(),
            #[cfg(feature = "decompression")]
            decompression: false,
            #[cfg(feature = "redirect")]
            max_redirects: 0,
            #[cfg(feature = "redirect")]
            redirects_to: super::redirect::AllowedUris::default(),
            tls: super::tls::Settings::default(),
        }
    }

    /// How long the making of a connection may take: name, TCP and TLS together, over all of the
    /// host's addresses; 1 s by default (3 s in the preset `background`), so that an attempt has time
    /// left for another address or another try.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect = Some(limit);
        self
    }

    /// How many connections to one host there may be; without a bound by default, because the
    /// bulkhead has one.
    pub fn max_connections_per_host(mut self, connections: u32) -> Self {
        self.limits.per_host = connections;
        self
    }

    /// How long a request waits for a connection to come free, where there may be no more, or for a
    /// stream of an HTTP/2 connection, of which its host takes so many; until its attempt's limit by
    /// default.
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.limits.acquire = Some(limit);
        self
    }

    /// How old a connection may grow, give or take a fifth, so that a host that moved is followed;
    /// five minutes by default.
    pub fn time_to_live(mut self, life: Duration) -> Self {
        self.limits.life = Some(life);
        self
    }

    /// After how much silence an HTTP/2 connection with requests on it is asked whether it is
    /// still there, and how long it has to answer; 20 s and 10 s by default.
    pub fn http2_ping(mut self, after: Duration, timeout: Duration) -> Self {
        (self.http2_ping_after, self.http2_ping_timeout) = (Some(after), timeout);
        self
    }

    /// How long a connection is kept that nobody uses; 30 s by default, less than most servers keep
    /// one, so that few are found closed.
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle = Some(limit);
        self
    }

    /// How many connections to one host are kept that nobody uses; all by default, because they age
    /// anyway. Over HTTP/2 there is one, which doesn't count.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.limits.idle_per_host = connections;
        self
    }

    /// After how much silence TCP asks whether the peer is still there; 30 s by default, so that a
    /// balancer that forgets silent connections doesn't forget these.
    pub fn tcp_keepalive(mut self, silence: Duration) -> Self {
        self.tcp_keepalive = Some(silence);
        self
    }

    /// How long one of a host's addresses is waited for until the next is tried beside it (RFC 8305,
    /// 5); 250 ms by default, as recommended there.
    ///
    /// All have until the [`connect_timeout`](Self::connect_timeout). Where a host has many addresses,
    /// the waits are shorter: the last begins when no more than half of that limit has passed.
    pub fn happy_eyeballs(mut self, head_start: Duration) -> Self {
        self.happy_eyeballs = head_start;
        self
    }

    /// Who finds hosts' addresses, in place of the system.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolve = Source::own(resolver);
        self
    }

    /// Speaks HTTP/1.1, also to hosts that offer HTTP/2, for one whose HTTP/2 has trouble. By default, the
    /// host decides.
    pub fn http1_only(mut self) -> Self {
        (self.http1_only, self.http2_prior_knowledge) = (true, false);
        self
    }

    /// Speaks HTTP/2 without asking first (RFC 9113, 3.3).
    pub fn http2_prior_knowledge(mut self) -> Self {
        (self.http1_only, self.http2_prior_knowledge) = (false, true);
        self
    }

    /// Asks for answers in gzip, br or zstd, and decodes them; off by default, because it costs time
    /// and whoever reads sizes or checksums of what was sent must not get something else. See
    /// [compressed answers](super#compressed-answers).
    #[cfg(feature = "decompression")]
    pub fn decompression(mut self) -> Self {
        self.decompression = true;
        self
    }

    /// Follows at most ten redirects a request, as many as reqwest; none by default. See
    /// [redirects](super#redirects).
    #[cfg(feature = "redirect")]
    pub fn follow_redirects(self) -> Self {
        self.max_redirects(10)
    }

    /// Follows at most so many redirects a request; 0, which is the default, follows none. An answer
    /// that would be one more is what the caller gets.
    #[cfg(feature = "redirect")]
    pub fn max_redirects(mut self, most: u32) -> Self {
        self.max_redirects = most;
        self
    }

    /// A client with these settings and its own pool. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn build(self) -> Result<HyperTransport, ConfigError> {
        self.check()?;
        Ok(HyperTransport::new(self, Emitter::new()))
    }

    /// Checks the settings, without an integration around them.
    ///
    /// # Errors
    ///
    /// When some can't work (limits of zero, windows that are too large, a proxy that is none): every one of
    /// them is named.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("hyper", |errors| self.check_into(errors))
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.limits.check_into(errors);
        errors.refuse_zero("tcp_keepalive", self.tcp_keepalive);
        errors.refuse_zero("http2_ping", self.http2_ping_after);
        errors.refuse_zero("http2_ping", Some(self.http2_ping_timeout));
        self.http2_windows.check_into(errors);
        self.heads.check_into(errors);
        self.proxies.check_into(errors);
    }
}

impl Default for HyperConfig {
    fn default() -> Self {
        Self::new()
    }
}
