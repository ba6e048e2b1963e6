//! The Lua scripts, one file each under `scripts/`.

use std::sync::LazyLock;

use redis::ScriptInvocation;

/// A script with the name under which it is timed and counted.
pub(crate) struct Script {
    name: &'static str,
    script: redis::Script,
}

impl Script {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs by EVALSHA; a server that does not know the script is taught it on the way.
    pub(crate) fn invocation(&self) -> ScriptInvocation<'_> {
        self.script.prepare_invoke()
    }
}

macro_rules! scripts {
    ($($constant:ident = $($file:literal)+;)+) => {
        $(pub(crate) static $constant: LazyLock<Script> = LazyLock::new(|| Script {
            name: scripts!(@last $($file)+),
            script: redis::Script::new(concat!($(include_str!(concat!("scripts/", $file, ".lua")),)+)),
        });)+
    };
    (@last $name:literal) => { $name };
    (@last $first:literal $($rest:literal)+) => { scripts!(@last $($rest)+) };
}

scripts! {
    LAYOUT = "layout";
    CLOCK = "clock";
    PERMISSIONS = "permissions";
    INGEST = "permit" "ingest";
    HEARTBEAT = "heartbeat";
    ACQUIRE = "permit" "acquire";
    RENEW = "renew";
    RELEASE = "permit" "release";
    HOLD = "hold";
    FETCH = "fetch";
    BEGIN = "pending" "starts" "begin";
    END_START = "starts" "end_start";
    COMMIT = "permit" "pending" "ending" "commit";
    DEAD_LETTER = "permit" "pending" "ending" "dead_letter";
    RECORD = "permit" "pending" "ending" "record";
    REPLAY = "permit" "replay";
    IDENTITY_JOIN = "permit" "identity_join";
    IDENTITY_SPLIT = "permit" "identity_split";
    CONTACT_NOTE = "permit" "contact_note";
    PACE = "permit" "pace_clock" "pace";
    PACE_PUSH = "permit" "pace_clock" "pace_push";
}
