//! Wishes that no slot has, and that a message gives up: "een trekhaak hoeft toch niet".

use crate::dialogue::act::{Act, Does, Inform};
use crate::dialogue::update::Update;

impl Update<'_> {
    /// Gives up what was wished, where the message does nothing else; whether it does.
    pub(super) fn gives_up(&mut self, acts: &[Act]) -> bool {
        if acts.is_empty() || !acts.iter().all(says_no_more) {
            return false;
        }
        let cancels = acts
            .iter()
            .any(|act| matches!(act.does, Does::Cancel { .. }));
        let sought = self.heard.sought;
        // "Laat die trekhaak maar zitten" has no word against it alone.
        let flags = sought.flags.iter().filter(|_| cancels);
        let needs = &self.state.stock.needs;
        let named = sought.against.iter().chain(flags);
        self.given_up = named
            .filter(|name| needs.contains_key(*name))
            .cloned()
            .collect();
        if self.given_up.is_empty() {
            return false;
        }
        for name in &self.given_up {
            self.state.stock.needs.remove(name);
        }
        // What was kept in the customer's words stands there still.
        let words = self.heard.text.trim().to_owned();
        self.keep_remark(&words);
        true
    }
}

/// Whether an act says no more than that something is given up.
fn says_no_more(act: &Act) -> bool {
    match &act.does {
        Does::Social(_) | Does::Unclear { .. } => true,
        Does::Inform(Inform { values, when, .. }) => values.is_empty() && when.is_none(),
        Does::Cancel {
            goal,
            when,
            visit,
            over,
        } => goal.is_none() && when.is_none() && !visit && !over,
        _ => false,
    }
}
