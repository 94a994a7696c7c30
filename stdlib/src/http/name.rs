//! Names of requests in reports: the method and the template of the path.

/// The name of a request to a path that no template is known of: segments that look like identifiers become `{}`.
pub fn from_path(method: &str, path: &str) -> String {
    let mut name = String::with_capacity(method.len() + path.len() + 1);
    name.push_str(method);
    name.push(' ');
    for segment in path.split('?').next().unwrap_or("").split_inclusive('/') {
        let (text, slash) = match segment.strip_suffix('/') {
            Some(text) => (text, "/"),
            None => (segment, ""),
        };
        name.push_str(if is_identifier(text) { "{}" } else { text });
        name.push_str(slash);
    }
    name
}

/// The name of a request by the template of its URL, such as `{}/items/{}`: scheme, host and query are dropped.
/// `None` when the template does not show where the path starts.
pub fn from_template(method: &str, template: &str) -> Option<String> {
    let rest = match template.split_once("://") {
        Some((_, rest)) => &rest[rest.find(['/', '?'])?..],
        // What stands before the first slash is an interpolated base.
        None => template
            .strip_prefix("{}")
            .filter(|rest| rest.starts_with('/'))?,
    };
    let path = rest.split(['?', '#']).next().unwrap_or("");
    Some(from_path(method, if path.is_empty() { "/" } else { path }))
}

/// Whether a segment is a number, a UUID or a hexadecimal identifier.
fn is_identifier(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.bytes().all(|b| b.is_ascii_hexdigit());
    let number = !segment.is_empty() && digits == segment.len();
    number || is_uuid(segment) || hex && segment.len() >= 8 && digits > 0
}

fn is_uuid(segment: &str) -> bool {
    segment.len() == 36
        && segment.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_holes() {
        for (path, want) in [
            ("/", "GET /"),
            ("/items/42?x=1", "GET /items/{}"),
            ("/a/123e4567-e89b-12d3-a456-426614174000/b", "GET /a/{}/b"),
            ("/c/deadbeef01/", "GET /c/{}/"),
            ("/v2/cafe/added", "GET /v2/cafe/added"),
        ] {
            assert_eq!(from_path("GET", path), want);
        }
    }

    #[test]
    fn templates_lose_host_and_query() {
        let name = |template| from_template("GET", template);
        assert_eq!(
            name("{}/items/{}?page={}").as_deref(),
            Some("GET /items/{}")
        );
        assert_eq!(name("http://{}/a/7").as_deref(), Some("GET /a/{}"));
        assert_eq!(name("https://a.test/?q=1").as_deref(), Some("GET /"));
        assert_eq!(name("{}"), None);
        assert_eq!(name("http://a.test"), None);
    }
}
