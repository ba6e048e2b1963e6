use super::section::Section;
use super::vocabulary::Vocabulary;

/// A language that messages may be in.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    /// As in `lang`: `nl`.
    pub code: String,
    /// For languages that are known but not served: the one to answer in.
    pub answer_in: Option<usize>,
    /// Its words.
    pub vocabulary: Vocabulary,
}

/// A `[[languages]]` table before its files are read.
pub(super) struct Declared {
    pub(super) code: String,
    pub(super) answer_in: Option<(String, usize)>,
    pub(super) files: Vec<(String, usize)>,
}

pub(super) fn read(root: &Section<'_>) -> Vec<Declared> {
    let mut declared = Vec::new();
    for section in root.sections("languages") {
        let code = section.required_text("code");
        let answer_in = section.text("answer_in");
        let files = section.texts("vocabulary");
        if let Some(code) = code {
            declared.push(Declared {
                code: code.value.to_owned(),
                answer_in: answer_in.map(|text| (text.value.to_owned(), text.line)),
                files: files
                    .iter()
                    .map(|text| (text.value.to_owned(), text.line))
                    .collect(),
            });
        }
        section.close();
    }
    if declared.is_empty() {
        root.problem(1, "there are no [[languages]]");
    }
    declared
}
