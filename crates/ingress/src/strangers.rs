//! Connections on which nothing was verified yet: bounded in all and by address.
//!
//! A new connection is never refused. When there are too many, the oldest of its own address or of
//! all is closed: a genuine webhook is verified within milliseconds, and whoever keeps many
//! connections open without one loses them.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Shutdown};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

use crate::client_address::subscriber;
use crate::metrics::IngressMetrics;
use crate::network::Network;

/// All unverified connections. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Strangers(Arc<Mutex<Crowd>>);

/// How many there may be.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) all: usize,
    pub(crate) per_address: usize,
    /// Proxies of ours: their connections are those of many.
    pub(crate) proxies: Vec<Network>,
}

#[derive(Debug)]
struct Crowd {
    bounds: Bounds,
    metrics: IngressMetrics,
    next: u64,
    /// By age. The socket is a second handle on the connection's, which can close it.
    connections: BTreeMap<u64, (Option<String>, Socket)>,
    by_address: HashMap<String, BTreeSet<u64>>,
}

impl Strangers {
    pub(crate) fn new(bounds: Bounds, metrics: IngressMetrics) -> Self {
        Self(Arc::new(Mutex::new(Crowd {
            bounds,
            metrics,
            next: 0,
            connections: BTreeMap::new(),
            by_address: HashMap::new(),
        })))
    }

    /// Notes a new connection.
    pub(crate) fn admit(&self, connection: &dyn Any) -> Option<Connection> {
        let stream = connection.downcast_ref::<TcpStream>()?;
        let peer = stream.peer_addr().ok()?.ip();
        let socket = SockRef::from(stream).try_clone().ok()?;
        let place = self.lock().add(peer, socket);
        Some(Connection(RefCell::new(Some(Place {
            strangers: self.clone(),
            place,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, Crowd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crowd {
    fn add(&mut self, peer: IpAddr, socket: Socket) -> u64 {
        let is_proxy = self.bounds.proxies.iter().any(|proxy| proxy.contains(peer));
        let address = (!is_proxy).then(|| subscriber(peer));
        let place = self.next;
        self.next += 1;
        if let Some(address) = &address {
            let own = self.by_address.entry(address.clone()).or_default();
            own.insert(place);
            if own.len() > self.bounds.per_address
                && let Some(oldest) = own.first().copied()
            {
                self.close(oldest);
            }
        }
        self.connections.insert(place, (address, socket));
        if self.connections.len() > self.bounds.all
            && let Some((oldest, _)) = self.connections.first_key_value()
        {
            self.close(*oldest);
        }
        place
    }

    fn close(&mut self, place: u64) {
        if let Some(socket) = self.remove(place) {
            self.metrics.stranger_closed();
            // A peer that has gone already is as good as closed.
            drop(socket.shutdown(Shutdown::Both));
        }
    }

    fn remove(&mut self, place: u64) -> Option<Socket> {
        let (address, socket) = self.connections.remove(&place)?;
        if let Some(address) = address
            && let Some(own) = self.by_address.get_mut(&address)
        {
            own.remove(&place);
            if own.is_empty() {
                self.by_address.remove(&address);
            }
        }
        Some(socket)
    }
}

/// What is known of a connection; actix keeps it as long as the connection.
#[derive(Debug)]
pub(crate) struct Connection(RefCell<Option<Place>>);

impl Connection {
    /// A webhook was verified on it: it counts no more.
    pub(crate) fn verified(&self) {
        self.0.take();
    }

    pub(crate) fn is_verified(&self) -> bool {
        self.0.borrow().is_none()
    }
}

#[derive(Debug)]
struct Place {
    strangers: Strangers,
    place: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.strangers.lock().remove(self.place));
    }
}
