//! Pins worker threads to cores, where there is one for each.

use std::mem;

/// Pins this thread to the core of its number among those that the process may use. With more workers than cores, or
/// fewer, the scheduler does better.
pub(super) fn to_core(worker: u32, workers: u32) {
    let cores = cores();
    if cores.len() == workers as usize {
        // Where this is refused, the thread runs anywhere.
        pin(cores[worker as usize]);
    }
}

/// The cores that the process may use.
pub(super) fn cores() -> Vec<usize> {
    // SAFETY: a cpu_set_t is plain bits, and the call fills as many bytes as it is given.
    let set = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set);
        set
    };
    // SAFETY: the index is below the size of the set.
    (0..libc::CPU_SETSIZE as usize)
        .filter(|core| unsafe { libc::CPU_ISSET(*core, &set) })
        .collect()
}

fn pin(core: usize) {
    // SAFETY: a cpu_set_t is plain bits; the core is one that the system named; 0 is this thread.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}
