//! What customers ask of the stock, in sentences that were written before the code, and what they are
//! offered; then what they ask of what was offered.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use stock::{Item, Status, Stock, Value};
use worker::domain::Domain;
use worker::stock::{SHIPPED, from_file};

/// Of 60 sentences a language so many are answered with the right cars.
const FLOOR: usize = 58;
/// So many are offered at once.
const OFFERED: usize = 3;

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/stock");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn shipped() -> Stock {
    from_file(&Domain::embedded().unwrap(), &PathBuf::from(SHIPPED)).unwrap()
}

/// The lines of a fixture that are no remarks, split at the arrow.
fn lines(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let split = lines.filter_map(|line| line.split_once(" => "));
    split
        .map(|(said, wanted)| (said.to_owned(), wanted.to_owned()))
        .collect()
}

/// What `worker chat` answers to each conversation with the car dealer.
pub(crate) fn chat(conversations: &[Vec<String>]) -> Vec<Vec<Json>> {
    chat_with(&[], conversations)
}

/// The same with further arguments.
fn chat_with(args: &[&str], conversations: &[Vec<String>]) -> Vec<Vec<Json>> {
    chat_at(args, conversations, "2026-12-01T11:00")
}

/// The same at a moment.
pub(crate) fn chat_at(args: &[&str], conversations: &[Vec<String>], at: &str) -> Vec<Vec<Json>> {
    let mut input = String::new();
    for (place, said) in conversations.iter().enumerate() {
        for text in said {
            let line = json!({"from": place.to_string(), "text": text, "at": at});
            writeln!(input, "{line}").unwrap();
        }
    }
    let mut chat = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["chat", "--jsonl", "--stock", SHIPPED])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = chat.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = chat.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let mut answers = vec![Vec::new(); conversations.len()];
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let turn: Json = serde_json::from_str(line).unwrap();
        let from: usize = turn["from"].as_str().unwrap().parse().unwrap();
        answers[from].push(turn);
    }
    answers
}

pub(crate) fn ids(turn: &Json) -> Vec<String> {
    let stock = turn["stock"].as_array().unwrap().iter();
    stock.map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// Whether a car is as a condition of the fixtures says.
fn holds(item: &Item, condition: &str) -> bool {
    for (sign, test) in [("!=", 0), ("<=", 1), (">=", 2), ("=", 3)] {
        let Some((attribute, wanted)) = condition.split_once(sign) else {
            continue;
        };
        let has = item.get(attribute);
        let number = has.as_ref().and_then(Value::number);
        let text = has.as_ref().and_then(|has| match has {
            Value::Number(number) => Some(number.to_string()),
            has => has.as_str().map(str::to_owned),
        });
        return match test {
            0 => text.is_some_and(|text| text != wanted),
            1 => number.is_some_and(|number| number <= wanted.parse().unwrap()),
            2 => number.is_some_and(|number| number >= wanted.parse().unwrap()),
            _ => {
                text.is_some_and(|text| wanted.split('|').any(|one| one == text.replace('Š', "S")))
            }
        };
    }
    item.get(condition) == Some(Value::Flag(true))
}

/// Whether the cars are those that a line asks for.
fn are_right(stock: &Stock, wanted: &str, turn: &Json) -> bool {
    let conditions: Vec<&str> = wanted.split(';').map(str::trim).collect();
    let order = conditions.iter().find_map(|one| one.strip_prefix("order "));
    let conditions = conditions.iter().filter(|one| !one.starts_with("order "));
    let fitting = stock.items().iter().filter(|item| {
        let mut conditions = conditions.clone();
        conditions.all(|condition| holds(item, condition))
    });
    let mut fitting: Vec<&Item> = fitting.collect();
    if fitting.iter().any(|item| item.status != Status::Sold) {
        fitting.retain(|item| item.status != Status::Sold);
    }
    let to_be_had = fitting.iter().filter(|item| item.status != Status::Sold);
    let offered = ids(turn);
    if to_be_had.clone().count() == 0 {
        // The nearest, or none, and nobody else has to look.
        return turn["lead"]["questions"].is_null() && !turn["replies"][0].is_null();
    }
    let all_fit = offered
        .iter()
        .all(|id| fitting.iter().any(|item| *item.id == **id));
    let Some(order) = order else {
        return all_fit && offered.len() == fitting.len().min(OFFERED);
    };
    let (sign, attribute) = order.split_at(1);
    let number = |item: &&&Item| item.get(attribute).and_then(|value| value.number());
    let known = to_be_had.filter(|item| number(item).is_some());
    let best = match sign {
        "+" => known.min_by_key(number),
        _ => known.max_by_key(number),
    };
    let first = fitting
        .iter()
        .find(|item| offered.first().is_some_and(|id| *item.id == **id));
    all_fit && first.as_ref().and_then(number) == best.as_ref().and_then(number)
}

fn score(language: &str) {
    let stock = shipped();
    let lines = lines(&fixture(&format!("{language}.txt")));
    assert_eq!(lines.len(), 60);
    let said: Vec<Vec<String>> = lines.iter().map(|(said, _)| vec![said.clone()]).collect();
    let turns = chat(&said);
    let wrong = lines.iter().zip(&turns).filter(|((_, wanted), turns)| {
        let turn = turns.first();
        !turn.is_some_and(|turn| are_right(&stock, wanted, turn))
    });
    let wrong: Vec<String> = wrong
        .map(|((said, wanted), turns)| format!("{said} => {wanted}: {}", turns[0]["replies"]))
        .collect();
    assert!(60 - wrong.len() >= FLOOR, "{}", wrong.join("\n"));
}

#[test]
fn dutch_customers_are_offered_the_right_cars() {
    score("nl");
}

#[test]
fn english_customers_are_offered_the_right_cars() {
    score("en");
}

#[test]
fn german_customers_are_offered_the_right_cars() {
    score("de");
}

/// What the answer to a follow-up lacks; none when it is right.
fn lacks(stock: &Stock, offered: &[String], wanted: &str, turn: &Json) -> Option<String> {
    let item = |id: &String| stock.items().iter().find(|item| *item.id == **id).unwrap();
    let items: Vec<&Item> = offered.iter().map(item).collect();
    let reply = turn["replies"][0].as_str().unwrap_or_default();
    let bare: String = reply.chars().filter(|c| !".,".contains(*c)).collect();
    let (what, of) = wanted.split_once(' ').unwrap();
    if what == "pick" {
        let picked: Vec<&Item> = match of.parse::<usize>() {
            Ok(nth) => items.get(nth - 1).copied().into_iter().collect(),
            Err(_) if of.starts_with('+') => {
                let cheapest = items
                    .iter()
                    .min_by_key(|item| item.get("price").unwrap().number());
                cheapest.copied().into_iter().collect()
            }
            Err(_) => items
                .iter()
                .copied()
                .filter(|item| holds(item, of))
                .collect(),
        };
        let [one] = picked.as_slice() else {
            // None, or several: not without a word.
            return reply.is_empty().then(|| "no answer".to_owned());
        };
        let right = ids(turn) == [one.id.to_string()];
        return (!right).then(|| format!("picks {:?} and not {}", ids(turn), one.id));
    }
    if of == "status" {
        return (ids(turn) != offered).then(|| format!("speaks of {:?}", ids(turn)));
    }
    let passed_on = !turn["lead"]["questions"].is_null();
    let missing = items.iter().filter(|item| item.get(of).is_none()).count();
    if (missing > 0) != passed_on {
        return Some(format!("{missing} missing, passed on: {passed_on}"));
    }
    let told = items.iter().filter_map(|item| match item.get(of)? {
        Value::Number(number) => Some(number.to_string()),
        Value::Flag(_) => None,
        value => value.as_str().map(str::to_owned),
    });
    let mut told = told.filter(|value| !bare.contains(&value.replace(['.', ','], "")));
    told.next().map(|value| format!("does not tell {value}"))
}

#[test]
fn what_was_offered_is_asked_about() {
    let stock = shipped();
    let follow_ups = lines(&fixture("followups.txt"));
    let mut failures = String::new();
    for language in ["nl", "en", "de"] {
        let first = lines(&fixture(&format!("{language}.txt")));
        let mine = |line: &&(String, String)| line.0.starts_with(language);
        let follow_ups: Vec<_> = follow_ups.iter().filter(mine).collect();
        assert_eq!(follow_ups.len(), 10);
        // Every fifteenth sentence, and the first.
        let first = first.iter().step_by(15).map(|(said, _)| said);
        let conversations = first.flat_map(|first| {
            follow_ups.iter().map(move |(asked, _)| {
                let asked = asked.split_once("| ").unwrap().1;
                vec![first.clone(), asked.to_owned()]
            })
        });
        let conversations: Vec<Vec<String>> = conversations.collect();
        let answers = chat(&conversations);
        let wanted = follow_ups.iter().map(|(_, wanted)| wanted).cycle();
        for ((said, turns), wanted) in conversations.iter().zip(&answers).zip(wanted) {
            let offered = ids(&turns[0]);
            if offered.is_empty() {
                continue;
            }
            if let Some(lacks) = lacks(&stock, &offered, wanted, &turns[1]) {
                let reply = &turns[1]["replies"];
                writeln!(failures, "{said:?} ({wanted}): {lacks}: {reply}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The first of what the first turn offered, as `cheaper`, `newer` and `fewer` compare with it.
fn comparison(stock: &Stock, wanted: &str, first: &Json) -> String {
    let id = ids(first).first().cloned().unwrap_or_default();
    let item = stock.items().iter().find(|item| *item.id == *id);
    let has = |attribute: &str| {
        let number = item.and_then(|item| item.get(attribute)?.number());
        number.unwrap_or_default()
    };
    let conditions = wanted.split("; ").map(|condition| match condition {
        "cheaper" => format!("price<={}", has("price") - 1),
        "newer" => format!("year>={}", has("year") + 1),
        "fewer mileage" => format!("mileage<={}", has("mileage") - 1),
        other => other.to_owned(),
    });
    conditions.collect::<Vec<_>>().join("; ")
}

/// Of the 54 messages that go on with a look-up so many are answered with the right cars.
const REFINED: usize = 50;

#[test]
fn a_look_up_is_refined() {
    let stock = shipped();
    let lines = lines(&fixture("refinements.txt"));
    let conversations: Vec<Vec<String>> = lines
        .iter()
        .map(|(said, _)| {
            let said = said.split(" | ").skip(1);
            said.map(str::to_owned).collect()
        })
        .collect();
    let answers = chat(&conversations);
    let mut wrong = String::new();
    let mut right = 0;
    for ((said, turns), (_, wanted)) in conversations.iter().zip(&answers).zip(&lines) {
        let wanted = comparison(&stock, wanted, &turns[0]);
        match are_right(&stock, &wanted, &turns[1]) {
            true => right += 1,
            false => writeln!(wrong, "{said:?} ({wanted}): {}", turns[1]["replies"]).unwrap(),
        }
    }
    assert_eq!(conversations.len(), 54);
    assert!(right >= REFINED, "{right} right\n{wrong}");
}

#[test]
fn alternatives_are_all_looked_for_and_years_have_ends() {
    let stock = shipped();
    let lines = lines(&fixture("alternatives.txt"));
    let said = lines
        .iter()
        .map(|(said, _)| said.split(" | ").nth(1).unwrap());
    let said: Vec<Vec<String>> = said.map(|said| vec![said.to_owned()]).collect();
    let turns = chat(&said);
    let wrong = lines.iter().zip(&turns);
    let wrong = wrong.filter(|((_, wanted), turns)| !are_right(&stock, wanted, &turns[0]));
    let wrong: Vec<String> = wrong
        .map(|((said, wanted), turns)| format!("{said} => {wanted}: {}", turns[0]["replies"]))
        .collect();
    assert_eq!(lines.len(), 21);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_salons_customers_are_told_the_right_treatments() {
    let salon = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/domains/hair-salon.toml");
    let stock = from_file(&Domain::load(&salon).unwrap(), Path::new(SHIPPED)).unwrap();
    let lines = lines(&fixture("salon.txt"));
    let said: Vec<Vec<String>> = lines.iter().map(|(said, _)| vec![said.clone()]).collect();
    let turns = chat_with(&["--domain-file", salon.to_str().unwrap()], &said);
    let wrong = lines.iter().zip(&turns);
    let wrong = wrong.filter(|((_, wanted), turns)| !are_right(&stock, wanted, &turns[0]));
    let wrong: Vec<String> = wrong
        .map(|((said, wanted), turns)| format!("{said} => {wanted}: {}", turns[0]["replies"]))
        .collect();
    assert_eq!(lines.len(), 18);
    // Who asks whether it is done at all may be asked at once when to come.
    assert!(wrong.len() <= 2, "{}", wrong.join("\n"));
}

#[test]
fn how_old_the_stock_is_is_told_in_days() {
    let said = [
        "Heb je nog een Golf?",
        "Do you have a Golf?",
        "Habt ihr einen Golf?",
    ];
    let said = said.map(|text| vec![text.to_owned()]);
    let at = |hours| {
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        (ahead + jiff::SignedDuration::from_mins(1)).to_string()
    };
    for (hours, ages) in [
        (47, ["", "", ""]),
        (48, ["2 dagen geleden", "2 days ago", "vor 2 Tagen"]),
        (201, ["8 dagen geleden", "8 days ago", "vor 8 Tagen"]),
    ] {
        let turns = chat_at(&[], &said, &at(hours));
        for (turns, age) in turns.iter().zip(ages) {
            let reply = turns[0]["replies"][0].as_str().unwrap();
            let told = reply.contains("(Stand") || reply.contains("(As of");
            assert!(told != age.is_empty() && reply.contains(age), "{reply}");
        }
    }
}
