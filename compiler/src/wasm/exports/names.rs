//! Names as WIT has them: `SocketAddress` and `socket_address` are `socket-address`.

/// The name of an interface: `scn:net/socket@0.1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceName {
    package: String,
    name: String,
    version: Option<String>,
}

impl InterfaceName {
    /// Reads one, such as `scn:net/socket@0.1.0`; the version may be left out.
    pub fn parse(text: &str) -> Result<InterfaceName, String> {
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        let (package, name) = path
            .split_once('/')
            .ok_or_else(|| "an interface is named like `scn:net/socket@0.1.0`".to_owned())?;
        let (namespace, own) = package
            .split_once(':')
            .ok_or_else(|| format!("`{package}` has no namespace, such as `scn:{package}`"))?;
        for part in [namespace, own, name] {
            if !is_label(part) {
                return Err(format!(
                    "`{part}` is no name of WIT: write it like `my-name`"
                ));
            }
        }
        if version
            .as_deref()
            .is_some_and(|version| !is_version(version))
        {
            return Err(format!("`{text}` has no version like `0.1.0`"));
        }
        Ok(InterfaceName {
            package: package.to_owned(),
            name: name.to_owned(),
            version,
        })
    }

    /// That of a file without one: `scn:library/NAME`.
    pub fn of_file(stem: &str) -> InterfaceName {
        let letters = stem.chars().map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' => letter,
            _ => '_',
        });
        let name = kebab(&letters.collect::<String>());
        InterfaceName {
            package: "scn:library".to_owned(),
            name: name.unwrap_or_else(|| "library".to_owned()),
            version: None,
        }
    }

    /// The last part.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The package with its version, as WIT names it.
    pub(super) fn package(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.package),
            None => self.package.clone(),
        }
    }

    /// The world that exports it: interfaces and worlds of a package have different names.
    pub(super) fn world(&self) -> &'static str {
        match self.name.as_str() {
            "library" => "exports",
            _ => "library",
        }
    }
}

/// Whether words of small letters and digits with hyphens between them.
fn is_label(text: &str) -> bool {
    kebab(&text.replace('-', "_")).as_deref() == Some(text)
}

fn is_version(text: &str) -> bool {
    let numbers: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| part.parse::<u64>().is_ok_and(|n| n.to_string() == **part);
    numbers.len() == 3 && numbers.iter().all(is_number)
}

/// A name in WIT's spelling; none if nothing is left of it. A word does not begin with a digit: `item_2` is `item2`.
pub(super) fn kebab(name: &str) -> Option<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let behind = letters.get(at + 1);
        let begins = letter.is_ascii_uppercase()
            && (before.is_some_and(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
                || behind.is_some_and(char::is_ascii_lowercase));
        let is_word = !letter.is_ascii_digit() && (begins || before == Some('_'));
        if *letter == '_' {
            continue;
        }
        if is_word && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    let begins_well = text.starts_with(|first: char| first.is_ascii_lowercase());
    begins_well.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_with_hyphens() {
        for (name, wanted) in [
            ("add", Some("add")),
            ("SocketAddress", Some("socket-address")),
            ("set_read_timeout", Some("set-read-timeout")),
            ("HTTPServer", Some("http-server")),
            ("parseJSON", Some("parse-json")),
            ("item_2", Some("item2")),
            ("u16be", Some("u16be")),
            ("_hidden__name_", Some("hidden-name")),
            ("_", None),
            ("_1", None),
        ] {
            assert_eq!(kebab(name).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn interfaces_are_named_with_package_and_version() {
        let read = InterfaceName::parse("scn:net/socket@0.1.0").unwrap();
        assert_eq!(
            (read.package(), read.name()),
            ("scn:net@0.1.0".to_owned(), "socket")
        );
        assert_eq!(InterfaceName::parse("a:b/c").unwrap().package(), "a:b");
        for broken in [
            "",
            "socket",
            "net/socket",
            "scn:net/Socket",
            "scn:net/socket@1",
            "scn:/a",
            "s:a/b@0.1.x",
        ] {
            assert!(InterfaceName::parse(broken).is_err(), "{broken}");
        }
        assert_eq!(InterfaceName::of_file("two words").name(), "two-words");
        assert_eq!(InterfaceName::of_file("7").name(), "library");
    }
}
