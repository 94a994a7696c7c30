//! Results as files: `--out FORMAT=FILE`, any number of them.
//!
//! All files are opened before the run starts, so that a path that cannot be written is known at once. A file that
//! cannot be written at the end does not keep the others from being written. Enter at [`Outputs`].

mod hdr;
mod html;
pub(crate) mod junit;
pub(crate) mod results;

use crate::digest::Digest;
use crate::digest::verdict::Verdict;
use crate::render::program::ProgramText;
use crate::terminal::{Exit, Terminal};
use hdr::HdrLog;
use scn_runtime::report::{Progress, Report};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What outputs are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Results<'r> {
    /// The file that was run, as it was named.
    pub(crate) file: &'r str,
    /// What was measured.
    pub(crate) report: &'r Report,
    /// The same, put together.
    pub(crate) digest: &'r Digest,
    /// How it went.
    pub(crate) verdict: &'r Verdict,
    /// The program that ran.
    pub(crate) program: &'r ProgramText,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
    Hdr,
    Html,
}

const FORMATS: [(&str, Format); 4] = [
    ("json", Format::Json),
    ("junit", Format::Junit),
    ("hdr", Format::Hdr),
    ("html", Format::Html),
];

/// `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    format: Format,
    /// Nothing for standard output.
    path: Option<PathBuf>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let known = "write json=FILE, junit=FILE, hdr=FILE or html=FILE";
        let (format, path) = text.split_once('=').ok_or_else(|| known.to_owned())?;
        let found = FORMATS.iter().find(|(name, _)| *name == format);
        let (_, format) = found.ok_or_else(|| format!("there is no format `{format}`; {known}"))?;
        if path.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        Ok(Target {
            format: *format,
            path: (path != "-").then(|| PathBuf::from(path)),
        })
    }
}

impl Target {
    /// Whether it goes to standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        self.path.is_none()
    }

    /// Whether it can hold the results of tests.
    pub(crate) fn takes_tests(&self) -> bool {
        self.format == Format::Junit
    }

    fn shown(&self) -> String {
        match &self.path {
            Some(path) => format!("`{}`", path.display()),
            None => "standard output".to_owned(),
        }
    }
}

/// The outputs of a run.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    all: Vec<Output>,
}

#[derive(Debug)]
struct Output {
    target: Target,
    sink: Sink,
    /// The log of seconds, of which the file is written while the run goes on.
    log: Option<HdrLog>,
    /// The first thing that went wrong.
    error: Option<io::Error>,
}

#[derive(Debug)]
enum Sink {
    File(BufWriter<File>),
    /// For standard output at the end.
    Memory(Vec<u8>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Memory(memory) => memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            Sink::Memory(_) => Ok(()),
        }
    }
}

impl Outputs {
    /// Opens all files. What is wrong is said here; the error is the exit status.
    pub(crate) fn open(targets: &[Target], terminal: &mut Terminal<'_>) -> Result<Outputs, Exit> {
        let mut all: Vec<Output> = Vec::new();
        for target in targets {
            if all.iter().any(|one| one.target.path == target.path) {
                let message = format!("{} is the place of two outputs", target.shown());
                return Err(terminal.refuse(&message, Some("give each a file of its own")));
            }
            let output = Output::open(target).map_err(|error| {
                let message = format!("cannot write {}: {}", target.shown(), reason(&error));
                terminal.refuse(&message, help(target.path.as_deref(), &error).as_deref())
            })?;
            all.push(output);
        }
        Ok(Outputs { all })
    }

    /// Writes what belongs to a second.
    pub(crate) fn progress(&mut self, progress: &Progress) {
        for output in &mut self.all {
            // What is broken stays so: half a line would follow another.
            if let (Some(log), None) = (&mut output.log, &output.error) {
                let written = log.second(progress, &mut output.sink);
                output.note(written);
            }
        }
    }

    /// Writes all results. What could not be written is said here; the result is whether all could.
    pub(crate) fn finish(self, results: &Results<'_>, terminal: &mut Terminal<'_>) -> bool {
        self.write(terminal, |output| output.finish(results))
    }

    /// Writes the results of tests, of which there is one form.
    pub(crate) fn finish_tests(
        self,
        files: &[junit::TestFile],
        nanos: i64,
        terminal: &mut Terminal<'_>,
    ) -> bool {
        let document = junit::tests(files, nanos);
        self.write(terminal, |output| {
            output.sink.write_all(document.as_bytes())?;
            output.sink.flush()
        })
    }

    fn write(
        self,
        terminal: &mut Terminal<'_>,
        write: impl Fn(&mut Output) -> io::Result<()>,
    ) -> bool {
        let mut well = true;
        for mut output in self.all {
            // After half a line of a log there is nothing to add.
            if output.error.is_none() {
                let written = write(&mut output);
                output.note(written);
            }
            if let Sink::Memory(bytes) = &output.sink {
                // Whoever reads the output may be gone, which is no failure.
                let _ = terminal.out.write_all(bytes);
            }
            if let Some(error) = output.error {
                well = false;
                let (shown, why) = (output.target.shown(), reason(&error));
                terminal.fail(&format!("cannot write the results to {shown}: {why}"));
            }
        }
        well
    }
}

impl Output {
    fn open(target: &Target) -> io::Result<Output> {
        let sink = match &target.path {
            Some(path) => Sink::File(BufWriter::new(File::create(path)?)),
            None => Sink::Memory(Vec::new()),
        };
        Ok(Output {
            target: target.clone(),
            sink,
            log: (target.format == Format::Hdr).then(HdrLog::default),
            error: None,
        })
    }

    fn finish(&mut self, results: &Results<'_>) -> io::Result<()> {
        match self.target.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut self.sink, &results::value(results))?;
                self.sink.write_all(b"\n")?;
            }
            Format::Junit => self.sink.write_all(junit::document(results).as_bytes())?,
            Format::Html => self.sink.write_all(html::page(results).as_bytes())?,
            Format::Hdr => {
                if let Some(log) = &mut self.log {
                    log.finish(results.report, &mut self.sink)?;
                }
            }
        }
        self.sink.flush()
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

fn help(path: Option<&Path>, error: &io::Error) -> Option<String> {
    let folder = path?.parent()?;
    (error.kind() == ErrorKind::NotFound)
        .then(|| format!("make it first: mkdir -p {}", folder.display()))
}

#[cfg(test)]
mod tests;
