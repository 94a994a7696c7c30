//! File descriptors: the limit of the process, raised as far as it goes, and tables of a worker's own.
//!
//! The limit counts for each table of descriptors, and threads share one unless they ask for their own. So more
//! connections than the limit need more workers, not more rights. Enter at [`need`]; a worker's thread calls
//! [`own_table`] after all pollers, wakers and channels exist, and before it opens anything else.

use std::io;

/// How many descriptors a table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What holds now.
    pub soft: u64,
    /// How far the process itself may raise it.
    pub hard: u64,
}

/// Descriptors in a table that are no connections: files, servers, outputs. A small table reserves a quarter.
pub const RESERVED: u64 = 256;

/// Descriptors of a worker's poller, timer and waker. Every table has a copy of every worker's.
const OF_A_WORKER: u64 = 4;

/// The limit of this process.
pub fn limit() -> io::Result<Limit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a live rlimit.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => Ok(Limit {
            soft: limit.rlim_cur,
            hard: limit.rlim_max,
        }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Raises the soft limit to the hard one, which needs no rights, and gives what holds then.
pub fn raise_limit() -> io::Result<Limit> {
    let Limit { soft, hard } = limit()?;
    if soft >= hard {
        return Ok(Limit { soft, hard });
    }
    let wanted = libc::rlimit {
        rlim_cur: hard,
        rlim_max: hard,
    };
    // SAFETY: the pointer is to a live rlimit, which the kernel only reads.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) } {
        0 => Ok(Limit { soft: hard, hard }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What a number of connections needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Workers, at least those that were wanted.
    pub workers: u64,
    /// Whether each needs a table of its own.
    pub own_tables: bool,
}

/// How many workers a peak of connections needs, at least `wanted`, when a table holds `limit` descriptors. Nothing if no
/// number of tables is enough: the more workers there are, the less room is left in each table.
pub fn need(connections: u64, wanted: u64, limit: u64) -> Option<Need> {
    let usable = limit - RESERVED.min(limit / 4);
    let room = |workers: u64| usable.saturating_sub(workers.saturating_mul(OF_A_WORKER));
    if connections <= room(wanted) {
        return Some(Need {
            workers: wanted,
            own_tables: false,
        });
    }
    let mut counts = wanted..=usable / OF_A_WORKER;
    let workers = counts.find(|count| count * room(*count) >= connections)?;
    Some(Need {
        workers,
        own_tables: true,
    })
}

/// Gives this thread a copy of the table of descriptors that is its own from now on: what it opens counts for it alone.
///
/// From now on no descriptor may cross from or to another thread. Those that exist stay open here until this thread
/// closes them or ends, whatever other threads do with theirs.
pub fn own_table() -> io::Result<()> {
    // SAFETY: the thread gets a copy of the table, so that every descriptor it knows stays valid.
    match unsafe { libc::unshare(libc::CLONE_FILES) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_when_connections_need_tables() {
        let plain = |workers| {
            Some(Need {
                workers,
                own_tables: false,
            })
        };
        assert_eq!(need(1_000, 2, 20_000), plain(2));
        assert_eq!(need(20_000 - RESERVED - 8, 2, 20_000), plain(2));
        let own = |workers| {
            Some(Need {
                workers,
                own_tables: true,
            })
        };
        assert_eq!(need(20_001 - RESERVED, 1, 20_000), own(2));
        assert_eq!(need(90_000, 2, 20_000), own(5));
        assert_eq!(need(90_000, 8, 20_000), own(8));
    }

    #[test]
    fn pollers_of_other_workers_take_their_room_in_small_tables() {
        // 48 are left of 64: 4 workers have room for 32 each, 6 for 24, 12 for none.
        assert_eq!(need(128, 2, 64).map(|need| need.workers), Some(4));
        assert_eq!(need(144, 2, 64).map(|need| need.workers), Some(6));
        assert_eq!(need(145, 2, 64), None);
        assert_eq!(need(3, 1, 0), None);
    }

    #[test]
    fn the_soft_limit_reaches_the_hard_one() {
        let raised = raise_limit().expect("raising to the hard limit needs no rights");
        assert_eq!(raised.soft, raised.hard);
        assert_eq!(limit().expect("the limit is known"), raised);
    }

    /// Opens a file in memory, leaks its descriptor and gives the number.
    fn leak(name: &std::ffi::CStr) -> i32 {
        // SAFETY: the name is a live C string.
        unsafe { libc::memfd_create(name.as_ptr(), 0) }
    }

    /// What a descriptor of this thread's table is.
    fn link(fd: i32) -> String {
        let path = std::fs::read_link(format!("/proc/thread-self/fd/{fd}"));
        path.map_or(String::new(), |path| path.to_string_lossy().into_owned())
    }

    #[test]
    fn a_thread_with_its_own_table_opens_for_itself() {
        let opened = std::thread::spawn(|| {
            // Containers may refuse it.
            own_table().ok()?;
            let fd = leak(c"scn-own-table");
            Some((fd, link(fd)))
        });
        let Some((fd, here)) = opened.join().expect("the thread does not panic") else {
            println!("skipped: threads may not have tables of their own here");
            return;
        };
        assert!(here.contains("scn-own-table"), "{here}");
        assert!(!link(fd).contains("scn-own-table"));
    }
}
