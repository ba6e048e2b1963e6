//! Measured figures: a table for people, JSON for programs.

use serde::{Deserialize, Serialize};

use crate::print_table;

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what: `µs`, `ms`, `MB`, `msg/s`, …
    pub unit: String,
}

/// What one part of the benchmark found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The part, with what it depends on.
    pub heading: String,
    /// In order.
    pub figures: Vec<Figure>,
    /// The share of the machine that others used meanwhile, from 0 to 1.
    pub others: f64,
}

/// From this share of the machine on, what others do shows in the figures.
const DISTURBING: f64 = 0.1;

impl Figures {
    pub(crate) const fn new(heading: String) -> Self {
        Self {
            heading,
            figures: Vec::new(),
            others: 0.0,
        }
    }

    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        self.figures.push(Figure {
            name: name.into(),
            value,
            unit: unit.into(),
        });
    }

    /// Whether others used so much of the machine that the figures are not to be trusted.
    pub fn is_disturbed(&self) -> bool {
        self.others > DISTURBING
    }

    /// For people.
    pub fn print(&self) {
        let row = |figure: &Figure| {
            let text = format!("{:9.2} {}", figure.value, figure.unit);
            (figure.name.clone(), text)
        };
        let rows: Vec<_> = self.figures.iter().map(row).collect();
        let mark = if self.is_disturbed() {
            format!("; DISTURBED: others used {:.0} %", self.others * 100.0)
        } else {
            String::new()
        };
        print_table(&format!("{}{mark}", self.heading), &rows);
    }
}

/// The value below which this share of them lies.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let place = (last as f64 * share).floor() as usize;
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let mut values: Vec<f64> = (1..=101).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.5), 51.0);
        assert_eq!(quantile(&mut values, 0.99), 100.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
