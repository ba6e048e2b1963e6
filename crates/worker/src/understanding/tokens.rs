//! Splits a message into words, numbers and signs.

use super::fold::fold_char;

/// Messages are read up to this many tokens; what follows changes nothing.
pub(super) const MAX_TOKENS: usize = 256;

/// A word, number or sign of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Folded; a typo is replaced by what was meant.
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Nothing, a hyphen or a dot between the token before and this one.
    pub(super) glued: bool,
    /// What separates it from the token before.
    pub(super) boundary: Boundary,
    /// A question mark stands after it.
    pub(super) asked: bool,
    /// An apostrophe stands before it, as in `'17`.
    pub(super) apostrophe: bool,
    /// Where it begins and ends in the message, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Sign,
}

/// What separates a token from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Boundary {
    None,
    /// A comma or the like.
    Clause,
    /// A full stop, a line end.
    Sentence,
}

/// Splits a message. `is_abbreviation` tells words after which a full stop ends no sentence.
pub(super) fn tokenize(text: &str, is_abbreviation: impl Fn(&str) -> bool) -> Vec<Token> {
    let mut chars = Vec::with_capacity(text.len() + 1);
    for (at, c) in text.char_indices() {
        fold_char(c, &mut |folded| chars.push((at, folded)));
        if chars.len() > MAX_TOKENS * 24 {
            break;
        }
    }
    let mut scanner = Scanner {
        chars,
        length: text.len(),
        at: 0,
        tokens: Vec::with_capacity(32),
        glued: false,
        boundary: Boundary::None,
        apostrophe: false,
    };
    while scanner.tokens.len() < MAX_TOKENS && scanner.step(&is_abbreviation) {}
    scanner.tokens
}

struct Scanner {
    chars: Vec<(usize, char)>,
    length: usize,
    at: usize,
    tokens: Vec<Token>,
    glued: bool,
    boundary: Boundary,
    apostrophe: bool,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).map_or('\0', |(_, c)| *c)
    }

    fn previous(&self) -> char {
        let before = self.at.checked_sub(1).and_then(|at| self.chars.get(at));
        before.map_or('\0', |(_, c)| *c)
    }

    /// Reads one token or separator; false at the end.
    fn step(&mut self, is_abbreviation: &impl Fn(&str) -> bool) -> bool {
        if self.at >= self.chars.len() {
            return false;
        }
        match self.peek(0) {
            c if c.is_alphabetic() => self.word(),
            c if c.is_ascii_digit() => self.number(),
            '\n' | '\r' => self.separate(Boundary::Sentence),
            c if c.is_whitespace() => self.separate(Boundary::None),
            '\'' => {
                self.apostrophe =
                    self.peek(1).is_ascii_digit() && !self.previous().is_ascii_digit();
                self.at += 1;
            }
            '.' => self.full_stop(is_abbreviation),
            '!' => self.separate(Boundary::Sentence),
            '?' => {
                if let Some(token) = self.tokens.last_mut() {
                    token.asked = true;
                }
                self.separate(Boundary::Sentence);
            }
            ':' | ';' | '=' if self.emoticon() => {}
            ':' => self.separate(Boundary::None),
            ',' | ';' | '(' | ')' | '"' | '[' | ']' | '|' => self.separate(Boundary::Clause),
            '-' => self.hyphen(),
            '/' => self.slash(),
            '€' | '$' | '£' | '%' | '+' | '<' | '>' | '=' | '&' | '~' => self.sign(),
            c if c.is_ascii() || !is_pictograph(c) => self.separate(Boundary::None),
            _ => self.sign(),
        }
        true
    }

    fn separate(&mut self, boundary: Boundary) {
        self.boundary = self.boundary.max(boundary);
        self.glued = false;
        self.at += 1;
    }

    fn push(&mut self, text: String, kind: Kind, from: usize) {
        let byte = |at: usize| self.chars.get(at).map_or(self.length, |(byte, _)| *byte);
        let first = self.tokens.is_empty();
        self.tokens.push(Token {
            text,
            kind,
            glued: self.glued && !first,
            boundary: if first { Boundary::None } else { self.boundary },
            asked: false,
            apostrophe: self.apostrophe,
            start: byte(from),
            end: byte(self.at),
        });
        self.glued = true;
        self.boundary = Boundary::None;
        self.apostrophe = false;
    }

    fn word(&mut self) {
        let from = self.at;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                c if c.is_alphabetic() => text.push(c),
                '\'' if self.peek(1).is_alphabetic() => {}
                '.' if self.in_initials(&text) && self.is_initial(1) => {}
                '/' if self.joins_short_words(&text) => {}
                _ => break,
            }
            self.at += 1;
        }
        self.push(text, Kind::Word, from);
    }

    /// A single letter stands `ahead`, as in `i.p.v.`
    fn is_initial(&self, ahead: usize) -> bool {
        self.peek(ahead).is_alphabetic() && !self.peek(ahead + 1).is_alphanumeric()
    }

    /// So far there was one letter, or letters with dots between.
    fn in_initials(&self, text: &str) -> bool {
        let before = self.at.checked_sub(2).and_then(|at| self.chars.get(at));
        text.len() == 1 || before.is_some_and(|(_, c)| *c == '.')
    }

    /// `t/m`, `p/m`, `en/of` are one word.
    fn joins_short_words(&self, text: &str) -> bool {
        let after = (1..=3)
            .take_while(|ahead| self.peek(*ahead).is_alphabetic())
            .count();
        text.chars().count() <= 2 && (1..=2).contains(&after)
    }

    fn number(&mut self) {
        let from = self.at;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                c if c.is_ascii_digit() => text.push(c),
                c @ ('.' | ',' | ':') if self.peek(1).is_ascii_digit() => text.push(c),
                _ => break,
            }
            self.at += 1;
        }
        self.push(text, Kind::Number, from);
        self.no_cents();
    }

    /// The end of `12.500,-` separates nothing.
    fn no_cents(&mut self) {
        let is_dash = |c: char| matches!(c, '-' | '–' | '—' | '=');
        let dashes = (1..4)
            .take_while(|ahead| is_dash(self.peek(*ahead)))
            .count();
        let comma = matches!(self.peek(0), ',' | '.');
        if comma && dashes > 0 && !self.peek(dashes + 1).is_ascii_digit() {
            self.at += dashes + 1;
            self.glued = false;
        }
    }

    fn sign(&mut self) {
        let c = self.peek(0);
        let from = self.at;
        while self.peek(0) == c {
            self.at += 1;
        }
        self.push(c.to_string(), Kind::Sign, from);
        if is_face(c) {
            // Faces stand where others write a full stop: "unser Fiat ist zu klein 🙈 wir suchen …".
            self.boundary = self.boundary.max(Boundary::Sentence);
            self.glued = false;
        }
    }

    fn full_stop(&mut self, is_abbreviation: &impl Fn(&str) -> bool) {
        let tight = self.peek(1).is_alphanumeric() && self.previous() != '.';
        let [.., before, last] = self.tokens.as_slice() else {
            return self.separate(if tight {
                Boundary::None
            } else {
                Boundary::Sentence
            });
        };
        // "168000 km. Nehmt ihr den?": behind its number a unit ends the sentence.
        let counts = before.kind == Kind::Number;
        let abbreviated = is_abbreviation(&last.text) && !counts;
        if tight {
            self.at += 1;
        } else if abbreviated {
            self.separate(Boundary::None);
        } else if self.is_ordinal() {
            self.separate(Boundary::Clause);
        } else {
            self.separate(Boundary::Sentence);
        }
    }

    /// "Am 24. offen?": the full stop after a short number may belong to it.
    fn is_ordinal(&self) -> bool {
        let short = |token: &Token| token.kind == Kind::Number && token.text.len() <= 2;
        self.peek(1) == ' '
            && self.previous().is_ascii_digit()
            && self.tokens.last().is_some_and(short)
    }

    /// Between numbers a hyphen is a sign, between letters it glues, alone it separates.
    fn hyphen(&mut self) {
        let ahead = (1..4).find(|ahead| self.peek(*ahead) != ' ').unwrap_or(1);
        let next = self.peek(ahead);
        let amount_before = self
            .tokens
            .last()
            .is_some_and(|token| token.kind != Kind::Word || token.text.len() <= 3 && token.glued);
        let amount_after = next.is_ascii_digit() || next == '€' || next == '\'';
        if amount_before && amount_after && self.boundary == Boundary::None {
            return self.sign();
        }
        let tight = self.previous().is_alphanumeric() && self.peek(1).is_alphanumeric();
        if tight {
            self.at += 1;
        } else {
            let spaced = !self.previous().is_alphanumeric();
            self.separate(if spaced {
                Boundary::Clause
            } else {
                Boundary::None
            });
        }
    }

    fn slash(&mut self) {
        let after_number = self.tokens.last().is_some_and(|t| t.kind == Kind::Number);
        let next = if self.peek(1) == ' ' { 2 } else { 1 };
        let before_number = self.peek(next).is_ascii_digit() || self.peek(next) == '\'';
        let numbers = after_number && before_number && self.boundary == Boundary::None;
        if numbers {
            self.sign();
        } else {
            self.separate(Boundary::None);
        }
    }

    /// `:)` and its kin, as one sign.
    fn emoticon(&mut self) -> bool {
        let free = self.previous() == '\0' || self.previous().is_whitespace();
        let nose = usize::from(self.peek(1) == '-' || self.peek(1) == '\'');
        let face = match self.peek(1 + nose) {
            ')' | 'd' | ']' => ":)",
            '(' | '[' => ":(",
            'p' => ":p",
            '/' | '|' => ":/",
            _ => return false,
        };
        if !free || self.peek(2 + nose).is_alphanumeric() {
            return false;
        }
        let from = self.at;
        self.at += 2 + nose;
        self.push(face.to_owned(), Kind::Sign, from);
        true
    }
}

/// Faces and gestures of faces, by the blocks of Unicode.
const fn is_face(c: char) -> bool {
    matches!(c, '\u{1f600}'..='\u{1f64f}' | '\u{1f910}'..='\u{1f92f}' | '\u{1f970}'..='\u{1f97a}')
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &str) -> Vec<String> {
        tokenize(message, |word| word == "max")
            .into_iter()
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn words_numbers_and_signs_come_apart() {
        for (message, expected) in [
            ("m'n auto's i.p.v. t/m", vec!["mn", "autos", "ipv", "tm"]),
            (
                "15k 80dkm A4 3er",
                vec!["15", "k", "80", "dkm", "a", "4", "3", "er"],
            ),
            ("€ 12.500,- of 12,5", vec!["€", "12.500", "of", "12,5"]),
            ("2019 / 2020", vec!["2019", "/", "2020"]),
            (
                "10-15k 2015 - 2018",
                vec!["10", "-", "15", "k", "2015", "-", "2018"],
            ),
            (
                "c-klasse id.3 km-stand",
                vec!["c", "klasse", "id", "3", "km", "stand"],
            ),
            ("top 👍🏽👍🏽 :-)", vec!["top", "👍", ":)"]),
            (
                "03/2019 benzine/diesel",
                vec!["03", "/", "2019", "benzine", "diesel"],
            ),
            ("...", vec![]),
        ] {
            assert_eq!(texts(message), expected, "{message}");
        }
    }

    #[test]
    fn boundaries_are_those_a_reader_sees() {
        let boundaries = |message: &str| -> Vec<Boundary> {
            let tokens = tokenize(message, |word| word == "max");
            tokens.into_iter().map(|token| token.boundary).collect()
        };
        use Boundary::{Clause, None, Sentence};
        assert_eq!(boundaries("ja. max. 5, ok"), [None, Sentence, None, Clause]);
        assert_eq!(boundaries("ja\nnee - ok"), [None, Sentence, Clause]);
    }

    #[test]
    fn tokens_know_where_they_stood() {
        let message = "Ë 12-KDB-4";
        let tokens = tokenize(message, |_| false);
        let places: Vec<&str> = tokens
            .iter()
            .filter_map(|token| message.get(token.start..token.end))
            .collect();
        assert_eq!(places, ["Ë", "12", "KDB", "-", "4"]);
        assert!(tokens.iter().skip(2).all(|token| token.glued));
    }
}
