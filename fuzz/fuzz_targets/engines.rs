//! Programs that the fuzzer's bytes choose do the same on all engines. What is made of the bytes, and what is compared,
//! is in `scn_stress`: each program is well typed, so that nothing is wasted on the parser.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scn_stress::{compare, generate_from};

fuzz_target!(|bytes: &[u8]| {
    let text = generate_from(bytes);
    if let Err(why) = compare(&text) {
        panic!("{why}\n{text}");
    }
});
