use std::error::Error;
use std::fmt;

/// Shows an error with all its causes, `: ` between them. For the one place that logs it.
pub struct Chain<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the message could not be sent")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_appears_once() {
        let error = Outer(std::io::Error::other("the wire is cut"));
        assert_eq!(
            Chain(&error).to_string(),
            "the message could not be sent: the wire is cut"
        );
    }
}
