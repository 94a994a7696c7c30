//! The few calls to the system that no safe crate here offers: signals and pacing as descriptors, cores, limits, and
//! the account of a child. Each is one function; nothing here knows what it is used for.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Turns the -1 of a system call into its error.
fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    }
}

/// SIGTERM and SIGINT as a descriptor that becomes readable, instead of an end in the middle of anything.
pub(crate) fn end_signals() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by sigemptyset before anything reads it, and lives on this stack for all calls.
    let descriptor = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::sigaddset(&mut set, libc::SIGINT);
        checked(libc::sigprocmask(
            libc::SIG_BLOCK,
            &set,
            std::ptr::null_mut(),
        ))?;
        checked(libc::signalfd(
            -1,
            &set,
            libc::SFD_NONBLOCK | libc::SFD_CLOEXEC,
        ))?
    };
    // SAFETY: the descriptor was made by the call above and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A timer that becomes readable at a moment.
pub(crate) struct Timer(OwnedFd);

impl Timer {
    /// A timer that is not set. The slack of the thread's timers is set to a nanosecond as well.
    pub(crate) fn new() -> io::Result<Timer> {
        // SAFETY: both calls take plain numbers, and the new descriptor belongs to nobody else.
        unsafe {
            checked(libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong))?;
            let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
            let descriptor = checked(libc::timerfd_create(libc::CLOCK_MONOTONIC, flags))?;
            Ok(Timer(OwnedFd::from_raw_fd(descriptor)))
        }
    }

    /// Sets it to go off after a time.
    pub(crate) fn set(&self, after: Duration) -> io::Result<()> {
        let after = after.max(Duration::from_nanos(1));
        let none = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = libc::timespec {
            tv_sec: after.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(after.subsec_nanos()),
        };
        let spec = libc::itimerspec {
            it_interval: none,
            it_value: value,
        };
        // SAFETY: the descriptor is a timer that this value owns; the specification lives through the call.
        unsafe {
            checked(libc::timerfd_settime(
                self.0.as_raw_fd(),
                0,
                &spec,
                std::ptr::null_mut(),
            ))?
        };
        Ok(())
    }

    /// The descriptor to wait for.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Leaves the choice of a bound socket's port to its connect, so that ports are scarce for each pair of addresses only.
pub(crate) fn choose_port_late(socket: &impl AsRawFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is an int on this stack, and its length is handed over with it.
    unsafe {
        checked(libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        ))?
    };
    Ok(())
}

/// Pins the calling thread to a core, and whatever it starts.
pub(crate) fn pin(core: usize) -> io::Result<()> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: an all-zero set is a valid empty one, the core lies within it, and it lives through the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        checked(libc::sched_setaffinity(
            0,
            size_of::<libc::cpu_set_t>(),
            &set,
        ))?;
    }
    Ok(())
}

/// The cores that the calling process may run on.
pub(crate) fn cores() -> io::Result<Vec<usize>> {
    // SAFETY: an all-zero set is a valid empty one, it lives through the calls, and every core asked for lies within it.
    let cores = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        checked(libc::sched_getaffinity(
            0,
            size_of::<libc::cpu_set_t>(),
            &mut set,
        ))?;
        let all = 0..libc::CPU_SETSIZE as usize;
        all.filter(|core| libc::CPU_ISSET(*core, &set)).collect()
    };
    Ok(cores)
}

/// Asks for the end of the calling process when its parent ends, so that nothing outlives a harness that was killed.
pub(crate) fn end_with_parent() -> io::Result<()> {
    // SAFETY: the call takes plain numbers.
    unsafe {
        checked(libc::prctl(
            libc::PR_SET_PDEATHSIG,
            libc::SIGKILL as libc::c_ulong,
        ))?
    };
    Ok(())
}

/// Raises the soft limit of descriptors to the hard one, and says what it is now.
pub(crate) fn raise_descriptors() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure lives through both calls and has the system's layout.
    unsafe {
        checked(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &limit))?;
    }
    Ok(limit.rlim_cur)
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, number: libc::c_int) -> io::Result<()> {
    // SAFETY: the call takes plain numbers.
    unsafe { checked(libc::kill(process as libc::pid_t, number))? };
    Ok(())
}

/// What a child used until its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// The wait status.
    pub(crate) status: libc::c_int,
    /// Time in user code.
    pub(crate) user: Duration,
    /// Time in the kernel on its behalf.
    pub(crate) system: Duration,
}

/// Takes the account of a child that has ended; none while it runs.
pub(crate) fn ended(process: u32) -> io::Result<Option<Account>> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid value, and both places live through the call.
    let (usage, found) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let found = libc::wait4(
            process as libc::pid_t,
            &mut status,
            libc::WNOHANG,
            &mut usage,
        );
        (usage, checked(found)?)
    };
    let span = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    Ok((found != 0).then(|| Account {
        status,
        user: span(usage.ru_utime),
        system: span(usage.ru_stime),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_becomes_readable() {
        let timer = Timer::new().expect("timers exist");
        timer.set(Duration::ZERO).expect("it can be set");
        let mut waiting = libc::pollfd {
            fd: timer.descriptor(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one structure is handed over, with its count.
        assert_eq!(unsafe { libc::poll(&mut waiting, 1, 5000) }, 1);
    }

    #[test]
    fn a_child_gives_its_account() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("`sleep` exists");
        assert!(ended(child.id()).expect("it is our child").is_none());
        child.kill().expect("it runs");
        let account = loop {
            if let Some(account) = ended(child.id()).expect("it is our child") {
                break account;
            }
        };
        assert!(libc::WIFSIGNALED(account.status));
        assert!(child.wait().is_err(), "its account was taken");
    }

    #[test]
    fn a_pinned_thread_has_one_core() {
        let all = cores().expect("there is a set of cores");
        let last = *all.last().expect("this runs on one");
        let pinned = std::thread::spawn(move || pin(last).and_then(|()| cores()));
        assert_eq!(pinned.join().expect("no panic").expect("it may"), [last]);
    }

    #[test]
    fn a_core_that_cannot_exist_is_refused() {
        assert!(pin(1 << 20).is_err());
    }
}
