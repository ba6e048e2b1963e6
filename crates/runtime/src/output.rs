use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::shown::shown;

/// Writes a text and a line break to stdout. A closed pipe, as after `| head`, is no error. What a
/// terminal would obey is written as `\u001b`, for the text may hold what customers wrote.
///
/// # Errors
/// When stdout cannot be written.
pub fn print(text: &impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{}", shown(&text.to_string())) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Prints something and turns it into an exit code: 0 when `good` holds, else 1.
pub fn show_verdict<T: Display>(verdict: &T, good: impl FnOnce(&T) -> bool) -> ExitCode {
    match print(verdict) {
        Ok(()) if good(verdict) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// So many milliseconds in short: `40s`, `12m`, `3h`, `2d`.
pub fn age(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}
