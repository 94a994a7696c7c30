//! Programs that the fuzzer's bytes choose build to valid components, or are told what a component cannot do (E04xx).
//! What is made of the bytes, and what is built, is in `scn_stress`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scn_stress::{build, generate_from};

fuzz_target!(|bytes: &[u8]| {
    let text = generate_from(bytes);
    if let Err(why) = build(&text) {
        panic!("{why}\n{text}");
    }
});
