//! The names of all metrics and labels.
//!
//! Names are OpenTelemetry's or in its style. Prometheus makes underscores of the dots; with the
//! exporter's recommended naming, units and `_total` are appended: `outrigger.calls` is
//! `outrigger_calls_total`, `outrigger.call.duration` is `outrigger_call_duration_seconds`. An
//! OpenTelemetry meter's become the same: what is counted is its unit (`{call}`), which is left out,
//! and none has the unit `1`, which would make a `_ratio` of a gauge.

/// A metric: its name, what it means, and which labels it can have.
///
/// A label without a value is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Metric {
    /// The name, with dots.
    pub name: &'static str,
    /// How it is to be read.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// The labels, with dots.
    pub labels: &'static [&'static str],
    pub(super) help: &'static str,
}

/// How a metric is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down by steps.
    UpDown,
    /// It is set to the present value.
    Gauge,
    /// Many values, by size.
    Histogram,
}

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// So many of these: `call`, `attempt`. Where it is 1 for yes and 0 for no, so many that are so.
    Of(&'static str),
    /// Seconds; of a point in time, since 1970 (UTC).
    Seconds,
}

impl Metric {
    /// What it means, in a sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help.trim_start()
    }
}

macro_rules! metrics {
    ($(#[doc = $help:literal] $(#[cfg($only:meta)])? $id:ident: $kind:ident, $unit:ident $(($of:literal))?, $name:literal, [$($label:ident),*];)*) => {
        $(
            #[doc = $help]
            $(#[cfg($only)])?
            pub const $id: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit $(($of))?,
                labels: &[INTEGRATION, $($label),*],
                help: $help,
            };
        )*

        /// All of them.
        pub const ALL: &[Metric] = &[$($(#[cfg($only)])? $id),*];
    };
}

metrics! {
    // What the provider gets.

    /// How long each attempt took, the answer's body included.
    REQUEST_DURATION: Histogram, Seconds, "http.client.request.duration",
        [METHOD, ADDRESS, PORT, STATUS_CODE, ERROR_TYPE, TEMPLATE, CLASS];
    /// Attempts that are under way.
    ACTIVE_REQUESTS: UpDown, Of("request"), "http.client.active_requests", [METHOD, ADDRESS, PORT];
    /// How long attempts waited for a connection, new or kept; of the integration's own client.
    CONNECTION_WAIT: Histogram, Seconds, "outrigger.connection.wait", [];
    /// Connections that the own client made.
    CONNECTIONS_OPENED: Counter, Of("connection"), "outrigger.connections.opened", [];
    /// Connections of the own client that were closed, by cause.
    CONNECTIONS_CLOSED: Counter, Of("connection"), "outrigger.connections.closed", [REASON];
    /// Redirects that the own client followed, by where they led: `same_origin`, `other_origin`.
    REDIRECTS: Counter, Of("redirect"), "outrigger.redirects", [TO_ORIGIN];
    /// Rotating clients that were to be replaced, by cause; `outrigger.replaced` says whether they were.
    CLIENTS_REPLACED: Counter, Of("client"), "outrigger.clients.replaced", [REASON, REPLACED];

    // What the caller sees.

    /// Calls that are over, by what they came to; a fallback's answer counts as the answer it is.
    CALLS: Counter, Of("call"), "outrigger.calls", [CLASS, REASON];
    /// How long calls took, from the first wait to the end of the answer's body.
    CALL_DURATION: Histogram, Seconds, "outrigger.call.duration", [CLASS];
    /// How many attempts calls took.
    CALL_ATTEMPTS: Histogram, Of("attempt"), "outrigger.call.attempts", [];
    /// Calls with unknown delivery and no successful answer.
    CALLS_UNKNOWN: Counter, Of("call"), "outrigger.calls.unknown", [METHOD];
    /// Calls that a fallback answered, by what they had come to.
    FALLBACK_ANSWERS: Counter, Of("call"), "outrigger.fallback.answers", [CLASS, REASON];
    /// Calls whose fallback had no answer, by what they had come to.
    FALLBACK_FAILURES: Counter, Of("call"), "outrigger.fallback.failures", [CLASS, REASON];

    // What layers did.

    /// Attempts and calls refused here, by cause; a refused attempt may still be retried.
    REJECTIONS: Counter, Of("rejection"), "outrigger.rejections", [REASON];
    /// Retries that were decided on, by what the attempt before them came to: not all are waited for.
    RETRIES: Counter, Of("attempt"), "outrigger.retries", [CLASS, REASON];
    /// Failures that were final, by why there was no other attempt.
    RETRIES_GIVEN_UP: Counter, Of("call"), "outrigger.retries.given_up", [REASON];
    /// Second requests that were sent beside slow ones.
    HEDGES_SENT: Counter, Of("request"), "outrigger.hedges.sent", [];
    /// Second requests' races that were decided, by the winner: `first` or `second`.
    HEDGES_FINISHED: Counter, Of("request"), "outrigger.hedges.finished", [WINNER];
    /// Second requests that would have been sent, by why they weren't.
    HEDGES_SKIPPED: Counter, Of("request"), "outrigger.hedges.skipped", [REASON];
    /// Changes of the circuit breaker's state, by the new state.
    BREAKER_CHANGES: Counter, Of("change"), "outrigger.breaker.changes", [STATE];
    /// Attempts that a breaker in report-only mode would have refused.
    BREAKER_WOULD_REJECT: Counter, Of("attempt"), "outrigger.breaker.would_reject", [];
    /// How long attempts waited until the provider answered again, of those that were held.
    BREAKER_WAIT: Histogram, Seconds, "outrigger.breaker.wait", [];
    /// How long attempts waited for a place, of those that had to.
    BULKHEAD_WAIT: Histogram, Seconds, "outrigger.bulkhead.wait", [];
    /// How long attempts waited for their turn under the rate limit, of those that had to.
    RATE_LIMIT_WAIT: Histogram, Seconds, "outrigger.rate_limit.wait", [];
    /// Pauses that the provider asked for.
    RATE_LIMIT_PAUSES: Counter, Of("pause"), "outrigger.rate_limit.pauses", [];
    /// Moves of the kill switch, by where it went.
    KILL_SWITCH_CHANGES: Counter, Of("change"), "outrigger.kill_switch.changes", [MODE];
    /// Times that what moves the kill switch became unreadable, by why.
    KILL_SWITCH_SOURCE_FAILURES: Counter, Of("failure"), "outrigger.kill_switch.source_failures", [REASON];
    /// Calls that a cache answered or let pass, by what it did.
    CACHE_ANSWERS: Counter, Of("call"), "outrigger.cache.answers", [OUTCOME];
    /// How old the stored answers were that a cache gave, by what it did.
    CACHE_AGE: Histogram, Seconds, "outrigger.cache.age", [OUTCOME];
    /// Background refreshes of stored answers that have ended, by whether the provider answered.
    CACHE_REFRESHES: Counter, Of("refresh"), "outrigger.cache.refreshes", [ANSWERED];
    /// Copies of calls that were answered, by class and whether the answer agreed with the real one.
    MIRROR_ANSWERS: Counter, Of("answer"), "outrigger.mirror.answers", [CLASS, AGREES];
    /// Calls that should have been copied and weren't.
    MIRROR_SKIPPED: Counter, Of("call"), "outrigger.mirror.skipped", [];
    /// What people did on the console, or had no right to, by right and what it came to; of the integration or the lane.
    #[cfg(feature = "console")]
    CONSOLE_ACTS: Counter, Of("act"), "outrigger.console.acts", [RIGHT, OUTCOME];
    /// Acts that the console refused before it knew the right, by why; of no integration.
    #[cfg(feature = "console")]
    CONSOLE_REFUSED: Counter, Of("act"), "outrigger.console.refused", [REASON];
    /// Messages of an outbox that died, by why: a person has to decide about each.
    #[cfg(feature = "outbox")]
    OUTBOX_PARKED: Counter, Of("message"), "outrigger.outbox.parked", [REASON];
    /// What else happened to messages of an outbox: `running_out`, `recovered`, `late_success`, `lease_lost`, `lane_paused`, `key_missing`, `store_failing`, `store_back`.
    #[cfg(feature = "outbox")]
    OUTBOX_EVENTS: Counter, Of("message"), "outrigger.outbox.events", [REASON];
    /// Injected faults, by kind.
    FAULT_INJECTION_FAULTS: Counter, Of("fault"), "outrigger.fault_injection.faults", [FAULT];
    /// Correlation ids from outside that were not fit to be sent on.
    CORRELATION_REPLACED: Counter, Of("call"), "outrigger.correlation.replaced", [];
    /// Tokens that were fetched, or confirmed.
    TOKEN_REFRESHES: Counter, Of("refresh"), "outrigger.token.refreshes", [];
    /// Tokens that could not be fetched, by why: `transient` ends by itself.
    TOKEN_REFRESH_FAILURES: Counter, Of("failure"), "outrigger.token.refresh_failures", [REASON];
    /// Attempts that were sent with a token that has ended, because its issuer is down.
    TOKEN_SERVED_EXPIRED: Counter, Of("attempt"), "outrigger.token.served_expired", [];
    /// Attempts whose token the provider refused.
    TOKEN_REFUSALS: Counter, Of("attempt"), "outrigger.token.refusals", [];
    /// Loads of a local copy that have ended, by what they came to: `changed`, `unchanged`, `failed`, `timed_out`, `panicked`, `refused`.
    LOCAL_COPY_LOADS: Counter, Of("load"), "outrigger.local_copy.loads", [COPY, OUTCOME];
    /// Snapshots of a local copy that were not read or not written, by why.
    LOCAL_COPY_SNAPSHOT_FAILURES: Counter, Of("failure"), "outrigger.local_copy.snapshot_failures", [COPY, REASON];
    /// Attempts that could not be signed, and were refused here.
    SIGNING_FAILURES: Counter, Of("attempt"), "outrigger.signing.failures", [];
    /// Attempts that the provider refused because its clock differs from ours.
    SIGNING_CLOCK_SKEWS: Counter, Of("attempt"), "outrigger.signing.clock_skews", [];
    /// Answers that checks looked at, by check and verdict; also of checks that only tell.
    VALIDATION_ANSWERS: Counter, Of("answer"), "outrigger.validation.answers", [CHECK, VERDICT];
    /// Changes of the provider's API that answers showed, by kind; each is told once a day.
    DRIFT_NOTICED: Counter, Of("change"), "outrigger.drift.noticed", [DRIFT];
    /// Times that other settings were applied.
    SETTINGS_APPLIED: Counter, Of("change"), "outrigger.settings.applied", [];

    // How it is: gauges, as of the last look at the registry.

    /// 1 for the status that it has, 0 for the others: `up`, `degraded`, `down`, `stopped`.
    STATUS: Gauge, Of("integration"), "outrigger.status", [STATUS_WORD];
    /// Since when it has its status; 0 where that is not known.
    STATUS_SINCE: Gauge, Seconds, "outrigger.status.since", [];
    /// 1 for controls that somebody has moved from their default.
    CONTROL_MOVED: Gauge, Of("control"), "outrigger.control.moved", [CONTROL];
    /// 1 for controls whose source can't be read, although it should be there.
    CONTROL_TROUBLE: Gauge, Of("control"), "outrigger.control.trouble", [CONTROL];
    /// 1 for the kill switch's mode, 0 for the others.
    KILL_SWITCH_MODE: Gauge, Of("control"), "outrigger.kill_switch.mode", [MODE];
    /// 1 while faults are injected.
    FAULT_INJECTION_ON: Gauge, Of("fault_injection"), "outrigger.fault_injection.on", [];
    /// 1 for the circuit breaker's state, 0 for the others.
    BREAKER_STATE: Gauge, Of("breaker"), "outrigger.breaker.state", [STATE];
    /// For how long the circuit breaker has not been closed; 0 while it is.
    BREAKER_OPEN_TIME: Gauge, Seconds, "outrigger.breaker.open_time", [];
    /// Attempts that wait until the provider answers again.
    BREAKER_HELD: Gauge, Of("attempt"), "outrigger.breaker.held", [];
    /// 1 while most instances of a fleet found that nothing answers, so that fewer failures open the circuit breaker.
    BREAKER_HINTED: Gauge, Of("breaker"), "outrigger.breaker.hinted", [];
    /// Retries that are saved up in the budget, where it has a limit.
    RETRY_BUDGET: Gauge, Of("attempt"), "outrigger.retry.budget", [];
    /// Places, where there is a bound on them.
    BULKHEAD_LIMIT: Gauge, Of("attempt"), "outrigger.bulkhead.limit", [];
    /// Places that are taken.
    BULKHEAD_IN_USE: Gauge, Of("attempt"), "outrigger.bulkhead.in_use", [];
    /// Attempts that wait for a place.
    BULKHEAD_WAITING: Gauge, Of("attempt"), "outrigger.bulkhead.waiting", [];
    /// The time between two requests; 0 where nothing limits them.
    RATE_LIMIT_INTERVAL: Gauge, Seconds, "outrigger.rate_limit.interval", [];
    /// For how long everybody is stopped yet, because the provider asked for it.
    RATE_LIMIT_PAUSED: Gauge, Seconds, "outrigger.rate_limit.paused", [];
    /// Attempts that wait for their turn.
    RATE_LIMIT_WAITING: Gauge, Of("attempt"), "outrigger.rate_limit.waiting", [];
    /// Requests a second that this instance may send of an account's rate; 0 where no fleet shares one.
    RATE_LIMIT_SHARE: Gauge, Of("request"), "outrigger.rate_limit.share", [];
    /// Requests a second that its calls asked for lately; 0 where no fleet shares a rate.
    RATE_LIMIT_DEMAND: Gauge, Of("request"), "outrigger.rate_limit.demand", [];
    /// After how long a second request goes out; 0 where none does.
    HEDGE_DELAY: Gauge, Seconds, "outrigger.hedge.delay", [];
    /// The share of calls that is copied, from 0 to 1.
    MIRROR_SHARE: Gauge, Of("share"), "outrigger.mirror.share", [];
    /// URIs of which a cache has answers stored.
    CACHE_KEYS: Gauge, Of("key"), "outrigger.cache.keys", [];
    /// Of these and others that were asked for, those whose last fetches have failed within ten minutes.
    CACHE_FAILING: Gauge, Of("key"), "outrigger.cache.failing", [];
    /// The bytes that they take.
    CACHE_BYTES: Gauge, Of("byte"), "outrigger.cache.stored", [];
    /// The own client's connections: `idle`, `in_use`, `connecting`.
    POOL_CONNECTIONS: Gauge, Of("connection"), "outrigger.pool.connections", [STATE];
    /// Attempts that wait for a connection.
    POOL_WAITING: Gauge, Of("attempt"), "outrigger.pool.waiting", [];
    /// How many seconds the provider's clock is ahead of ours, as it said when it refused a signature; less than 0 where it is behind.
    SIGNING_CLOCK_AHEAD: Gauge, Seconds, "outrigger.signing.clock_ahead", [];
    /// 1 while answers have another version of the API than the pinned one.
    PIN_DIFFERS: Gauge, Of("pin"), "outrigger.pin.differs", [PIN];
    /// When the first of its certificates ends; 0 where none is known.
    CREDENTIAL_EXPIRY: Gauge, Seconds, "outrigger.credential.expiry", [CREDENTIAL];
    /// 1 for the state of a local copy, 0 for the others: `empty`, `current`, `late` (no load has succeeded for two intervals), `expired` (not served any more).
    LOCAL_COPY_STATE: Gauge, Of("copy"), "outrigger.local_copy.state", [COPY, STATE];
    /// The time since the begin of the last load of a local copy that succeeded.
    LOCAL_COPY_AGE: Gauge, Seconds, "outrigger.local_copy.age", [COPY];
    /// When that load began; 0 if there is no copy yet.
    LOCAL_COPY_LAST_SUCCESS: Gauge, Seconds, "outrigger.local_copy.last_success", [COPY];
    /// How many entries a local copy has.
    LOCAL_COPY_ENTRIES: Gauge, Of("entry"), "outrigger.local_copy.entries", [COPY];
    /// 1 if the last load of a local copy came to nothing for this reason: `failed`, `timed_out`, `panicked`, `refused` (by the guard).
    LOCAL_COPY_FAILING: Gauge, Of("copy"), "outrigger.local_copy.failing", [COPY, REASON];
    /// Hosts and endpoints whose answers showed a change of the provider's API within the last 35 days, by kind.
    DRIFT_ENDPOINTS: Gauge, Of("endpoint"), "outrigger.drift.endpoints", [DRIFT];
    /// When the first endpoint will be gone, as its `Sunset` says; 0 where none is known.
    DRIFT_SUNSET: Gauge, Seconds, "outrigger.drift.sunset", [];
    /// 1 while this instance obeys its fleet, 0 while it doesn't, or hasn't heard it yet. Summed up over instances: how many obey.
    FLEET_OBEYS: Gauge, Of("instance"), "outrigger.fleet.obeys", [];
    /// The time since this instance has heard its fleet, by its database.
    FLEET_HEARD_AGO: Gauge, Seconds, "outrigger.fleet.heard_ago", [];
    /// Messages in a lane of an outbox, by state: `ready`, and of these `due`; `leased` (with a worker); and of the open ones `polling` (accepted, and the result is missing) and `unknown` (perhaps done already).
    OUTBOX_MESSAGES: Gauge, Of("message"), "outrigger.outbox.messages", [LANE, STATE];
    /// Dead messages of a lane, by why: each waits for a person.
    OUTBOX_DEAD: Gauge, Of("message"), "outrigger.outbox.dead", [LANE, REASON];
    /// How long the oldest message of a lane waits to be delivered.
    OUTBOX_OLDEST: Gauge, Seconds, "outrigger.outbox.oldest", [LANE];
    /// How long a message of a lane has been dead without anybody deciding about it, at most.
    OUTBOX_OLDEST_DEAD: Gauge, Seconds, "outrigger.outbox.oldest_dead", [LANE];
    /// 1 while a lane pauses.
    OUTBOX_PAUSED: Gauge, Of("lane"), "outrigger.outbox.paused", [LANE];
}

macro_rules! labels {
    ($($(#[doc = $help:literal])+ $id:ident = $name:literal;)*) => {
        $($(#[doc = $help])+ pub const $id: &str = $name;)*
    };
}

labels! {
    /// A local copy's name.
    COPY = "outrigger.copy";
    /// An outbox's lane.
    LANE = "outrigger.lane";
    /// The integration's name.
    INTEGRATION = "outrigger.integration";
    /// The method, or `_OTHER`.
    METHOD = "http.request.method";
    /// The host, or `_OTHER`.
    ADDRESS = "server.address";
    /// The port, or `_OTHER`.
    PORT = "server.port";
    /// The answer's status, if there was an answer.
    STATUS_CODE = "http.response.status_code";
    /// What failed, in the words of spans: a status, or `attempt_timeout`, `connection_reset`,
    /// `_OTHER`; left out where nothing did, or where whoever asked went away.
    ERROR_TYPE = "error.type";
    /// The path's template, where the request had one.
    TEMPLATE = "url.template";
    /// What it came to: `success`, `partial`, `client_error` (ours to mend), `throttled`,
    /// `server_error`, `unauthorized`, `invalid_answer`, `timeout`, `transport`, `rejected`,
    /// `unsendable_request`, `_OTHER`, `abandoned` (the caller left), `overtaken` (by the other of two
    /// requests).
    CLASS = "outrigger.class";
    /// More exactly, in the word that `error.type` has: which timeout, which fault of a connection, why
    /// a layer refused. Or why there was no other attempt, what closed a connection, why the console refused an act.
    REASON = "outrigger.reason";
    /// A circuit breaker's, a connection's, a message's or a local copy's state.
    STATE = "outrigger.state";
    /// A kill switch's mode.
    MODE = "outrigger.mode";
    /// How an integration is, in a word.
    STATUS_WORD = "outrigger.status";
    /// What ends some day: `server_certificate` (the provider's), `client_certificate` (ours).
    CREDENTIAL = "outrigger.credential";
    /// The header or the parameter of the query by which a pinned version is asked for.
    PIN = "outrigger.pin";
    /// What answers show of a change: `deprecation`, `sunset`, `deprecation_link`, `sunset_link`,
    /// `successor_version`, `warning`, `notice`, `media_type`, `new_field`, `field_gone`, `type_changed`,
    /// `new_null`, `new_value`.
    DRIFT = "outrigger.drift";
    /// A control's name.
    CONTROL = "outrigger.control";
    /// An injected fault.
    FAULT = "outrigger.fault";
    /// Whether a redirect led to another origin.
    TO_ORIGIN = "outrigger.to_origin";
    /// Which of two requests was answered first.
    WINNER = "outrigger.winner";
    /// `yes`, `no`, or `not_compared`.
    AGREES = "outrigger.agrees";
    /// What a cache did: `hit`, `stale_while_revalidate`, `stale_if_error`, `stale_accepted`,
    /// `revalidated`, `collapsed`, `miss`, `bypass`. What a load of a local copy came to: `changed`,
    /// `unchanged`, `failed`, `timed_out`, `panicked`, `refused`. What an act on the console came to: `done`,
    /// `not_allowed`, `failed`.
    OUTCOME = "outrigger.outcome";
    /// By which right somebody acted on the console: `reveal`, `steer`, `replay`, `discard`, `configure`.
    RIGHT = "outrigger.right";
    /// A check's name.
    CHECK = "outrigger.check";
    /// What a check said: `pass`, `partial`, `transient`, `permanent`, `throttled`, `unauthorized`,
    /// `invalid`, `unchecked`.
    VERDICT = "outrigger.verdict";
    /// `yes` or `no`.
    ANSWERED = "outrigger.answered";
    /// `yes` or `no`.
    REPLACED = "outrigger.replaced";
}

/// Buckets for durations: those that OpenTelemetry advises for requests, and more at the long end,
/// where jobs wait.
pub const SECONDS: [f64; 17] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
    300.0,
];

/// Buckets for the number of attempts.
pub const ATTEMPTS: [f64; 8] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0];
