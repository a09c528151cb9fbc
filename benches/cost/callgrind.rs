//! Instructions, counted by valgrind's callgrind in a second run of this program.

use std::path::Path;
use std::process::{Command, Stdio};

/// Set in the second run.
const INSIDE: &str = "OUTRIGGER_COST_INSIDE";

/// Each switches the count when it is entered and when it is left: on, off, and for what the counting
/// allocator adds to an allocation off and on again.
const TOGGLES: [&str; 5] = [
    "cost::callgrind::counted",
    "cost::callgrind::uncounted",
    "*CountingAllocator as core::alloc::global::GlobalAlloc*",
    "malloc",
    "free",
];

/// Whether this is the second run.
pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// All that is counted happens in here: callgrind knows it by its name.
#[inline(never)]
pub(crate) fn counted(calls: u32, call: &mut dyn FnMut()) {
    (0..calls).for_each(|_| call());
    std::hint::black_box(calls);
}

/// What happens in here is not counted, though it is called from what is.
#[inline(never)]
pub(crate) fn uncounted(run: &dyn Fn()) {
    run();
    std::hint::black_box(0);
}

/// The instructions of each [`counted`] of a run in callgrind, in their order. `None` without valgrind.
pub(crate) fn instructions() -> Option<Vec<u64>> {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("valgrind is not installed: no instructions are counted, allocations only.\n");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("outrigger-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        // What a warm-up leaves uncounted, callgrind takes for the contrary.
        .arg("--zero-before=cost::callgrind::counted")
        .arg("--dump-after=cost::callgrind::counted")
        .args(TOGGLES.map(|function| format!("--toggle-collect={function}")))
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts = (1..).map_while(|part| total(&folder.join(format!("out.{part}")))).collect();
    std::fs::remove_dir_all(&folder).unwrap();
    Some(counts)
}

/// What one of callgrind's files sums up to.
fn total(file: &Path) -> Option<u64> {
    let profile = std::fs::read_to_string(file).ok()?;
    let line = profile.lines().find_map(|line| line.strip_prefix("summary: "));
    let line = line.or_else(|| profile.lines().find_map(|line| line.strip_prefix("totals: ")));
    Some(line.expect("callgrind writes a sum").trim().parse().expect("the sum is a number"))
}
