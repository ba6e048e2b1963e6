//! Whose conversations lie on the page, in the order in which they came there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::journal::Journal;
use crate::provider::Provider;

/// A customer on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) provider: Provider,
    /// In the form of [`crate::address::customer`].
    pub(crate) customer: String,
    pub(crate) name: Option<String>,
}

/// The conversations that lie on the page.
#[derive(Debug)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    seats: Vec<Seat>,
    /// When a conversation was put away: the last entry at that time. What comes later puts it back.
    away: HashMap<(Provider, String), u64>,
}

impl Default for Desk {
    fn default() -> Self {
        let first = [
            (Provider::Twilio, "+31612345678", "Sanne de Vries"),
            (Provider::Waha, "+31687654321", "Mehmet Yılmaz"),
            (Provider::Chatwoot, "+31611223344", "Joke van Dijk"),
        ];
        let seat = |(provider, customer, name): (Provider, &str, &str)| Seat {
            provider,
            customer: customer.to_owned(),
            name: Some(name.to_owned()),
        };
        Self {
            inner: Mutex::new(Inner {
                seats: first.map(seat).into(),
                away: HashMap::new(),
            }),
        }
    }
}

impl Desk {
    const MOST: usize = 40;

    /// Who lies on the page: the first three, those who were put there, and those who wrote.
    pub(crate) fn seats(&self, journal: &Journal) -> Vec<Seat> {
        let mut inner = self.lock();
        for found in journal.conversations() {
            let (provider, customer) = (found.provider, found.customer);
            if provider == Provider::Llm {
                continue;
            }
            let key = (provider, customer.clone());
            if inner
                .away
                .get(&key)
                .is_some_and(|last| *last >= found.newest.entry.seq)
            {
                continue;
            }
            inner.away.remove(&key);
            inner.put(Seat {
                provider,
                customer,
                name: found.name,
            });
        }
        inner.seats.iter().take(Self::MOST).cloned().collect()
    }

    /// Puts a conversation on the page.
    pub(crate) fn put(&self, seat: Seat) {
        let mut inner = self.lock();
        inner.away.remove(&(seat.provider, seat.customer.clone()));
        inner.put(seat);
    }

    /// Takes a conversation off the page until more comes of it. `last` is the newest entry.
    pub(crate) fn put_away(&self, provider: Provider, customer: &str, last: u64) {
        let mut inner = self.lock();
        let is_other = |seat: &Seat| seat.provider != provider || seat.customer != customer;
        inner.seats.retain(is_other);
        inner.away.insert((provider, customer.to_owned()), last);
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Self::default().into_inner();
    }

    fn into_inner(self) -> Inner {
        self.inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, seat: Seat) {
        let same =
            |other: &&mut Seat| other.provider == seat.provider && other.customer == seat.customer;
        match self.seats.iter_mut().find(same) {
            Some(known) => known.name = seat.name.or_else(|| known.name.take()),
            None => self.seats.push(seat),
        }
    }
}
