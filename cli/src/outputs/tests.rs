//! Outputs hold what they promise: forms, names, escapes, and what becomes of files that cannot be written.

use super::*;
use crate::sample::{self, Sample};
use crate::terminal::Surroundings;
use scn_runtime::report::{Invalid, Stopped};
use scn_runtime::run::Outcome;
use serde_json::Value;

/// Makes outputs of a sample.
fn with<T>(sample: &Sample, make: impl Fn(&Results<'_>) -> T) -> T {
    let verdict = Verdict::of(&sample.report, &Outcome::default(), &sample.program);
    let digest = Digest::of(&sample.report);
    make(&Results {
        file: "checkout.scn",
        report: &sample.report,
        digest: &digest,
        verdict: &verdict,
        program: &sample.program,
    })
}

/// What of a value is not as the schema has it: the keywords that our schema uses.
fn violations(value: &Value, schema: &Value, root: &Value, path: &str, found: &mut Vec<String>) {
    const KNOWN: [&str; 16] = [
        "$schema",
        "$defs",
        "$ref",
        "title",
        "type",
        "required",
        "properties",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "minimum",
        "minItems",
        "maxItems",
        "anyOf",
        "format",
    ];
    for keyword in schema
        .as_object()
        .into_iter()
        .flatten()
        .map(|(keyword, _)| keyword)
    {
        assert!(
            KNOWN.contains(&keyword.as_str()) || keyword == "pattern",
            "this test does not know `{keyword}`"
        );
    }
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches('#');
        let target = root
            .pointer(name)
            .unwrap_or_else(|| panic!("the schema has no {name}"));
        violations(value, target, root, path, found);
    }
    if !schema["type"].is_null() && !has_type(value, &schema["type"]) {
        found.push(format!("{path}: {value} is not of type {}", schema["type"]));
    }
    let mut refuse = |broken: bool, keyword: &str| {
        if broken {
            found.push(format!("{path}: {value} breaks `{keyword}`"));
        }
    };
    refuse(
        schema["enum"]
            .as_array()
            .is_some_and(|all| !all.contains(value)),
        "enum",
    );
    refuse(
        schema.get("const").is_some_and(|only| only != value),
        "const",
    );
    let below = |least: &Value| {
        value
            .as_f64()
            .zip(least.as_f64())
            .is_some_and(|(value, least)| value < least)
    };
    refuse(below(&schema["minimum"]), "minimum");
    let length = value.as_array().map_or(0, Vec::len) as u64;
    refuse(
        value.is_array()
            && schema["minItems"]
                .as_u64()
                .is_some_and(|least| length < least),
        "minItems",
    );
    refuse(
        value.is_array()
            && schema["maxItems"]
                .as_u64()
                .is_some_and(|most| length > most),
        "maxItems",
    );
    if let Some(all) = schema["anyOf"].as_array() {
        let fits = all.iter().any(|one| {
            let mut wrong = Vec::new();
            violations(value, one, root, path, &mut wrong);
            wrong.is_empty()
        });
        refuse(!fits, "anyOf");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            violations(
                item,
                &schema["items"],
                root,
                &format!("{path}[{index}]"),
                found,
            );
        }
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(name) {
            found.push(format!("{path}: `{name}` is missing"));
        }
    }
    for (name, field) in fields {
        let inner = format!("{path}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Null) if schema["properties"].is_object() => {
                found.push(format!("{inner} is not in the schema"))
            }
            (Value::Null, Value::Null) => {}
            (Value::Null, more) => violations(field, more, root, &inner, found),
            (known, _) => violations(field, known, root, &inner, found),
        }
    }
}

fn has_type(value: &Value, wanted: &Value) -> bool {
    let one = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("this test does not know the type `{other}`"),
    };
    match wanted {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(one),
        other => panic!("not a type: {other}"),
    }
}

fn schema() -> Value {
    let text = include_str!("../../../docs/results.schema.json");
    serde_json::from_str(text).expect("the schema is JSON")
}

fn assert_valid(sample: &Sample) -> Value {
    // Through text, as a reader gets it.
    let text = with(sample, |results| results::value(results).to_string());
    let value: Value = serde_json::from_str(&text).expect("the results are JSON");
    let (schema, mut found) = (schema(), Vec::new());
    violations(&value, &schema, &schema, "results", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
    value
}

#[test]
fn results_are_as_the_schema_says() {
    let mut large = sample::large();
    let value = assert_valid(&large);
    assert_eq!(value["requests"][0]["count"], 70_210);
    assert_eq!(value["verdict"]["outcome"], "failed");
    assert_eq!(value["errors"][0]["error"]["kind"], "script.expect");
    assert_eq!(value["errors"][0]["error"]["place"]["line"], 19);
    large.report.stopped = Some(Stopped::Script("enough".to_owned()));
    large.report.thresholds[0].value = None;
    large.report.generator.invalid = vec![
        Invalid::Late(1),
        Invalid::Saturated {
            worker: 0,
            seconds: 3,
        },
        Invalid::Ports(2),
    ];
    assert_eq!(assert_valid(&large)["verdict"]["status"], 4);
    assert_valid(&sample::small());
}

#[test]
fn the_schema_is_not_satisfied_by_anything() {
    let schema = schema();
    for change in [
        |value: &mut Value| value["nanos"] = "1".into(),
        |value: &mut Value| value["verdict"]["outcome"] = "well".into(),
        |value: &mut Value| drop(value.as_object_mut().expect("an object").remove("pools")),
        |value: &mut Value| value["scenarios"][0]["stages"][0]["from_nanos"] = (-1).into(),
        |value: &mut Value| value["surprise"] = 1.into(),
    ] {
        let mut value = with(&sample::large(), results::value);
        change(&mut value);
        let mut found = Vec::new();
        violations(&value, &schema, &schema, "results", &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[test]
fn results_keep_their_names_and_values() {
    let mut value = with(&sample::small(), results::value);
    value["version"] = "[version]".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).expect("a value is JSON"));
}

#[test]
fn junit_fails_what_the_verdict_rests_on() {
    let sample = sample::large();
    let judged = with(&sample, junit::document);
    insta::assert_snapshot!(judged);
    let mut sample = sample;
    sample.report.thresholds.clear();
    let text = with(&sample, junit::document);
    assert!(
        text.contains("tests=\"5\" failures=\"2\" errors=\"0\""),
        "{text}"
    );
}

/// Names as a hostile server would choose them.
fn hostile() -> Sample {
    const NAME: &str = "GET /<script>alert('1')</script>\"'&]]>\u{1b}[2J\u{0}\u{202e}";
    let mut sample = sample::large();
    for series in &mut sample.report.series {
        let names = series
            .tags
            .iter_mut()
            .filter(|(name, _)| name == "name" || name == "step");
        names.for_each(|(_, value)| *value = NAME.to_owned());
    }
    for one in &mut sample.report.errors {
        one.example = scn_runtime::fault::Fault::text(NAME, NAME);
        one.scenario = NAME.to_owned();
    }
    for check in &mut sample.report.checks {
        check.label = NAME.to_owned();
        if let Some(example) = &mut check.example {
            example.sides = Some((NAME.to_owned(), NAME.to_owned()));
        }
    }
    sample.report.timeline[3]
        .errors
        .push((NAME.to_owned(), 5_000));
    sample.report.stopped = Some(Stopped::Script(NAME.to_owned()));
    sample.report.scenarios[0].stages[0].text = NAME.to_owned();
    sample.report.pools[0].name = NAME.to_owned();
    sample.report.thresholds[0].text = NAME.to_owned();
    sample
}

#[test]
fn names_of_servers_are_text_in_the_page() {
    let page = with(&hostile(), html::page);
    assert_eq!(page.matches("<script").count(), 1, "our own only");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"));
    assert!(!page.contains(['\u{0}', '\u{1b}', '\u{202e}']));
    let junit = with(&hostile(), junit::document);
    assert!(
        !junit.contains("<script")
            && !junit.contains("]]>")
            && !junit.contains(['\u{0}', '\u{1b}'])
    );
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let page = with(&sample::large(), html::page);
    for word in [
        "http://", "https://", "src=", "@import", "url(", "<link", "<iframe",
    ] {
        let allowed = page.matches("http://127.0.0.1:8080/cart").count()
            + page.matches("http://127.0.0.1:8080/items").count();
        let found = page.matches(word).count();
        assert!(
            found == 0 || (word == "http://" && found == allowed),
            "{word}: {found}"
        );
    }
    assert!(page.contains("default-src 'none'"));
    for title in [
        "Rate",
        "Response time",
        "Users",
        "Failures by kind",
        "Distribution of response times",
    ] {
        assert!(page.contains(&format!("<b>{title}</b>")), "{title}");
    }
    for element in [
        "section", "figure", "details", "svg", "g", "table", "tr", "td", "th", "div", "ul", "li",
        "span",
    ] {
        let open = page.matches(&format!("<{element}>")).count()
            + page.matches(&format!("<{element} ")).count();
        assert_eq!(
            open,
            page.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
}

#[test]
fn a_run_without_anything_has_a_page_without_plots() {
    let mut sample = sample::small();
    sample.report.series.clear();
    sample.report.checks.clear();
    let page = with(&sample, html::page);
    assert!(
        !page.contains("<figure") && !page.contains("NaN") && page.contains("<h2>Scenarios</h2>")
    );
}

#[test]
fn targets_are_read_with_help() {
    let target = |text: &str| text.parse::<Target>();
    assert_eq!(
        target("json=a=b.json").expect("a target").path,
        Some(PathBuf::from("a=b.json"))
    );
    assert!(target("html=-").expect("a target").is_stdout());
    assert!(
        target("xml=a")
            .expect_err("no format")
            .contains("there is no format `xml`; write json=FILE")
    );
    assert!(target("results.json").is_err() && target("json=").is_err());
}

/// A folder of a test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("scn-outputs-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the system's own folder takes folders");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens targets, and gives what was said.
fn open(targets: &[String]) -> (Result<Outputs, Exit>, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let targets: Vec<Target> = targets
        .iter()
        .map(|text| text.parse().expect("a target"))
        .collect();
    let opened = Outputs::open(
        &targets,
        &mut Terminal::new(&mut out, &mut err, Surroundings::default()),
    );
    (opened, String::from_utf8(err).expect("messages are text"))
}

#[test]
fn a_path_that_cannot_be_written_is_refused_before_the_run() {
    let folder = Folder::new("refused");
    let missing = format!("json={}/none/x.json", folder.0.display());
    let (opened, said) = open(&[missing]);
    assert_eq!(opened.expect_err("there is no folder"), Exit::Usage);
    assert!(
        said.contains("there is no such folder") && said.contains("mkdir -p"),
        "{said}"
    );
    let same = format!("json={}/x", folder.0.display());
    let (opened, said) = open(&[same.clone(), same.replace("json", "html")]);
    assert_eq!(opened.expect_err("one file for two"), Exit::Usage);
    assert!(said.contains("two outputs"), "{said}");
}

#[test]
fn a_full_disk_keeps_no_other_output_from_being_written() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = Folder::new("full");
    let good = folder.0.join("x.json");
    let (opened, _) = open(&[
        "html=/dev/full".to_owned(),
        format!("json={}", good.display()),
        "junit=-".to_owned(),
    ]);
    let mut outputs = opened.expect("all can be opened");
    outputs.progress(&sample::progress(3));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal::new(&mut out, &mut err, Surroundings::default());
    let verdict = {
        let sample = sample::large();
        let verdict = Verdict::of(&sample.report, &Outcome::default(), &sample.program);
        let digest = Digest::of(&sample.report);
        let results = Results {
            file: "checkout.scn",
            report: &sample.report,
            digest: &digest,
            verdict: &verdict,
            program: &sample.program,
        };
        outputs.finish(&results, &mut terminal)
    };
    assert!(!verdict, "one could not be written");
    let said = String::from_utf8(err).expect("messages are text");
    assert!(
        said.contains("cannot write the results to `/dev/full`: the disk is full"),
        "{said}"
    );
    let written = std::fs::read_to_string(&good).expect("the other one is there");
    assert!(serde_json::from_str::<Value>(&written).is_ok());
    assert!(out.starts_with(b"<?xml"));
}

/// Writes the page of a large run to look at: `SCN_PAGE=/tmp/page.html cargo test -p scn --lib page_to_look_at`.
#[test]
fn page_to_look_at() {
    let page = with(&sample::large(), html::page);
    if let Some(path) = std::env::var_os("SCN_PAGE") {
        std::fs::write(path, &page).expect("the page can be written");
    }
    assert!(page.ends_with("</html>\n"));
}
