use deadpool_redis::redis::RedisError;

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
    /// A script answered in a shape that this version does not know.
    #[error("redis: unexpected answer of script {script}")]
    Answer {
        /// The script.
        script: &'static str,
    },
}

/// The text of an error without the command's arguments, which may hold customer text.
fn describe(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("{code} ({})", error.category()),
        None => {
            error.category().to_owned()
                + if error.is_timeout() {
                    ", timed out"
                } else {
                    ""
                }
        }
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
        || error
            .code()
            .is_some_and(|code| NOT_A_MASTER.contains(&code))
}

impl From<deadpool::managed::PoolError<RedisError>> for StreamsError {
    fn from(error: deadpool::managed::PoolError<RedisError>) -> Self {
        match error {
            deadpool::managed::PoolError::Backend(error) => Self::Redis(error),
            other => Self::Pool(other.to_string()),
        }
    }
}

impl StreamsError {
    /// Whether a script failed on its arguments or on the type of a key, as it will every time.
    /// Everything else may pass. Only the text tells a script's error from that of a proxy.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Redis(error) = self else {
            return false;
        };
        let in_script = error
            .detail()
            .is_some_and(|text| text.contains("user_script"));
        in_script && matches!(error.code(), Some("ERR" | "WRONGTYPE"))
    }

    /// Whether the connection was found broken: Redis may be back, and a new connection work at
    /// once. What was sent may have arrived all the same.
    pub fn connection_broke(&self) -> bool {
        matches!(self, Self::Redis(error)
            if !error.is_timeout() && (error.is_connection_dropped() || error.is_io_error()))
    }

    /// Whether the script was refused because the group or stream is gone: Redis came back empty.
    pub fn is_missing_group(&self) -> bool {
        matches!(self, Self::Redis(error) if error.code() == Some("NOGROUP"))
    }
}
