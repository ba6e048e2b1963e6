//! Who tells of the own thing alone wants something of us.

use super::Update;
use crate::dialogue::act::{Act, Answer, Asked, Does, Origin, Social};
use crate::dialogue::piece::{Piece, Question};
use crate::dialogue::state::OursAbout;
use crate::dialogue::topics;
use crate::dialogue::wish::Changes;
use crate::domain::About;

/// A longer message says more than which choice is meant.
const LONGEST_CHOICE: usize = 4;
/// "De werkplaats".
const BARE: usize = 2;
/// Shorter words stand in every name.
const TELLING: usize = 5;

impl Update<'_> {
    /// "De werkplaats" to a question with choices: the act that takes the one whose name has a word of it.
    pub(super) fn named_choice(&self) -> Option<Act> {
        let ours = self.state.ours.as_ref()?;
        let text = self.heard.text.to_lowercase();
        let said: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let short = ours.about == OursAbout::Meaning && said.len() <= LONGEST_CHOICE;
        if !short || self.heard.sought.denies || !self.says_no_more(said.len()) {
            return None;
        }
        let is_named = |goal: &String| {
            let texts = self.domain.replies.iter();
            let texts = texts.filter_map(|replies| replies.goals.get(goal));
            let labels: Vec<String> = texts.map(|texts| texts.label.to_lowercase()).collect();
            let mut words = labels.iter().flat_map(|label| label.split(' '));
            words.any(|word| word.chars().count() >= TELLING && said.contains(&word))
        };
        let named: Vec<usize> = (1..)
            .zip(&ours.choices)
            .filter_map(|(place, goal)| is_named(goal).then_some(place))
            .collect();
        let &[place] = named.as_slice() else {
            return None;
        };
        Some(Act {
            does: Does::Answer(Answer::Choice(place)),
            confidence: 1.0,
            words: 0..self.heard.text.len(),
            clause: 0,
            origin: Origin::Rules,
        })
    }

    /// Whether a message of so many words is read as nothing else.
    fn says_no_more(&self, words: usize) -> bool {
        match self.heard.acts {
            [
                Act {
                    does: Does::Unclear { .. },
                    ..
                },
            ] => true,
            // "Werkplaats": a name alone is no question for what a fact says of it.
            [
                Act {
                    does: Does::Ask(ask),
                    ..
                },
            ] => {
                matches!(ask.topic, Asked::Fact(_))
                    && words <= BARE
                    && !self.heard.text.contains('?')
            }
            _ => false,
        }
    }

    /// "My Astra has a fault": what it is about is asked, where nothing says it.
    pub(super) fn ask_what_for(&mut self) {
        let only_noted = |piece: &Piece| {
            matches!(
                piece,
                Piece::Noted {
                    about: About::Own,
                    ..
                } | Piece::Greeting
                    | Piece::Hello
            )
        };
        let only_tells = |act: &Act| {
            matches!(&act.does, Does::Inform(inform) if inform.remark.is_none())
                || act.does == Does::Social(Social::Hello)
        };
        let told =
            |(about, changes): &(About, Changes)| *about == About::Own && !changes.is_empty();
        // Who was answered, or waits for a colleague's answer, goes on with that.
        let is_new = self.state.goals.is_empty()
            && self.state.told.is_none()
            && self.state.wanted.is_empty()
            && self.state.facts.is_empty()
            && self.state.theirs.is_empty()
            && self.state.ours.is_none();
        let bare =
            self.heard.acts.iter().all(only_tells) && self.dues.pieces.iter().all(only_noted);
        if !(is_new && bare && self.dues.changes.iter().any(told)) {
            return;
        }
        let goals = self.domain.dialogue.goals.iter();
        let of_own =
            goals.filter(|goal| goal.lead && topics::side(self.domain, &goal.intent) == About::Own);
        let choices: Vec<String> = of_own.map(|goal| goal.intent.clone()).take(2).collect();
        if !choices.is_empty() {
            self.must_ask(Question::Meaning {
                choices,
                again: false,
            });
        }
    }
}
