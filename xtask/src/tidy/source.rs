//! Reads Rust as far as the rules need it: what is code, what is a comment, what is a literal.

/// A Rust file, read once for all rules.
#[derive(Debug)]
pub(super) struct Source {
    /// Path from the repository's root.
    pub(super) path: String,
    /// The text with comments and the insides of literals blanked out; the lines stay where they are.
    pub(super) code: String,
    /// String literals and the line each begins on.
    pub(super) literals: Vec<(usize, String)>,
    /// First line of the file.
    pub(super) first_line: String,
    /// The line with `#[cfg(test)]` before `mod tests {` at the end; one past the last line where there is none, and
    /// the first of a file that is nothing but tests, `foo/tests.rs`.
    pub(super) tests_from: usize,
}

impl Source {
    /// Scans a file.
    pub(super) fn scan(path: &str, text: &str) -> Self {
        let mut scanner =
            Scanner { rest: text, before: ' ', line: 1, code: String::new(), literals: Vec::new() };
        scanner.run();
        let tests_from = if path.ends_with("/tests.rs") { 1 } else { tests_from(&scanner.code) };
        Self {
            path: path.to_owned(),
            code: scanner.code,
            literals: scanner.literals,
            first_line: text.lines().next().unwrap_or_default().to_owned(),
            tests_from,
        }
    }

    /// Lines of code with their numbers, the unit tests at the end left out.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.all_lines().take_while(|(number, _)| *number < self.tests_from)
    }

    /// Lines of code with their numbers, unit tests too.
    pub(super) fn all_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Whether a line of code has a word, as a whole word.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let edge = |letter: Option<char>| !letter.is_some_and(is_word);
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        edge(before) && edge(after)
    })
}

/// Whether a letter may stand in a name.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn tests_from(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let start = lines.windows(2).rposition(|pair| match pair {
        [attribute, module] => attribute.starts_with("#[cfg(test)]") && module.starts_with("mod "),
        _ => false,
    });
    start.map_or(lines.len() + 1, |index| index + 1)
}

struct Scanner<'t> {
    rest: &'t str,
    before: char,
    line: usize,
    code: String,
    literals: Vec<(usize, String)>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(letter) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.blank(end, ' ');
            } else if self.rest.starts_with("/*") {
                let end = block_comment(self.rest);
                self.blank(end, ' ');
            } else if let Some((open, close)) = raw_string(self.rest).filter(|_| !is_word(self.before)) {
                self.literal(open, &close);
            } else if letter == '"' {
                self.quoted();
            } else if letter == '\'' {
                let length = char_literal(self.rest);
                self.blank(length, if length > 1 { '_' } else { '\'' });
            } else {
                self.keep(letter);
            }
        }
    }

    fn keep(&mut self, letter: char) {
        self.code.push(letter);
        self.step(letter);
    }

    fn step(&mut self, letter: char) {
        self.line += usize::from(letter == '\n');
        self.before = letter;
        self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
    }

    /// Passes over `length` bytes; every letter but line ends and blanks becomes `with`.
    fn blank(&mut self, length: usize, with: char) {
        let until = self.rest.len().saturating_sub(length);
        while self.rest.len() > until {
            let Some(letter) = self.rest.chars().next() else { return };
            self.code.push(if letter.is_whitespace() { letter } else { with });
            self.step(letter);
        }
    }

    fn quoted(&mut self) {
        let mut escaped = false;
        let inside = self.rest.get(1..).unwrap_or_default();
        let end = inside.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let length = end.unwrap_or(inside.len());
        self.literals.push((self.line, inside.get(..length).unwrap_or_default().to_owned()));
        self.blank(length + 2, '_');
    }

    fn literal(&mut self, open: usize, close: &str) {
        let inside = self.rest.get(open..).unwrap_or_default();
        let length = inside.find(close).unwrap_or(inside.len());
        self.literals.push((self.line, inside.get(..length).unwrap_or_default().to_owned()));
        self.blank(open + length + close.len(), '_');
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Length of a raw string's opening and its closing: `r"`, `r#"`, `br"` and so on.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let rest = text.strip_prefix(prefix)?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    Some((prefix.len() + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// Length of the literal, or 1 where the quote begins a lifetime.
fn char_literal(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((at, second))) => {
            let from = at + second.len_utf8();
            text.get(from..).and_then(|rest| rest.find('\'')).map_or(1, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_code_and_lines_stay_where_they_are() {
        let source = Source::scan("a.rs", "one(); // two\n/* three /* four */\nfive */ six();\n");
        assert!(source.code.contains("one();") && source.code.contains("six();"));
        for word in ["two", "three", "four", "five"] {
            assert!(!source.code.contains(word), "{word}");
        }
        assert_eq!(source.code.lines().count(), 3);
    }

    #[test]
    fn literals_are_kept_apart_with_their_line() {
        let text = "let a = \"x // \\\" y\";\nlet b = r#\"raw \"quoted\" \n text\"#;\nlet c = b\"bytes\";\n";
        let source = Source::scan("a.rs", text);
        let expected = [(1, "x // \\\" y"), (2, "raw \"quoted\" \n text"), (4, "bytes")];
        let found: Vec<(usize, &str)> =
            source.literals.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(found, expected);
        assert!(!source.code.contains("quoted"));
    }

    #[test]
    fn a_lifetime_opens_no_literal_and_a_quote_letter_closes_none() {
        let source = Source::scan("a.rs", "fn f<'a>(x: &'a str) { g('\"', '\\'', '/', \"s\"); after() }\n");
        assert_eq!(source.literals, [(1, "s".to_owned())]);
        assert!(source.code.contains("fn f<'a>(x: &'a str)") && source.code.contains("after()"));
    }

    #[test]
    fn unit_tests_at_the_end_are_told_from_code() {
        let source = Source::scan("a.rs", "code();\n\n#[cfg(test)]\nmod tests {\n    test();\n}\n");
        assert_eq!(source.tests_from, 3);
        assert!(source.lines().all(|(_, line)| !line.contains("test()")));
        assert_eq!(source.all_lines().count(), 6);
        assert_eq!(Source::scan("a/tests.rs", "test();\n").lines().count(), 0);
    }

    #[test]
    fn a_word_is_found_whole_only() {
        assert!(has_word("use wasmtime::Engine;", "wasmtime"));
        assert!(!has_word("use wasmtime_cache;", "wasmtime"));
        assert!(!has_word("my_wasmtime()", "wasmtime"));
    }
}
