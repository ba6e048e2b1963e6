//! Languages that are known but not written: the tables `[[unserved]]`.

use super::section::Section;

/// A language that gets one honest sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// Its code.
    pub code: String,
    /// Frequent words that no served language has, in lower case.
    pub words: Vec<String>,
    /// Letters that only it has here.
    pub letters: Vec<char>,
    /// What is said, in that language.
    pub sentence: String,
}

/// Reads the `[[unserved]]` of a file.
pub(super) fn read(root: &Section<'_>) -> Vec<Unserved> {
    let mut languages = Vec::new();
    for section in root.sections("unserved") {
        let text = |key: &str| {
            let text = section.required_text(key);
            text.map_or_else(String::new, |text| text.value.to_owned())
        };
        let words = text("words").to_lowercase();
        languages.push(Unserved {
            code: text("code"),
            words: words.split_whitespace().map(str::to_owned).collect(),
            letters: section
                .text("letters")
                .map_or_else(Vec::new, |letters| letters.value.chars().collect()),
            sentence: text("sentence"),
        });
        section.close();
    }
    languages
}
