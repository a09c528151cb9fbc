/// How many connections a pool has, and what became of those that it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolFigures {
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses just now.
    pub idle: u32,
    /// Those of them that carry a request, or whose answer's body is being read.
    pub in_use: u32,
    /// Connections that are being made.
    pub connecting: u32,
    /// Requests that wait for a connection to come free, or for a stream of one.
    pub waiting: u32,
    /// Connections that were made since the pool was.
    pub opened: u64,
    /// Connections that were closed since the pool was made.
    pub closed: Closed,
}

/// Closed connections, by what closed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The peer ended them in an orderly way.
    pub by_peer: u64,
    /// They broke, or were kept as long as one that did and have answered nothing since.
    pub broken: u64,
    /// Nobody used them for too long.
    pub idle: u64,
    /// They were too old.
    pub expired: u64,
    /// A limit passed on them, or their caller went away in the middle; or they were kept as long as
    /// one on which a limit passed, and have answered nothing since.
    pub cut: u64,
    /// They led to the wrong server (421).
    pub misdirected: u64,
    /// There were more than were needed.
    pub surplus: u64,
}
