#![no_main]

#[path = "../signature.rs"]
mod signature;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    signature::holds(bytes);
});
