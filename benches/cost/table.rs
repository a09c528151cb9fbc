//! The table: what is over the bare service, and its ratios to tower's two stacks.

use crate::subjects::{Over, Subject};

/// What one subject cost a call.
pub(crate) struct Row {
    name: &'static str,
    over: Over,
    allocations: f64,
    instructions: Option<f64>,
}

impl Row {
    pub(crate) fn new(subject: Subject, allocations: u64, instructions: Option<u64>) -> Self {
        let calls = f64::from(subject.calls);
        Self {
            name: subject.name,
            over: subject.over,
            allocations: allocations as f64 / calls,
            instructions: instructions.map(|all| all as f64 / calls),
        }
    }
}

/// One table for each of the provider's ways, side by side.
pub(crate) fn print(ways: &[Vec<Row>; 2]) {
    println!(
        "instructions and allocations a call, over a bare service; ratios to tower's stack without and with ids"
    );
    println!("{:<44} {:^42} {:^42}", "", "answered at once", "answered at the second poll");
    let columns =
        format!("{:>9} {:>9} {:>6} {:>6} {:>8}", "all", "over bare", "tower", "+ids", "allocs");
    println!("{:<44} {columns} {columns}", "");
    for (ready, yields) in ways[0].iter().zip(&ways[1]) {
        println!("{:<44} {} {}", ready.name, cells(ready, &ways[0]), cells(yields, &ways[1]));
    }
}

fn cells(row: &Row, rows: &[Row]) -> String {
    let of = |name: &str| rows.iter().find(|row| row.name == name);
    let bare = row.over.name().and_then(of);
    let allocations = row.allocations - bare.map_or(0.0, |bare| bare.allocations);
    let allocations = format!("{:>8}", (allocations * 10.0).round() / 10.0);
    let Some(all) = row.instructions else {
        return format!("{:>9} {:>9} {:>6} {:>6} {allocations}", "-", "-", "-", "-");
    };
    let over = |row: &Row| {
        let bare = row.over.name().and_then(of).and_then(|bare| bare.instructions);
        Some(row.instructions? - bare.unwrap_or(0.0))
    };
    let ratio = |name| {
        let ratio = over(row).zip(of(name).and_then(over)).map(|(own, tower)| own / tower);
        ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"))
    };
    let (without, with) = match bare {
        Some(_) => (ratio("tower"), ratio("tower + request id")),
        None => (String::new(), String::new()),
    };
    let over = over(row).unwrap_or_default();
    format!("{all:>9.0} {over:>9.0} {without:>6} {with:>6} {allocations}")
}
