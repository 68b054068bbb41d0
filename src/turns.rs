//! A queue that serves tenants in turn: whoever puts much in waits for it alone.

use std::collections::{HashMap, VecDeque};

/// Items by tenant. Within a tenant first come is first served; among tenants one item each, in turn.
#[derive(Debug)]
pub struct Turns<T> {
    waiting: HashMap<String, VecDeque<T>>,
    order: VecDeque<String>,
    count: usize,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Turns { waiting: HashMap::new(), order: VecDeque::new(), count: 0 }
    }
}

impl<T> Turns<T> {
    /// Puts an item at the end of a tenant's line.
    pub fn push(&mut self, tenant: &str, item: T) {
        self.count += 1;
        match self.waiting.get_mut(tenant) {
            Some(line) => line.push_back(item),
            None => {
                self.waiting.insert(tenant.to_owned(), VecDeque::from([item]));
                self.order.push_back(tenant.to_owned());
            }
        }
    }

    /// Takes the first item of the tenant whose turn it is, of those who may be served now.
    pub fn pop(&mut self, may: impl Fn(&str) -> bool) -> Option<(String, T)> {
        let place = self.order.iter().position(|tenant| may(tenant))?;
        let tenant = self.order.remove(place)?;
        let line = self.waiting.get_mut(&tenant)?;
        let item = line.pop_front()?;
        self.count -= 1;
        if line.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.order.push_back(tenant.clone());
        }
        Some((tenant, item))
    }

    /// The tenants that wait.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// How many items of a tenant wait.
    pub fn count_of(&self, tenant: &str) -> usize {
        self.waiting.get(tenant).map_or(0, VecDeque::len)
    }

    /// How many items wait.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
