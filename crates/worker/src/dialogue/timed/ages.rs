//! Years that are told as ages. Pure.

use jiff::Zoned;
use shared_types::SlotValue;

use crate::dialogue::act::{Act, Answer, Does, Told};

/// "Not older than ten years" names a year, now that the time is known.
pub(super) fn date_ages(acts: &mut [Act], now: &Zoned) {
    for act in acts {
        match &mut act.does {
            Does::Inform(inform) => date_told(&mut inform.values, now),
            Does::Answer(Answer::Values(told)) => date_told(told, now),
            Does::Correct(correct) => date_told(&mut correct.instead, now),
            Does::Ask(ask) => ask
                .content
                .iter_mut()
                .for_each(|(_, value)| date(value, now)),
            _ => {}
        }
    }
}

fn date_told(told: &mut [Told], now: &Zoned) {
    let values = told.iter_mut().flat_map(|told| &mut told.any_of);
    values.for_each(|value| date(value, now));
}

fn date(value: &mut SlotValue, now: &Zoned) {
    if let SlotValue::Integer(year) = value
        && *year < 0
    {
        *year += i64::from(now.year());
    }
}
