//! Twilio's error codes and what they call for (<https://www.twilio.com/docs/api/errors>).

use std::time::Duration;

use shared_types::FailureClass;
use shared_types::FailureClass::{Configuration, Permanent, Transient, Window};

use crate::attempt::Scope;
use crate::retry::schedule::Schedule;

/// One code.
struct Code {
    code: u32,
    class: FailureClass,
    scope: Scope,
}

const fn message(code: u32, class: FailureClass) -> Code {
    Code {
        code,
        class,
        scope: Scope::Message,
    }
}

const fn sender(code: u32, class: FailureClass) -> Code {
    Code {
        code,
        class,
        scope: Scope::Sender,
    }
}

/// Known codes in ascending order. Configuration errors that concern one recipient only (a region
/// that is not enabled, a trial account's unverified number, a sandbox that the user has not joined)
/// must not stop a sender for everybody else.
const CODES: [Code; 39] = [
    sender(20003, Configuration),  // authentication failed
    sender(20404, Configuration),  // no such account or path
    message(20429, Transient),     // too many concurrent requests
    message(21211, Permanent),     // invalid To
    message(21408, Configuration), // region not enabled
    message(21604, Permanent),     // To is missing
    message(21608, Configuration), // trial account, To not verified
    message(21610, Permanent),     // recipient opted out
    message(21611, Transient),     // queue of the sender is full
    message(21612, Permanent),     // To not reachable from this sender
    message(21614, Permanent),     // To is not a mobile number
    message(21617, Permanent),     // body too long
    message(30001, Transient),     // queue overflow
    message(30003, Transient),     // unreachable destination
    message(30007, Permanent),     // filtered
    message(30008, Transient),     // unknown carrier error
    sender(63001, Configuration),  // channel authentication failed
    message(63003, Permanent),     // channel does not know To
    sender(63007, Configuration),  // From is not a channel of this account
    sender(63008, Configuration),  // channel misconfigured
    message(63012, Transient),     // channel provider failed
    message(63013, Permanent),     // policy violation
    message(63014, Permanent),     // blocked by the user
    message(63015, Configuration), // user has not joined the sandbox
    message(63016, Window),        // outside of the 24-hour window
    message(63017, Transient),     // account rate
    message(63018, Transient),     // channel rate
    message(63019, Transient),     // media download failed
    message(63020, Configuration), // business invitation not accepted
    message(63021, Permanent),     // invalid content
    message(63022, Configuration), // invalid vname certificate
    message(63024, Permanent),     // invalid recipient
    message(63027, Permanent),     // template missing
    message(63028, Permanent),     // template parameters do not match
    message(63029, Permanent),     // template text too long
    message(63030, Permanent),     // template parameter not supported
    message(63032, Permanent),     // user is in an experiment
    message(63038, Transient),     // daily account cap
    message(63049, Permanent),     // marketing message not delivered
];

/// What an error code calls for. Codes that are not known concern this message alone and will not
/// be better next time.
pub(crate) fn class_of(code: &str) -> (FailureClass, Scope) {
    let number = code.parse().unwrap_or(0);
    let known = CODES.binary_search_by_key(&number, |known| known.code);
    let known = known.ok().and_then(|index| CODES.get(index));
    known.map_or((Permanent, Scope::Message), |known| {
        (known.class, known.scope)
    })
}

/// How long to wait before a message is sent anew for the `resend`th time that Twilio failed to
/// deliver: the pauses between rounds, and more where a limit has to run out. 63018 is the channel's
/// rate, 63038 the account's cap for a day.
pub(crate) fn pause_before_resend(code: &str, resend: u32, schedule: &Schedule) -> Duration {
    let longer = match code {
        "63018" => 15,
        "63038" => 225,
        _ => 1,
    };
    schedule.pause_before_round(resend) * longer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_too_fast_is_sent_anew_after_seconds_or_minutes() {
        let schedule = Schedule::default();
        let pauses = |code| [1, 2, 3].map(|n| pause_before_resend(code, n, &schedule).as_secs());
        assert_eq!(pauses("30001"), [4, 8, 16]);
        assert_eq!(pauses("63018"), [60, 120, 240]);
        assert_eq!(pauses("63038"), [900, 1_800, 3_600]);
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(CODES.is_sorted_by_key(|known| known.code));
    }

    #[test]
    fn codes_are_classed_by_what_helps() {
        assert_eq!(class_of("21211"), (Permanent, Scope::Message));
        assert_eq!(class_of("21612").0, Permanent);
        assert_eq!(class_of("21614").0, Permanent);
        assert_eq!(class_of("20003"), (Configuration, Scope::Sender));
        assert_eq!(class_of("63016").0, Window);
        assert_eq!(class_of("63012").0, Transient);
        assert_eq!(class_of("63999").0, Permanent);
        assert_eq!(class_of("InvalidSandboxRequest").0, Permanent);
    }
}
