//! Runs one attempt of a backup: the program of the Pod.

mod ask;
mod find;
mod prove;

use super::{
    EXIT_AGAIN, EXIT_FOR_GOOD, EXIT_STOPPED, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE,
    address::Address,
    advice::Asked,
    backup_id,
    credentials::{self, Credentials},
    decide::{Decision, Ending, Request, Verdict},
    http::Client,
    log::line,
    mask::Mask,
    message::TerminationMessage,
    reason,
    result::{BackupResult, ResultStatus},
    story,
    wanted::Wanted,
};
use std::{cell::RefCell, path::PathBuf, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

/// The arguments of an attempt.
#[derive(Clone, Debug)]
pub struct Order {
    /// URLs of Antfly, in the order in which to ask them.
    pub servers: Vec<String>,
    /// The destination of the backup.
    pub location: String,
    /// The connection with which Antfly writes.
    pub connection: Option<String>,
    /// The tables to back up; empty for all.
    pub tables: Vec<String>,
    /// The name of the Secret that the credentials come from.
    pub secret: Option<String>,
    /// The file of the termination message.
    pub termination_message: PathBuf,
}

/// The progress of an attempt. It determines the result when a signal stops the attempt.
#[derive(Clone, Debug)]
enum Stage {
    /// Antfly was not asked for a backup yet. Holds the results of its addresses.
    Searching(String),
    /// Antfly was asked, and the outcome is unknown.
    Asking,
    /// The verdict is known. The backup may still be read back.
    Decided(Box<Verdict>),
}

/// An attempt, with all that it needs.
struct Attempt {
    order: Order,
    id: String,
    addresses: Vec<Address>,
    credentials: Credentials,
    client: Client,
    message: TerminationMessage,
    stage: RefCell<Stage>,
}

/// The address that serves the API, and the tables that the backup must contain.
struct Found {
    address: usize,
    by_data_node: bool,
    wanted: Wanted,
}

/// Runs an attempt and returns the exit code. Reads the credentials and the parts of the backup's id from `environment`.
///
/// The termination message always holds the latest result: each stage rewrites it. SIGTERM and SIGINT end the attempt at
/// once, with exit code 143 unless the verdict is known.
pub async fn run(order: Order, environment: impl Fn(&str) -> Option<String>) -> u8 {
    let message = TerminationMessage::new(order.termination_message.clone());
    // First, so that no signal is missed.
    let (mut terminated, mut interrupted) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(terminated), Ok(interrupted)) => (terminated, interrupted),
        (Err(error), _) | (_, Err(error)) => {
            line(&format!("cannot handle signals: {error}"));
            return EXIT_AGAIN;
        }
    };
    let prepared = Attempt::prepare(order, message, &environment);
    let this = match prepared {
        Ok(this) => this,
        Err(code) => return code,
    };
    tokio::select! {
        biased;
        _ = terminated.recv() => this.stop("SIGTERM"),
        _ = interrupted.recv() => this.stop("SIGINT"),
        code = this.run() => code,
    }
}

impl Attempt {
    /// Reads the arguments and the environment. If they cannot be used, reports why and returns the exit code.
    fn prepare(
        order: Order,
        message: TerminationMessage,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, u8> {
        let urls: Vec<&str> = order.servers.iter().chain([&order.location]).map(String::as_str).collect();
        let mask = credentials::mask(environment, &urls);
        let id = id(environment);
        let known_id = id.as_deref().unwrap_or_default();
        message.write(&unfinished(known_id, "the program was ended before it asked Antfly for a backup"));
        let refuse = |reason: &str, error: &str| {
            let verdict = Verdict::failed(known_id, reason, error, Ending::ForGood);
            message.write(&verdict.result);
            line(&story::verdict(&verdict));
            EXIT_FOR_GOOD
        };
        let id = match &id {
            Ok(id) => id.clone(),
            Err(error) => return Err(refuse(reason::INVALID_ARGUMENTS, error)),
        };
        let credentials = credentials::read(environment, order.secret.as_deref(), mask.clone())
            .map_err(|error| refuse(reason::INVALID_CREDENTIALS, &error))?;
        let parse =
            |url: &String| Address::parse(url).map_err(|error| format!("--server={}: {error}", mask.foreign(url)));
        let addresses = order.servers.iter().map(parse).collect::<Result<Vec<_>, _>>();
        let addresses = addresses.map_err(|error| refuse(reason::INVALID_ARGUMENTS, &error))?;
        let client = Client { authorization: credentials.login.header().cloned() };
        Ok(Attempt {
            order,
            id,
            addresses,
            credentials,
            client,
            message,
            stage: RefCell::new(Stage::Searching(String::new())),
        })
    }

    async fn run(&self) -> u8 {
        let found = match self.find().await {
            Ok(found) => found,
            Err(verdict) => return self.end(&verdict).await,
        };
        let request = self.request(&found.wanted, found.by_data_node);
        let verdict = match self.ask(&found, &request).await {
            Decision::Verdict(verdict) => *verdict,
            Decision::CheckList(why) => {
                let tables = self.check_list(&self.addresses[found.address], &request, &why).await;
                request.decide_by_list(tables.as_ref(), &why)
            }
        };
        if verdict.ending != Ending::Succeeds {
            return self.end(&verdict).await;
        }
        let verdict = self.read_back(verdict).await;
        self.end(&verdict).await
    }

    /// Reports the verdict, waits as long as Antfly asks for, and returns the exit code.
    async fn end(&self, verdict: &Verdict) -> u8 {
        self.decided(verdict);
        line(&story::verdict(verdict));
        if let Ending::Again(after) = verdict.ending
            && !after.is_zero()
        {
            line(&format!("Antfly asks to wait {} s before the next attempt", after.as_secs()));
            sleep(after).await;
        }
        exit_code(verdict.ending)
    }

    fn decided(&self, verdict: &Verdict) {
        self.message.write(&verdict.result);
        *self.stage.borrow_mut() = Stage::Decided(Box::new(verdict.clone()));
    }

    /// Ends the attempt after a signal. Returns the exit code.
    fn stop(&self, signal: &str) -> u8 {
        let stage = self.stage.borrow().clone();
        match stage {
            Stage::Searching(causes) => {
                let why = if causes.is_empty() { String::new() } else { format!(": {causes}") };
                let error = format!("stopped by {signal} before Antfly was asked for a backup{why}");
                line(&error);
                let verdict = Verdict::failed(&self.id, reason::STOPPED, error, Ending::Again(Duration::ZERO));
                self.message.write(&verdict.result);
                EXIT_STOPPED
            }
            Stage::Asking => {
                let result = self.outcome_unknown(&format!("stopped by {signal} while it waited for Antfly"));
                line(result.error.as_deref().unwrap_or_default());
                self.message.write(&result);
                EXIT_STOPPED
            }
            Stage::Decided(verdict) if verdict.ending == Ending::Succeeds => {
                line(&format!("stopped by {signal}; the backup is there"));
                let mut result = verdict.result;
                if result.read_back_time.is_none() && result.read_back_error.is_none() {
                    result.read_back_error = Some(format!("stopped by {signal} before it was read back"));
                }
                self.message.write(&result);
                exit_code(Ending::Succeeds)
            }
            Stage::Decided(verdict) => {
                line(&format!("stopped by {signal}"));
                exit_code(verdict.ending)
            }
        }
    }

    fn outcome_unknown(&self, how: &str) -> BackupResult {
        let error = format!("{how}; Antfly may go on, and may finish backup {}", self.id);
        BackupResult {
            reason: reason::OUTCOME_UNKNOWN.to_owned(),
            outcome_unknown: true,
            ..unfinished(&self.id, &error)
        }
    }

    fn request<'a>(&'a self, wanted: &'a Wanted, by_data_node: bool) -> Request<'a> {
        let asked = Asked {
            connection: self.order.connection.as_deref(),
            secret: self.order.secret.as_deref(),
            login: &self.credentials.login,
        };
        Request { id: &self.id, wanted, by_data_node, asked, mask: self.mask() }
    }

    fn mask(&self) -> &Mask {
        &self.credentials.mask
    }
}

fn unfinished(id: &str, error: &str) -> BackupResult {
    BackupResult {
        status: ResultStatus::Unknown,
        reason: reason::INTERRUPTED.to_owned(),
        backup_id: id.to_owned(),
        error: Some(error.to_owned()),
        ..Default::default()
    }
}

fn id(environment: &impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let part = |name: &str| {
        let value = environment(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("environment variable {name} is not set: the backup's id is made of it"))
    };
    Ok(backup_id(&part(JOB_NAME_VARIABLE)?, &part(JOB_UID_VARIABLE)?, &part(POD_UID_VARIABLE)?))
}

fn exit_code(ending: Ending) -> u8 {
    match ending {
        Ending::Succeeds => 0,
        Ending::Again(_) => EXIT_AGAIN,
        Ending::ForGood => EXIT_FOR_GOOD,
    }
}
