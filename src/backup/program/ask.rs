//! The second part of a try: asks for the backup, and looks for it in Antfly's list if the outcome is not known.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::{Found, Stage, Try};
use crate::backup::{
    address::Address,
    answer::Came,
    credentials,
    decide::{Decision, Request, said},
    listing::{self, Page},
    log::line,
    story,
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval_at, sleep};

/// How often the log says that the program still waits.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// How often, and how long, Antfly's list of backups is asked about a backup whose outcome is not known.
const LIST_EVERY: Duration = Duration::from_secs(10);
const LIST_FOR: Duration = Duration::from_secs(300);

/// The body of `POST /db/v1/backup`.
#[derive(Serialize)]
struct Body<'a> {
    backup_id: &'a str,
    location: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    table_names: &'a [String],
}

impl Try {
    /// Asks for the backup, once, and waits for the answer.
    pub(super) async fn ask(&self, found: &Found, request: &Request<'_>) -> Decision {
        let location = antfly_location(&self.order.location);
        let connection = self.order.connection.as_deref();
        let shown = self.credentials.mask.apply(location);
        let shown = if credentials::user_information(location).is_empty() { location } else { &shown };
        line(&story::asking(&self.id, shown, connection));
        let body = Body { backup_id: &self.id, location, connection, table_names: &self.order.tables };
        let body = serde_json::to_string(&body).expect("texts are JSON");
        let open = match self.client.connect(&self.addresses[found.address]).await {
            Ok(open) => open,
            Err(cause) => return request.decide(&Came::NotSent(cause)),
        };
        *self.stage.borrow_mut() = Stage::Asking;
        self.message.write(&self.outcome_unknown("the program was ended while it waited for Antfly"));
        let begin = Instant::now();
        let answer = self.client.post(open, "/db/v1/backup", body);
        tokio::pin!(answer);
        let mut minutes = interval_at(tokio::time::Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let came = loop {
            tokio::select! {
                came = &mut answer => break came,
                _ = minutes.tick() => line(&story::waiting(begin.elapsed())),
            }
        };
        for text in story::answered(&came, begin.elapsed(), &self.credentials.mask) {
            line(&text);
        }
        request.decide(&came)
    }

    /// Asks for Antfly's list of backups until it proves that the backup is there. Returns the tables of its entry.
    pub(super) async fn look_at_list(&self, address: &Address, request: &Request<'_>) -> Option<BTreeSet<String>> {
        let begin = Instant::now();
        let (mut last, mut tables) = (String::new(), None);
        loop {
            let said = match self.listed(address).await {
                Ok(Some(listed)) if request.is_proven_by(&listed) => {
                    line("Antfly lists the backup, with every wanted table");
                    return Some(listed);
                }
                Ok(listed) => {
                    let is_listed = listed.is_some();
                    tables = listed.or(tables);
                    let what = if is_listed {
                        "lists the backup, without all wanted tables"
                    } else {
                        "does not list the backup"
                    };
                    format!("Antfly {what}")
                }
                Err(cause) => format!("Antfly's list of backups can't be read: {cause}"),
            };
            if said != last {
                line(&said);
                last = said;
            }
            if begin.elapsed() + LIST_EVERY > LIST_FOR {
                return tables;
            }
            sleep(LIST_EVERY).await;
        }
    }

    /// Returns the tables of our backup in Antfly's list, if it is there.
    async fn listed(&self, address: &Address) -> Result<Option<BTreeSet<String>>, String> {
        let foreign = |text: &str| self.credentials.mask.foreign(text);
        let (location, connection) = (antfly_location(&self.order.location), self.order.connection.as_deref());
        let mut cursor = None;
        for _ in 0..listing::MOST_PAGES {
            let reply = match self.client.get(address, &listing::path(location, connection, cursor.as_deref())).await {
                Came::Reply(reply) if reply.status == 200 => reply,
                Came::Reply(reply) => return Err(said(reply.status, &foreign(&reply.text()))),
                Came::NotSent(cause) | Came::Lost(cause) => return Err(foreign(&cause)),
            };
            let page: Page = reply.json().map_err(|error| foreign(&error))?;
            let tables = page.tables_of(&self.id);
            cursor = page.next_cursor().map(str::to_owned);
            if tables.is_some() || cursor.is_none() {
                return Ok(tables);
            }
        }
        Ok(None)
    }
}

/// Returns the location as Antfly is given it: slashes at its end would become part of the keys.
fn antfly_location(location: &str) -> &str {
    let stripped = location.trim_end_matches('/');
    // of file:/// the slashes are the path
    if stripped.ends_with(':') { location } else { stripped }
}
