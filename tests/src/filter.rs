//! Takes out of outputs what differs from run to run: ports that the system chose, and the project's own folder.

use crate::tree;

/// The output as snapshots hold it.
pub fn stable(text: &str) -> String {
    let root = format!("{}/", tree::root().display());
    ports(&dates(&text.replace(&root, "")))
}

/// Replaces the value of `date` headers, which exchanges show.
fn dates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.split_once("date: ") {
            Some((before, date)) if date.trim_end().ends_with("GMT") => {
                out.push_str(&format!("{before}date: [date]\n"))
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// Replaces times such as `1.24 ms` by `[time]`, as runs under test print them.
pub fn times(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split(' ') {
            let bare = word.trim_end_matches([')', ',']);
            let is_unit = matches!(bare, "ns" | "µs" | "ms" | "s");
            let number = words
                .last()
                .map(|last| last.trim_start_matches('(').to_owned());
            match number.filter(|number| is_unit && number.parse::<f64>().is_ok()) {
                Some(number) => {
                    let last = words.pop().expect("the number is the last word");
                    words.push(last.replace(&number, "[time]") + &word[bare.len()..]);
                }
                None => words.push(word.to_owned()),
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n") + "\n"
}

/// Replaces the port behind loopback addresses by `[port]`. Ports below 1024 are meant and stay.
fn ports(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(colon) = rest.find(':') {
        let (before, after) = rest.split_at(colon);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        let number = after[1..=digits].parse::<u32>().unwrap_or(0);
        out.push_str(before);
        if (1024..=65535).contains(&number) && ends_with_loopback(&out) {
            out.push_str(":[port]");
        } else {
            out.push_str(&after[..=digits]);
        }
        rest = &after[1 + digits..];
    }
    out.push_str(rest);
    out
}

fn ends_with_loopback(text: &str) -> bool {
    let length = text
        .bytes()
        .rev()
        .take_while(|b| b.is_ascii_digit() || *b == b'.')
        .count();
    let word = &text[text.len() - length..];
    let is_v4 = word.starts_with("127.") && word.split('.').count() == 4;
    is_v4
        || ["localhost", "[::1]", "0.0.0.0"]
            .iter()
            .any(|name| text.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_replaced() {
        assert_eq!(
            times("  a took 1.24 ms, b (3 s)\n"),
            "  a took [time], b ([time])\n"
        );
    }

    #[test]
    fn ports_of_loopback_addresses_are_replaced() {
        assert_eq!(
            ports("http://127.0.0.1:40123/x"),
            "http://127.0.0.1:[port]/x"
        );
        assert_eq!(
            ports("127.0.0.12:2000 and [::1]:40000"),
            "127.0.0.12:[port] and [::1]:[port]"
        );
        assert_eq!(
            ports("127.0.0.1:9 x.scn:1234:5 10:20:30"),
            "127.0.0.1:9 x.scn:1234:5 10:20:30"
        );
    }
}
