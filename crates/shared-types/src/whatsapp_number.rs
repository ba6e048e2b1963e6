//! Which telephone number belongs to a WhatsApp id.
//!
//! A WhatsApp id is the number under which somebody registered, and numbering plans changed since.
//! Only the rules of this table make two texts one number: comparing the ends of numbers, as phone
//! libraries offer it, takes strangers for one person.

use crate::PhoneNumber;

/// How numbers of one country are written in more than one way.
struct Plan {
    /// The country's calling code.
    country: &'static str,
    rules: &'static [Rule],
}

/// A number of `digits` digits after the calling code is another one when it fits.
struct Rule {
    digits: usize,
    change: Change,
}

enum Change {
    /// What it begins with falls away.
    Drop(&'static str),
    /// The digit at a place (from 0) decides what is put in, and where; land lines, known by their
    /// first digit, stay as they are.
    Insert {
        land_lines: &'static str,
        decides: usize,
        at: usize,
        by: &'static [(&'static str, &'static str)],
    },
    /// The trunk prefix of mobile numbers behind the area code falls away.
    DropAfterArea {
        prefix: &'static str,
        two: &'static [&'static str],
        three: &'static [&'static str],
    },
}

/// ITU-T numbering plans: Mexico gave up the 1 before mobile numbers (August 2019), Brazil put a 9
/// before its mobile numbers (2012 to 2016), Ivory Coast (January 2021) and Benin (November 2024)
/// lengthened theirs. Argentina writes mobile numbers with 9 before or 15 behind the area code.
const PLANS: &[Plan] = &[
    Plan {
        country: "52",
        rules: &[Rule {
            digits: 11,
            change: Change::Drop("1"),
        }],
    },
    Plan {
        country: "54",
        rules: &[
            Rule {
                digits: 11,
                change: Change::Drop("9"),
            },
            Rule {
                digits: 12,
                change: Change::DropAfterArea {
                    prefix: "15",
                    two: &["11"],
                    three: &[
                        "220", "221", "223", "230", "236", "237", "249", "260", "261", "263",
                        "264", "266", "280", "291", "294", "297", "298", "299", "336", "341",
                        "342", "343", "345", "348", "351", "353", "358", "362", "364", "370",
                        "376", "379", "380", "381", "383", "385", "387", "388",
                    ],
                },
            },
        ],
    },
    Plan {
        country: "55",
        rules: &[Rule {
            digits: 10,
            change: Change::Insert {
                land_lines: "",
                decides: 2,
                at: 2,
                by: &[("6789", "9")],
            },
        }],
    },
    Plan {
        country: "225",
        rules: &[Rule {
            digits: 8,
            change: Change::Insert {
                land_lines: "23",
                decides: 1,
                at: 0,
                by: &[("789", "07"), ("456", "05"), ("0123", "01")],
            },
        }],
    },
    Plan {
        country: "229",
        rules: &[Rule {
            digits: 8,
            change: Change::Insert {
                land_lines: "",
                decides: 0,
                at: 0,
                by: &[("0123456789", "01")],
            },
        }],
    },
];

/// The telephone number of the person with this WhatsApp id or number, digits alone: `5215512345679`
/// is `+525512345679`. None when they are no number.
pub fn phone_number_of(digits: &str) -> Option<PhoneNumber> {
    let written: PhoneNumber = format!("+{digits}").parse().ok()?;
    let plan = PLANS
        .iter()
        .find_map(|plan| Some((plan, digits.strip_prefix(plan.country)?)));
    let Some((plan, national)) = plan else {
        return Some(written);
    };
    let changed = plan
        .rules
        .iter()
        .filter(|rule| rule.digits == national.len())
        .find_map(|rule| rule.change.apply(national));
    let Some(changed) = changed else {
        return Some(written);
    };
    format!("+{}{changed}", plan.country).parse().ok()
}

impl Change {
    fn apply(&self, national: &str) -> Option<String> {
        match self {
            Self::Drop(first) => national.strip_prefix(first).map(str::to_owned),
            Self::Insert { land_lines, .. } if national.starts_with(|c| land_lines.contains(c)) => {
                None
            }
            Self::Insert {
                decides, at, by, ..
            } => {
                let digit = national.chars().nth(*decides)?;
                let (_, put_in) = by.iter().find(|(digits, _)| digits.contains(digit))?;
                let (head, tail) = national.split_at_checked(*at)?;
                Some([head, put_in, tail].concat())
            }
            Self::DropAfterArea { prefix, two, three } => {
                let begins = |areas: &[&str]| areas.iter().any(|area| national.starts_with(area));
                let area = match (begins(two), begins(three)) {
                    (true, _) => 2,
                    (_, true) => 3,
                    _ => 4,
                };
                let (area, rest) = national.split_at_checked(area)?;
                Some([area, rest.strip_prefix(prefix)?].concat())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> String {
        phone_number_of(digits).unwrap().to_string()
    }

    #[test]
    fn whatsapp_ids_and_numbers_of_one_person_meet() {
        for (id, written, expected) in [
            ("31612340001", "31612340001", "+31612340001"),
            ("5215512345679", "525512345679", "+525512345679"),
            ("5491123456780", "541123456780", "+541123456780"),
            ("5491123456780", "54111523456780", "+541123456780"),
            ("5492215551234", "54221155551234", "+542215551234"),
            ("5492966123456", "54296615123456", "+542966123456"),
            ("553188888880", "5531988888880", "+5531988888880"),
            ("5511987654320", "5511987654320", "+5511987654320"),
            ("22997123450", "2290197123450", "+2290197123450"),
            ("22508123450", "2250708123450", "+2250708123450"),
            ("22505123450", "2250505123450", "+2250505123450"),
            ("22540123450", "2250140123450", "+2250140123450"),
            ("393331234560", "393331234560", "+393331234560"),
        ] {
            assert_eq!(number(id), expected, "{id}");
            assert_eq!(number(written), expected, "{written}");
        }
    }

    /// Numbers that share their last digits, land lines, numbers of other lengths.
    #[test]
    fn strangers_stay_apart() {
        for (one, other) in [
            ("553133334444", "5531933334444"),
            ("525512345679", "5255123456790"),
            ("5215512345679", "521551234567"),
            ("31612340001", "32612340001"),
            ("541123456780", "541123456781"),
            ("22508123450", "2250108123450"),
            ("22997123450", "22997123451"),
        ] {
            assert_ne!(number(one), number(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_has_none() {
        for digits in ["", "0", "0612345678", "31 6", "abc", "1234567890123456"] {
            assert_eq!(phone_number_of(digits), None, "{digits}");
        }
    }
}
