//! A round-robin queue: a tenant's backlog delays only that tenant.

use std::collections::{HashMap, VecDeque};

/// Items by tenant. Serves tenants round-robin, one item each, and the items of a tenant in their order.
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
    /// Appends an item to a tenant's queue.
    pub fn push(&mut self, tenant: &str, item: T) {
        self.count += 1;
        match self.waiting.get_mut(tenant) {
            Some(queue) => queue.push_back(item),
            None => {
                self.waiting.insert(tenant.to_owned(), VecDeque::from([item]));
                self.order.push_back(tenant.to_owned());
            }
        }
    }

    /// Removes and returns the first item of the next tenant for which `may` is true, with the tenant.
    pub fn pop(&mut self, may: impl Fn(&str) -> bool) -> Option<(String, T)> {
        let place = self.order.iter().position(|tenant| may(tenant))?;
        let tenant = self.order.remove(place)?;
        let queue = self.waiting.get_mut(&tenant)?;
        let item = queue.pop_front()?;
        self.count -= 1;
        if queue.is_empty() {
            self.waiting.remove(&tenant);
        } else {
            self.order.push_back(tenant.clone());
        }
        Some((tenant, item))
    }

    /// Returns the tenants that have items.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// Returns the number of a tenant's items.
    pub fn count_of(&self, tenant: &str) -> usize {
        self.waiting.get(tenant).map_or(0, VecDeque::len)
    }

    /// Returns the number of items of all tenants.
    pub fn len(&self) -> usize {
        self.count
    }
}
