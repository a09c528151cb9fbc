//! What a call costs in instructions and in allocations, beside what it costs through tower's layers.
//!
//! `cargo bench --bench cost` prints one table. Both counts are the same on every run, whatever else
//! the machine does, up to a few instructions that depend on the time. Allocations are counted
//! everywhere; instructions where valgrind is installed: the bench runs itself again under callgrind.
//!
//! A call is a GET with four headers, made in the count, and its answer's body of 200 bytes, read to
//! the end. What a bare service costs for the same is taken off; where a call is refused, only what
//! making the request costs.

mod callgrind;
#[cfg(feature = "cache")]
mod hits;
mod provider;
mod refusals;
mod retries;
mod subjects;
mod table;
mod tower_stacks;

use provider::Way;
use subjects::Subject;
use table::Row;

/// Calls before the count, so that pools are filled and maps have grown.
const WARM_UP: u32 = 64;
/// Calls in the count.
const CALLS: u32 = 64;
/// Calls in the count where each waits for a timer.
const SLOW_CALLS: u32 = 16;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runtime: &'static _ = Box::leak(Box::new(runtime));
    let _context = runtime.enter();
    let ways = [Way::Ready, Way::Yield].map(|way| subjects::all(way, runtime));
    if callgrind::is_inside() {
        ways.into_iter().flatten().for_each(|mut subject| subject.count());
        return;
    }
    let instructions = callgrind::instructions();
    let mut instructions = instructions.into_iter().flatten();
    let ways = ways.map(|subjects| {
        let row = |mut subject: Subject| {
            let allocations = subject.allocations();
            // Without valgrind there are none to take.
            Row::new(subject, allocations, instructions.next())
        };
        subjects.into_iter().map(row).collect::<Vec<_>>()
    });
    table::print(&ways);
}
