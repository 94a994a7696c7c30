//! Code blocks of the documentation.

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The word behind the fence: `scn`, `sh`, `text`.
    pub language: String,
    /// The line of the fence, from 1.
    pub line: usize,
    /// What stands inside.
    pub text: String,
}

/// All fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block {
                    language: language.trim().to_owned(),
                    line: index + 1,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_lines() {
        let found = blocks("a\n```scn\nx\n```\n```\ny\n```\n");
        assert_eq!(
            found[0],
            Block {
                language: "scn".to_owned(),
                line: 2,
                text: "x\n".to_owned()
            }
        );
        assert_eq!((found[1].language.as_str(), found[1].line), ("", 5));
    }
}
