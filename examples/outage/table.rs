use std::fmt::Write;
use std::time::Duration;

use crate::clients::Kind;
use crate::figures::Figures;
use crate::tally::Outcome;

/// What is printed of one client.
pub(crate) struct Column {
    pub(crate) kind: Kind,
    pub(crate) a_second: u64,
    pub(crate) figures: Figures,
}

/// One line: its title, and how a client's cell comes about.
type Row = (&'static str, fn(&Column) -> String);

/// All figures, a client a column.
pub(crate) fn table(columns: &[Column]) -> String {
    let mut text = format!("{:<WIDE$}", "");
    for column in columns {
        let _ = write!(text, "{:>NARROW$}", format!("{}/s", column.a_second));
    }
    let _ = write!(text, "\n{:<WIDE$}", "");
    for column in columns {
        let _ = write!(text, "{:>NARROW$}", column.kind.name());
    }
    for (title, cell) in ROWS {
        let _ = write!(text, "\n{title:<WIDE$}");
        for column in columns {
            let _ = write!(text, "{:>NARROW$}", cell(column));
        }
    }
    text + NOTES
}

/// What must not happen to ours, in a sentence each.
pub(crate) fn broken(columns: &[Column]) -> Vec<String> {
    let ours = columns.iter().filter(|column| column.kind.is_ours());
    ours.flat_map(|column| {
        let figures = &column.figures;
        let is_lost = column.kind.is_jobs() || column.kind == Kind::Cached;
        let lost = if is_lost { figures.lost() } else { 0 };
        let counted = [
            (figures.charged_twice, "orders were charged twice"),
            (figures.refused_while_well(), "calls were refused while the provider was well"),
            (
                lost,
                if column.kind == Kind::Cached { "rates weren't told" } else { "jobs were lost" },
            ),
        ];
        let client = format!("{} at {} a second", column.kind.name(), column.a_second);
        counted
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(move |(count, what)| format!("{client}: {count} {what}"))
    })
    .collect()
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper",
            Self::Naive => "naive loop",
            Self::UserFlow => "user_flow",
            Self::Background => "background",
            Self::Cached => "with cache",
            Self::Outbox => "outbox",
        }
    }

    fn is_ours(self) -> bool {
        !matches!(self, Self::Bare | Self::Naive)
    }

    /// Whether nobody waits for its calls.
    fn is_jobs(self) -> bool {
        matches!(self, Self::Background | Self::Outbox)
    }
}

/// A cell that only jobs have, or only persons' calls.
fn only(which: bool, cell: impl FnOnce() -> String) -> String {
    if which { cell() } else { "-".to_owned() }
}

fn seconds(time: Option<Duration>, otherwise: &str) -> String {
    time.map_or(otherwise.to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
}

const ROWS: [Row; 16] = [
    ("calls", |of| of.figures.calls().to_string()),
    ("answered, of all of them", |of| of.figures.answered().to_string()),
    ("could be answered (1)", |of| of.figures.could_be_answered().0.to_string()),
    ("  answered of these", |of| {
        let (could, answered) = of.figures.could_be_answered();
        format!("{:.1} %", answered as f64 * 100.0 / could.max(1) as f64)
    }),
    ("  of an earlier time, by the cache", |of| {
        only(of.kind == Kind::Cached, || of.figures.stale().0.to_string())
    }),
    ("  the oldest of these", |of| {
        only(of.kind == Kind::Cached, || seconds(of.figures.stale().1, "none"))
    }),
    ("from recovery to a second at 99 %", |of| {
        only(!of.kind.is_jobs(), || seconds(of.figures.recovered_after(), "never"))
    }),
    ("wait of calls that came to nothing, mean", |of| {
        seconds(of.figures.waits_in_vain().map(|(mean, _)| mean), "none")
    }),
    ("                                    p99", |of| {
        seconds(of.figures.waits_in_vain().map(|(_, p99)| p99), "none")
    }),
    ("requests to the provider while down", |of| of.figures.requests_while_down.to_string()),
    ("requests in the worst second", |of| of.figures.requests_in_the_worst_second.to_string()),
    ("refused though the provider was well (2)", |of| of.figures.refused_while_well().to_string()),
    ("orders charged twice", |of| of.figures.charged_twice.to_string()),
    ("charges of unknown outcome", |of| of.figures.came_to(Outcome::Unknown).to_string()),
    ("jobs lost for good", |of| only(of.kind.is_jobs(), || of.figures.lost().to_string())),
    ("last waiting job done, after recovery", |of| {
        only(of.kind.is_jobs(), || seconds(of.figures.last_held(), "never"))
    }),
];

const NOTES: &str = "\n
(1) all made while the provider was well, and as many of the brownout and the rate limit as it had answers for
(2) healthy, or back for a second";
/// The width of the titles, and of a column.
const WIDE: usize = 42;
const NARROW: usize = 11;
