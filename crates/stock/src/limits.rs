//! What is read of a feed at most.

/// Bounds of what is read. Lengths are characters unless they say bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Of a whole feed, in bytes.
    pub bytes: u64,
    /// Of one element, in bytes.
    pub element: u64,
    /// Of elements inside each other.
    pub depth: usize,
    /// Elements that become records.
    pub items: usize,
    /// Of an id.
    pub id: usize,
    /// Of a title.
    pub title: usize,
    /// Of one value.
    pub value: usize,
    /// Of what the seller writes.
    pub text: usize,
    /// Of one option.
    pub option: usize,
    /// Options of one record.
    pub options: usize,
    /// Pictures of one record.
    pub images: usize,
    /// Of an address, in bytes.
    pub url: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 500 << 20,
            element: 1 << 20,
            depth: 24,
            items: 200_000,
            id: 100,
            title: 150,
            value: 80,
            text: 600,
            option: 80,
            options: 60,
            images: 3,
            url: 500,
        }
    }
}
