//! First part of an attempt: finds the address of the API, and the tables that the backup must contain.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::{Attempt, Found, Stage};
use crate::backup::{
    address::{Address, Next, Search},
    decide::{Ending, Verdict},
    log::line,
    probe::{self, Probed},
    reason, story,
    wanted::Wanted,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::time::sleep;

impl Attempt {
    /// Finds the address that serves the API, and the tables that the backup must contain.
    pub(super) async fn find(&self) -> Result<Found, Box<Verdict>> {
        line(&story::searching(&self.addresses));
        let begin = Instant::now();
        let mut search = Search::new(&self.addresses);
        loop {
            let now = begin.elapsed();
            let index = match search.next(now) {
                Next::Ask(index) => index,
                Next::Wait(until) => {
                    sleep(until.saturating_sub(now)).await;
                    continue;
                }
                Next::NowhereServed => return Err(self.nowhere_served()),
                Next::GiveUp => return Err(self.unreachable(&search)),
            };
            let address = &self.addresses[index];
            let by_data_node = address.is_data || search.saw_404();
            // The response to the probe says which tables are wanted.
            let request = self.request(&Wanted::Unknown, by_data_node);
            match probe::judge(&request, &self.client.get(address, probe::PATH).await) {
                Probed::Elsewhere(probe) => {
                    if search.take(index, probe.clone(), begin.elapsed()) {
                        line(&story::probed(address, &probe));
                        let causes = story::causes(&self.addresses, search.causes());
                        *self.stage.borrow_mut() = Stage::Searching(causes);
                    }
                }
                Probed::Serves(tables) => {
                    line(&story::found(address));
                    return self.found(index, by_data_node, tables);
                }
                Probed::Ends(verdict) => return Err(verdict),
            }
        }
    }

    fn found(
        &self,
        address: usize,
        by_data_node: bool,
        tables: Option<BTreeSet<String>>,
    ) -> Result<Found, Box<Verdict>> {
        if tables.as_ref().is_some_and(BTreeSet::is_empty) {
            let error = "the cluster has no tables: there is nothing to back up";
            let mut verdict = Verdict::failed(&self.id, reason::NO_TABLES, error, Ending::ForGood);
            verdict.result.missing_tables.clone_from(&self.order.tables);
            return Err(Box::new(verdict));
        }
        let wanted = Wanted::new(&self.order.tables, tables);
        line(&story::wanted(&wanted));
        Ok(Found { address, by_data_node, wanted })
    }

    fn nowhere_served(&self) -> Box<Verdict> {
        let addresses: Vec<String> = self.addresses.iter().map(Address::to_string).collect();
        let error = format!("no address serves Antfly's API, all answer 404: {}", addresses.join(", "));
        Box::new(Verdict::failed(&self.id, reason::API_NOT_FOUND, error, Ending::ForGood))
    }

    fn unreachable(&self, search: &Search) -> Box<Verdict> {
        let causes = story::causes(&self.addresses, search.causes());
        let minutes = search.deadline().as_secs() / 60;
        let error = format!("Antfly's API was not reached within {minutes} minutes: {causes}");
        Box::new(Verdict::failed(&self.id, reason::CLUSTER_UNREACHABLE, error, Ending::Again(Duration::ZERO)))
    }
}
