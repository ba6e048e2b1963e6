//! What is said of things in stock.

use stock::{Item, Miss, PRICE, Status, Test, Value};

use super::Wording;
use super::choose::Choice;
use crate::dialogue::offer::{Fit, Line, Listing, Seen, value};
use crate::dialogue::{filling, times};
use crate::domain::{About, AttributeTexts, Filling, OfferText, Offers, Template};

/// From so many hours on an age is told in days.
const IN_DAYS: i64 = 48;

impl Wording<'_> {
    fn offers(&self) -> Option<&Offers> {
        self.domain.knowledge.offers.as_ref()
    }

    /// A text about the stock, gaps filled with these.
    fn offer_text(&self, text: OfferText, filling: &Filling) -> Option<Choice> {
        let texts = self.offers()?.texts.get(&self.replies.language)?;
        let own: Vec<(&str, String)> = filling
            .iter()
            .map(|(gap, value)| (gap.as_str(), value.clone()))
            .collect();
        Some(self.filled(texts.get(&text)?, &own).telling())
    }

    /// Its fullest wording.
    fn offer_words(&self, text: OfferText, filling: &Filling) -> Option<String> {
        let texts = self
            .offers()?
            .texts
            .get(&self.replies.language)?
            .get(&text)?;
        let fitting = texts.iter().filter(|one| one.fits(filling));
        let fullest = fitting.max_by_key(|one| one.required().len())?;
        fullest.fill(filling)
    }

    /// The list: what it is, its lines, and how old it is where that is worth a word.
    pub(super) fn listing(&self, listing: &Listing) -> Option<Choice> {
        let seen = listing.seen != Seen::No && listing.fit != Fit::None;
        let said = seen.then(|| self.seen(listing)).flatten();
        if said.is_some() {
            return said;
        }
        let head = match (listing.fit, listing.lines.as_slice()) {
            (Fit::None, _) if listing.compared => {
                return self.offer_text(OfferText::NoFurther, &Filling::new());
            }
            (Fit::None, _) => {
                let values = filling::values_of(&self.state.wanted);
                let about = About::Wanted;
                let things = filling::things(self.domain, self.replies, about, &values);
                let wish = things.get("wish").cloned();
                let wish: Vec<String> = wish.into_iter().chain(self.needed()).collect();
                let wish = (!wish.is_empty()).then(|| ("wish".to_owned(), wish.join(", ")));
                return self.offer_text(OfferText::Nothing, &wish.into_iter().collect());
            }
            (Fit::Near, _) => OfferText::Nearest,
            (Fit::Exact, [_]) => OfferText::FoundOne,
            (Fit::Exact, lines) if listing.total > lines.len() => OfferText::FoundMore,
            (Fit::Exact, _) => OfferText::Found,
        };
        let mut filling = Filling::from([
            ("count".to_owned(), listing.lines.len().to_string()),
            ("total".to_owned(), listing.total.to_string()),
        ]);
        if listing.fit == Fit::Near && listing.named_is_missing {
            filling.insert("thing".to_owned(), self.thing(About::Wanted));
        }
        let head = self.choose(&self.offer_text(head, &filling)?);
        let lines = listing.lines.iter().filter_map(|line| self.line(line));
        let stale = listing.stale_hours.and_then(|hours| self.stale(hours));
        let parts = std::iter::once(head).chain(lines).chain(stale);
        Some(Choice::one(&parts.collect::<Vec<_>>().join("\n")))
    }

    /// Numbers that are wished and that no slot has: "7 seats".
    fn needed(&self) -> impl Iterator<Item = String> {
        let offers = self.offers().into_iter();
        let said = offers.flat_map(|offers| &offers.attributes).filter(|one| {
            let patterns = one.wish.values();
            patterns.flatten().next().is_some()
        });
        said.filter_map(|one| {
            let Test::AtLeast(number) = self.state.stock.needs.get(&one.name)? else {
                return None;
            };
            let value = self.shown(&one.name, &Value::Number(*number))?;
            first(
                &self.attribute_texts(&one.name)?.fits,
                &[("value".to_owned(), value)].into(),
            )
        })
    }

    /// What was shown already is not shown again.
    fn seen(&self, listing: &Listing) -> Option<Choice> {
        let text = match (listing.seen, listing.fit, listing.lines.as_slice()) {
            (Seen::Some, ..) => OfferText::Left,
            (_, Fit::Exact, [_]) => OfferText::StillOne,
            (_, Fit::Exact, _) => OfferText::Still,
            _ => OfferText::StillNearest,
        };
        let titles: Vec<String> = listing
            .lines
            .iter()
            .map(|line| line.item.title.to_string())
            .collect();
        let thing = listing
            .lines
            .first()
            .map(|line| self.named_in_words(&line.item));
        let mut filling = Filling::from([("things".to_owned(), titles.join(", "))]);
        filling.extend(thing.map(|thing| ("thing".to_owned(), thing)));
        let mut said = self.offer_text(text, &filling)?;
        // Said once more it is no repetition: it is said of something else.
        said.tells = false;
        Some(said)
    }

    /// "(Stand van 8 dagen geleden.)"
    fn stale(&self, hours: i64) -> Option<String> {
        let (text, count) = match hours {
            1 => (OfferText::AgeHour, hours),
            IN_DAYS.. => (OfferText::AgeDays, hours / 24),
            _ => (OfferText::AgeHours, hours),
        };
        let count = [("count".to_owned(), count.to_string())];
        let age = self.offer_words(text, &count.into())?;
        let filling = [
            ("age".to_owned(), age),
            ("hours".to_owned(), hours.to_string()),
        ];
        self.offer_words(OfferText::Stale, &filling.into())
    }

    /// One thing, as a line of the list.
    fn line(&self, line: &Line) -> Option<String> {
        let mut filling = self.item_filling(&line.item);
        filling.insert("number".into(), line.number.to_string());
        filling.extend(self.mark(&line.item));
        filling.extend(self.fit(line).map(|fit| ("fit".to_owned(), fit)));
        self.offer_words(OfferText::Item, &filling)
    }

    /// Says of what cannot be had that it is reserved or sold.
    fn mark(&self, item: &Item) -> Option<(String, String)> {
        let mark = match item.status {
            Status::Available => return None,
            Status::Reserved => OfferText::MarkReserved,
            Status::Sold => OfferText::MarkSold,
        };
        let words = self.offer_words(mark, &Filling::new())?;
        Some(("status".to_owned(), words))
    }

    /// "Wel een automaat, maar € 500 boven uw budget."
    fn fit(&self, line: &Line) -> Option<String> {
        let misses = line.misses.iter().filter_map(|miss| self.miss(miss));
        // What is wished and what is excluded may miss alike.
        let mut misses: Vec<String> = misses.collect();
        misses.dedup();
        let misses = self.joined(&misses, &self.replies.format.and);
        if misses.is_empty() {
            return None;
        }
        let fits = line.fits.iter().filter_map(|name| {
            let texts = self.attribute_texts(name)?;
            let value = self.shown_of(name, &line.item)?;
            first(&texts.fits, &[("value".to_owned(), value)].into())
        });
        let fits = self.joined(&fits.collect::<Vec<_>>(), &self.replies.format.and);
        let mut filling = Filling::from([("misses".to_owned(), misses)]);
        let text = match fits.is_empty() {
            true => OfferText::Misses,
            false => {
                filling.insert("fits".into(), fits);
                OfferText::Fits
            }
        };
        self.offer_words(text, &filling)
    }

    fn miss(&self, miss: &Miss) -> Option<String> {
        let texts = self.attribute_texts(&miss.attribute)?;
        let Some(has) = &miss.has else {
            let label = ("label".to_owned(), texts.label.clone());
            return self.offer_words(OfferText::Unknown, &[label].into());
        };
        let mut filling = Filling::new();
        let value = self.shown(&miss.attribute, has);
        filling.extend(value.map(|value| ("value".to_owned(), value)));
        let apart = match (&miss.wanted, has.number()) {
            (Test::AtMost(most), Some(has)) if has > *most => Some((&texts.over, has - most)),
            (Test::AtLeast(least), Some(has)) if has < *least => Some((&texts.under, least - has)),
            (Test::Near(about), Some(has)) if has > *about => Some((&texts.over, has - about)),
            (Test::Near(about), Some(has)) => Some((&texts.under, about - has)),
            _ => None,
        };
        if let Some((texts, apart)) = apart.filter(|(texts, _)| !texts.is_empty()) {
            let apart = self.shown(&miss.attribute, &Value::Number(apart));
            filling.extend(apart.map(|apart| ("difference".to_owned(), apart)));
            return first(texts, &filling);
        }
        first(&texts.other, &filling)
    }

    /// What the record says, as gaps: its title, its page and each attribute.
    fn item_filling(&self, item: &Item) -> Filling {
        let mut filling = Filling::from([("title".to_owned(), item.title.to_string())]);
        for attribute in self
            .offers()
            .into_iter()
            .flat_map(|offers| &offers.attributes)
        {
            let name = &attribute.name;
            let value = self.shown_of(name, item);
            filling.extend(value.map(|value| (name.clone(), value)));
        }
        filling
    }

    /// The thing in a sentence: "de Volkswagen Golf uit 2019".
    fn named_in_words(&self, item: &Item) -> String {
        let filling = self.item_filling(item);
        let words = self.offer_words(OfferText::Thing, &filling);
        words.unwrap_or_else(|| item.title.to_string())
    }

    fn attribute_texts(&self, name: &str) -> Option<&AttributeTexts> {
        let attribute = self.offers()?.attribute(name)?;
        attribute.texts.get(&self.replies.language)
    }

    /// What the record says of an attribute, in words; a price with its cents.
    fn shown_of(&self, name: &str, item: &Item) -> Option<String> {
        let cents = item.price.map(|price| price.cents).unwrap_or_default();
        if name == PRICE && cents % 100 != 0 {
            let whole = self.shown(name, &Value::Number(cents / 100))?;
            let point = if self.replies.format.thousands == "," {
                '.'
            } else {
                ','
            };
            let texts = self.attribute_texts(name)?;
            let after = texts.around.as_ref().map_or("", |(_, after)| after);
            let bare = whole.strip_suffix(after).unwrap_or(&whole);
            return Some(format!("{bare}{point}{:02}{after}", cents % 100));
        }
        self.shown(name, &value(item, name)?)
    }

    /// A value in words; none of what is only there or not.
    fn shown(&self, name: &str, value: &Value) -> Option<String> {
        let texts = self.attribute_texts(name)?;
        let bare = match value {
            Value::Flag(_) => return None,
            Value::Number(number) if texts.around.is_some() => {
                filling::grouped(*number, &self.replies.format.thousands)
            }
            Value::Number(number) => number.to_string(),
            Value::Word(word) | Value::Text(word) => match texts.words.get(&**word) {
                Some(word) => word.clone(),
                None => {
                    let month = times::month_of(self.replies, word);
                    month.unwrap_or_else(|| filling::word(self.replies, word))
                }
            },
        };
        Some(match &texts.around {
            Some((before, after)) => format!("{before}{bare}{after}"),
            None => bare,
        })
    }

    pub(super) fn picked(&self, line: &Line) -> Option<Choice> {
        let mut filling = self.item_filling(&line.item);
        filling.insert("thing".into(), self.named_in_words(&line.item));
        let Some(mark) = self.mark(&line.item) else {
            return self.offer_text(OfferText::Chosen, &filling);
        };
        // A wording that says so, where there is one.
        filling.extend([mark]);
        let words = self.offer_words(OfferText::Chosen, &filling)?;
        Some(Choice::one(&words))
    }

    pub(super) fn arrived(&self, line: &Line) -> Option<Choice> {
        self.offer_text(OfferText::Arrived, &self.item_filling(&line.item))
    }

    pub(super) fn gone(&self, title: &str) -> Option<Choice> {
        let thing = ("thing".to_owned(), title.to_owned());
        self.offer_text(OfferText::Gone, &[thing].into())
    }

    /// Whether each of some things can be had.
    pub(super) fn standing(&self, lines: &[Line], stale: Option<i64>) -> Option<Choice> {
        let said = lines.iter().filter_map(|line| {
            let text = match line.item.status {
                Status::Available => OfferText::Available,
                Status::Reserved => OfferText::Reserved,
                Status::Sold => OfferText::Sold,
            };
            let mut filling = self.item_filling(&line.item);
            filling.insert("thing".into(), self.named_in_words(&line.item));
            let words = self.offer_words(text, &filling)?;
            Some(super::choose::capital(&words))
        });
        let said = said.collect::<Vec<_>>();
        if said.is_empty() {
            return None;
        }
        let stale = stale.and_then(|hours| self.stale(hours));
        let text: Vec<String> = said.into_iter().chain(stale).collect();
        Some(Choice::one(&text.join("\n")))
    }

    /// What the records say of an attribute, of one thing or of several.
    pub(super) fn record(&self, name: &str, lines: &[Line]) -> Option<Choice> {
        let texts = self.attribute_texts(name)?;
        if let [line] = lines {
            return self.of_one(name, texts, &line.item);
        }
        let each = lines.iter().filter_map(|line| {
            let value = value(&line.item, name);
            let answer = match &value {
                None => self.offer_words(OfferText::NotSaid, &Filling::new()),
                Some(Value::Flag(true)) => self.offer_words(OfferText::Yes, &Filling::new()),
                Some(Value::Flag(false)) => self.offer_words(OfferText::No, &Filling::new()),
                Some(_) => self.shown_of(name, &line.item),
            };
            let filling = Filling::from([
                ("number".to_owned(), line.number.to_string()),
                ("thing".to_owned(), self.named_in_words(&line.item)),
                ("answer".to_owned(), answer?),
            ]);
            self.offer_words(OfferText::Each, &filling)
        });
        let answers = each.collect::<Vec<_>>().join(", ");
        let filling = Filling::from([
            ("label".to_owned(), texts.label.clone()),
            ("answers".to_owned(), answers),
        ]);
        self.offer_text(OfferText::Several, &filling)
    }

    fn of_one(&self, name: &str, texts: &AttributeTexts, item: &Item) -> Option<Choice> {
        let mut filling = self.item_filling(item);
        filling.insert("thing".into(), self.named_in_words(item));
        filling.insert("label".into(), texts.label.clone());
        match value(item, name)? {
            Value::Flag(has) if texts.answer.is_empty() => {
                let text = if has {
                    OfferText::Has
                } else {
                    OfferText::HasNot
                };
                self.offer_text(text, &filling)
            }
            _ => {
                let value = self.shown_of(name, item);
                filling.extend(value.map(|value| ("value".to_owned(), value)));
                let fitting = first(&texts.answer, &filling)?;
                Some(Choice::one(&fitting))
            }
        }
    }

    /// Our question after something was offered.
    pub(super) fn ask_offer(&self, text: OfferText) -> Choice {
        let chosen = self.state.stock.chosen.as_ref();
        let thing = chosen.map(|one| ("thing".to_owned(), one.title.clone()));
        let asked = self.offer_text(text, &thing.into_iter().collect());
        asked.unwrap_or_default()
    }
}

/// The fullest of some texts that can be filled.
fn first(texts: &[Template], filling: &Filling) -> Option<String> {
    let fitting = texts.iter().filter(|text| text.fits(filling));
    let fullest = fitting.max_by_key(|text| text.required().len())?;
    fullest.fill(filling)
}
