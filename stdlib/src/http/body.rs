//! Bodies made of names and values: forms and multipart forms.

use super::url::encode_component;

/// Appends `name=value` to a query or form, with `&` before all but the first.
pub fn push_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    encode_component(name, out);
    out.push('=');
    encode_component(value, out);
}

/// A part of a multipart form (RFC 7578).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The content.
    pub content: Vec<u8>,
    /// The file's name, if it is one.
    pub filename: Option<String>,
    /// The media type, if there is one.
    pub media_type: Option<String>,
}

/// Writes a multipart form and gives its media type. The boundary occurs in no part.
pub fn multipart(parts: &[Part]) -> (Vec<u8>, String) {
    let boundary = boundary(parts);
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(
            format!(
                "content-disposition: form-data; name=\"{}\"",
                quoted(&part.name)
            )
            .as_bytes(),
        );
        if let Some(filename) = &part.filename {
            out.extend_from_slice(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
        }
        if let Some(media_type) = &part.media_type {
            let media_type: String = media_type.chars().filter(|c| !c.is_control()).collect();
            out.extend_from_slice(format!("\r\ncontent-type: {media_type}").as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (out, format!("multipart/form-data; boundary={boundary}"))
}

/// A name in quotes: what would end it is percent-encoded, as browsers do.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The first boundary of a fixed sequence that no part contains: the same parts give the same bytes.
fn boundary(parts: &[Part]) -> String {
    let candidates = (0u32..).map(|n| format!("scn-{n:08x}-boundary"));
    let free = |candidate: &String| {
        let needle = candidate.as_bytes();
        parts.iter().all(|part| {
            !part
                .content
                .windows(needle.len())
                .any(|window| window == needle)
        })
    };
    candidates
        .into_iter()
        .find(free)
        .expect("parts are finite, boundaries are not")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_encoded() {
        let mut out = String::new();
        push_pair(&mut out, "a b", "1&2");
        push_pair(&mut out, "ü", "");
        assert_eq!(out, "a%20b=1%262&%C3%BC=");
    }

    #[test]
    fn parts_have_their_headers() {
        let parts = [
            Part {
                name: "a\"b".into(),
                content: b"1".to_vec(),
                filename: None,
                media_type: None,
            },
            Part {
                name: "f".into(),
                content: b"scn-00000000-boundary".to_vec(),
                filename: Some("x.png".into()),
                media_type: Some("image/png".into()),
            },
        ];
        let (body, media_type) = multipart(&parts);
        assert_eq!(
            media_type,
            "multipart/form-data; boundary=scn-00000001-boundary"
        );
        let want = "--scn-00000001-boundary\r\ncontent-disposition: form-data; name=\"a%22b\"\r\n\r\n1\r\n\
                    --scn-00000001-boundary\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.png\"\r\n\
                    content-type: image/png\r\n\r\nscn-00000000-boundary\r\n--scn-00000001-boundary--\r\n";
        assert_eq!(String::from_utf8(body).unwrap(), want);
    }
}
