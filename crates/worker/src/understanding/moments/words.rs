//! A message as the wordings of dates and times see it.

use rustc_hash::FxHashMap;

use crate::domain::{Moments, Telling, TimeUnit as Unit};
use crate::understanding::fold::{fold, umlauts_spelled_out};
use crate::understanding::numbers::NumberReader;
use crate::understanding::tokens::{Boundary, Kind, Token, tokenize};

/// A hyphen between words, which no token stands for.
const DASH: &str = "-";

/// A word, number, sign or hyphen.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// What the grammar calls it; 0 when it does not know it.
    pub(super) id: u32,
    /// As written, in lower case and with its accents, where the grammar minds them.
    pub(super) exact: u32,
    pub(super) text: String,
    pub(super) is_number: bool,
    /// Place of its token.
    pub(super) token: usize,
    /// What stands between it and the word before.
    pub(super) before: Gap,
    /// It is a hyphen that no token stands for.
    pub(super) is_dash: bool,
    /// It touches the word before.
    pub(super) glued: bool,
    /// A full stop stands right behind it.
    pub(super) dotted: bool,
    /// The number that it is in words.
    pub(super) value: Option<f64>,
    /// The ordinal that it is in words.
    pub(super) ordinal: Option<u8>,
}

/// What separates two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    Nothing,
    Comma,
    /// The end of a sentence or a line.
    Hard,
}

/// All words that the wordings of a language know, by number, and what some of them are.
#[derive(Debug, Default)]
pub(super) struct Words {
    ids: FxHashMap<String, u32>,
    pub(super) weekdays: FxHashMap<u32, u8>,
    pub(super) months: FxHashMap<u32, u8>,
    pub(super) units: FxHashMap<u32, Unit>,
    hours: FxHashMap<u32, u8>,
    hour_endings: Vec<String>,
    ordinals: FxHashMap<u32, u8>,
    endings: Vec<String>,
    lists: Vec<(Telling, Vec<Vec<u32>>)>,
    /// Second halves of joined words.
    tails: Vec<u32>,
}

impl Words {
    pub(super) fn new(moments: &Moments) -> Self {
        let mut words = Self::default();
        let numbered = |words: &mut Self, list: &[(String, u8)]| {
            let mut map = FxHashMap::default();
            for (word, number) in list {
                for form in forms(word) {
                    map.insert(words.intern(&form), *number);
                }
            }
            map
        };
        words.weekdays = numbered(&mut words, &moments.weekdays);
        words.months = numbered(&mut words, &moments.months);
        words.hours = numbered(&mut words, &moments.hours);
        words.ordinals = numbered(&mut words, &moments.ordinals);
        for (word, unit) in &moments.units {
            for form in forms(word) {
                let id = words.intern(&form);
                words.units.insert(id, *unit);
            }
        }
        words.endings = moments
            .ordinal_endings
            .iter()
            .map(|word| fold(word))
            .collect();
        let endings = moments.hour_endings.iter();
        words.hour_endings = endings.map(|word| fold(word)).collect();
        for (telling, texts) in &moments.lists {
            let phrases: Vec<Vec<u32>> = texts.iter().map(|text| words.phrase(text)).collect();
            if *telling == Telling::Tail {
                words.tails.extend(phrases.iter().flatten());
            }
            words.lists.push((*telling, phrases));
        }
        words
    }

    /// The number of a word; a new one when it is not known.
    pub(super) fn intern(&mut self, form: &str) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX - 1) + 1;
        *self.ids.entry(form.to_owned()).or_insert(next)
    }

    /// The words of a wording; `=wär` is itself as written, and not "war".
    fn phrase(&mut self, text: &str) -> Vec<u32> {
        if text.starts_with('=') {
            return vec![self.intern(text)];
        }
        let tokens = tokenize(text, |_| false);
        let mut ids: Vec<u32> = tokens
            .iter()
            .map(|token| self.intern(&token.text))
            .collect();
        if ids.is_empty() {
            ids.push(self.intern(text));
        }
        ids
    }

    pub(super) fn id(&self, form: &str) -> u32 {
        self.ids.get(form).copied().unwrap_or(0)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }

    /// The length of the longest phrase of a list that stands here.
    pub(super) fn told(&self, telling: Telling, message: &[Word], at: usize) -> Option<usize> {
        let lists = self.lists.iter().filter(|(of, _)| *of == telling);
        let lengths = lists.flat_map(|(_, phrases)| phrases).filter(|phrase| {
            let here = message.get(at..at + phrase.len()).unwrap_or_default();
            let is = |(word, id): (&Word, &u32)| word.id == *id || word.exact == *id;
            here.len() == phrase.len() && here.iter().zip(*phrase).all(is)
        });
        lengths.map(Vec::len).max()
    }

    fn is(&self, telling: Telling, id: u32) -> bool {
        let mut lists = self.lists.iter().filter(|(of, _)| *of == telling);
        lists.any(|(_, phrases)| phrases.iter().any(|phrase| phrase.as_slice() == [id]))
    }

    pub(super) fn is_shy(&self, word: &Word) -> bool {
        self.is(Telling::Shy, word.id)
    }

    pub(super) fn is_very_shy(&self, word: &Word) -> bool {
        self.is(Telling::VeryShy, word.id)
    }

    /// Whether a word, perhaps joined of two, is one that dates or times are told by.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.id(text) != 0 || self.halves(text).is_some()
    }

    /// `zaterdagmiddag` is `zaterdag` and `middag`.
    fn halves<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        const SHORTEST: usize = 5;
        let splits = (SHORTEST..text.len()).filter(|at| text.is_char_boundary(*at));
        let halves = splits.filter_map(|at| Some((text.get(..at)?, text.get(at..)?)));
        let mut all = halves.filter(|(_, tail)| {
            let id = self.id(tail);
            id != 0 && self.tails.contains(&id)
        });
        all.find_map(|(head, tail)| {
            let plain = head.strip_suffix('s').filter(|_| self.id(head) == 0);
            let head = plain.unwrap_or(head);
            (self.id(head) != 0).then_some((head, tail))
        })
    }

    /// Whether a part of a wording can begin with a word: a name of a day, a number, a unit.
    pub(super) fn is_part(&self, word: &Word) -> bool {
        word.is_number
            || word.value.is_some()
            || word.ordinal.is_some()
            || self.weekdays.contains_key(&word.id)
            || self.months.contains_key(&word.id)
            || self.units.contains_key(&word.id)
            || self.names_hour(word)
    }

    /// Whether a word is the name of an hour.
    pub(super) fn names_hour(&self, word: &Word) -> bool {
        self.hours.contains_key(&word.id)
    }

    /// Whether a word that is glued to a figure makes an hour of it.
    pub(super) fn ends_hour(&self, word: &Word) -> bool {
        self.hour_endings.contains(&word.text)
    }

    /// The hour that a word says, up to 24.
    pub(super) fn hour(&self, word: &Word) -> Option<u8> {
        if word.is_number {
            return digits(word, 24);
        }
        let known = self.hours.get(&word.id).copied();
        known.or_else(|| said(word, 24.0))
    }

    /// A day of the month, where its words end, and whether it is an ordinal.
    pub(super) fn day(&self, message: &[Word], at: usize) -> Option<(u8, usize, bool)> {
        let word = message.get(at)?;
        if word.is_number {
            let day = digits(word, 31).filter(|day| *day > 0)?;
            let next = message
                .get(at + 1)
                .filter(|next| next.glued && !next.is_dash);
            let ending = next.is_some_and(|next| self.endings.contains(&next.text));
            return Some((day, at + 1 + usize::from(ending), ending || word.dotted));
        }
        if let Some(day) = word.ordinal {
            return Some((day, at + 1, true));
        }
        let tens = said(word, 30.0).filter(|tens| matches!(tens, 20 | 30))?;
        let unit = at + 1 + usize::from(message.get(at + 1)?.is_dash);
        let ones = message.get(unit)?.ordinal.filter(|ones| *ones < 10)?;
        Some((tens + ones, unit + 1, true))
    }

    /// The ordinal that a word is, such as `twaalfde`.
    fn ordinal(&self, id: u32, text: &str, numbers: &NumberReader) -> Option<u8> {
        if let Some(day) = self.ordinals.get(&id) {
            return Some(*day);
        }
        let mut stems = self
            .endings
            .iter()
            .filter_map(|end| text.strip_suffix(&**end));
        stems.find_map(|stem| {
            // "twentieth" is of "twenty".
            let value = numbers
                .compound(stem)
                .or_else(|| numbers.compound(&format!("{}y", stem.strip_suffix("ie")?)))?;
            ((1.0..=31.0).contains(&value) && value.fract() == 0.0).then_some(value as u8)
        })
    }

    /// The words of a message.
    pub(super) fn read(&self, text: &str, tokens: &[Token], numbers: &NumberReader) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::with_capacity(tokens.len() + 4);
        let mut end = 0;
        for (place, token) in tokens.iter().enumerate() {
            let between = text.get(end..token.start).unwrap_or_default();
            end = token.end;
            let dotted = words
                .last()
                .is_some_and(|word| word.is_number || self.is(Telling::Abbreviation, word.id));
            let before = if place == 0 {
                Gap::Nothing
            } else {
                gap(between, token.boundary, dotted)
            };
            let glued = place > 0 && between.is_empty();
            let has_dash = place > 0 && between.contains(['-', '–', '—']);
            if has_dash && before < Gap::Hard {
                words.push(Word {
                    is_dash: true,
                    ..self.word(DASH, place.saturating_sub(1))
                });
            }
            let before = if has_dash {
                Gap::Nothing.max(before)
            } else {
                before
            };
            let halves = (token.kind == Kind::Word && self.id(&token.text) == 0)
                .then(|| self.halves(&token.text))
                .flatten();
            let first = halves.map_or(token.text.as_str(), |(head, _)| head);
            let exact = text.get(token.start..token.end).unwrap_or_default();
            let exact: String = exact.to_lowercase();
            words.push(Word {
                exact: self.id(&format!("={exact}")),
                // '17 is a year.
                is_number: token.kind == Kind::Number && !token.apostrophe,
                before,
                glued,
                dotted: text
                    .get(token.end..)
                    .is_some_and(|rest| rest.starts_with('.')),
                ..self.word(first, place)
            });
            if let Some((_, tail)) = halves {
                words.push(self.word(tail, place));
            }
        }
        for word in words
            .iter_mut()
            .filter(|word| !word.is_number && !word.is_dash)
        {
            word.value = numbers.compound(&word.text);
            word.ordinal = self.ordinal(word.id, &word.text, numbers);
        }
        words
    }

    fn word(&self, text: &str, token: usize) -> Word {
        Word {
            id: self.id(text),
            exact: 0,
            text: text.to_owned(),
            is_number: false,
            token,
            before: Gap::Nothing,
            is_dash: false,
            glued: false,
            dotted: false,
            value: None,
            ordinal: None,
        }
    }
}

fn gap(between: &str, boundary: Boundary, dotted: bool) -> Gap {
    let ends = between.contains(['\n', '\r', '!', '?', ';', '…']);
    let stops = between.contains('.') && !dotted;
    match (ends || stops, boundary) {
        (true, _) => Gap::Hard,
        (false, Boundary::Clause) if between.contains([',', '(', ')', '"', ':']) => Gap::Comma,
        (false, Boundary::Sentence) if !dotted => Gap::Hard,
        _ => Gap::Nothing,
    }
}

fn digits(word: &Word, most: u8) -> Option<u8> {
    let short = word.text.len() <= 2;
    let value = word.text.parse().ok().filter(|_| short);
    value.filter(|value| *value <= most)
}

fn said(word: &Word, most: f64) -> Option<u8> {
    let value = word.value?;
    let whole = value.fract() == 0.0 && (1.0..=most).contains(&value);
    whole.then_some(value as u8)
}

/// A word as it is typed: folded, and with its umlauts spelled out.
pub(super) fn forms(word: &str) -> impl Iterator<Item = String> {
    let spelled_out = umlauts_spelled_out(word).map(|word| fold(&word));
    std::iter::once(fold(word)).chain(spelled_out)
}
