//! Gathers lines for a moment before it looks for more, and makes them harmless for a terminal.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use crate::shown::shown_line;

/// How long lines wait for others at most. Under load each thread that logs would wake the writer
/// for every line otherwise, which costs several times what writing the line does.
const PAUSE: Duration = Duration::from_millis(25);

/// Pauses after each flush. Its owner flushes when no line is left, on a thread of its own.
#[derive(Debug)]
pub(super) struct Gathering<W>(pub(super) W);

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.write_all(&shown_line(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_appender::non_blocking::NonBlockingBuilder;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_cannot_turn_a_terminal_round() {
        let written = Shared::default();
        let (mut lines, guard) = NonBlockingBuilder::default().finish(Gathering(written.clone()));
        lines.write_all("name=\u{202e}x\n".as_bytes()).unwrap();
        drop(guard);
        assert_eq!(*written.0.lock().unwrap(), b"name=\\u202ex\n");
    }

    #[test]
    fn lines_that_wait_during_a_pause_are_written_before_the_end() {
        let written = Shared::default();
        let (mut lines, guard) = NonBlockingBuilder::default().finish(Gathering(written.clone()));
        for _ in 0..1_000 {
            lines.write_all(b"line\n").unwrap();
        }
        drop(guard);
        assert_eq!(written.0.lock().unwrap().len(), 5_000);
    }
}
