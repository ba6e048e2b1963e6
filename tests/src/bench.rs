//! The parts of `bench`: each starts processes of its own and gives figures.

mod backlog;
mod burst;
mod compare;
mod console;
mod egress;
mod figures;
mod latency;
mod scale;
mod shape;
mod watch;

pub use backlog::measure_backlogs;
pub use burst::measure_turns;
pub use compare::compare;
pub use console::measure_console;
pub use egress::measure_egress;
pub use figures::{Figure, Figures};
pub use latency::measure_latency;
pub use scale::measure_scale;
pub use shape::Shape;
