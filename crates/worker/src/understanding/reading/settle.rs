//! What the surroundings change about what was recognised.

use super::Reading;
use crate::domain::{Needs, Negation, SlotRule};
use crate::understanding::lattice::Span;
use crate::understanding::mentions::{Mention, Role};
use crate::understanding::tokens::Boundary;

/// The words of "my old Corsa".
const POSSESSIVE: usize = 3;

impl Reading {
    /// Drops what the surroundings deny, and notes negations and roles.
    pub(super) fn settle(&mut self) {
        let surroundings = &self.surroundings;
        let makes: Vec<usize> = self
            .mentions
            .iter()
            .filter(|m| m.is_certain())
            .filter_map(Mention::make)
            .collect();
        let numbers = &self.quantities;
        let mut believed: Vec<Span> = Vec::new();
        self.mentions.retain(|mention| {
            let denied = surroundings
                .spans(mention.slot, SlotRule::Unless)
                .any(|span| span.covers(mention.span));
            let believe = !denied
                && match mention.needs {
                    Needs::Nothing => true,
                    Needs::Context => {
                        mention.make().is_some_and(|make| makes.contains(&make))
                            || surroundings.any(mention.slot, SlotRule::Context)
                    }
                    Needs::Pointer => {
                        surroundings.points_at(mention.slot, mention.span)
                            && !numbers.iter().any(|number| {
                                number.span.covers(mention.span) && number.is_counted()
                            })
                    }
                    Needs::Make => false,
                };
            if believe {
                believed.push(mention.span);
            }
            believe
        });
        self.quantities
            .retain(|number| !believed.iter().any(|span| span.overlaps(number.span)));
        let mentions = &self.mentions;
        self.lattice.remove(|symbol, span| {
            let edge = (symbol, span);
            symbol.is_slot()
                && !mentions
                    .iter()
                    .any(|mention| mention.edges().contains(&edge))
        });
        for mention in &mut self.mentions {
            let own = self
                .surroundings
                .is_captured(mention.slot, SlotRule::Own, mention.span);
            let wanted =
                self.surroundings
                    .is_captured(mention.slot, SlotRule::Wanted, mention.span);
            mention.role = match (own, wanted) {
                // The longer match tells more, but for "my Corsa".
                (Some((near, own)), Some((_, wanted))) if wanted > own && near > POSSESSIVE => {
                    Role::Wanted
                }
                (Some(_), _) => Role::Own,
                (None, Some(_)) => Role::Wanted,
                (None, None) => Role::Open,
            };
        }
        self.share_roles();
        self.negate();
    }

    /// Who has said whose the Passat is has said it of each Passat in the message.
    fn share_roles(&mut self) {
        let names = self.mentions.iter().filter(|name| name.make().is_some());
        let told: Vec<Mention> = names
            .filter(|name| name.role != Role::Open)
            .cloned()
            .collect();
        for mention in &mut self.mentions {
            let same = |name: &&Mention| name.slot == mention.slot && name.named == mention.named;
            if mention.role == Role::Open
                && let Some(name) = told.iter().find(same)
            {
                mention.role = name.role;
            }
        }
    }

    /// Notes which mentions are inside the reach of a negation.
    fn negate(&mut self) {
        let mut negated: Vec<Span> = self.surroundings.negations(Negation::Around).to_vec();
        let needed = self.surroundings.negations(Negation::Needed);
        let denies = |negator: &&Span| !needed.iter().any(|span| span.overlaps(**negator));
        let negators = self.surroundings.negations(Negation::Before);
        for negator in negators.iter().filter(denies) {
            let reached = self.reach_of(negator.end);
            let lists = self.surroundings.negations(Negation::Lists);
            if lists.iter().any(|span| span.overlaps(*negator)) {
                negated.extend(self.rest_of_list(reached.last().copied()));
            }
            negated.extend(reached);
        }
        for mention in &mut self.mentions {
            mention.negated = negated.iter().any(|span| span.covers(mention.span));
        }
    }

    /// "Anything but a diesel, estate or MPV": what follows the first of a list that ends with "or".
    fn rest_of_list(&self, first: Option<Span>) -> Vec<Span> {
        let joins = self.surroundings.negations(Negation::Join);
        let mention_at = |at: usize| {
            let mut mentions = self.mentions.iter();
            mentions.find(|mention| mention.span.start == at && mention.make().is_none())
        };
        let (mut rest, mut ended) = (Vec::new(), false);
        let mut at = first.map_or(self.tokens.len(), |span| span.end);
        while !ended {
            let joined = joins.iter().any(|span| span.start == at);
            let next = match self.lattice.boundary_before(at) {
                Boundary::Clause => mention_at(at),
                Boundary::None if joined => mention_at(at + 1),
                Boundary::None | Boundary::Sentence => None,
            };
            let Some(next) = next else { break };
            rest.push(next.span);
            (at, ended) = (next.span.end, joined);
        }
        // "…, petrol or hybrid is fine" is a list of its own.
        let goes_on = at < self.tokens.len() && self.lattice.boundary_before(at) == Boundary::None;
        if !ended || goes_on {
            rest.clear();
        }
        rest
    }

    /// The mentions that a negation just before `at` denies.
    fn reach_of(&self, mut at: usize) -> Vec<Span> {
        const WORDS_BETWEEN: usize = 2;
        let is_one = |kind: Negation, at: usize| {
            self.surroundings
                .negations(kind)
                .iter()
                .any(|span| span.start == at)
        };
        let mut reached = Vec::new();
        let mut between = 0;
        let (mut joined, mut alike, mut slot) = (true, false, None);
        while at < self.tokens.len() {
            if self.lattice.boundary_before(at) > Boundary::None {
                break;
            }
            if let Some(mention) = self
                .mentions
                .iter()
                .find(|mention| mention.span.start == at)
            {
                // "Kein Weiß und Schalter" denies the colour alone.
                if alike && slot != Some(mention.slot) {
                    break;
                }
                slot = Some(mention.slot);
                reached.push(mention.span);
                at = mention.span.end;
                (joined, alike) = (false, false);
                continue;
            }
            if is_one(Negation::Stop, at) {
                break;
            }
            alike |= is_one(Negation::JoinAlike, at);
            joined |= alike || is_one(Negation::Join, at);
            between += 1;
            if reached.is_empty() && between > WORDS_BETWEEN || !reached.is_empty() && !joined {
                break;
            }
            at += 1;
        }
        reached
    }
}
