//! What customers tell beside what is asked: kept for a colleague in their words, and said back only
//! where that reads well.

use super::Update;
use crate::dialogue::act::{Act, Does};
use crate::dialogue::piece::{Courtesy, Piece, Status};
use crate::dialogue::state::AppointmentStatus;
use crate::dialogue::topics;
use crate::domain::About;

/// Where remarks are kept among the answers.
pub(super) const REMARKS: &str = "remarks";
/// What a short wish is called that no topic asks for.
pub(in crate::dialogue) const WISHES: &str = "wishes";
/// How sure it must be that a remark is a wish, and how many words of it are said back.
pub(super) const SURE_ENOUGH_TO_QUOTE: f64 = 0.75;
const SHORT_QUOTE: usize = 5;
/// Words of the customer that are repeated.
pub(super) const MAX_QUOTE: usize = 80;
/// Words of a complaint that are repeated: cut, it is another one.
pub(super) const MAX_MATTER: usize = 160;

impl Update<'_> {
    /// The words that do it.
    pub(super) fn words_of(&self, act: &Act) -> Option<&str> {
        self.heard.text.get(act.words.clone())
    }

    /// Whether the same clause is acknowledged by what else it does.
    pub(super) fn is_noted_with(&self, remark: &Act) -> bool {
        let part = self.is_part(remark);
        let mut acts = self.beside(remark);
        acts.any(|act| match &act.does {
            Does::Inform(inform) => !inform.values.is_empty() && !part,
            Does::Request { .. } | Does::Correct(_) => !part,
            does => matches!(does, Does::Complain { .. }),
        })
    }

    /// Whether it tells what the rest of its clause leaves out.
    pub(super) fn is_part(&self, remark: &Act) -> bool {
        self.beside(remark).any(|act| {
            act.words.len() > remark.words.len()
                && act.words.start <= remark.words.start
                && remark.words.end <= act.words.end
        })
    }

    fn beside(&self, remark: &Act) -> impl Iterator<Item = &Act> {
        let clause = remark.clause;
        let acts = self.heard.acts.iter();
        acts.filter(move |act| act.clause == clause)
    }

    /// What is wrong with the own thing, in the customer's words: it goes with the appointment.
    pub(super) fn matter_of(&mut self, goal: &str, act: &Act) {
        let own = topics::side(self.domain, goal) == About::Own;
        if own && topics::takes_appointment(self.domain, goal) {
            let words = self.quote(act);
            self.keep_remark(&words);
        }
    }

    /// Words that may tell a colleague something: more than one, and no question.
    pub(super) fn says_something(&self) -> bool {
        let text = self.heard.text;
        let words = text.split_whitespace();
        let words = words.filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
        words.count() > 1 && !text.contains('?')
    }

    /// What is told beside what is asked goes with the goal, in the customer's words.
    pub(super) fn remark(&mut self, goal: &str, words: &str) {
        let text = shortened(words);
        self.keep_remark(&text);
        // A remark moves nothing on, so that nothing is asked after it.
        self.state.touch(goal, self.heard.now);
        self.owe(Piece::Answered(REMARKS.to_owned(), text));
    }

    /// A wish that no slot has and that is short and plain is said back: "moet een trekhaak hebben".
    pub(super) fn wish_in_words(&mut self, goal: &str, words: &str) {
        self.keep_remark(words);
        self.state.touch(goal, self.heard.now);
        self.owe(Piece::Answered(WISHES.to_owned(), words.to_owned()));
    }

    /// Keeps words for the lead; those that it has already are not kept twice.
    pub(super) fn keep_remark(&mut self, words: &str) {
        const MOST: usize = 500;
        let kept = self.state.answers.entry(REMARKS.to_owned()).or_default();
        if kept.contains(words) {
            return;
        }
        if !kept.is_empty() {
            kept.push_str("; ");
        }
        kept.push_str(words);
        *kept = kept.chars().take(MOST).collect();
        self.dues.answered.push(REMARKS.to_owned());
    }

    /// What is moved needs no word that it will be confirmed: its own says so. Beside an answer or a
    /// change of plans, a remark needs none either, nor that a colleague knows beside when he calls.
    pub(super) fn acknowledge_once(&mut self) {
        let pieces = &self.dues.pieces;
        let moved = |piece: &Piece| {
            matches!(
                piece,
                Piece::Appointment {
                    status: AppointmentStatus::Moved,
                    ..
                }
            )
        };
        let moved = pieces.iter().any(moved);
        // Who asks a colleague hears of him once.
        let passed = |piece: &Piece| matches!(piece, Piece::PassOn(_));
        let passed = pieces.iter().any(passed);
        let noted = |piece: &Piece| {
            let polite = [Courtesy::Thanks, Courtesy::Bye].map(Piece::Courtesy);
            matches!(piece, Piece::Noted { .. }) || polite.contains(piece)
        };
        let told = |piece: &Piece| piece.answers() || piece.arranges() || noted(piece);
        let answered = pieces.iter().any(told);
        let called = |piece: &Piece| matches!(piece, Piece::CallBack(..));
        let called = pieces.iter().any(called);
        self.dues.pieces.retain(|piece| match piece {
            Piece::Answered(topic, _) => !(answered && topic == REMARKS),
            Piece::Next(_) => !moved && !passed,
            Piece::Status(Status::ToldAgain | Status::Waiting) => !called,
            _ => true,
        });
    }
}

/// Whether words can be said back as they are.
pub(in crate::dialogue) fn is_short(words: &str) -> bool {
    words.split_whitespace().count() <= SHORT_QUOTE
}

/// Whether they say something by themselves: "trekhaak" or "max 220", not "im Monat".
pub(super) fn is_telling(words: &str) -> bool {
    const LONG: usize = 6;
    let tells = |word: &str| word.chars().count() >= LONG || word.contains(char::is_numeric);
    is_short(words) && words.split_whitespace().any(tells)
}

/// Words of the customer, short enough to be repeated.
pub(in crate::dialogue) fn shortened(words: &str) -> String {
    shortened_to(words, MAX_QUOTE)
}

/// Words of the customer, at most so many characters.
pub(super) fn shortened_to(words: &str, most: usize) -> String {
    let words = words.trim_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace());
    let mut quote: String = words.chars().take(most).collect();
    if words.chars().count() > most {
        let cut = quote.rfind(' ').unwrap_or(quote.len());
        quote.truncate(cut);
        quote.push('…');
    }
    quote
}
