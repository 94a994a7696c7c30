//! Routes: which line of a table a request goes to, and with which parameters.

use crate::http::url::decode_component;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a line, with the values of its parameters.
    Found(usize, Vec<String>),
    /// The path is known, the method is not: these are.
    OtherMethod(Vec<String>),
    /// Nowhere.
    Missing,
}

/// Looks a request up in a table of lines such as `GET /users/{id:int}`; `*` stands for any method, alone for anything.
/// The first line that fits wins; HEAD goes where GET goes unless there is a line for it.
pub fn find<'a>(method: &str, path: &str, table: impl Iterator<Item = &'a str> + Clone) -> Route {
    let segments: Vec<String> = path
        .split('/')
        .skip(1)
        .map(|segment| decode_component(segment, false))
        .collect();
    let mut methods: Vec<String> = Vec::new();
    for wanted in [method, if method == "HEAD" { "GET" } else { method }] {
        for (at, line) in table.clone().enumerate() {
            let (known, pattern) = line.split_once(' ').unwrap_or((line, ""));
            if pattern.is_empty() {
                if known == "*" && (method != "HEAD" || wanted == "GET") {
                    return Route::Found(at, Vec::new());
                }
                continue;
            }
            let Some(values) = values(pattern, &segments) else {
                continue;
            };
            if known == "*" || known == wanted {
                return Route::Found(at, values);
            }
            if !methods.iter().any(|method| method == known) {
                methods.push(known.to_owned());
            }
        }
    }
    if methods.is_empty() {
        Route::Missing
    } else {
        Route::OtherMethod(methods)
    }
}

/// The values of a pattern's parameters, if the path fits.
fn values(pattern: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut wanted = pattern.split('/').skip(1);
    for segment in segments {
        match wanted
            .next()?
            .strip_prefix('{')
            .and_then(|hole| hole.strip_suffix('}'))
        {
            Some(hole) if hole.ends_with("int") && hole.contains(':') => {
                segment.parse::<i64>().ok()?;
                values.push(segment.clone());
            }
            Some(_) if segment.is_empty() => return None,
            Some(_) => values.push(segment.clone()),
            None => {}
        }
    }
    let fits = wanted.next().is_none()
        && pattern
            .split('/')
            .skip(1)
            .zip(segments)
            .all(|(part, segment)| part.starts_with('{') || part == segment);
    fits.then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [&str; 6] = [
        "GET /",
        "GET /users/{id:int}",
        "GET /users/{name:string}",
        "POST /users",
        "* /any/{x:string}/end",
        "GET /a b",
    ];

    fn route(method: &str, path: &str) -> Route {
        find(method, path, TABLE.into_iter())
    }

    fn found(at: usize, values: &[&str]) -> Route {
        Route::Found(at, values.iter().map(|v| (*v).to_owned()).collect())
    }

    #[test]
    fn the_first_line_that_fits_wins() {
        assert_eq!(route("GET", "/"), found(0, &[]));
        assert_eq!(route("GET", "/users/42"), found(1, &["42"]));
        assert_eq!(route("GET", "/users/-1"), found(1, &["-1"]));
        assert_eq!(route("GET", "/users/bob"), found(2, &["bob"]));
        assert_eq!(
            route("GET", "/users/99999999999999999999"),
            found(2, &["99999999999999999999"])
        );
        assert_eq!(route("DELETE", "/any/a%2Fb/end"), found(4, &["a/b"]));
        assert_eq!(route("GET", "/a%20b"), found(5, &[]));
    }

    #[test]
    fn what_does_not_fit_is_missing() {
        for path in ["/users/", "/users/1/", "/nothing", "/any//end", "//"] {
            assert_eq!(route("GET", path), Route::Missing, "{path}");
        }
        assert_eq!(
            route("GET", "/users"),
            Route::OtherMethod(vec!["POST".to_owned()])
        );
    }

    #[test]
    fn head_goes_where_get_goes() {
        assert_eq!(route("HEAD", "/users/1"), found(1, &["1"]));
        let table = ["GET /", "HEAD /", "*"];
        assert_eq!(find("HEAD", "/", table.into_iter()), found(1, &[]));
        assert_eq!(find("HEAD", "/x", table.into_iter()), found(2, &[]));
        assert_eq!(find("GET", "/x", table.into_iter()), found(2, &[]));
    }
}
