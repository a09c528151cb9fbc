#![no_main]

use libfuzzer_sys::fuzz_target;
use outrigger::validate::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::duplicates(bytes);
});
