//! Programs that the fuzzer's bytes choose build to valid components, or are told what a component cannot do (E04xx).
//! The first byte says what they are: made of nothing, or a mutant of a program of this repository. What is made of the
//! bytes, and what is built, is in `scn_stress`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scn_stress::{Https, build, build_with, generate_from, mutate};

fuzz_target!(|bytes: &[u8]| {
    let (form, bytes) = bytes.split_first().unwrap_or((&0, bytes));
    let text = match form % 4 {
        0 => generate_from(bytes),
        _ => mutate(bytes),
    };
    let built = match form % 8 {
        7 => build_with(&text, Https::WasiHttp),
        _ => build(&text),
    };
    if let Err(why) = built {
        panic!("{why}\n{text}");
    }
});
