//! Evaluation of JSONPath (RFC 9535) over anything that looks like JSON. Enter at [`select`].

use super::path::{Comparison, Filter, Operand, Path, Query, Segment, Selector};
use regex::Regex;
use std::cmp::Ordering;

/// A JSON value that can be walked; cloning is cheap.
pub(crate) trait Node: Clone {
    /// What it is, scalars with their value.
    fn view(&self) -> View<'_>;
    /// Member of an object.
    fn member(&self, name: &str) -> Option<Self>;
    /// Element of an array.
    fn element(&self, index: usize) -> Option<Self>;
    /// Elements of an array, values of an object, nothing of a scalar.
    fn children(&self) -> Vec<Self>;
    /// Deep equality.
    fn equals(&self, other: &Self) -> bool;
}

/// A JSON value from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum View<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// With its length.
    Array(usize),
    /// With its number of members.
    Object(usize),
}

/// The nodes that a path selects, in order.
pub(crate) fn select<N: Node>(root: &N, path: &Path) -> Vec<N> {
    walk(root, root, path)
}

fn walk<N: Node>(root: &N, from: &N, path: &Path) -> Vec<N> {
    let mut nodes = vec![from.clone()];
    for segment in &path.segments {
        let mut next = Vec::new();
        for node in &nodes {
            step(root, node, segment, &mut next);
        }
        nodes = next;
    }
    nodes
}

fn step<N: Node>(root: &N, node: &N, segment: &Segment, out: &mut Vec<N>) {
    for selector in &segment.selectors {
        pick(root, node, selector, out);
    }
    if segment.descendants {
        // JSON that was parsed nests 128 levels at most, so recursion is bounded.
        for child in node.children() {
            step(root, &child, segment, out);
        }
    }
}

fn pick<N: Node>(root: &N, node: &N, selector: &Selector, out: &mut Vec<N>) {
    match selector {
        Selector::Name(name) => out.extend(node.member(name)),
        Selector::Wildcard => out.extend(node.children()),
        Selector::Index(index) => {
            if let View::Array(len) = node.view() {
                out.extend(position(*index, len).and_then(|at| node.element(at)));
            }
        }
        Selector::Slice { start, end, step } => {
            if let View::Array(len) = node.view() {
                out.extend(
                    slice(*start, *end, *step, len as i64).filter_map(|at| node.element(at)),
                );
            }
        }
        Selector::Filter(filter) => out.extend(
            node.children()
                .into_iter()
                .filter(|child| holds(root, child, filter)),
        ),
    }
}

/// The place of an index that may count from the end.
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 {
        index.checked_add(len as i64)?
    } else {
        index
    };
    usize::try_from(index).ok().filter(|at| *at < len)
}

/// The indices of a slice (RFC 9535, 2.3.4.2).
fn slice(start: Option<i64>, end: Option<i64>, step: i64, len: i64) -> impl Iterator<Item = usize> {
    let forward = step > 0;
    let normal = |at: i64| if at >= 0 { at } else { at.saturating_add(len) };
    let start = normal(start.unwrap_or(if forward { 0 } else { len - 1 }));
    let end = end.map_or(if forward { len } else { -1 }, normal);
    let (mut at, stop) = match forward {
        true => (start.clamp(0, len), end.clamp(0, len)),
        false => (start.clamp(-1, len - 1), end.clamp(-1, len - 1)),
    };
    std::iter::from_fn(move || {
        let inside = step != 0 && if forward { at < stop } else { at > stop };
        let found = inside.then_some(at as usize);
        at = at.saturating_add(step);
        found
    })
}

fn holds<N: Node>(root: &N, node: &N, filter: &Filter) -> bool {
    match filter {
        Filter::Or(parts) => parts.iter().any(|part| holds(root, node, part)),
        Filter::And(parts) => parts.iter().all(|part| holds(root, node, part)),
        Filter::Not(part) => !holds(root, node, part),
        Filter::Exists(query) => !run(root, node, query).is_empty(),
        Filter::Compare(left, op, right) => compare(
            &Side::of(root, node, left),
            *op,
            &Side::of(root, node, right),
        ),
        Filter::Match {
            whole,
            text,
            pattern,
        } => {
            let (text, pattern) = (Side::of(root, node, text), Side::of(root, node, pattern));
            text.text()
                .zip(pattern.text())
                .is_some_and(|(text, pattern)| matches(text, pattern, *whole))
        }
    }
}

fn matches(text: &str, pattern: &str, whole: bool) -> bool {
    let pattern = if whole {
        format!("^(?:{pattern})$")
    } else {
        pattern.to_owned()
    };
    Regex::new(&pattern).is_ok_and(|regex| regex.is_match(text))
}

fn run<N: Node>(root: &N, node: &N, query: &Query) -> Vec<N> {
    walk(root, if query.from_root { root } else { node }, &query.path)
}

/// One side of a comparison, evaluated.
enum Side<N> {
    Nothing,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Node(N),
}

impl<N: Node> Side<N> {
    fn of(root: &N, node: &N, operand: &Operand) -> Side<N> {
        match operand {
            Operand::Null => Side::Null,
            Operand::Bool(value) => Side::Bool(*value),
            Operand::Number(value) => Side::Number(*value),
            Operand::Text(text) => Side::Text(text.clone()),
            Operand::Count(query) => Side::Number(run(root, node, query).len() as f64),
            Operand::Length(operand) => Side::of(root, node, operand).length(),
            Operand::Query(query) => match run(root, node, query).as_slice() {
                [one] => Side::from(one),
                _ => Side::Nothing,
            },
        }
    }

    fn from(node: &N) -> Side<N> {
        match node.view() {
            View::Null => Side::Null,
            View::Bool(value) => Side::Bool(value),
            View::Number(value) => Side::Number(value),
            View::Text(text) => Side::Text(text.to_owned()),
            View::Array(_) | View::Object(_) => Side::Node(node.clone()),
        }
    }

    fn length(&self) -> Side<N> {
        match self {
            Side::Text(text) => Side::Number(text.chars().count() as f64),
            Side::Node(node) => match node.view() {
                View::Array(len) | View::Object(len) => Side::Number(len as f64),
                _ => Side::Nothing,
            },
            _ => Side::Nothing,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Side::Text(text) => Some(text),
            _ => None,
        }
    }

    fn equals(&self, other: &Side<N>) -> bool {
        match (self, other) {
            (Side::Nothing, Side::Nothing) | (Side::Null, Side::Null) => true,
            (Side::Bool(a), Side::Bool(b)) => a == b,
            (Side::Number(a), Side::Number(b)) => a == b,
            (Side::Text(a), Side::Text(b)) => a == b,
            (Side::Node(a), Side::Node(b)) => a.equals(b),
            _ => false,
        }
    }

    fn order(&self, other: &Side<N>) -> Option<Ordering> {
        match (self, other) {
            (Side::Number(a), Side::Number(b)) => a.partial_cmp(b),
            (Side::Text(a), Side::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

fn compare<N: Node>(left: &Side<N>, op: Comparison, right: &Side<N>) -> bool {
    let order = left.order(right);
    match op {
        Comparison::Eq => left.equals(right),
        Comparison::Ne => !left.equals(right),
        Comparison::Lt => order == Some(Ordering::Less),
        Comparison::Gt => order == Some(Ordering::Greater),
        Comparison::Le => order == Some(Ordering::Less) || left.equals(right),
        Comparison::Ge => order == Some(Ordering::Greater) || left.equals(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    impl Node for Value {
        fn view(&self) -> View<'_> {
            match self {
                Value::Null => View::Null,
                Value::Bool(value) => View::Bool(*value),
                Value::Number(number) => View::Number(number.as_f64().unwrap_or(f64::NAN)),
                Value::String(text) => View::Text(text),
                Value::Array(items) => View::Array(items.len()),
                Value::Object(members) => View::Object(members.len()),
            }
        }
        fn member(&self, name: &str) -> Option<Value> {
            self.get(name).cloned()
        }
        fn element(&self, index: usize) -> Option<Value> {
            self.get(index).cloned()
        }
        fn children(&self) -> Vec<Value> {
            match self {
                Value::Array(items) => items.clone(),
                Value::Object(members) => members.values().cloned().collect(),
                _ => Vec::new(),
            }
        }
        fn equals(&self, other: &Value) -> bool {
            self == other
        }
    }

    /// The document of RFC 9535, figure 1.
    fn store() -> Value {
        json!({ "store": { "book": [
            { "category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95 },
            { "category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99 },
            { "category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99 },
            { "category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8", "price": 22.99 }
        ], "bicycle": { "color": "red", "price": 399 } } })
    }

    #[track_caller]
    fn selects(path: &str, expected: &Value) {
        let path = Path::parse(path).expect("a valid path");
        assert_eq!(Value::Array(select(&store(), &path)), *expected);
    }

    #[test]
    fn the_examples_of_the_rfc() {
        let authors = json!([
            "Nigel Rees",
            "Evelyn Waugh",
            "Herman Melville",
            "J. R. R. Tolkien"
        ]);
        selects("$.store.book[*].author", &authors);
        selects("$..author", &authors);
        selects("$.store..price", &json!([8.95, 12.99, 8.99, 22.99, 399]));
        selects("$..book[2].author", &json!(["Herman Melville"]));
        selects("$..book[2].publisher", &json!([]));
        selects("$..book[-1].title", &json!(["The Lord of the Rings"]));
        selects("$..book[0,1].price", &json!([8.95, 12.99]));
        selects("$..book[:2].price", &json!([8.95, 12.99]));
        selects("$..book[?@.isbn].price", &json!([8.99, 22.99]));
        selects(
            "$..book[?@.price<10].title",
            &json!(["Sayings of the Century", "Moby Dick"]),
        );
    }

    #[test]
    fn slices_filters_and_functions() {
        selects("store.book[::-2].price", &json!([22.99, 12.99]));
        selects("store.book[1:-1].price", &json!([12.99, 8.99]));
        selects("$.store['bicycle']['color']", &json!(["red"]));
        selects("$..book[?!@.isbn && @.price > 10].price", &json!([12.99]));
        selects(
            "$..book[?(@.price == 8.99 || @.category == 'reference')].price",
            &json!([8.95, 8.99]),
        );
        selects("$..book[?length(@.title) == 9].price", &json!([8.99]));
        selects(
            "$..book[?search(@.author, 'R[.] R')].price",
            &json!([22.99]),
        );
        selects("$..book[?match(@.author, 'R. R')].price", &json!([]));
        selects("$.store[?count(@.*) > 2].color", &json!([]));
        selects(
            "$..book[?@.price > $.store.bicycle.price].price",
            &json!([]),
        );
    }

    #[test]
    fn bad_paths_say_where() {
        let error = |path| Path::parse(path).expect_err("a bad path");
        assert_eq!(
            error("$.a["),
            "expected a quoted name, a number, `*`, `?` or a slice at the end of the path"
        );
        assert_eq!(
            error("$.a b"),
            "expected `.`, `[` or the end at character 4 of the path, found ` `"
        );
        assert_eq!(
            error("$['a"),
            "expected the closing quote at the end of the path"
        );
        assert_eq!(
            error("$[?@.a ==]"),
            "expected a value, `@`, `$` or a function at character 10 of the path, found `]`"
        );
        assert!(error(&format!("$[?{}", "!".repeat(100_000))).contains("fewer levels"));
    }

    #[test]
    fn arbitrary_text_never_panics() {
        const PIECES: [&str; 30] = [
            "$", ".", "..", "[", "]", "?", "@", "'", "*", ":", ",", "(", ")", "!", "&&", "||",
            "==", "<", "-", "0", "12", "book", "price", "\\", "\"", "length(", "count(", "match(",
            "null", "é",
        ];
        let rng = scn_runtime::user::Rng::new(7);
        let store = store();
        let mut valid = 0;
        for _ in 0..20_000 {
            let len = 1 + rng.below(8);
            let text: String = (0..len).map(|_| PIECES[rng.below(30) as usize]).collect();
            if let Ok(path) = Path::parse(&text) {
                valid += 1;
                select(&store, &path);
            }
        }
        assert!(valid > 100, "{valid} paths were valid");
    }
}
