//! What a provider does wrong.

/// A fault, as the provider acts it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody listens.
    Refuses,
    /// Ends each connection before anything is read.
    ClosesAtOnce,
    /// Breaks each connection before anything is read.
    ResetsAtOnce,
    /// Takes the connection, and never reads.
    NeverReads,
    /// Reads the head alone, and breaks the connection.
    ResetsAfterHead,
    /// Does what is asked, and then this.
    Done(After),
    /// Answers by this status, and no more.
    Says(u16),
    /// Does what is asked, and points elsewhere.
    Points(u16, To),
    /// HTTP/2: ends the stream in this way, with the request done or not.
    Stream { done: bool, reason: u32 },
    /// HTTP/2: says that it takes no more than what it has, this request left out or not.
    GoAway { done: bool },
    /// Ends a connection that was kept when the next request comes.
    ClosesKept,
    /// TLS: ends the handshake midway.
    BreaksHandshake,
    /// TLS: shows a certificate of another name.
    IsSomebodyElse,
}

/// What comes after the request was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Closes,
    Resets,
    Silence,
    HalfHead,
    HalfHeadAndSilence,
    Garbage,
    HalfBody,
    HalfBodyAndSilence,
    BrokenChunk,
    Drip,
    /// 100 and 103 before the answer.
    Early,
    /// The answer, and the end of the connection without a word.
    AnswersAndCloses,
}

/// Where an answer points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Another page, which answers by this status.
    Page(u16),
    /// The same page.
    Itself,
    /// A port on which nobody listens.
    Nobody,
    /// A name that nobody has.
    NoName,
    /// What is no web page.
    App,
}

/// Every fault that can be acted out on each way; those of one way alone are left out elsewhere.
pub(crate) fn all() -> Vec<Fault> {
    use After::*;
    let mut faults = vec![
        Fault::Refuses,
        Fault::ClosesAtOnce,
        Fault::ResetsAtOnce,
        Fault::NeverReads,
        Fault::ResetsAfterHead,
        Fault::ClosesKept,
        Fault::BreaksHandshake,
        Fault::IsSomebodyElse,
        Fault::GoAway { done: false },
        Fault::GoAway { done: true },
    ];
    let afters = [
        Closes,
        Resets,
        Silence,
        HalfHead,
        HalfHeadAndSilence,
        Garbage,
        HalfBody,
        HalfBodyAndSilence,
        BrokenChunk,
        Drip,
        Early,
        AnswersAndCloses,
    ];
    faults.extend(afters.map(Fault::Done));
    let statuses = [204, 304, 400, 401, 404, 408, 409, 413, 421, 422, 425, 429, 500, 502, 503, 504];
    faults.extend(statuses.map(Fault::Says));
    for status in [301, 302, 303, 307, 308] {
        let places = [To::Page(200), To::Page(421), To::Itself, To::Nobody, To::NoName, To::App];
        faults.extend(places.map(|to| Fault::Points(status, to)));
    }
    for reason in [REFUSED_STREAM, INTERNAL_ERROR, CANCEL, HTTP_1_1_REQUIRED] {
        let done = reason != REFUSED_STREAM && reason != HTTP_1_1_REQUIRED;
        faults.push(Fault::Stream { done, reason });
    }
    faults
}

pub(crate) const INTERNAL_ERROR: u32 = 0x2;
pub(crate) const REFUSED_STREAM: u32 = 0x7;
pub(crate) const CANCEL: u32 = 0x8;
pub(crate) const HTTP_1_1_REQUIRED: u32 = 0xd;
