use std::io;

use redis::{ErrorKind, RedisError};
use shared_types::connection_failure;

/// What can go wrong between us and Redis.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// Redis could not be reached, did not answer in time, or refused the command.
    #[error("redis: {}", describe(.0))]
    Redis(#[from] RedisError),
    /// No connection could be taken from the pool in time.
    #[error("redis: no connection: {0}")]
    Pool(String),
    /// Another task tried to connect a moment ago and failed.
    #[error("redis: cannot be reached")]
    Unreachable,
    /// The user may not do what this service needs.
    #[error("redis: NOPERM: the user lacks {missing}; see \"Redis\" in deploy/README.md")]
    Forbidden {
        /// The commands, each with the kind of key.
        missing: String,
    },
    /// A script answered in a shape that this version does not know.
    #[error("redis: unexpected answer of script {script}")]
    Answer {
        /// The script.
        script: &'static str,
    },
}

/// What servers from 6.2 on say when a script's command is denied or not there (renamed, or too old a
/// server). They give it the code of a mistake in the script.
const DENIED_IN_SCRIPT: [&str; 2] = [
    "The user executing the script can't",
    "ACL failure in script",
];
const UNKNOWN_IN_SCRIPT: [&str; 2] = ["Unknown Redis command called", "Unknown command called"];

/// The code of an error: `NOGROUP`. Redis 6 wraps the error of a script's command in one of its own:
/// `ERR Error running script (call to f_1f…): @user_script:3: -OOM command not allowed …`.
fn code(error: &RedisError) -> Option<&str> {
    let detail = error.detail().unwrap_or_default();
    if DENIED_IN_SCRIPT.iter().any(|text| detail.contains(text)) {
        return Some("NOPERM");
    }
    if UNKNOWN_IN_SCRIPT.iter().any(|text| detail.contains(text)) {
        return Some("UNKNOWN");
    }
    let is_code = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    let wrapped = || {
        let text = error.detail()?.strip_prefix("Error running script")?;
        let (_, inner) = text.rsplit_once("@user_script")?;
        let inner = inner.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        inner.split_whitespace().next().filter(is_code)
    };
    wrapped().or_else(|| error.code())
}

/// What an error of Redis means here, and what ends it.
fn meaning(code: &str) -> Option<&'static str> {
    Some(match code {
        "OOM" => "its memory is full: raise maxmemory; what waits is still worked off",
        "NOREPLICAS" => "too few replicas follow it (min-replicas-to-write)",
        "MISCONF" => "it cannot write to its disk, and refuses all writes until it can",
        "READONLY" => "it is a replica: name its master",
        "CLUSTERDOWN" => "its cluster lacks a master for some slots",
        "MOVED" | "ASK" | "CROSSSLOT" => {
            "it is a node of a cluster: set REDIS_CLUSTER_NODES instead of REDIS_URL"
        }
        "NOPERM" => "its user lacks a permission that is needed",
        "UNKNOWN" => "a command is missing: older than Redis 6.2, or renamed",
        "NOAUTH" | "WRONGPASS" => "user name or password are wrong",
        "LOADING" => "it reads its data after a start",
        "BUSY" => "a script of somebody else runs for too long",
        "MASTERDOWN" => "it is a replica without a master",
        _ => return None,
    })
}

/// The text of an error without the command's arguments, which may hold customer text.
fn describe(error: &RedisError) -> String {
    match code(error) {
        Some(code) => match meaning(code) {
            Some(meaning) => format!("{code}: {meaning}"),
            None => format!("{code} ({})", error.category()),
        },
        None if error.kind() == ErrorKind::Parse => {
            "it does not answer as Redis does: something else listens at this port".into()
        }
        None => connection_failure(error).unwrap_or_else(|| error.category().to_owned()),
    }
}

/// Whether the connection must be dropped: the server went away, is a replica now, or is loading.
/// A demoted master still answers PING, so only its answers to writes tell.
pub(crate) fn needs_new_connection(error: &RedisError) -> bool {
    const NOT_A_MASTER: [&str; 5] = [
        "READONLY",
        "LOADING",
        "MASTERDOWN",
        "NOREPLICAS",
        "UNBLOCKED",
    ];
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || code(error).is_some_and(|code| NOT_A_MASTER.contains(&code))
}

impl From<deadpool::managed::PoolError<RedisError>> for StreamsError {
    fn from(error: deadpool::managed::PoolError<RedisError>) -> Self {
        match error {
            deadpool::managed::PoolError::Backend(error) => Self::Redis(error),
            deadpool::managed::PoolError::Timeout(_) => {
                let silence = io::Error::from(io::ErrorKind::TimedOut);
                Self::Pool(connection_failure(&silence).unwrap_or_default())
            }
            other => Self::Pool(other.to_string()),
        }
    }
}

impl StreamsError {
    /// Whether Redis refuses new work because its memory is full, while work in progress goes on.
    pub fn is_full_memory(&self) -> bool {
        matches!(self, Self::Redis(error) if code(error) == Some("OOM"))
    }

    /// Why Redis refused a script for good, until somebody changes something: `NOPERM`, `WRONGTYPE`.
    pub(crate) fn refused_script(&self) -> Option<&str> {
        let Self::Redis(error) = self else {
            return None;
        };
        code(error).filter(|code| matches!(*code, "NOPERM" | "UNKNOWN") || self.is_refusal())
    }

    /// Whether a script failed on its arguments or on the type of a key, as it will every time.
    /// Everything else may pass. Only the text tells a script's error from that of a proxy.
    pub fn is_refusal(&self) -> bool {
        let Self::Redis(error) = self else {
            return false;
        };
        let in_script = error
            .detail()
            .is_some_and(|text| text.contains("user_script"));
        in_script && matches!(code(error), Some("ERR" | "WRONGTYPE"))
    }

    /// Whether the connection was found broken: Redis may be back, and a new connection work at
    /// once. What was sent may have arrived all the same.
    pub fn connection_broke(&self) -> bool {
        matches!(self, Self::Redis(error)
            if !error.is_timeout() && (error.is_connection_dropped() || error.is_io_error()))
    }

    /// Whether the script was refused because the group or stream is gone: Redis came back empty.
    pub fn is_missing_group(&self) -> bool {
        matches!(self, Self::Redis(error) if code(error) == Some("NOGROUP"))
    }
}

#[cfg(test)]
mod tests {
    use redis::{Value, from_redis_value, parse_redis_value};

    use super::*;

    fn error(text: &str) -> RedisError {
        let reply = parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap();
        from_redis_value::<Value>(reply)
            .map_or_else(RedisError::from, |reply| reply.extract_error().unwrap_err())
    }

    /// Answers of real servers, from 6.2 to 8.2.
    #[test]
    fn errors_inside_scripts_are_known_by_the_code_of_their_command() {
        for (text, expected) in [
            (
                "READONLY You can't write against a read only replica.",
                "READONLY",
            ),
            (
                "WRONGTYPE Operation against a key holding the wrong kind of value \
                 script: 1f0c, on @user_script:7.",
                "WRONGTYPE",
            ),
            (
                "ERR value is not an integer or out of range script: 1f0c, on @user_script:7.",
                "ERR",
            ),
            (
                "ERR Error running script (call to f_1f0c): @user_script:7: WRONGTYPE Operation \
                 against a key holding the wrong kind of value",
                "WRONGTYPE",
            ),
            (
                "ERR Error running script (call to f_1f0c): @user_script:7: @user_script: 7: \
                 -OOM command not allowed when used memory > 'maxmemory'.",
                "OOM",
            ),
            (
                "ERR Error running script (call to f_1f0c): @user_script:7: @user_script: 7: \
                 -READONLY You can't write against a read only replica.",
                "READONLY",
            ),
            (
                "ERR Error running script (call to f_1f0c): @user_script:7: user_script:7: attempt \
                 to compare nil with number",
                "ERR",
            ),
            (
                "ERR Error running script (call to f_1f0c): @user_script:1: @user_script: 1: The \
                 user executing the script can't run this command or subcommand",
                "NOPERM",
            ),
            (
                "ERR The user executing the script can't run this command or subcommand script: \
                 1f0c, on @user_script:1.",
                "NOPERM",
            ),
            (
                "ERR ACL failure in script: User app has no permissions to run the 'rpush' command \
                 script: 1f0c, on @user_script:1.",
                "NOPERM",
            ),
            (
                "ERR Unknown Redis command called from script script: 1f0c, on @user_script:1.",
                "UNKNOWN",
            ),
        ] {
            assert_eq!(code(&error(text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn only_what_fails_every_time_is_a_refusal() {
        let wrapped = |inner: &str| {
            let text =
                format!("ERR Error running script (call to f_1f0c): @user_script:7: {inner}");
            StreamsError::Redis(error(&text))
        };
        assert!(wrapped("WRONGTYPE Operation against a key").is_refusal());
        assert!(!wrapped("@user_script: 7: -OOM command not allowed").is_refusal());
        let denied = wrapped("The user executing the script can't run this command");
        assert!(
            !denied.is_refusal(),
            "it passes when the permission is given"
        );
        assert!(wrapped("NOGROUP No such key").is_missing_group());
        assert!(!StreamsError::Redis(error("ERR unknown command")).is_refusal());
    }
}
