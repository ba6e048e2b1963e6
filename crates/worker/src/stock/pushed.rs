//! Single things that a dealer's system pushes, as they come.

use jiff::Timestamp;
use stock::{Limits, Pushed, Reading};

use crate::domain::Domain;
use crm::Push;

/// The feed that pushed things are of.
pub(super) const PUSHED: &str = "hexon";

/// What a push changes.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn pushed(domain: &Domain, text: &[u8]) -> Result<Vec<Push>, String> {
    let known = domain.stock.as_ref();
    let known = known.ok_or("the domain says nothing of a stock")?;
    let how = Reading {
        source: PUSHED,
        mapping: None,
        now: Timestamp::now(),
        limits: Limits::default(),
    };
    let pushed = known.feeds.pushed(text, &how);
    let pushed = pushed.map_err(|error| error.to_string())?;
    if pushed.is_empty() {
        return Err("it has nothing in it".into());
    }
    let pushes = pushed.into_iter().map(|one| match one {
        Pushed::Put(item) => Ok(Push::Put(item)),
        Pushed::Remove(id) => Ok(Push::Remove(id)),
        Pushed::Unread(reason) => Err(reason.to_string()),
    });
    pushes.collect()
}
