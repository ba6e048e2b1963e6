//! What the worker's command line offers besides serving. Each has a file.

pub mod erase;
pub mod evaluate;
pub mod release;
pub mod understand;
