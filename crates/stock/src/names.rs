//! A catalogue of two levels: makes and models, and how they are written.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::words::squash;

/// The most words that a name has.
const WORDS: usize = 4;

/// Makes and models of a domain, found by any of their forms.
#[derive(Debug, Clone, PartialEq)]
pub struct Names {
    /// The attribute of the upper level.
    pub upper: Arc<str>,
    /// The attribute of the lower level.
    pub lower: Arc<str>,
    makes: FxHashMap<String, Arc<str>>,
    /// By canonical make.
    models: FxHashMap<Arc<str>, FxHashMap<String, Arc<str>>>,
}

impl Names {
    /// An empty catalogue for two attributes.
    #[must_use]
    pub fn new(upper: &str, lower: &str) -> Self {
        Self {
            upper: upper.into(),
            lower: lower.into(),
            makes: FxHashMap::default(),
            models: FxHashMap::default(),
        }
    }

    /// Adds a way of writing a make. The first that is added for a form stays.
    pub fn add_make(&mut self, make: &str, form: &str) {
        self.makes
            .entry(squash(form))
            .or_insert_with(|| make.into());
    }

    /// Adds a way of writing a model of a make.
    pub fn add_model(&mut self, make: &str, model: &str, form: &str) {
        let models = self.models.entry(make.into()).or_default();
        models.entry(squash(form)).or_insert_with(|| model.into());
    }

    /// The name of one of the two attributes that a text is or begins with; `above` is the make of a model.
    #[must_use]
    pub fn canonical(&self, attribute: &str, text: &str, above: Option<&str>) -> Option<Arc<str>> {
        if *self.upper == *attribute {
            self.make(text).map(|(make, _)| make)
        } else if *self.lower == *attribute {
            self.model(above?, text)
        } else {
            None
        }
    }

    /// The make that a text is or begins with, and what follows it.
    pub(crate) fn make<'a>(&self, text: &'a str) -> Option<(Arc<str>, &'a str)> {
        longest(text, |form| self.makes.get(form))
    }

    /// The model of a make that a text is or begins with, the make before it or not.
    pub(crate) fn model(&self, make: &str, text: &str) -> Option<Arc<str>> {
        let models = self.models.get(make)?;
        let rest = self
            .make(text)
            .filter(|(found, _)| **found == *make)
            .map(|(_, rest)| rest);
        let texts = [Some(text), rest].into_iter().flatten();
        texts
            .filter_map(|text| longest(text, |form| models.get(form)))
            .map(|(model, _)| model)
            .next()
    }
}

/// The longest run of words at the beginning of a text that is known, and the rest.
fn longest<'a, 't>(
    text: &'t str,
    known: impl Fn(&str) -> Option<&'a Arc<str>>,
) -> Option<(Arc<str>, &'t str)> {
    let mut squashed = String::new();
    let mut best = None;
    let mut rest = text.trim_start();
    for _ in 0..WORDS {
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/'))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        squashed.push_str(&squash(word));
        rest =
            after.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/'));
        if let Some(found) = known(&squashed) {
            best = Some((Arc::clone(found), rest));
        }
        if rest.is_empty() {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_and_models_are_found_at_the_beginning_of_a_text() {
        let mut names = Names::new("make", "model");
        names.add_make("Volkswagen", "Volkswagen");
        names.add_make("Volkswagen", "vw");
        names.add_make("Mercedes-Benz", "Mercedes-Benz");
        names.add_make("Mercedes-Benz", "Mercedes");
        names.add_model("Volkswagen", "Golf", "Golf");
        names.add_model("Volkswagen", "Golf Plus", "Golf Plus");
        names.add_model("Mercedes-Benz", "A-Class", "A-Klasse");
        let make = |text| {
            names
                .make(text)
                .map(|(make, rest)| (make.to_string(), rest))
        };
        assert_eq!(make("VW Golf 1.5"), Some(("Volkswagen".into(), "Golf 1.5")));
        assert_eq!(
            make("MERCEDES BENZ A 180"),
            Some(("Mercedes-Benz".into(), "A 180"))
        );
        assert_eq!(make("Tesla"), None);
        for (make, text, model) in [
            ("Volkswagen", "GOLF VII 1.4 TSI", Some("Golf")),
            ("Volkswagen", "Golf Plus 1.2", Some("Golf Plus")),
            ("Volkswagen", "Volkswagen Golf", Some("Golf")),
            ("Mercedes-Benz", "A-Klasse 180", Some("A-Class")),
            ("Volkswagen", "Kever", None),
        ] {
            assert_eq!(names.model(make, text).as_deref(), model, "{text}");
        }
    }
}
