//! Custom sections of a component: added at its end, found by their names. Core modules have the same form.
//!
//! A section is a number, a length, and for custom ones (number 0) a name and data; lengths are LEB128.

/// The first bytes of modules and components.
const HEAD: usize = 8;

/// Adds a custom section.
pub fn add(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::with_capacity(data.len() + name.len() + 5);
    write_length(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    component.push(0);
    write_length(component, content.len());
    component.extend_from_slice(&content);
}

/// Leaves out the outermost custom sections of this name; of broken bytes nothing.
pub fn leave_out(component: &mut Vec<u8>, name: &str) {
    let mut at = HEAD;
    while let Some((number, behind)) = component.get(at..).and_then(<[u8]>::split_first) {
        let Some((length, content)) = read_length(behind) else {
            return;
        };
        let end = component.len() - content.len() + length;
        let named = read_length(content);
        let is_it = named.is_some_and(|(count, named)| named.get(..count) == Some(name.as_bytes()));
        match *number == 0 && is_it && end <= component.len() {
            true => drop(component.drain(at..end)),
            false => at = end,
        }
    }
}

/// The data of the outermost custom section of this name.
pub fn find<'c>(component: &'c [u8], name: &str) -> Option<&'c [u8]> {
    let mut rest = component.get(HEAD..)?;
    while let Some((number, behind)) = rest.split_first() {
        let (length, behind) = read_length(behind)?;
        let content = behind.get(..length)?;
        if *number == 0 {
            let (count, named) = read_length(content)?;
            if named.get(..count) == Some(name.as_bytes()) {
                return named.get(count..);
            }
        }
        rest = &behind[length..];
    }
    None
}

fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((length, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_behind_others_and_not_in_broken_bytes() {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(find(&bytes, "a"), None);
        add(&mut bytes, "long", &[7; 300]);
        add(&mut bytes, "a", b"data");
        assert_eq!(find(&bytes, "long"), Some(&[7; 300][..]));
        assert_eq!(find(&bytes, "a"), Some(&b"data"[..]));
        assert_eq!(find(&bytes, "lon"), None);
        let mut fewer = bytes.clone();
        leave_out(&mut fewer, "long");
        assert_eq!(find(&fewer, "long"), None);
        assert_eq!(find(&fewer, "a"), Some(&b"data"[..]));
        for cut in 0..bytes.len() {
            assert_ne!(find(&bytes[..cut], "a"), Some(&b"data"[..]));
        }
        assert_eq!(find(&[0xff; 20], "a"), None);
    }
}
