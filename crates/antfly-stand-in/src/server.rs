//! Accepts connections and answers requests.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    future::pending,
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Method, header::AUTHORIZATION};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, RwLock};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedMutexGuard, watch},
};

use crate::{
    answer::{self, Answer},
    backup::{BackupAnswer, Plan, TableAnswer, cluster_metadata_name},
    connection,
    fault::{Call, Fault, FaultRule, Refusal},
    listing::{self, Query},
    location::Location,
    login,
    request::{BackupRequest, Port, Request},
    settings::{Profile, Settings},
    storage::{Place, Storage},
    wire::{Valve, Wire},
};

/// Largest body of a request, in bytes.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) settings: RwLock<Settings>,
    pub(crate) storage: Storage,
    pub(crate) requests: Mutex<Vec<Request>>,
    /// Number of backups that were given up because their client disconnected.
    pub(crate) given_up: Mutex<usize>,
    /// Locations and ids of the running backups.
    running: Mutex<BTreeSet<(String, String)>>,
    /// One lock for each table, so that backups of the same table wait for each other.
    tables: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Whether the server has ended.
    pub(crate) has_ended: watch::Sender<bool>,
}

/// A running backup. Dropping it before its end gives it up.
struct Running {
    server: Arc<Server>,
    key: (String, String),
    is_done: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.running.lock().remove(&self.key);
        if !self.is_done {
            *self.server.given_up.lock() += 1;
        }
    }
}

impl Server {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            storage: Storage::new(settings.s3.clone(), settings.directory.clone()),
            settings: RwLock::new(settings),
            requests: Mutex::default(),
            given_up: Mutex::default(),
            running: Mutex::default(),
            tables: Mutex::default(),
            has_ended: watch::Sender::new(false),
        }
    }

    /// Accepts connections until the server ends.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, port: Port) {
        let mut has_ended = self.has_ended.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = has_ended.wait_for(|ended| *ended) => return,
            };
            if let Ok((stream, _)) = accepted {
                tokio::spawn(Arc::clone(&self).connection(stream, port));
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, port: Port) {
        // Send the pieces of a response separately.
        let _ = stream.set_nodelay(true);
        let valve = Valve::new();
        let wire = TokioIo::new(Wire::new(stream, valve.clone()));
        let mut has_ended = self.has_ended.subscribe();
        let service = service_fn(move |request| {
            let (server, valve) = (Arc::clone(&self), valve.clone());
            async move { Ok::<_, Infallible>(server.respond(request, port, &valve).await) }
        });
        // When the client disconnects, hyper drops the response's future. Today's servers behave like that.
        tokio::select! {
            _ = http1::Builder::new().serve_connection(wire, service) => {}
            _ = has_ended.wait_for(|ended| *ended) => {}
        }
    }

    async fn respond(self: &Arc<Self>, request: http::Request<Incoming>, port: Port, valve: &Valve) -> Answer {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LARGEST_REQUEST).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        self.note(&head, &body, port);
        let path = head.uri.path();
        if matches!(path, "/healthz" | "/readyz") {
            return answer::text("ok");
        }
        let profile = self.settings().profile;
        if port == Port::Metadata && profile == Profile::June {
            return answer::refusal(&Refusal::of(404));
        }
        let call = match path {
            "/db/v1/tables" => Some(Call::Tables),
            "/db/v1/backup" => Some(Call::Backup),
            "/db/v1/backups" => Some(Call::Backups),
            _ => None,
        };
        if let Err(refusal) = self.check_login(&head.headers, call) {
            return answer::refusal(&refusal);
        }
        let query = head.uri.query().unwrap_or_default();
        let made = match (&head.method, call, path) {
            (&Method::GET, Some(Call::Tables), _) => self.tables(valve).await,
            (&Method::POST, Some(Call::Backup), _) => self.backup(&String::from_utf8_lossy(&body), valve).await,
            (&Method::GET, Some(Call::Backups), _) => self.backups(query, valve).await,
            (&Method::GET, None, "/db/v1/connections") if profile == Profile::Today => Ok(self.connections()),
            (_, None, _) => Err(Refusal::of(404)),
            _ => Err(Refusal::text(405, "method not allowed")),
        };
        made.unwrap_or_else(|refusal| answer::refusal(&refusal))
    }

    fn settings(&self) -> Settings {
        self.settings.read().clone()
    }

    fn note(&self, head: &http::request::Parts, body: &Bytes, port: Port) {
        let request = Request {
            port,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers.clone(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        if self.settings().logs_requests {
            let Request { method, path, query, body, .. } = &request;
            eprintln!("{method} {path} {query:?} {body:?}");
        }
        self.requests.lock().push(request);
    }

    fn check_login(&self, headers: &HeaderMap, call: Option<Call>) -> Result<(), Refusal> {
        let settings = self.settings();
        let authorization = headers.get(AUTHORIZATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
        login::check(settings.profile, &settings.logins, authorization.as_deref(), call)
    }

    async fn tables(&self, valve: &Valve) -> Result<Answer, Refusal> {
        let settings = self.settings();
        let tables: Vec<_> = settings
            .tables
            .iter()
            .map(|table| {
                let used = table.shard_bytes * table.shards as usize;
                json!({"name": table.name, "storage_status": {"disk_usage": used, "empty": used == 0}})
            })
            .collect();
        let fault = settings.fault(Call::Tables, "").map(|rule| &rule.fault);
        spoil(fault, valve, || answer::json(&tables)).await
    }

    fn connections(&self) -> Answer {
        let settings = self.settings();
        let connections: Vec<_> = settings
            .connections
            .iter()
            .map(|connection| json!({"id": connection.id, "type": "external_io", "protocol": connection.protocol}))
            .collect();
        answer::json(&connections)
    }

    async fn backups(&self, query: &str, valve: &Valve) -> Result<Answer, Refusal> {
        let settings = self.settings();
        let profile = settings.profile;
        let query = Query::parse(profile, query);
        let location = Location::parse(&query.location)?;
        let place = self.place(&settings, query.connection.as_deref(), &location, "restore.read")?;
        let backups = listing::list(profile, &location, &place).await?;
        let page = query.page(profile, backups, settings.page_size);
        let fault = settings.fault(Call::Backups, &location.text).map(|rule| &rule.fault);
        spoil(fault, valve, || answer::json(&page)).await
    }

    /// Returns the place of a location, if the connection permits it.
    fn place(
        &self,
        settings: &Settings,
        connection: Option<&str>,
        location: &Location,
        capability: &str,
    ) -> Result<Place, Refusal> {
        let root = match settings.profile {
            Profile::June => "",
            Profile::Today => &connection::find(&settings.connections, connection, location, capability)?.root,
        };
        self.storage.place(location, root).map_err(|_| Refusal::of(500))
    }

    async fn backup(self: &Arc<Self>, body: &str, valve: &Valve) -> Result<Answer, Refusal> {
        let settings = self.settings();
        let request = BackupRequest::parse(settings.profile, body)?;
        if settings.profile == Profile::June && request.location.starts_with("gs://") {
            self.has_ended.send_replace(true);
            return pending().await;
        }
        let location = Location::parse(&request.location)?;
        let rule = settings.fault(Call::Backup, &location.text);
        let delay = settings.delay_at(&location.text);
        match rule.map(|rule| &rule.fault) {
            Some(Fault::Refuse(refusal)) => {
                if refusal.is_late() {
                    tokio::time::sleep(delay).await;
                }
                return Err(refusal.clone());
            }
            Some(Fault::Redirect(url)) => return Ok(answer::redirect(url)),
            Some(Fault::Never) => return pending().await,
            _ => {}
        }
        let place = self.place(&settings, request.connection.as_deref(), &location, "backup.write")?;
        let is_unsigned =
            settings.profile == Profile::June && settings.s3.as_ref().is_some_and(|s3| !s3.is_june_mended);
        if is_unsigned && location.scheme == crate::location::Scheme::S3 {
            tokio::time::sleep(delay).await;
            return Err(Refusal::of(500));
        }
        if settings.profile == Profile::Today && settings.tables.is_empty() && request.tables.is_none() {
            return Err(Refusal::text(400, "no tables to backup"));
        }
        let running = self.begin(&settings, &request, &location, &place).await?;
        let now = jiff::Timestamp::now().to_string();
        let mut plan = Plan::new(&settings, &request.id, &location.text, request.tables.as_deref(), now);
        plan.publishes = rule.is_none_or(|rule| rule.publishes);
        let work = Arc::clone(self).make(plan, place, running);
        let made = match settings.profile {
            // June's servers finish a backup even if the client disconnects.
            Profile::June => {
                let work = tokio::spawn(work);
                if is_lost(rule) {
                    valve.close_after(0);
                    return Ok(answer::text(""));
                }
                work.await.map_err(|_| Refusal::of(500))??
            }
            Profile::Today => {
                if is_lost(rule) {
                    drop(work);
                    valve.close_after(0);
                    return Ok(answer::text(""));
                }
                work.await?
            }
        };
        if rule.is_some_and(|rule| rule.fault == Fault::AmbiguousConflict) {
            return Err(Refusal::json(
                409,
                json!({"code": "backup_outcome_ambiguous", "error": "the outcome of the backup is not known"})
                    .to_string(),
            ));
        }
        let fault = rule.map(|rule| &rule.fault);
        let made = changed(made, fault);
        spoil(fault, valve, || answer::json(&made)).await
    }

    /// Reserves the id of a backup. Today's servers accept each id once; June's servers do not check.
    async fn begin(
        self: &Arc<Self>,
        settings: &Settings,
        request: &BackupRequest,
        location: &Location,
        place: &Place,
    ) -> Result<Running, Refusal> {
        let taken = || Refusal::text(409, "backup id already exists");
        let key = (location.text.clone(), request.id.clone());
        if settings.profile == Profile::Today {
            let found = place.get(&cluster_metadata_name(&request.id)).await.map_err(|_| Refusal::of(500))?;
            if found.is_some() || !self.running.lock().insert(key.clone()) {
                return Err(taken());
            }
        }
        Ok(Running { server: Arc::clone(self), key, is_done: false })
    }

    /// Makes a backup, after the running backups of its tables.
    async fn make(self: Arc<Self>, plan: Plan, place: Place, mut running: Running) -> Result<BackupAnswer, Refusal> {
        let _tables = self.queue(&plan).await;
        tokio::time::sleep(plan.delay).await;
        let written = plan.write(&place).await;
        running.is_done = true;
        match written {
            Ok(()) => Ok(plan.answer()),
            Err(error) => {
                if self.settings().logs_requests {
                    eprintln!("backup {} failed: {error:#}", plan.id);
                }
                Err(Refusal::of(500))
            }
        }
    }

    async fn queue(&self, plan: &Plan) -> Vec<OwnedMutexGuard<()>> {
        let mut held = Vec::new();
        // Lock in the order of the names, to prevent deadlocks.
        for name in plan.names() {
            let table = Arc::clone(self.tables.lock().entry(name).or_default());
            held.push(table.lock_owned().await);
        }
        held
    }
}

fn is_lost(rule: Option<&FaultRule>) -> bool {
    rule.is_some_and(|rule| rule.fault == Fault::ConnectionLost)
}

/// Returns the response with the changes of a fault.
fn changed(mut made: BackupAnswer, fault: Option<&Fault>) -> BackupAnswer {
    match fault {
        Some(Fault::Status(status)) => made.status.clone_from(status),
        Some(Fault::WrongId) => made.backup_id.push_str("-of-another"),
        Some(Fault::NoTables) => made.tables.clear(),
        Some(Fault::MoreTables(count)) => made.tables.extend((0..*count).map(|index| TableAnswer {
            name: format!("table-{index:05}"),
            status: "completed".to_owned(),
            error: None,
            code: None,
            retryable: None,
            artifact_backup_id: None,
        })),
        _ => {}
    }
    made
}

/// Returns the response that `whole` creates, damaged by a fault of its form.
async fn spoil(fault: Option<&Fault>, valve: &Valve, whole: impl FnOnce() -> Answer) -> Result<Answer, Refusal> {
    Ok(match fault {
        Some(Fault::Refuse(refusal)) => return Err(refusal.clone()),
        Some(Fault::Redirect(url)) => answer::redirect(url),
        Some(Fault::Never) => return pending().await,
        Some(Fault::ConnectionLost) => {
            valve.close_after(0);
            answer::text("")
        }
        Some(Fault::Cut(place)) => answer::cut(whole(), *place, valve).await,
        Some(Fault::NotJson) => answer::claimed_json("Backup command successful.\n"),
        Some(Fault::Garbage(count)) => answer::garbage(*count),
        Some(Fault::Pieces) => answer::in_pieces(whole(), valve),
        Some(Fault::Gzip) => answer::gzip(whole()).await,
        _ => whole(),
    })
}
