//! What a model needs not know is taken out of texts: names, telephone numbers, mail addresses. Pure.
//!
//! Texts are read folded, so that it does not matter with which spaces, hyphens or digits somebody
//! writes; what stays of a text stays as it was written.

mod amounts;

use std::ops::Range;

use crate::domain::Business;
use crate::understanding::fold_char;

/// Runs of this many digits are hidden, whatever stands between them.
const PHONE_DIGITS: usize = 7;

const NAME: &str = "[name]";

/// Takes one person's name, and everybody's numbers, out of texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Redaction {
    /// The first name as it is written, for what comes back.
    first: Option<String>,
    /// The words of the profile's name, folded.
    words: Vec<String>,
    /// What the business itself gives to everybody.
    public: Vec<String>,
}

/// A character of a text, folded.
struct Piece {
    at: Range<usize>,
    folded: String,
}

impl Piece {
    fn is_digit(&self) -> bool {
        !self.folded.is_empty() && self.folded.chars().all(|c| c.is_ascii_digit())
    }

    fn is_letter(&self) -> bool {
        self.folded.chars().any(char::is_alphabetic)
    }

    fn is_space(&self) -> bool {
        self.folded.chars().any(char::is_whitespace)
    }
}

impl Redaction {
    /// `profile` is the name of the customer's profile. What the business gives to everybody stays.
    pub(super) fn of(profile: Option<&str>, business: &Business) -> Self {
        let profile = profile.unwrap_or_default();
        let names = profile.split(|c: char| !c.is_alphabetic());
        // "de" and "van" are no names by themselves.
        let names = names
            .filter(|name| name.chars().nth(1).is_some() && name.chars().any(char::is_uppercase));
        Self {
            first: profile.split_whitespace().next().map(str::to_owned),
            words: names.map(folded).collect(),
            public: [&business.phone, &business.email]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        }
    }

    /// The text without what nobody else needs.
    pub(super) fn text(&self, text: &str) -> String {
        let pieces = pieces(text);
        let mut hidden = mails(&pieces);
        hidden.extend(numbers(&pieces));
        hidden.extend(self.names(&pieces));
        let public = self
            .public
            .iter()
            .flat_map(|own| text.match_indices(own.as_str()));
        let public: Vec<Range<usize>> = public.map(|(at, own)| at..at + own.len()).collect();
        hidden.retain(|(at, _)| {
            !public
                .iter()
                .any(|own| own.start <= at.start && at.end <= own.end)
        });
        hidden.sort_by_key(|(at, _)| at.start);
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (at, label) in hidden {
            if at.start >= from {
                out.push_str(text.get(from..at.start).unwrap_or_default());
                out.push_str(label);
                from = at.end;
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// A model's text with the name put back; none when something else is missing in it.
    pub(super) fn restored(&self, text: &str) -> Option<String> {
        let text = match &self.first {
            Some(first) => text.replace(NAME, first),
            None => text.to_owned(),
        };
        (!text.contains(['[', ']'])).then_some(text)
    }

    fn names(&self, pieces: &[Piece]) -> Vec<(Range<usize>, &'static str)> {
        let words = pieces.chunk_by(|a, b| a.is_letter() == b.is_letter());
        let is_name = |word: &&[Piece]| {
            let text: String = word.iter().map(|piece| piece.folded.as_str()).collect();
            self.words.contains(&text)
        };
        words
            .filter(is_name)
            .filter_map(|word| Some((span(word)?, NAME)))
            .collect()
    }
}

fn folded(text: &str) -> String {
    pieces(text).into_iter().map(|piece| piece.folded).collect()
}

fn span(pieces: &[Piece]) -> Option<Range<usize>> {
    Some(pieces.first()?.at.start..pieces.last()?.at.end)
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(text.len());
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        let mut folded = String::new();
        match digit_of(c) {
            Some(digit) => folded.push(digit),
            None => fold_char(c, &mut |c| folded.push(c)),
        }
        match pieces.last_mut().filter(|_| folded.is_empty()) {
            // Marks and joiners belong to what they stand behind.
            Some(before) => before.at.end = end,
            None => pieces.push(Piece {
                at: start..end,
                folded,
            }),
        }
    }
    pieces
}

/// The decimal digits of other scripts, which compatibility forms leave alone.
fn digit_of(c: char) -> Option<char> {
    const ZEROS: &[u32] = &[
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
        0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810,
    ];
    let code = u32::from(c);
    let zero = ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// Words with an `@` and a host.
fn mails(pieces: &[Piece]) -> Vec<(Range<usize>, &'static str)> {
    let ends = |piece: &Piece| {
        piece.is_space()
            || piece
                .folded
                .contains(['<', '>', '(', ')', ',', ';', '"', '[', ']'])
    };
    let words = pieces.split(ends);
    let is_mail = |word: &&[Piece]| {
        let text: String = word.iter().map(|piece| piece.folded.as_str()).collect();
        let parts = text.split_once('@');
        parts.is_some_and(|(name, host)| {
            !name.is_empty() && host.trim_end_matches('.').contains('.')
        })
    };
    words
        .filter(is_mail)
        .filter_map(|word| Some((span(word)?, "[mail]")))
        .collect()
}

/// Runs of digits with no letter between them, but years, prices and the like.
fn numbers(pieces: &[Piece]) -> Vec<(Range<usize>, &'static str)> {
    let runs = pieces.split(Piece::is_letter).filter_map(|run| {
        let first = run.iter().position(Piece::is_digit)?;
        let last = run.iter().rposition(Piece::is_digit)?;
        let plus = first
            .checked_sub(1)
            .filter(|before| run.get(*before).is_some_and(|piece| piece.folded == "+"));
        run.get(plus.unwrap_or(first)..=last)
    });
    let is_number = |run: &&[Piece]| {
        let text: String = run.iter().map(|piece| piece.folded.as_str()).collect();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        digits >= PHONE_DIGITS && !amounts::are_amounts(&text)
    };
    runs.filter(is_number)
        .filter_map(|run| Some((span(run)?, "[number]")))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Domain;

    fn of(profile: Option<&str>) -> Redaction {
        let mut business = Domain::embedded().unwrap().business;
        business.phone = Some("020 123 45 67".into());
        Redaction::of(profile, &business)
    }

    fn redact(text: &str) -> String {
        thread_local! {
            static SANNE: Redaction = of(Some("Sanne de Boer"));
        }
        SANNE.with(|sanne| sanne.text(text))
    }

    #[test]
    fn numbers_and_addresses_of_people_are_hidden() {
        for (text, expected) in [
            ("bel me op 06 12345678 aub", "bel me op [number] aub"),
            ("bel +31 6 1234 5678.", "bel [number]."),
            ("bel 31 6 1234 5678", "bel [number]"),
            ("of 612 345 678", "of [number]"),
            ("06\u{a0}1234\u{a0}5678", "[number]"),
            ("06\u{2011}1234\u{2011}5678", "[number]"),
            ("０６１２３４５６７８", "[number]"),
            ("٠٦١٢٣٤٥٦٧٨", "[number]"),
            ("0️⃣6️⃣ 1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "[number]"),
            ("(06) 12/34.56_78", "([number]"),
            ("mail naar jan@voorbeeld.nl graag", "mail naar [mail] graag"),
            ("jan＠voorbeeld.example", "[mail]"),
            ("Jan <jan@voorbeeld.nl>", "Jan <[mail]>"),
            ("NL91ABNA0417164300", "NL91ABNA[number]"),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn the_customers_name_stays_here_and_comes_back() {
        let redaction = of(Some("Sanne de Boer"));
        assert_eq!(
            redaction.text("Dag Sanne! U bent SANNE de boer?"),
            "Dag [name]! U bent [name] de [name]?"
        );
        assert_eq!(redaction.text("de Sannes"), "de Sannes");
        assert_eq!(
            redaction.restored("Dag [name], welkom").as_deref(),
            Some("Dag Sanne, welkom")
        );
        assert_eq!(redaction.restored("Ik bel [number]"), None);
        assert_eq!(of(None).text("Dag Sanne"), "Dag Sanne");
        let call = "Bel ons op 020 123 45 67, of geef 020 123 45 68.";
        assert_eq!(
            redaction.text(call),
            "Bel ons op 020 123 45 67, of geef [number]."
        );
    }

    #[test]
    fn prices_years_and_plates_stay() {
        for text in [
            "max 15.000 euro, bouwjaar 2018, 80.000 km",
            "golf 2018 tot 15.000",
            "golf 2018 15.000 80.000",
            "kenteken 12-KDB-4",
            "tussen 8000 en 10000",
            "€ 8.000 - € 10.500",
            "2016-2018",
            "28-11-2026 om 10:30",
            "2026-11-28",
            "10:30 - 11:00",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    /// Country code and number within the country; public examples of mobile numbers.
    const COUNTRIES: &[(&str, &str)] = &[
        ("31", "612345678"),
        ("32", "470123456"),
        ("49", "15123456789"),
        ("33", "612345678"),
        ("44", "7400123456"),
        ("34", "612345678"),
        ("39", "3123456789"),
        ("48", "512345678"),
        ("90", "5012345678"),
        ("212", "650123456"),
        ("1", "2015550123"),
        ("52", "2221234567"),
        ("54", "91123456789"),
        ("55", "11961234567"),
        ("91", "8123456789"),
        ("86", "13123456789"),
        ("47", "40612345"),
        ("45", "32123456"),
        ("65", "81234567"),
        ("971", "501234567"),
        ("229", "90011234"),
        ("225", "0123456789"),
        ("380", "501234567"),
        ("351", "912345678"),
    ];

    fn digits_of(text: &str) -> String {
        folded(text).chars().filter(char::is_ascii_digit).collect()
    }

    proptest! {
        #[test]
        fn no_formatting_of_a_number_gets_through(
            country in 0..COUNTRIES.len(),
            prefix in prop::sample::select(vec!["+", "00", "0", "", "whatsapp:+", "tel. "]),
            gaps in prop::collection::vec(prop::sample::select(vec![
                "", "", "", " ", "\u{a0}", "\u{202f}", "-", "\u{2011}", "\u{2013}", ".", "/", " - ", "(", ") ",
                "_", ",", "\u{200b}", "\n", "  ", "·", "*",
            ]), 16),
            wide in any::<bool>(),
            around in prop::sample::select(vec![("", ""), ("bel ", " aub"), ("(", ")"), ("nr:", "!"), ("2018, ", " km")]),
        ) {
            let (code, national) = COUNTRIES[country];
            let code = if prefix == "0" { "" } else { code };
            let digits = format!("{code}{national}");
            let mut written = format!("{}{prefix}", around.0);
            for (digit, gap) in digits.chars().zip(&gaps) {
                let shown = if wide { char::from_u32(u32::from(digit) + 0xfee0).unwrap() } else { digit };
                written.push(shown);
                written.push_str(gap);
            }
            written.push_str(around.1);
            let left = digits_of(&redact(&written));
            let sevens: Vec<char> = digits.chars().collect();
            for seven in sevens.windows(7) {
                let seven: String = seven.iter().collect();
                prop_assert!(!left.contains(&seven), "{written:?} leaves {left}");
            }
        }
    }
}
