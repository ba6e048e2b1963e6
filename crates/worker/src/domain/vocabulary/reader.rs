use super::{Answer, Cue, MoodCue, Negation, SlotRule, ValueWord, Vocabulary};
use crate::domain::intents::{self, Intent};
use crate::domain::moments;
use crate::domain::pattern::{Atom, Pattern, for_each_atom, patterns};
use crate::domain::section::{Section, Text};
use crate::domain::settings::Settings;
use crate::domain::slots::{self, Slot, SlotKind};

/// What names in a vocabulary file may refer to.
pub(in crate::domain) struct Names<'a> {
    pub(in crate::domain) settings: &'a Settings,
    pub(in crate::domain) intents: &'a [Intent],
    pub(in crate::domain) slots: &'a [Slot],
}

/// A class or slot that a pattern names, to be checked once all files are read.
pub(in crate::domain) struct Reference {
    pub(in crate::domain) file: String,
    pub(in crate::domain) line: usize,
    pub(in crate::domain) atom: Atom,
}

/// Adds one file to a vocabulary.
pub(in crate::domain) struct Reader<'a, 'v> {
    pub(in crate::domain) names: &'a Names<'a>,
    pub(in crate::domain) into: &'v mut Vocabulary,
    pub(in crate::domain) references: &'v mut Vec<Reference>,
}

const AMOUNT_RULES: [(&str, SlotRule); 8] = [
    ("age", SlotRule::Age),
    ("thousands", SlotRule::Thousands),
    ("mention", SlotRule::Mention),
    ("never", SlotRule::Never),
    ("min", SlotRule::Min),
    ("max", SlotRule::Max),
    ("range", SlotRule::Range),
    ("unless", SlotRule::Unless),
];
const CATALOGUE_RULES: [(&str, SlotRule); 4] = [
    ("unless", SlotRule::Unless),
    ("context", SlotRule::Context),
    ("own", SlotRule::Own),
    ("wanted", SlotRule::Wanted),
];
const UNLESS_RULE: [(&str, SlotRule); 1] = [("unless", SlotRule::Unless)];

impl Reader<'_, '_> {
    pub(in crate::domain) fn read(&mut self, root: &Section<'_>) {
        if let Some(section) = root.section("language") {
            self.into.words.extend(words(&section, "words"));
            self.into.endings.extend(words(&section, "endings"));
            self.into
                .name_endings
                .extend(words(&section, "name_endings"));
            self.into
                .abbreviations
                .extend(words(&section, "abbreviations"));
            self.into.joiners.extend(words(&section, "joiners"));
            let beginnings = section.texts("beginnings").into_iter();
            self.into
                .beginnings
                .extend(beginnings.map(|text| text.value.to_owned()));
            section.close();
        }
        if let Some(section) = root.section("classes") {
            for name in section.keys() {
                let members = self.patterns(&section, name.value);
                let named = members
                    .into_iter()
                    .map(|pattern| (name.value.to_owned(), pattern));
                self.into.classes.extend(named);
            }
        }
        if let Some(section) = root.section("cues") {
            self.read_cues(&section);
        }
        if let Some(section) = root.section("slots") {
            for name in section.keys() {
                self.read_slot(&section, name);
            }
        }
        if let Some(section) = root.section("numbers") {
            self.read_numbers(section);
        }
        if let Some(section) = root.section("consent") {
            self.read_consent(section);
        }
        moments::read(root, &mut self.into.moments);
        if let Some(section) = root.section("hours") {
            let questions = moments::read_questions(&section, |key| self.patterns(&section, key));
            self.into.moments.questions.extend(questions);
        }
        if let Some(section) = root.section("question") {
            self.read_question(section);
        }
        if let Some(section) = root.section("acts") {
            self.read_acts(section);
        }
        self.read_tables(root);
    }

    fn read_tables(&mut self, root: &Section<'_>) {
        if let Some(section) = root.section("negation") {
            for (key, kind) in [
                ("before", Negation::Before),
                ("around", Negation::Around),
                ("stop", Negation::Stop),
                ("join", Negation::Join),
                ("join_alike", Negation::JoinAlike),
                ("lists", Negation::Lists),
                ("needed", Negation::Needed),
            ] {
                let found = self.patterns(&section, key);
                self.into
                    .negation
                    .extend(found.into_iter().map(|pattern| (kind, pattern)));
            }
            section.close();
        }
        if let Some(section) = root.section("mood") {
            for (key, kind) in [
                ("positive", MoodCue::Positive),
                ("negative", MoodCue::Negative),
                ("angry", MoodCue::Angry),
                ("legal_threat", MoodCue::LegalThreat),
            ] {
                let found = self.patterns(&section, key);
                self.into
                    .moods
                    .extend(found.into_iter().map(|pattern| (kind, pattern)));
            }
            section.close();
        }
        if let Some(section) = root.section("answers") {
            for (key, kind) in [("yes", Answer::Affirmation), ("no", Answer::Denial)] {
                let found = self.patterns(&section, key);
                self.into
                    .answers
                    .extend(found.into_iter().map(|pattern| (kind, pattern)));
            }
            section.close();
        }
    }

    fn read_cues(&mut self, cues: &Section<'_>) {
        for name in cues.keys() {
            let intent = intents::find(self.names.intents, cues, name);
            let (Some(intent), Some(section)) = (intent, cues.section(name.value)) else {
                continue;
            };
            for strength in section.keys() {
                let Some(weight) = self.names.settings.strength(strength.value) else {
                    let message = format!("there is no strength `{}`", strength.value);
                    section.problem(strength.line, message);
                    continue;
                };
                for pattern in self.patterns(&section, strength.value) {
                    self.into.cues.push(Cue {
                        intent,
                        weight,
                        pattern,
                    });
                }
            }
        }
    }

    fn read_slot(&mut self, slots: &Section<'_>, name: Text<'_>) {
        let found = slots::find(self.names.slots, slots, name);
        let (Some(slot), Some(section)) = (found, slots.section(name.value)) else {
            return;
        };
        let Some(kind) = self.names.slots.get(slot).map(|slot| &slot.kind) else {
            return;
        };
        let rules: &[(&str, SlotRule)] = match kind {
            SlotKind::Catalogue(_) => &CATALOGUE_RULES,
            SlotKind::Amount(_) | SlotKind::Year(_) => &AMOUNT_RULES,
            SlotKind::Choice { .. } => &UNLESS_RULE,
            SlotKind::Plate { .. } => &CATALOGUE_RULES,
        };
        for (key, rule) in rules {
            for pattern in self.patterns(&section, key) {
                self.into.slot_rules.push((slot, *rule, pattern));
            }
        }
        if let SlotKind::Choice { values, .. } = kind {
            self.read_values(&section, "values", slot, values);
            self.read_values(&section, "native_values", slot, values);
        }
        if let SlotKind::Amount(_) = kind {
            self.read_units(&section, Some(slot));
        }
        section.close();
    }

    fn read_values(&mut self, section: &Section<'_>, key: &str, slot: usize, values: &[String]) {
        let Some(words) = section.section(key) else {
            return;
        };
        for name in words.keys() {
            let Some(value) = values.iter().position(|value| value == name.value) else {
                words.problem(
                    name.line,
                    format!("`{}` is no value of this slot", name.value),
                );
                continue;
            };
            for pattern in self.patterns(&words, name.value) {
                let native = key == "native_values";
                self.into.values.push(ValueWord {
                    slot,
                    value,
                    native,
                    pattern,
                });
            }
        }
    }

    pub(super) fn patterns(&mut self, section: &Section<'_>, key: &str) -> Vec<Pattern> {
        patterns_of(section, key, self.references)
    }
}

/// The patterns of a list; what they refer to is checked later.
pub(in crate::domain) fn patterns_of(
    section: &Section<'_>,
    key: &str,
    references: &mut Vec<Reference>,
) -> Vec<Pattern> {
    let mut read = Vec::new();
    for (pattern, line) in patterns(section, key) {
        for_each_atom(&pattern.elements(), &mut |atom| {
            if matches!(atom, Atom::Class(_) | Atom::Slot(_)) {
                references.push(Reference {
                    file: section.file().name().to_owned(),
                    line,
                    atom: atom.clone(),
                });
            }
        });
        read.push(pattern);
    }
    read
}

/// Words of a text, or of several, separated by spaces.
pub(super) fn words(section: &Section<'_>, key: &str) -> Vec<String> {
    let texts = section.texts(key);
    texts
        .iter()
        .flat_map(|text| text.value.split_whitespace())
        .map(str::to_owned)
        .collect()
}
