//! The default domain and what reads messages with it, made once: without optimisation that takes seconds.

use std::sync::{Arc, LazyLock};

use worker::domain::Domain;
use worker::understanding::Understander;

static DOMAIN: LazyLock<Arc<Domain>> = LazyLock::new(|| Arc::new(Domain::embedded().unwrap()));
static UNDERSTANDER: LazyLock<Arc<Understander>> =
    LazyLock::new(|| Arc::new(Understander::new(&DOMAIN)));

pub(crate) fn domain() -> Arc<Domain> {
    DOMAIN.clone()
}

pub(crate) fn understander() -> Arc<Understander> {
    UNDERSTANDER.clone()
}
