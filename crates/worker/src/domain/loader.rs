use super::Domain;
use super::business::{self, Business};
use super::catalogue::Make;
use super::dialogue::{self, Dialogue};
use super::examples::{self, Example};
use super::facts::{self, Fact, Known};
use super::intents::{self, Intent};
use super::knowledge::Knowledge;
use super::languages::{self, Declared, Language};
use super::pattern::Atom;
use super::problem::{DomainError, Problems};
use super::questions::{self, FactQuestion};
use super::register;
use super::replies::{self, Replies};
use super::section::{DomainFile, Section};
use super::settings::{self, Settings};
use super::slots;
use super::source::Source;
use super::stock;
use super::vocabulary::{Names, Reader, Reference, Vocabulary};

/// Reads the main file, then every file that it names, and reports all problems together.
pub(super) fn load(source: &Source, name: &str) -> Result<Domain, DomainError> {
    let problems = Problems::default();
    let domain = Loader {
        source,
        problems: &problems,
    }
    .load(name);
    match (domain, problems.into_error()) {
        (Some(domain), None) => Ok(domain),
        (_, Some(error)) => Err(error),
        (None, None) => Err(DomainError {
            problems: Vec::new(),
        }),
    }
}

struct Loader<'a> {
    source: &'a Source,
    problems: &'a Problems,
}

impl Loader<'_> {
    fn load(&self, name: &str) -> Option<Domain> {
        let text = self.text(name, name, 1)?;
        let file = DomainFile::new(name, &text, self.problems);
        let table = file.parse(&text);
        let root = Section::root(&file, &table);
        let settings = settings::read(&root);
        let intents = intents::read(&root);
        if !intents
            .iter()
            .any(|intent| intent.name == settings.fallback_intent)
        {
            file.problem(1, "`fallback_intent` must name one of the [[intents]]");
        }
        let slots = slots::read(&root, &intents, |path| {
            self.makes(name, path.value, path.line)
        });
        let examples = self.examples(name, &settings, &intents);
        let mut references = Vec::new();
        let names = Names {
            settings: &settings,
            intents: &intents,
            slots: &slots,
        };
        let declared = languages::read(&root);
        let shared = root.texts("shared");
        let files: Vec<(String, usize)> = shared
            .iter()
            .map(|text| (text.value.to_owned(), text.line))
            .collect();
        let shared = self.vocabulary(name, &files, &names, &mut references);
        let languages = self.languages(name, declared, &names, &mut references);
        let dialogue = dialogue::read(&root, &intents, &slots);
        let replies = self.replies(name, &root, &intents, &slots, &dialogue);
        let business = business::read(&root);
        let served: Vec<String> = replies.iter().map(|one| one.language.clone()).collect();
        self.check_written(name, &languages, &served);
        let goals = dialogue.goals.iter().map(|goal| goal.intent.clone());
        let known = Known {
            languages: &served,
            goals: &goals.collect::<Vec<_>>(),
            slots: &dialogue::value_names(&slots),
            gaps: &business.as_ref().map_or_else(Vec::new, Business::gaps),
        };
        let knowledge = self.knowledge(name, &root, &known, &mut references);
        let questions = self.questions(name, &root, &knowledge.facts);
        let stock = stock::read(&root, &slots, &|path| {
            self.text(path.value, name, path.line)
        });
        let register = register::read(&root, &slots);
        self.check(&references, &languages, &shared, &slots);
        Some(Domain {
            business: business?,
            knowledge,
            dialogue,
            replies,
            settings,
            intents,
            slots,
            languages,
            shared,
            examples,
            questions,
            stock,
            register,
        })
    }

    fn text(&self, name: &str, from: &str, line: usize) -> Option<std::borrow::Cow<'static, str>> {
        let text = self.source.read(name);
        text.map_err(|message| self.problems.add(from, line, message))
            .ok()
    }

    fn makes(&self, from: &str, name: &str, line: usize) -> Vec<Make> {
        let Some(text) = self.text(name, from, line) else {
            return Vec::new();
        };
        let file = DomainFile::new(name, &text, self.problems);
        let table = file.parse(&text);
        let root = Section::root(&file, &table);
        let makes = slots::read_makes(&root);
        root.close();
        makes
    }

    fn questions(&self, from: &str, root: &Section<'_>, facts: &[Fact]) -> Vec<FactQuestion> {
        let files = root.texts("questions").into_iter();
        let read = files.filter_map(|file| {
            let text = self.text(file.value, from, file.line)?;
            Some(questions::read(file.value, &text, facts, self.problems))
        });
        read.flatten().collect()
    }

    fn examples(&self, from: &str, settings: &Settings, intents: &[Intent]) -> Vec<Example> {
        let files = settings
            .likeness
            .iter()
            .flat_map(|likeness| &likeness.files);
        let read = files.filter_map(|(name, line)| {
            let text = self.text(name, from, *line)?;
            Some(examples::read(name, &text, intents, self.problems))
        });
        read.flatten().collect()
    }

    fn languages(
        &self,
        from: &str,
        declared: Vec<Declared>,
        names: &Names<'_>,
        references: &mut Vec<Reference>,
    ) -> Vec<Language> {
        let codes: Vec<String> = declared
            .iter()
            .map(|language| language.code.clone())
            .collect();
        let mut languages = Vec::new();
        for language in declared {
            let answer_in = language.answer_in.and_then(|(code, line)| {
                let found = codes.iter().position(|other| *other == code);
                if found.is_none() {
                    self.problems
                        .add(from, line, format!("there is no language `{code}`"));
                }
                found
            });
            languages.push(Language {
                code: language.code,
                answer_in,
                vocabulary: self.vocabulary(from, &language.files, names, references),
            });
        }
        languages
    }

    fn vocabulary(
        &self,
        from: &str,
        files: &[(String, usize)],
        names: &Names<'_>,
        references: &mut Vec<Reference>,
    ) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        for (name, line) in files {
            let Some(text) = self.text(name, from, *line) else {
                continue;
            };
            let file = DomainFile::new(name, &text, self.problems);
            let table = file.parse(&text);
            let root = Section::root(&file, &table);
            let mut reader = Reader {
                names,
                into: &mut vocabulary,
                references,
            };
            reader.read(&root);
            root.close();
        }
        vocabulary
    }

    fn replies(
        &self,
        from: &str,
        root: &Section<'_>,
        intents: &[Intent],
        slots: &[slots::Slot],
        dialogue: &Dialogue,
    ) -> Vec<Replies> {
        let Some(section) = root.section("replies") else {
            root.problem(1, "the table [replies] is missing");
            return Vec::new();
        };
        let mut all = Vec::new();
        // In the order of the file: the first language is the default.
        let mut keys = section.keys();
        keys.sort_by_key(|key| key.line);
        for key in keys {
            let Some(path) = section.text(key.value) else {
                continue;
            };
            let Some(text) = self.text(path.value, from, path.line) else {
                continue;
            };
            let file = DomainFile::new(path.value, &text, self.problems);
            let table = file.parse(&text);
            let root = Section::root(&file, &table);
            all.push(replies::read(&root, key.value, intents, slots, dialogue));
            root.close();
        }
        if all.is_empty() {
            section.problem(section.line(), "[replies] names no language");
        }
        section.close();
        all
    }

    fn knowledge(
        &self,
        from: &str,
        root: &Section<'_>,
        known: &Known<'_>,
        references: &mut Vec<Reference>,
    ) -> Knowledge {
        let mut knowledge = Knowledge {
            prices: facts::read_prices(root, known.languages),
            ..Knowledge::default()
        };
        let named = root.texts("knowledge").into_iter();
        let files: Vec<_> = named
            .filter_map(|path| Some((path.value, self.text(path.value, from, path.line)?)))
            .collect();
        for (name, text) in &files {
            let file = DomainFile::new(name, text, self.problems);
            let table = file.parse(text);
            let prices = facts::read_prices(&Section::root(&file, &table), known.languages);
            knowledge.prices.extend(prices);
        }
        knowledge.add(root, known, references);
        // What is wrong with the syntax was told above.
        let told = Problems::default();
        for (name, text) in &files {
            let table = DomainFile::new(name, text, &told).parse(text);
            let file = DomainFile::new(name, text, self.problems);
            let root = Section::root(&file, &table);
            root.section("prices");
            knowledge.add(&root, known, references);
            root.close();
        }
        for message in knowledge.ambiguous() {
            self.problems.add(from, 1, message);
        }
        knowledge
    }

    /// A language that is written in must know questions, and the commands about messages.
    fn check_written(&self, from: &str, languages: &[Language], served: &[String]) {
        let written = |language: &&Language| served.contains(&language.code);
        for language in languages.iter().filter(written) {
            let known = &language.vocabulary;
            for (table, is_empty) in [
                ("consent", known.consent.is_empty()),
                ("question", known.question.is_empty()),
            ] {
                if is_empty {
                    let code = &language.code;
                    let message = format!("the vocabulary of `{code}` has nothing in [{table}]");
                    self.problems.add(from, 1, message);
                }
            }
        }
    }

    fn check(
        &self,
        references: &[Reference],
        languages: &[Language],
        shared: &Vocabulary,
        slots: &[slots::Slot],
    ) {
        let vocabularies = languages.iter().map(|language| &language.vocabulary);
        let classes: std::collections::BTreeSet<&str> = vocabularies
            .chain([shared])
            .flat_map(|vocabulary| vocabulary.classes.iter().map(|(name, _)| name.as_str()))
            .collect();
        for reference in references {
            let message = match &reference.atom {
                Atom::Class(name) if !classes.contains(name.as_str()) => {
                    format!("there is no class `@{name}`")
                }
                Atom::Slot(name) if !slots.iter().any(|slot| slot.name == *name) => {
                    format!("there is no slot `<{name}>`")
                }
                _ => continue,
            };
            self.problems.add(&reference.file, reference.line, message);
        }
    }
}
