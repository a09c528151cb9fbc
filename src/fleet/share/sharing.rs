//! Keeps the leases of all integrations of this instance.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::demand::Demand;
use super::lease::{LeaseTerms, ShareLease};
use super::store::LeaseRequest;
use crate::event::Event;
use crate::fleet::inner::Inner;
use crate::integration::Integration;
use crate::outbox::{OutboxError, OutboxErrorKind};
use crate::rate_limit::{RateShare, SharedLimit};
use crate::rt::{self, Clock, Lock, Rng};
use crate::terms::fleet::FleetEvent;

/// One integration that uses a part of an account's rate.
struct Holding {
    integration: Arc<str>,
    account: Arc<str>,
    /// Its name in the database. Unlike the names of instances and integrations, it is nobody else's, as two of one
    /// name would both use what one was given.
    name: String,
    limit: SharedLimit,
    demand: Demand,
    lease: ShareLease,
    /// It is told once that there is no lease, and once that there is one again.
    has_ended: Option<bool>,
    /// Why it could not ask the last time.
    failure: Option<String>,
}

/// Asks for leases until the fleet is to stop, and gives them back then.
pub(in crate::fleet) async fn run(inner: &Inner) {
    let terms = LeaseTerms { lease: inner.lease };
    let (mut stop, mut holdings) = (inner.stop.subscribe(), Vec::new());
    let shortage = Arc::new(Notify::new());
    while !*stop.borrow_and_update() {
        // A database that hangs, in the giving of a lease too, doesn't keep it from ending.
        rt::first(stop.changed(), look(inner, terms, &shortage, &mut holdings)).await;
        if *inner.stop.borrow() {
            break;
        }
        let now = rt::now();
        let soonest = holdings.iter().map(|holding| holding.lease.soonest()).min();
        let soonest = rt::after(now, soonest.unwrap_or(terms.look()));
        let next = rt::after(now, inner.rng.about(terms.look())).max(soonest);
        let short = async {
            rt::sleep_until(soonest).await;
            shortage.notified().await;
        };
        let _ = rt::until(Some(next), rt::first(stop.changed(), short)).await;
    }
    let end = rt::after(rt::now(), LAST);
    let leave = async {
        for holding in holdings {
            holding.leave(inner).await;
        }
    };
    // Whoever isn't heard keeps others waiting until its lease has ended.
    let _ = rt::until(Some(end), leave).await;
}

/// Before its first lease, an integration uses a thousandth of its account's rate.
pub(in crate::fleet) fn begin(integration: &Integration, clock: Clock) {
    let Some(limit) = integration.rate_limit().shared_limit() else { return };
    let Some((_, quota)) = limit.account().filter(|_| !limit.is_shared()) else { return };
    // It has no end that matters: it says the same afterwards.
    let lease = ShareLease::new(LeaseTerms::default(), quota, rt::now());
    limit.set(Some(lease.share(clock, rt::now())));
}

async fn look(
    inner: &Inner,
    terms: LeaseTerms,
    shortage: &Arc<Notify>,
    holdings: &mut Vec<Holding>,
) {
    let wanted: Vec<_> =
        inner.integrations().filter_map(|it| Holding::new(inner, terms, &it)).collect();
    let is_gone = |holding: &mut Holding| !wanted.iter().any(|wanted| wanted.is_same(holding));
    let gone: Vec<_> = holdings.extract_if(.., is_gone).collect();
    for wanted in wanted {
        // Integrations that share a limit hold one share.
        if !holdings.iter().any(|holding| holding.is_same(&wanted)) {
            wanted.limit.tell_shortage(shortage);
            // Not the whole rate, however long those before it take.
            wanted.apply(inner.clock);
            holdings.push(wanted);
        }
    }
    for gone in gone {
        gone.leave(inner).await;
    }
    let mut is_away = false;
    for holding in holdings.iter_mut() {
        is_away |= holding.look(inner, terms, is_away).await.is_err_and(|why| is_lost(&why));
    }
    inner.hearing.locked().no_share = holdings.iter().find_map(|it| it.failure.clone());
}

// === impl Holding ===

impl Holding {
    /// What an integration is to hold, if it shares an account's rate.
    fn new(inner: &Inner, terms: LeaseTerms, integration: &Integration) -> Option<Self> {
        let limit = integration.rate_limit().shared_limit()?;
        let (account, quota) = limit.account()?;
        let number = u128::from_be_bytes(Rng::system().id_bytes());
        let name = format!("{}/{}#{number:x}", inner.name, integration.name());
        let (demand, lease) =
            (Demand::new(limit.counts(), rt::now()), ShareLease::new(terms, quota, rt::now()));
        let integration = integration.name().into();
        Some(Self {
            integration,
            account,
            name,
            limit,
            demand,
            lease,
            has_ended: None,
            failure: None,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.limit == other.limit && self.account == other.account
    }

    /// Looks at the demand, and asks for a lease if it is time and the database isn't known to be away.
    async fn look(
        &mut self,
        inner: &Inner,
        terms: LeaseTerms,
        is_away: bool,
    ) -> Result<(), OutboxError> {
        if let Some((_, quota)) = self.limit.account() {
            self.lease.set_quota(quota, rt::now());
        }
        let (counts, share) = (self.limit.counts(), self.lease.using());
        self.demand.observe(counts, share, terms.renewal(), rt::now());
        // It may have to lower its own by itself.
        self.apply(inner.clock);
        let mut done = Ok(());
        for _ in 0..CONFIRMATIONS {
            if is_away || done.is_err() || !self.lease.is_due(self.demand.a_second(), rt::now()) {
                break;
            }
            done = self.renew(inner, terms).await;
            if done.is_err() {
                self.lease.failed(rt::now(), &inner.rng);
            }
            let why = |why: &OutboxError| format!("no share of {:?}: {why}", &*self.account);
            self.failure = done.as_ref().err().map(why);
            // Before it is told that less is used, less is used.
            self.apply(inner.clock);
        }
        self.tell(inner);
        done
    }

    async fn renew(&mut self, inner: &Inner, terms: LeaseTerms) -> Result<(), OutboxError> {
        let asked = (rt::now(), inner.clock.wall());
        let asking = self.lease.ask(self.demand.a_second(), asked.0);
        let (account, holder) = (&*self.account, &*self.name);
        let request = LeaseRequest { account, holder, asking, lease: terms.lease };
        let portion = inner.database.renew_share(&request, &inner.rng).await?;
        self.lease.granted(portion, asked, rt::now(), &inner.rng);
        Ok(())
    }

    fn apply(&self, clock: Clock) {
        let share = self.lease.share(clock, rt::now());
        self.limit.set(Some(RateShare { demand: self.demand.a_second(), ..share }));
    }

    /// Events, once a change.
    fn tell(&mut self, inner: &Inner) {
        let has_ended = self.lease.has_ended(inner.clock, rt::now());
        if self.has_ended.replace(has_ended) != Some(has_ended) {
            let event = if has_ended { FleetEvent::ShareEnded } else { FleetEvent::ShareHeld };
            inner.emitter.renamed(&self.integration).emit(None, || Event::Fleet(event));
        }
    }

    /// Gives the share back. If the integration goes on without one, it uses no more than a thousandth of the rate,
    /// unless it names no account any more.
    async fn leave(mut self, inner: &Inner) {
        self.lease.end(rt::now());
        match self.limit.account() {
            Some(_) => self.apply(inner.clock),
            None => self.limit.set(None),
        }
        // If it isn't heard, others wait until the lease has ended.
        let _ = inner.database.leave_share(&self.account, &self.name).await;
    }
}

/// Whether the others needn't ask now.
fn is_lost(why: &OutboxError) -> bool {
    why.kind() == OutboxErrorKind::Unavailable
}

/// The database's answer may ask for less, which is confirmed at once: others wait for it.
const CONFIRMATIONS: u32 = 3;
/// How long the database has, at the end, to take the shares back.
const LAST: Duration = Duration::from_secs(1);
