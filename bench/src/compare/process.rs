//! What the system says about a running process: memory and time on a processor.

use std::time::Duration;

/// Resident memory now and at its highest, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// VmRSS.
    pub(crate) now: u64,
    /// VmHWM.
    pub(crate) peak: u64,
}

/// The memory of a process; none when it has ended.
pub(crate) fn memory(process: u32) -> Option<Memory> {
    parse_status(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn parse_status(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        now: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// Time that the threads of a process spent on processors, to the nanosecond. Threads that ended are not in it.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let nanos = threads.flatten().filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        parse_schedstat(&text)
    });
    Some(Duration::from_nanos(nanos.sum()))
}

fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status() {
        let text = "Name:\twrk\nVmPeak:\t  9000 kB\nVmHWM:\t    5200 kB\nVmRSS:\t    5100 kB\nThreads:\t2\n";
        let wanted = Memory {
            now: 5100,
            peak: 5200,
        };
        assert_eq!(parse_status(text), Some(wanted));
        assert_eq!(parse_status("Name:\tgone\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn processor_time_is_the_first_number() {
        assert_eq!(parse_schedstat("123456789 4567 89\n"), Some(123_456_789));
        assert_eq!(parse_schedstat(""), None);
    }

    #[test]
    fn this_process_has_memory_and_used_time() {
        let own = std::process::id();
        assert!(memory(own).expect("it runs").now > 0);
        assert!(processor_time(own).expect("it runs") > Duration::ZERO);
    }
}
