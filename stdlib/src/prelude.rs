//! Functions that programs call without naming a module: the environment, files, conversions.

use crate::{csv, json, raise};
use scn_runtime::object::{decode, show};
use scn_runtime::{Any, Ctx, DescId, Fault, NativeDef, Own, VarList, ready};
use std::path::PathBuf;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("env", env),
        ready("csv", csv_file),
        ready("json_file", json_file),
        ready("lines_file", lines_file),
        ready("file", file),
        ready("secret", secret),
        ready("float", float),
        ready("int", int),
        ready("string", string),
        ready("bytes", bytes),
    ]
}

fn env(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The path of a data file.
fn place(ctx: &Ctx, path: &str) -> PathBuf {
    ctx.settings().base.join(path)
}

fn load(ctx: &Ctx, path: &str) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: std::io::Error| raise::data(format!("{path}: {}", reason(&error)));
    let place = place(ctx, path);
    let size = std::fs::metadata(&place).map_err(unreadable)?.len();
    ctx.reserve(usize::try_from(size).unwrap_or(usize::MAX))?;
    std::fs::read(&place).map_err(unreadable)
}

/// The system's text in lower case, without the number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

/// The text of a file, without the mark that some editors put before it.
fn load_text(ctx: &Ctx, path: &str) -> Result<String, Fault> {
    let bytes = load(ctx, path)?;
    let text = String::from_utf8(bytes).map_err(|_| raise::data(format!("{path}: no UTF-8")))?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

fn csv_file(ctx: &Ctx, result: DescId, path: &str, separator: &str) -> Result<VarList, Fault> {
    csv::read(
        ctx,
        result,
        path,
        &load(ctx, path)?,
        csv::separator(separator)?,
    )
}

fn json_file(ctx: &Ctx, result: DescId, path: &str) -> Result<Own, Fault> {
    let located = |fault: Fault| raise::data(format!("{path}: {}", fault.message()));
    let json = json::parse(ctx, load_text(ctx, path)?.as_bytes()).map_err(located)?;
    decode::object(ctx, result, json.as_any()).map_err(located)
}

fn lines_file(ctx: &Ctx, path: &str) -> Result<VarList, Fault> {
    Ok(VarList::of_strings(ctx, load_text(ctx, path)?.lines()))
}

fn file(ctx: &Ctx, path: &str) -> Result<Vec<u8>, Fault> {
    load(ctx, path)
}

fn secret(ctx: &Ctx, text: Any<'_>) -> Own {
    ctx.add_secret(text.as_str().unwrap_or_default());
    text.to_own()
}

fn float(value: i64) -> f64 {
    value as f64
}

fn int(value: f64) -> Result<i64, Fault> {
    // 2^63 is the first float above all ints, -2^63 is an int itself.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let whole = value.trunc();
    if (-LIMIT..LIMIT).contains(&whole) {
        return Ok(whole as i64);
    }
    Err(raise::arithmetic(format!(
        "{value:?} does not fit into an int"
    )))
}

fn string(ctx: &Ctx, value: Any<'_>) -> String {
    show::interpolated_object(ctx.descs(), value)
}

fn bytes(ctx: &Ctx, text: &str) -> Own {
    ctx.heap.bytes(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_ctx;

    #[test]
    fn floats_become_ints() {
        let int = |value| int(value).map_err(|fault| fault.kind().to_owned());
        assert_eq!(int(-2.9), Ok(-2));
        assert_eq!(int(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
        for bad in [9_223_372_036_854_775_808.0, f64::NAN, f64::INFINITY] {
            assert_eq!(int(bad), Err("script.arithmetic".to_owned()));
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        with_ctx(|ctx| {
            let fault = load(ctx, "no/such.csv").expect_err("no such file");
            assert_eq!(
                (fault.kind(), fault.message().as_str()),
                ("script.data", "no/such.csv: no such file or directory")
            );
        });
    }

    #[test]
    fn the_environment() {
        assert_eq!(env("PATH"), std::env::var("PATH").ok());
        assert_eq!(env("SCN_NO_SUCH_VARIABLE"), None);
        assert_eq!(env("A=B"), None);
        assert_eq!(env(""), None);
    }
}
