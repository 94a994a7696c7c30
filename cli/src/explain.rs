//! `scn explain CODE`: the page of an error code.

use crate::terminal::{Exit, Terminal};
use scn_compiler::diagnostics::{self, Code, suggest};
use std::io::Write;

/// Arguments of `scn explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArguments {
    /// The code, such as E0201; without one, all codes are listed.
    code: Option<String>,
}

/// Prints the page.
pub(crate) fn explain(arguments: &ExplainArguments, terminal: &mut Terminal<'_>) -> Exit {
    let Some(wanted) = &arguments.code else {
        return list(terminal);
    };
    let wanted = wanted.to_uppercase();
    match Code::ALL.iter().find(|code| code.as_str() == wanted) {
        Some(code) => {
            let _ = writeln!(terminal.out, "{}", diagnostics::explain(*code).trim_end());
            Exit::Success
        }
        None => unknown(&wanted, terminal),
    }
}

fn list(terminal: &mut Terminal<'_>) -> Exit {
    let style = terminal.out_style();
    for code in Code::ALL {
        let _ = writeln!(terminal.out, "{}  {}", style.bold(code.as_str()), code.title());
    }
    Exit::Success
}

fn unknown(wanted: &str, terminal: &mut Terminal<'_>) -> Exit {
    let help = match suggest::nearest(wanted, Code::ALL.iter().map(|code| code.as_str())) {
        Some(near) => format!("did you mean `{near}`? `scn explain` lists all codes"),
        None => "`scn explain` lists all codes".to_owned(),
    };
    terminal.refuse(&format!("there is no code `{wanted}`"), Some(&help))
}
