//! CSV texts to records and back (RFC 4180): the `csv` crate splits, the fields' types say what cells mean.

use crate::{raise, shape};
use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use scn_compiler::ir::{Desc, SlotKind, SlotType, desc};
use scn_runtime::object::{decode, parse, show};
use scn_runtime::{
    Any, Ctx, DescId, Fault, NativeDef, Own, OwnSlot, Seen, Slot, VarList, VarMap, ready,
};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![ready("csv.parse", parse_text), ready("csv.encode", encode)]
}

/// The byte between cells.
pub(crate) fn separator(text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err(raise::argument("the separator must be one ASCII character")),
    }
}

fn parse_text(ctx: &Ctx, result: DescId, text: &str, between: &str) -> Result<VarList, Fault> {
    read(ctx, result, "text", text.as_bytes(), separator(between)?)
}

fn encode(ctx: &Ctx, rows: Any<'_>, between: &str) -> Result<String, Fault> {
    let descs = ctx.descs();
    let Seen::List(rows) = rows.seen(descs) else {
        return Err(raise::argument("rows are a list of records"));
    };
    let rows = rows
        .iter(descs)
        .map(|row| cells(ctx, row))
        .collect::<Result<Vec<_>, _>>()?;
    let mut writer = WriterBuilder::new()
        .delimiter(separator(between)?)
        .from_writer(Vec::new());
    let header: Vec<&str> = rows
        .first()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    if !rows.is_empty() {
        writer
            .write_record(&header)
            .expect("writing to memory cannot fail");
    }
    for row in &rows {
        if !row
            .iter()
            .map(|(name, _)| name.as_str())
            .eq(header.iter().copied())
        {
            return Err(raise::argument("all rows must have the same fields"));
        }
        writer
            .write_record(row.iter().map(|(_, cell)| cell))
            .expect("writing to memory cannot fail");
    }
    let bytes = writer.into_inner().expect("writing to memory cannot fail");
    Ok(String::from_utf8(bytes).expect("cells are UTF-8, and so are separators"))
}

/// Names and texts of a row.
fn cells(ctx: &Ctx, row: Slot<'_>) -> Result<Vec<(String, String)>, Fault> {
    let descs = ctx.descs();
    let text = |slot: Slot<'_>| match slot.seen(descs) {
        Seen::None | Seen::Null | Seen::Missing(_) => String::new(),
        _ => show::interpolated(descs, slot),
    };
    match row.seen(descs) {
        Seen::Record(record) => Ok(record
            .fields(descs)
            .map(|(name, slot)| (name.to_owned(), text(slot)))
            .collect()),
        Seen::Map(map) => Ok(map
            .iter(descs)
            .map(|(key, value)| (text(key), text(value)))
            .collect()),
        _ => Err(raise::argument("rows are records")),
    }
}

/// What a row becomes.
enum Row {
    /// A record: for each field its name, type and column.
    Record(DescId, Vec<(String, SlotType, Option<usize>)>),
    /// A map of all cells by column.
    Map(DescId),
}

/// Reads a whole file; errors name it, the line and the column.
pub(crate) fn read(
    ctx: &Ctx,
    result: DescId,
    name: &str,
    text: &[u8],
    separator: u8,
) -> Result<VarList, Fault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = ReaderBuilder::new().delimiter(separator).from_reader(text);
    let header = reader
        .headers()
        .map_err(|error| broken(name, &error))?
        .clone();
    let row = Row::of(ctx, result, name, &header)?;
    let mut rows = VarList::new(ctx, result, 0);
    for record in reader.records() {
        let record = record.map_err(|error| broken(name, &error))?;
        let object = row.object(ctx, &header, &record).map_err(|wrong| {
            let line = record.position().map_or(0, csv::Position::line);
            raise::data(format!("{name}:{line}: {wrong}"))
        })?;
        rows.push(ctx, OwnSlot::own(object));
    }
    Ok(rows)
}

/// The error of text that is no CSV.
fn broken(name: &str, error: &csv::Error) -> Fault {
    let line = error.position().map_or(1, csv::Position::line);
    raise::data(match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{name}:{line}: {len} cells, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => {
            format!("{name}:{line}: column {}: no UTF-8", err.field() + 1)
        }
        _ => format!("{name}:{line}: {error}"),
    })
}

impl Row {
    fn of(ctx: &Ctx, result: DescId, name: &str, header: &StringRecord) -> Result<Row, Fault> {
        let element = shape::element(ctx.descs(), result);
        let fields = match ctx.descs().desc(element.0) {
            Desc::Record { fields, .. } => fields,
            Desc::Map(..) if element == desc::MAP_STRING => return Ok(Row::Map(element)),
            _ => return Err(raise::data("rows are records or `map<string, string>`")),
        };
        let mut columns = Vec::new();
        for (field, ty) in fields {
            let at = header.iter().position(|column| column.trim() == field);
            if at.is_none() && !ty.optional {
                let known: Vec<_> = header.iter().collect();
                return Err(raise::data(format!(
                    "{name}:1: no column `{field}`; there are: {}",
                    known.join(", ")
                )));
            }
            columns.push((field.clone(), *ty, at));
        }
        Ok(Row::Record(element, columns))
    }

    fn object(
        &self,
        ctx: &Ctx,
        header: &StringRecord,
        record: &StringRecord,
    ) -> Result<Own, String> {
        match self {
            Row::Map(element) => {
                let mut map = VarMap::new(ctx, *element);
                header
                    .iter()
                    .zip(record)
                    .for_each(|(column, cell)| map.insert_str(ctx, column, cell));
                Ok(map.into_own())
            }
            Row::Record(element, columns) => {
                let mut slots = Vec::with_capacity(columns.len());
                for (field, ty, at) in columns {
                    let found = at.and_then(|at| Some((at, record.get(at)?)));
                    let slot = found.map_or(Ok(OwnSlot::NONE), |(at, text)| {
                        cell(ctx, *ty, text)
                            .map_err(|wrong| format!("column {} (`{field}`): {wrong}", at + 1))
                    });
                    slots.push(slot?);
                }
                Ok(ctx.heap.record(*element, slots))
            }
        }
    }
}

/// A cell as a field's value; an empty one is `none`.
fn cell(ctx: &Ctx, ty: SlotType, text: &str) -> Result<OwnSlot, String> {
    match ty.kind {
        _ if ty.optional && text.is_empty() => Ok(OwnSlot::NONE),
        SlotKind::Object(desc::STRING) => Ok(OwnSlot::own(ctx.heap.string(text))),
        SlotKind::Any => Ok(OwnSlot::own(ctx.heap.string(text))),
        SlotKind::Object(wanted @ (desc::IP | desc::ADDR)) => {
            let found = decode::from_text(ctx, wanted, text.trim());
            found.map(OwnSlot::own).map_err(|fault| fault.message())
        }
        SlotKind::Scalar(scalar) if ty.optional => {
            let value = parse::scalar(ctx.descs(), scalar, text.trim())?;
            let boxed = ctx.heap.boxed(ctx.descs().box_of(scalar), value);
            Ok(OwnSlot::own(boxed))
        }
        SlotKind::Scalar(scalar) => Ok(OwnSlot::int(
            parse::scalar(ctx.descs(), scalar, text.trim())?.int(),
        )),
        SlotKind::Object(_) | SlotKind::Unit => {
            Err("a cell holds no value of the field's type".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{USERS, with_ctx};
    use scn_runtime::object::show;

    fn rows(ctx: &Ctx, text: &str) -> Result<String, String> {
        let rows =
            read(ctx, USERS, "u.csv", text.as_bytes(), b',').map_err(|fault| fault.message())?;
        Ok(show::json_object(ctx.descs(), rows.as_list().any(), None))
    }

    #[test]
    fn columns_go_to_fields_by_name() {
        with_ctx(|ctx| {
            let text = "\u{feff}score,name,extra\r\n1.5,\"a \"\"b\"\",\n c\",x\r\n2,é,\r\n";
            let expected = r#"[{"name":"a \"b\",\n c","age":null,"score":1.5},{"name":"é","age":null,"score":2.0}]"#;
            assert_eq!(rows(ctx, text).as_deref(), Ok(expected));
            let expected = r#"[{"name":"","age":7,"score":0.5}]"#;
            assert_eq!(rows(ctx, "name,age,score\n,7,0.5").as_deref(), Ok(expected));
            assert_eq!(rows(ctx, "name,age,score\n").as_deref(), Ok("[]"));
        });
    }

    #[test]
    fn bad_cells_are_located() {
        with_ctx(|ctx| {
            let error = |text: &str| rows(ctx, text).expect_err("a bad file");
            let message = "u.csv:3: column 2 (`age`): expected int, found `x`";
            assert_eq!(error("name,age,score\na,1,1\nb,x,1\n"), message);
            assert_eq!(
                error("name,age,score\n\"a\nb\",1,1\nb,,?\n"),
                "u.csv:4: column 3 (`score`): expected float, found `?`"
            );
            assert_eq!(
                error("name,age\na,1\n"),
                "u.csv:1: no column `score`; there are: name, age"
            );
            assert_eq!(
                error("name,score\na,1\nb\n"),
                "u.csv:3: 1 cells, the header has 2"
            );
            assert_eq!(error(""), "u.csv:1: no column `name`; there are: ");
        });
    }

    #[test]
    fn bytes_that_are_no_text_are_located() {
        with_ctx(|ctx| {
            let fault = read(ctx, USERS, "u.csv", b"name,score\na,1\n\xff,1\n", b',')
                .expect_err("no UTF-8");
            assert_eq!(
                (fault.kind(), fault.message().as_str()),
                ("script.data", "u.csv:3: column 1: no UTF-8")
            );
        });
    }
}
