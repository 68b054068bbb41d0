//! Second part of an attempt: requests the backup, and checks Antfly's list of backups if the outcome is unknown.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::{Attempt, Found, Stage};
use crate::backup::{
    address::Address,
    answer::Came,
    credentials,
    decide::{Decision, Request, http_error},
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

/// Interval of the log lines while the program waits.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// Interval between two checks of Antfly's list, when the outcome is unknown.
const LIST_EVERY: Duration = Duration::from_secs(10);

/// How long to keep checking Antfly's list.
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

/// Why Antfly did not return its list of backups.
enum Unlisted {
    /// It refuses, permanently.
    Refused(String),
    /// A later request may succeed.
    Failed(String),
}

impl Attempt {
    /// Requests the backup once, and waits for the response.
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

    /// Reads Antfly's list of backups until it proves that the backup is complete. Returns the tables of the list's entry.
    /// `why` is the reason for checking the list.
    pub(super) async fn check_list(
        &self,
        address: &Address,
        request: &Request<'_>,
        why: &str,
    ) -> Option<BTreeSet<String>> {
        if request.wanted.names().is_none() {
            line(&format!(
                "{why}; Antfly's list of backups can't prove anything: which tables are wanted is not known"
            ));
            return None;
        }
        line(&format!("{why}; looking whether Antfly lists backup {}", self.id));
        let begin = Instant::now();
        let (mut last, mut tables) = (String::new(), None);
        loop {
            let state = match self.listed(address).await {
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
                Err(Unlisted::Failed(cause)) => format!("Antfly's list of backups can't be read: {cause}"),
                Err(Unlisted::Refused(cause)) => {
                    line(&format!("Antfly refuses to list its backups: {cause}"));
                    return tables;
                }
            };
            if state != last {
                line(&state);
                last = state;
            }
            if begin.elapsed() + LIST_EVERY > LIST_FOR {
                return tables;
            }
            sleep(LIST_EVERY).await;
        }
    }

    /// Returns the tables of this attempt's backup, if Antfly lists it.
    async fn listed(&self, address: &Address) -> Result<Option<BTreeSet<String>>, Unlisted> {
        let foreign = |text: &str| self.credentials.mask.foreign(text);
        let (location, connection) = (antfly_location(&self.order.location), self.order.connection.as_deref());
        let mut cursor = None;
        for _ in 0..listing::MOST_PAGES {
            let reply = match self.client.get(address, &listing::path(location, connection, cursor.as_deref())).await {
                Came::Reply(reply) if reply.status == 200 => reply,
                Came::Reply(reply) => {
                    let answer = http_error(reply.status, &foreign(&reply.text()));
                    let is_refused = matches!(reply.status, 400 | 401 | 403);
                    return Err(if is_refused { Unlisted::Refused(answer) } else { Unlisted::Failed(answer) });
                }
                Came::NotSent(cause) | Came::Lost(cause) => return Err(Unlisted::Failed(foreign(&cause))),
            };
            let page: Page = reply.json().map_err(|error| Unlisted::Failed(foreign(&error)))?;
            let tables = page.tables_of(&self.id);
            cursor = page.next_cursor().map(str::to_owned);
            if tables.is_some() || cursor.is_none() {
                return Ok(tables);
            }
        }
        Ok(None)
    }
}

/// Returns the location without trailing slashes, which Antfly would make a part of the keys.
fn antfly_location(location: &str) -> &str {
    let stripped = location.trim_end_matches('/');
    // Keep the slashes of `file:///`: they are the path.
    if stripped.ends_with(':') { location } else { stripped }
}
