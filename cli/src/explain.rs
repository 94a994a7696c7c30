//! `scn explain CODE`: the page of a code, of the compiler's and of those that runs report.

use crate::render::failures::RuntimeCode;
use crate::terminal::{Exit, Terminal};
use scn_compiler::diagnostics::{self, Code, suggest};

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
    let page = diagnostics::explain(&wanted)
        .or_else(|| RuntimeCode::parse(&wanted).map(RuntimeCode::page));
    match page {
        Some(page) => {
            let _ = writeln!(terminal.out, "{}", page.trim_end());
            Exit::Success
        }
        None => unknown(&wanted, terminal),
    }
}

/// All codes with what they are about.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let compile = Code::ALL.iter().map(|code| (code.as_str(), code.title()));
    compile.chain(
        RuntimeCode::ALL
            .iter()
            .map(|code| (code.as_str(), code.title())),
    )
}

fn list(terminal: &mut Terminal<'_>) -> Exit {
    let style = terminal.out_style();
    for (code, title) in all() {
        let _ = writeln!(terminal.out, "{}  {title}", style.bold(code));
    }
    Exit::Success
}

fn unknown(wanted: &str, terminal: &mut Terminal<'_>) -> Exit {
    let help = match suggest::nearest(wanted, all().map(|(code, _)| code)) {
        Some(near) => format!("did you mean `{near}`? `scn explain` lists all codes"),
        None => "`scn explain` lists all codes".to_owned(),
    };
    terminal.refuse(&format!("there is no code `{wanted}`"), Some(&help))
}
