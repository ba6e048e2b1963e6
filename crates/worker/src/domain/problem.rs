use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong with a domain file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the domain names it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Everything that is wrong with a domain, one problem a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_a_line(.problems))]
pub struct DomainError {
    /// At least one, sorted by file and line.
    pub problems: Vec<Problem>,
}

/// More are mostly of one cause: another file was meant.
const TOLD: usize = 50;

fn one_a_line(problems: &[Problem]) -> String {
    let told = problems.iter().take(TOLD).map(Problem::to_string);
    let more = problems.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("and {more} more"));
    told.chain(more).collect::<Vec<_>>().join("\n")
}

/// Collects problems while the files are read, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: RefCell<Vec<Problem>>,
}

impl Problems {
    pub(super) fn add(&self, file: &str, line: usize, message: impl Into<String>) {
        self.list.borrow_mut().push(Problem {
            file: file.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// The error, when there was any problem.
    pub(super) fn into_error(self) -> Option<DomainError> {
        let mut problems = self.list.into_inner();
        problems.sort();
        problems.dedup();
        (!problems.is_empty()).then_some(DomainError { problems })
    }
}
