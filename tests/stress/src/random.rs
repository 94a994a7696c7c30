//! Choices: the bytes of a fuzzer as long as there are some, then a stream of numbers that is the same everywhere
//! (splitmix64, Steele, Lea and Flood 2014).

use std::collections::VecDeque;

/// A stream of choices.
pub struct Random {
    bytes: VecDeque<u8>,
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random {
            bytes: VecDeque::new(),
            state: seed,
        }
    }

    /// Choices that bytes make: another byte makes much the same program.
    pub fn from_bytes(bytes: &[u8]) -> Random {
        Random {
            bytes: bytes.iter().copied().collect(),
            state: 0,
        }
    }

    /// Uniform enough in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        if let Some(byte) = self.bytes.pop_front() {
            return usize::from(byte) % bound;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z % bound as u64) as usize
    }

    /// One time of so many.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
