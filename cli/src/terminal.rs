//! Where output goes and how it looks: writers, colours, exit statuses.

use std::io::{IsTerminal, Write};

/// How the program ends; the numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything held.
    Success,
    /// A check, an expect, an iteration or a test failed.
    Failed,
    /// The command line or the source is wrong.
    Usage,
    /// The tool itself failed.
    Internal,
    /// The load generator, not the target, was the limit.
    Invalid,
}

impl Exit {
    /// What a status says; others than those of this program are failures.
    #[cfg(feature = "component-host")]
    pub(crate) fn of_code(code: u8) -> Exit {
        match code {
            0 => Exit::Success,
            2 => Exit::Usage,
            3 => Exit::Internal,
            4 => Exit::Invalid,
            _ => Exit::Failed,
        }
    }

    /// The status of the process.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Internal => 3,
            Exit::Invalid => 4,
        }
    }
}

/// What the world outside says about colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Whether results go to a terminal.
    pub out_is_terminal: bool,
    /// Whether messages go to a terminal.
    pub err_is_terminal: bool,
    /// Whether the environment asks for no colours (`NO_COLOR`, `TERM=dumb`).
    pub no_colour: bool,
    /// Whether a terminal can move its cursor: not if it says to be dumb.
    pub moves_cursor: bool,
    /// Whether times are printed as `[time]`, so that outputs can be compared.
    pub hide_times: bool,
    /// Whether Ctrl-C belongs to this program: not when it runs inside another one.
    pub interrupts: bool,
}

impl Surroundings {
    /// Asks the standard streams and the environment.
    pub fn detect() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            out_is_terminal: std::io::stdout().is_terminal(),
            err_is_terminal: std::io::stderr().is_terminal(),
            no_colour: set("NO_COLOR")
                || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            moves_cursor: std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
            hide_times: false,
            interrupts: true,
        }
    }

    /// Whether messages can be redrawn in place.
    pub(crate) fn redraws(&self) -> bool {
        self.err_is_terminal && self.moves_cursor
    }
}

/// When to colour, as `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two writers of the program, and whether they take colours.
pub struct Terminal<'a> {
    /// Results.
    pub out: &'a mut (dyn Write + Send),
    /// Messages about the program's own work.
    pub err: &'a mut (dyn Write + Send),
    pub(crate) surroundings: Surroundings,
    choice: ColorChoice,
}

impl<'a> Terminal<'a> {
    /// Writers in their surroundings; [`Surroundings::default`] is for output that nobody looks at directly.
    pub fn new(
        out: &'a mut (dyn Write + Send),
        err: &'a mut (dyn Write + Send),
        surroundings: Surroundings,
    ) -> Self {
        Self {
            out,
            err,
            surroundings,
            choice: ColorChoice::Auto,
        }
    }

    /// What `--color` said.
    pub(crate) fn choose_colour(&mut self, choice: ColorChoice) {
        self.choice = choice;
    }

    /// The style of results.
    pub(crate) fn out_style(&self) -> Style {
        self.style(self.surroundings.out_is_terminal)
    }

    /// The style of messages.
    pub(crate) fn err_style(&self) -> Style {
        self.style(self.surroundings.err_is_terminal)
    }

    fn style(&self, is_terminal: bool) -> Style {
        let colour = match self.choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !self.surroundings.no_colour,
        };
        Style { colour }
    }

    /// Writes out what is buffered.
    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }

    /// Says on the error stream that the tool itself failed, and gives the exit status for it.
    pub(crate) fn fail(&mut self, message: &str) -> Exit {
        let style = self.err_style();
        let _ = writeln!(self.err, "{}: {message}", style.red("scn failed"));
        Exit::Internal
    }

    /// Says on the error stream that the command cannot go on, and gives the exit status for it.
    pub(crate) fn refuse(&mut self, message: &str, help: Option<&str>) -> Exit {
        let style = self.err_style();
        let mut text = format!("{}: {message}\n", style.red("error"));
        if let Some(help) = help {
            text.push_str(&format!("  {}: {help}\n", style.cyan("help")));
        }
        let _ = self.err.write_all(text.as_bytes());
        Exit::Usage
    }
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Whether escape sequences are written.
    pub(crate) colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// What failed.
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31;1", text)
    }

    /// What held.
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What deserves a look.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Advice and names.
    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// What matters.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What is secondary.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}
