use crate::{PhoneNumber, phone_number_of};

const MAX_NAME_CHARS: usize = 100;
const MAX_NUMBER_CHARS: usize = 40;
const MAX_CARD_CHARS: usize = 500;
/// More would not fit into [`MAX_CARD_CHARS`] anyway.
const MAX_CARDS: usize = 20;
const MAX_WORDS: usize = 20;

/// Name and numbers of the contact cards in a text (RFC 6350), on one line: `Piet Jansen, +31611111111`,
/// several with `; ` between. None when there is nothing in them.
pub fn card_text(cards: &str) -> Option<String> {
    let unfolded = cards
        .replace("\r\n", "\n")
        .replace("\n ", "")
        .replace("\n\t", "");
    let mut all: Vec<Vec<String>> = Vec::new();
    for line in unfolded.lines() {
        if line.trim().eq_ignore_ascii_case("BEGIN:VCARD") {
            if all.len() == MAX_CARDS {
                break;
            }
            all.push(Vec::new());
        }
        let (Some(words), Some(word)) = (all.last_mut(), word(line)) else {
            continue;
        };
        match word {
            _ if words.len() == MAX_WORDS => {}
            Word::Name(name) => words.insert(0, name),
            Word::Number(number) if !words.contains(&number) => words.push(number),
            Word::Number(_) => {}
        }
    }
    let cards: Vec<String> = all.iter().map(|words| words.join(", ")).collect();
    let cards: Vec<String> = cards.into_iter().filter(|card| !card.is_empty()).collect();
    on_one_line(&cards.join("; "), MAX_CARD_CHARS)
}

enum Word {
    Name(String),
    Number(String),
}

/// What a line says: `item1.TEL;type=CELL;waid=31611111111:+31 6 11111111`.
fn word(line: &str) -> Option<Word> {
    let (label, value) = line.split_once(':')?;
    let mut parts = label.split(';');
    let property = parts.next()?.rsplit('.').next()?;
    if property.eq_ignore_ascii_case("FN") {
        return on_one_line(value, MAX_NAME_CHARS).map(Word::Name);
    }
    if !property.eq_ignore_ascii_case("TEL") {
        return None;
    }
    let whatsapp_id = parts.find_map(|part| {
        let (key, id) = part.split_once('=')?;
        key.eq_ignore_ascii_case("waid").then_some(id)
    });
    let number = whatsapp_id
        .and_then(phone_number_of)
        .map(|number: PhoneNumber| number.to_string())
        .or_else(|| on_one_line(value.trim_start_matches("tel:"), MAX_NUMBER_CHARS));
    number.map(Word::Number)
}

/// The first characters of a text without those that control a terminal.
fn on_one_line(text: &str, max: usize) -> Option<String> {
    let plain = text.trim().chars().filter(|c| !c.is_control());
    let line: String = plain.take(max).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_its_name_and_numbers() {
        for (card, expected) in [
            (
                "BEGIN:VCARD\nVERSION:3.0\nN:Jansen;Piet;;;\nFN:Piet Jansen\nTEL;type=CELL;waid=31611111111:+31 6 11111111\nEND:VCARD",
                Some("Piet Jansen, +31611111111"),
            ),
            (
                "BEGIN:VCARD\r\nFN:Ana\r\nitem1.TEL;waid=553188888880:+55 31 8888-8880\r\nTEL:+31 20 1234567\r\nEND:VCARD",
                Some("Ana, +5531988888880, +31 20 1234567"),
            ),
            (
                "BEGIN:VCARD\ntel;value=uri:tel:+31-20\nfn:Piet\nEND:VCARD",
                Some("Piet, +31-20"),
            ),
            (
                "BEGIN:VCARD\nFN:Piet\nEND:VCARD\nBEGIN:VCARD\nFN:Ana\nTEL:1\nEND:VCARD\n",
                Some("Piet; Ana, 1"),
            ),
            ("BEGIN:VCARD\nNOTE:x\nEND:VCARD", None),
            ("FN:no card", None),
        ] {
            assert_eq!(card_text(card).as_deref(), expected, "{card}");
        }
        let many = format!("BEGIN:VCARD\n{}", "TEL:1\nFN:x\n".repeat(50_000));
        assert!(card_text(&many).unwrap().starts_with("x, "));
    }
}
