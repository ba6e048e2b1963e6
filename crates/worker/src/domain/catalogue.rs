use super::pattern::expand_braces;
use super::section::{Section, Text};

/// The upper level of a catalogue, with its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Make {
    /// The canonical name.
    pub name: String,
    /// How it is written.
    pub forms: Vec<Form>,
    /// What it makes.
    pub models: Vec<Model>,
}

/// The lower level of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The canonical name, without the make.
    pub name: String,
    /// How it is written.
    pub forms: Vec<Form>,
}

/// One way of writing a make or model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// As written in the file.
    pub text: String,
    /// What it takes to believe it.
    pub needs: Needs,
}

/// What it takes to believe that a word is a make or model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// The word alone.
    Nothing,
    /// A sign that the message is about such things (`?` before the form).
    Context,
    /// A word that points at it, such as an article (`^` before the form).
    Pointer,
    /// Its make right before it (`!` before the form).
    Make,
}

/// Reads a file of `[[makes]]`. A model is one line: `"Golf | golfje | golf plus"`, the first form
/// being its name; braces are expanded, `?`, `^` and `!` before a form say what it [`Needs`].
pub(in crate::domain) fn read(root: &Section<'_>) -> Vec<Make> {
    root.sections("makes")
        .into_iter()
        .filter_map(read_make)
        .collect()
}

fn read_make(section: Section<'_>) -> Option<Make> {
    let name = section.required_text("name");
    let aliases = section.texts("aliases");
    let models = section
        .texts("models")
        .into_iter()
        .filter_map(|text| read_model(&section, text))
        .collect();
    section.close();
    let (name, first) = split_form(name?.value);
    let mut forms = vec![first];
    forms.extend(aliases.iter().flat_map(|text| expanded(text.value)));
    Some(Make {
        name,
        forms,
        models,
    })
}

fn read_model(section: &Section<'_>, text: Text<'_>) -> Option<Model> {
    let mut parts = text.value.split('|').map(str::trim);
    let (name, first) = split_form(parts.next()?);
    let mut forms = vec![first];
    forms.extend(parts.flat_map(expanded));
    if name.is_empty() || forms.iter().any(|form| form.text.is_empty()) {
        section.problem(text.line, format!("`{}` has an empty form", text.value));
        return None;
    }
    Some(Model { name, forms })
}

fn split_form(text: &str) -> (String, Form) {
    let (text, needs) = if let Some(rest) = text.strip_prefix('?') {
        (rest, Needs::Context)
    } else if let Some(rest) = text.strip_prefix('^') {
        (rest, Needs::Pointer)
    } else if let Some(rest) = text.strip_prefix('!') {
        (rest, Needs::Make)
    } else {
        (text, Needs::Nothing)
    };
    let form = Form {
        text: text.to_owned(),
        needs,
    };
    (text.to_owned(), form)
}

fn expanded(text: &str) -> Vec<Form> {
    expand_braces(text)
        .iter()
        .map(|form| split_form(form).1)
        .collect()
}
