//! Child processes that cannot stay: pinned to a core, with a time limit, killed when their owner goes and when the
//! harness itself is killed.

use super::process;
use crate::os;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a running child is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// A running child; dropping it kills it.
pub(crate) struct Child {
    inner: std::process::Child,
    account: Option<os::Account>,
    started: Instant,
    peak: u64,
    out: PathBuf,
    err: PathBuf,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its account.
    pub(crate) account: os::Account,
    /// From its start to its end.
    pub(crate) elapsed: Duration,
    /// Highest resident memory, in KiB.
    pub(crate) peak: u64,
    /// What it printed.
    pub(crate) out: String,
    /// What it said on the standard error.
    pub(crate) err: String,
}

impl Finished {
    /// Time in user code and in the kernel.
    pub(crate) fn processor(&self) -> Duration {
        self.account.user + self.account.system
    }

    /// An error with the last lines of what it said, unless it ended with status 0 or another that is as good.
    pub(crate) fn succeeded(&self, as_good: Option<i32>) -> Result<(), String> {
        let status = self.account.status;
        let exited = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        if exited == Some(0) || (exited.is_some() && exited == as_good) {
            return Ok(());
        }
        let said = if self.err.trim().is_empty() {
            &self.out
        } else {
            &self.err
        };
        let lines: Vec<&str> = said.trim().lines().collect();
        let last = lines[lines.len().saturating_sub(6)..].join(" | ");
        Err(match exited {
            Some(code) => format!("exit status {code}: {last}"),
            None => format!("killed by signal {}: {last}", libc::WTERMSIG(status)),
        })
    }
}

impl Child {
    /// Starts a command on a core, or wherever the system puts it; its outputs go to files in the folder.
    pub(crate) fn start(
        mut command: Command,
        core: Option<usize>,
        name: &str,
        folder: &Path,
    ) -> io::Result<Child> {
        let (out, err) = (
            folder.join(format!("{name}.out")),
            folder.join(format!("{name}.err")),
        );
        command
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?);
        // SAFETY: between fork and exec only system calls on plain numbers are made: nothing allocates or locks.
        unsafe {
            command.pre_exec(move || {
                os::end_with_parent()?;
                core.map_or(Ok(()), os::pin)
            });
        }
        Ok(Child {
            started: Instant::now(),
            inner: command.spawn()?,
            account: None,
            peak: 0,
            out,
            err,
        })
    }

    /// Starts a command with a pipe to its standard input.
    pub(crate) fn start_with_input(
        mut command: Command,
        core: Option<usize>,
        name: &str,
        folder: &Path,
    ) -> io::Result<Child> {
        command.stdin(Stdio::piped());
        Child::start(command, core, name, folder)
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Its standard input, if it is a pipe.
    pub(crate) fn input(&mut self) -> Option<&mut std::process::ChildStdin> {
        self.inner.stdin.as_mut()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        let bytes = fs::read(&self.out).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What it has said on the standard error so far.
    pub(crate) fn said(&self) -> String {
        let bytes = fs::read(&self.err).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it runs, noting its memory.
    pub(crate) fn runs(&mut self) -> io::Result<bool> {
        if self.account.is_some() {
            return Ok(false);
        }
        if let Some(memory) = process::memory(self.id()) {
            self.peak = self.peak.max(memory.peak);
        }
        self.account = os::ended(self.id())?;
        Ok(self.account.is_none())
    }

    /// Waits for its end. Behind the limit it is killed, which is an error.
    pub(crate) fn finish(mut self, limit: Duration) -> io::Result<Finished> {
        while self.runs()? {
            if self.started.elapsed() > limit {
                let said = self.said();
                let text = format!(
                    "it still ran after {:.0} s and was killed: {}",
                    limit.as_secs_f64(),
                    said.trim()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(GLANCE);
        }
        let elapsed = self.started.elapsed();
        let account = self
            .account
            .ok_or_else(|| io::Error::other("no account of the child"))?;
        Ok(Finished {
            account,
            elapsed,
            peak: self.peak,
            out: self.printed(),
            err: self.said(),
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // An account means that it was reaped: its number may belong to another process by now.
        if self.account.is_none() {
            let _ = os::signal(self.inner.id(), libc::SIGKILL);
            let _ = self.inner.wait();
        }
    }
}

/// A folder for the files of a run, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new folder below the system's one for temporary files.
    pub(crate) fn new() -> io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("scn-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(program: &str, arguments: &[&str], name: &str, folder: &Folder) -> Child {
        let mut command = Command::new(program);
        command.args(arguments);
        let core = os::cores().expect("there is a set of cores")[0];
        Child::start(command, Some(core), name, folder.path()).expect("the program exists")
    }

    #[test]
    fn outputs_and_statuses_come_back_and_limits_kill() {
        let folder = Folder::new().expect("a folder");
        let limit = Duration::from_secs(20);
        let good = start("echo", &["hello"], "good", &folder)
            .finish(limit)
            .expect("it ends");
        assert_eq!(good.out, "hello\n");
        assert_eq!(good.succeeded(None), Ok(()));
        let bad = start("sh", &["-c", "echo no >&2; exit 3"], "bad", &folder);
        let bad = bad.finish(limit).expect("it ends");
        assert_eq!(bad.succeeded(None), Err("exit status 3: no".to_owned()));
        assert_eq!(bad.succeeded(Some(3)), Ok(()));
        let slow = start("sleep", &["60"], "slow", &folder);
        let process = slow.id();
        let error = slow
            .finish(Duration::ZERO)
            .expect_err("the limit has passed");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(os::signal(process, 0).is_err(), "the child is gone");
    }
}
