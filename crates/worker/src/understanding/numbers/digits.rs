//! Numbers in digits: `12.500,50`, `12 500`, `03/2019`.

use super::Shape;
use crate::understanding::tokens::{Boundary, Kind, Token};

/// A place in the message from which a number is read.
pub(super) struct Cursor<'t, F> {
    pub(super) tokens: &'t [Token],
    /// Where the number begins.
    pub(super) from: usize,
    pub(super) at: usize,
    /// Tokens that are something else.
    pub(super) taken: &'t F,
}

impl<'t, F: Fn(usize) -> bool> Cursor<'t, F> {
    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at).filter(|_| !(self.taken)(self.at))
    }

    pub(super) fn next_word(&self) -> Option<&'t str> {
        let token = self.peek()?;
        let connected = token.boundary == Boundary::None || self.at == self.from;
        (token.kind == Kind::Word && connected).then_some(token.text.as_str())
    }

    pub(super) fn following(&self) -> Option<&'t str> {
        self.tokens
            .get(self.at + 1)
            .map(|token| token.text.as_str())
    }

    /// Digits with their separators, groups after a space, and dates.
    pub(super) fn digits(&mut self) -> Option<(f64, Shape)> {
        let token = self.peek()?;
        if let Some(date) = self.date().or_else(|| self.month_and_year()) {
            return Some(date);
        }
        self.at += 1;
        let (value, shape) = parse(&token.text)?;
        if token.apostrophe && shape == Shape::Digits(2) {
            return Some((value, Shape::Apostrophe));
        }
        let group = self.peek().filter(|next| {
            !next.glued
                && next.boundary == Boundary::None
                && next.text.len() == 3
                && next.text.ends_with("00")
        });
        match (
            shape,
            group.and_then(|group| group.text.parse::<f64>().ok()),
        ) {
            (Shape::Digits(1..=3), Some(group)) if value >= 1.0 => {
                self.at += 1;
                Some((value * 1000.0 + group, Shape::Grouped))
            }
            _ => Some((value, shape)),
        }
    }

    /// `12-05-2019` and `12/05/19` over five tokens.
    fn date(&mut self) -> Option<(f64, Shape)> {
        let [day, dash, month, also_dash, year] = self.tokens.get(self.at..self.at + 5)? else {
            return None;
        };
        let numbers = [day, month, year]
            .iter()
            .all(|token| token.kind == Kind::Number);
        let dashes = [dash, also_dash]
            .iter()
            .all(|token| token.text == "-" || token.text == "/");
        let short = day.text.len() <= 2 && month.text.len() <= 2;
        if !(numbers && dashes && short) {
            return None;
        }
        let (year, _) = parse(&year.text)?;
        self.at += 5;
        Some((if year < 100.0 { 2000.0 + year } else { year }, Shape::Date))
    }

    /// `03/2019` and `05-19`: a year like any other.
    fn month_and_year(&mut self) -> Option<(f64, Shape)> {
        let [month, dash, year] = self.tokens.get(self.at..self.at + 3)? else {
            return None;
        };
        let digits = |token: &Token| {
            token.kind == Kind::Number && token.text.bytes().all(|b| b.is_ascii_digit())
        };
        let month_number: u32 = month
            .text
            .parse()
            .ok()
            .filter(|_| digits(month) && digits(year))?;
        let is_month = (1..=12).contains(&month_number) && month.text.len() <= 2;
        let certain = year.text.len() == 4 || year.text.len() == 2 && month.text.starts_with('0');
        if !(is_month && certain && (dash.text == "/" || dash.text == "-")) {
            return None;
        }
        let (year, shape) = parse(&year.text)?;
        self.at += 3;
        Some((
            if year < 100.0 { 2000.0 + year } else { year },
            if shape == Shape::Digits(2) {
                Shape::Digits(4)
            } else {
                shape
            },
        ))
    }
}

/// Reads digits with dots and commas. None for times and for what is no number.
fn parse(text: &str) -> Option<(f64, Shape)> {
    if text.contains(':') || text.len() > 15 {
        return None;
    }
    let groups: Vec<&str> = text.split(['.', ',']).collect();
    let [first, rest @ ..] = groups.as_slice() else {
        return None;
    };
    let Some(last) = rest.last() else {
        let leading_zero = text.len() > 4 && text.starts_with('0');
        let value = text.parse().ok().filter(|_| !leading_zero)?;
        return Some((value, Shape::Digits(text.len())));
    };
    if rest.iter().all(|group| group.len() == 3) && first.len() <= 3 && *first != "0" {
        return Some((groups.concat().parse().ok()?, Shape::Grouped));
    }
    if rest.len() == 2 && last.len() == 4 {
        return Some((last.parse().ok()?, Shape::Date));
    }
    let (decimals, whole) = groups.split_last()?;
    let grouped = whole.iter().skip(1).all(|group| group.len() == 3);
    let shape = if whole.len() > 1 {
        Shape::Grouped
    } else {
        Shape::Decimal
    };
    let value = format!("{}.{decimals}", whole.concat()).parse().ok();
    value.filter(|_| grouped).map(|value: f64| (value, shape))
}
