//! What is said of hours and moments, and what is asked.

use jiff::civil::{Date, DateTime, Time};

use super::Wording;
use super::choose::Choice;
use crate::dialogue::act::Times;
use crate::dialogue::hours::clock;
use crate::dialogue::piece::{Hours, Obstacle, Question};
use crate::dialogue::{calendar, times};
use crate::domain::OfferText;

/// Goals that are named when nothing is understood.
const MOST_CHOICES: usize = 4;

impl Wording<'_> {
    pub(super) fn hours(&self, hours: Hours) -> Choice {
        let business = &self.domain.business;
        let local = self.occasion.local;
        if !business.hours.is_known() {
            return self.text_of("hours_unknown", &[]);
        }
        let choice = match hours {
            Hours::Week => self.text_of("hours_week", &[]),
            Hours::On(day) if calendar::spans(business, day).is_empty() => {
                self.text_of("closed_on", &[("day", self.day(day))])
            }
            Hours::On(day) => self.text_of("open_on", &self.day_gaps(day, None)),
            Hours::At(at) if calendar::spans(business, at.date()).is_empty() => {
                self.text_of("closed_on", &[("day", self.day(at.date()))])
            }
            Hours::At(at) => {
                let open = calendar::is_open(business, at);
                let name = if open { "open_at" } else { "closed_at" };
                self.text_of(name, &self.day_gaps(at.date(), Some(at.time())))
            }
            Hours::Now => match calendar::closes(business, local) {
                Some(until) => self.text_of("open_now", &[("until", clock(until))]),
                None => self.closed_now(local),
            },
            Hours::Next => self.closed_now(local),
        };
        choice.telling()
    }

    /// The gap `when` tells the next opening only while it is closed.
    fn closed_now(&self, local: DateTime) -> Choice {
        let next = calendar::next_opening(&self.domain.business, local);
        let when = next.map(|next| {
            let date = times::near(self.replies, next.date(), local.date());
            let gaps = [("date", date), ("time", clock(next.time()))];
            let gaps = gaps.each_ref().map(|(gap, value)| (*gap, value.as_str()));
            ("when", self.replies.format.moments.text("opening", &gaps))
        });
        self.text_of("closed_now", &when.into_iter().collect::<Vec<_>>())
    }

    fn day(&self, day: Date) -> String {
        times::near(self.replies, day, self.occasion.local.date())
    }

    fn day_gaps(&self, day: Date, time: Option<Time>) -> Vec<(&'static str, String)> {
        let spans = calendar::spans(&self.domain.business, day);
        let mut gaps = vec![
            ("day", self.day(day)),
            ("span", times::spans(self.replies, &spans)),
        ];
        gaps.extend(time.map(|time| ("time", times::hours(self.replies, Times::At(time)))));
        gaps
    }

    pub(super) fn question(&self, question: &Question) -> Choice {
        match question {
            Question::Topic(topic) => self.topic(topic),
            Question::Meaning { choices, again } => self.meaning(choices, *again),
            Question::Moments {
                why,
                moments,
                timed,
            } => {
                let names = ["first", "second"].into_iter().zip(moments);
                let mut gaps: Vec<(&str, String)> = names
                    .map(|(gap, at)| (gap, times::moment(self.replies, *at, *timed)))
                    .collect();
                gaps.push(("obstacle", self.obstacle(*why)));
                self.text_of("ask_moment", &gaps)
            }
            Question::Conflict => self.text_of("ask_conflict", &[]),
            Question::Stop => self.text_of("ask_stop", &[]),
            Question::Colleague => self.text_of("ask_colleague", &[]),
            Question::Offer { several: false } => self.ask_offer(OfferText::AskOne),
            Question::Offer { several: true } => self.ask_offer(OfferText::AskSeveral),
            Question::WhichOffer => self.ask_offer(OfferText::AskWhich),
            Question::Help => self.text_of("ask_help", &[]),
        }
    }

    fn obstacle(&self, why: Obstacle) -> String {
        let choice = match why {
            Obstacle::Closed(day) => self.text_of("obstacle_closed", &[("day", self.day(day))]),
            Obstacle::ClosedAt(day, time) => {
                self.text_of("obstacle_closed_at", &self.day_gaps(day, Some(time)))
            }
            Obstacle::Past => self.text_of("obstacle_past", &[]),
        };
        self.choose(&choice)
    }

    fn topic(&self, topic: &str) -> Choice {
        let variants = self.replies.questions.get(topic).map(Vec::as_slice);
        self.filled(variants.unwrap_or_default(), &[])
    }

    fn meaning(&self, choices: &[String], again: bool) -> Choice {
        let name = if again {
            "ask_meaning_again"
        } else {
            "ask_meaning"
        };
        let mut gaps: Vec<(&str, String)> = ["first", "second"]
            .into_iter()
            .zip(choices)
            .map(|(gap, goal)| (gap, self.label(goal)))
            .collect();
        if gaps.is_empty() {
            let goals = self.domain.dialogue.goals.iter().filter(|goal| goal.lead);
            let labels: Vec<String> = goals
                .take(MOST_CHOICES)
                .map(|goal| self.label(&goal.intent))
                .collect();
            gaps.push(("choices", self.joined(&labels, &self.replies.format.or)));
        }
        self.text_of(name, &gaps)
    }
}
