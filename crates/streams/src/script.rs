//! The Lua scripts, one file each under `scripts/`.

use std::sync::LazyLock;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, RedisWrite, ServerErrorKind, ToRedisArgs, Value};

/// A script with the name under which it is timed and counted.
pub(crate) struct Script {
    name: &'static str,
    script: redis::Script,
}

impl Script {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }
}

/// Many words in one piece of memory.
#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
    /// Where each begins.
    begins: Vec<usize>,
}

impl RedisWrite for Words {
    fn write_arg(&mut self, arg: &[u8]) {
        self.begins.push(self.bytes.len());
        self.bytes.extend_from_slice(arg);
    }

    fn writer_for_next_arg(&mut self) -> impl std::io::Write + '_ {
        self.begins.push(self.bytes.len());
        &mut self.bytes
    }
}

impl Words {
    const fn len(&self) -> usize {
        self.begins.len()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.begins.iter().skip(1).copied();
        let ends = ends.chain([self.bytes.len()]);
        let words = self.begins.iter().zip(ends);
        words.map(|(begin, end)| self.bytes.get(*begin..end).unwrap_or_default())
    }
}

/// A script with its keys and arguments.
pub(crate) struct Call {
    script: &'static Script,
    keys: Words,
    args: Words,
}

impl Call {
    pub(crate) fn new(script: &'static Script) -> Self {
        Self {
            script,
            keys: Words::default(),
            args: Words::default(),
        }
    }

    /// Those calls as one, which answers for each in turn (see `together.lua`).
    pub(crate) fn together<'a>(calls: impl Iterator<Item = &'a Self>) -> Self {
        let mut whole = Self::new(&TOGETHER);
        for call in calls {
            call.keys.iter().for_each(|key| {
                whole.key(key);
            });
            whole.arg(call.script.name);
            whole.arg(call.keys.len()).arg(call.args.len());
            call.args.iter().for_each(|arg| {
                whole.arg(arg);
            });
        }
        whole
    }

    pub(crate) const fn script(&self) -> &'static Script {
        self.script
    }

    pub(crate) fn key(&mut self, key: impl ToRedisArgs) -> &mut Self {
        key.write_redis_args(&mut self.keys);
        self
    }

    pub(crate) fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        arg.write_redis_args(&mut self.args);
        self
    }

    /// Runs by EVALSHA; a server that does not know the script is taught it on the way.
    pub(crate) async fn run(&self, connection: &mut impl ConnectionLike) -> RedisResult<Value> {
        let command = self.command();
        let answer = command.query_async(connection).await;
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        if answer.as_ref().is_err_and(|error| error.kind() == unknown) {
            self.script.script.load_async(connection).await?;
            return command.query_async(connection).await;
        }
        answer
    }

    fn command(&self) -> Cmd {
        /// Of the command's name, the hash, and the number of keys.
        const REST: usize = 64;
        let words = 3 + self.keys.len() + self.args.len();
        let bytes = REST + self.keys.bytes.len() + self.args.bytes.len();
        let mut command = Cmd::with_capacity(words, bytes);
        command.arg("EVALSHA").arg(self.script.script.get_hash());
        command.arg(self.keys.len());
        for word in self.keys.iter().chain(self.args.iter()) {
            command.arg(word);
        }
        command
    }
}

macro_rules! scripts {
    ($($constant:ident = $($file:literal)+;)+) => {
        $(pub(crate) static $constant: LazyLock<Script> = LazyLock::new(|| Script {
            name: scripts!(@last $($file)+),
            script: redis::Script::new(concat!($(scripts!(@text $file),)+)),
        });)+
    };
    (@last $name:literal) => { $name };
    (@last $first:literal $($rest:literal)+) => { scripts!(@last $($rest)+) };
    (@text $file:literal) => { include_str!(concat!("scripts/", $file, ".lua")) };
}

scripts! {
    LAYOUT = "layout";
    CLOCK = "clock";
    REPARTITION = "repartition";
    PERMISSIONS = "permissions";
    INGEST = "permit" "ingest";
    HEARTBEAT = "heartbeat";
    ACQUIRE = "permit" "acquire";
    RENEW = "renew";
    RELEASE = "permit" "release";
    HOLD = "hold";
    FETCH = "fence" "fetch";
    BEGIN = "fence" "pending" "starts" "begin";
    END_START = "fence" "starts" "end_start";
    COMMIT = "fence" "permit" "pending" "ending" "commit";
    DEAD_LETTER = "fence" "permit" "pending" "ending" "dead_letter";
    RECORD = "fence" "permit" "pending" "ending" "record";
    REPLAY = "permit" "replay";
    IDENTITY_JOIN = "permit" "identity_join";
    IDENTITY_SPLIT = "permit" "identity_split";
    CONTACT_NOTE = "permit" "contact_note";
    PACE = "permit" "pace_clock" "pace";
    PACE_PUSH = "permit" "pace_clock" "pace_push";
}

/// Functions of those scripts that may be run together, before what runs them. Where memory is full the first
/// write of a script decides about all others, so each of them must begin with one that is never refused.
macro_rules! together {
    ($($file:literal)+) => {
        concat!(
            scripts!(@text "fence"),
            scripts!(@text "permit"),
            scripts!(@text "pending"),
            scripts!(@text "ending"),
            scripts!(@text "starts"),
            "local calls = {}\n",
            $("calls.", $file, " = function(KEYS, ARGV)\n", scripts!(@text $file), "end\n",)+
            scripts!(@text "together"),
        )
    };
}

static TOGETHER: LazyLock<Script> = LazyLock::new(|| Script {
    name: "together",
    script: redis::Script::new(together!(
        "fetch" "begin" "end_start" "commit" "record" "dead_letter" "identity_join"
    )),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_apart_also_empty_ones() {
        let mut call = Call::new(&LAYOUT);
        call.arg("").arg(12).arg(["a", "bc"].as_slice()).arg("");
        let words: Vec<&[u8]> = call.args.iter().collect();
        assert_eq!(words, [b"".as_slice(), b"12", b"a", b"bc", b""]);
        let command = call.command();
        assert_eq!(command.args_iter().count(), 8);
    }
}
