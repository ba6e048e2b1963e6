//! Numbers of settings with their bounds: beyond them a service would not do what was meant.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// The largest number of an account or inbox.
pub const MOST_ID: u64 = 1 << 53;

/// Reads a whole number within bounds.
pub fn within<T: FromStr>(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let text = text.trim();
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let read = number.and_then(|_| text.parse().ok());
        let (least, most) = bounds.clone().into_inner();
        read.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
    }
}

/// Reads a number within bounds.
pub fn number_within(bounds: RangeInclusive<f64>) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let number = text.trim().parse().ok();
        let (least, most) = bounds.clone().into_inner();
        number
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| format!("expected a number from {least} to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    #[test]
    fn a_number_lies_within_its_bounds() {
        let days = within::<NonZeroU16>(1..=3650);
        assert_eq!(days(" 30 ").map(NonZeroU16::get), Ok(30));
        for wrong in ["0", "3651", "-1", "1.5", "many", "", "99999999999999999999"] {
            assert_eq!(
                days(wrong).unwrap_err(),
                "expected a whole number from 1 to 3650"
            );
        }
        let rate = number_within(0.0..=80.0);
        assert_eq!(rate("0.33"), Ok(0.33));
        for wrong in ["-0.1", "80.1", "NaN", "inf", "fast"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
