//! The cases to measure.

use crate::{Options, measured, measured::Run, progress, storage::destination};
use antfly_backup_operator::testing::backup::{
    EXIT_AGAIN, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE, backup_id,
};
use antfly_stand_in::{Call, Fault, FaultRule, GARBAGE_BYTES, Profile, Settings, StandIn};
use anyhow::{Context, Result, ensure};
use local_cluster::S3Server;
use serde_json::json;
use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

const BUCKET: &str = "bucket";
const LOCATION: &str = "s3://bucket/backups";
const JOB: &str = "bench-cron-29394840";
const JOB_UID: &str = "0b1c2d3e-aaaa-bbbb-cccc-000000000000";
/// Delay of a late response.
const LATE: Duration = Duration::from_secs(5);
/// Number of tables with large metadata.
const LARGE_TABLES: usize = 8;
/// Size of large metadata in bytes: just below the largest that is read.
const LARGE_METADATA: usize = 8 * 1024 * 1024 - 64 * 1024;

/// A case with its runs.
pub struct Case {
    /// The name of the case.
    pub what: &'static str,
    /// Number of concurrent runs.
    pub at_a_time: usize,
    /// Time from the first start to the last end.
    pub took: Duration,
    /// The runs.
    pub runs: Vec<Run>,
}

/// The number of the next run. Each run is a Pod of its own.
static PODS: AtomicUsize = AtomicUsize::new(0);

/// Measures all cases.
///
/// # Errors
/// Returns an error if a run does not end as expected or cannot be started.
pub fn measure(options: &Options, executable: &Path) -> Result<Vec<Case>> {
    let ordinary = |what, setting: &Setting| many(what, executable, options.runs, options.at_a_time, setting);
    let special = |what, setting: &Setting| many(what, executable, options.special_runs, 1, setting);
    let answers = |fault| move |settings: &mut Settings| settings.faults.push(FaultRule::every(Call::Backup, fault));

    let mut cases = Vec::new();
    let plain = Setting::new(|_| {})?;
    cases.push(ordinary("two tables, no read-back", &plain)?);
    let storage = S3Server::start()?;
    storage.create_bucket(BUCKET)?;
    let read_back = Setting::new(|settings| settings.s3 = Some(destination(&storage)))?.reading_back(&storage);
    cases.push(special("two tables, read back", &read_back)?);
    let late = Setting::new(|settings| settings.delay = LATE)?;
    cases.push(special("an answer that is 5 s late", &late)?);
    cases.push(special("an answer of 4,096 tables", &Setting::new(answers(Fault::MoreTables(4094)))?)?);
    let large = Setting::new(answers(Fault::MoreTables(250_000)))?;
    cases.push(special("an answer of 250,000 tables (16 MiB)", &large)?);
    let garbage = Setting::new(answers(Fault::Garbage(GARBAGE_BYTES)))?.ends_with(EXIT_AGAIN.into());
    cases.push(special("an answer of 16 MiB of garbage", &garbage)?);
    for (what, form) in [
        ("read back: 8 metadata objects of 8 MiB, one shard each", Form::Padded),
        ("read back: 8 metadata objects of 8 MiB, all of it shards", Form::Shards),
    ] {
        let large = large_metadata(&storage, form)?;
        cases.push(special(what, &large)?);
    }
    Ok(cases)
}

/// The environment of a run.
struct Setting {
    antfly: StandIn,
    variables: Vec<(&'static str, String)>,
    code: i32,
    /// The Pod of every run, if all runs have the same one.
    pod: Option<String>,
}

impl Setting {
    fn new(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let mut settings = Settings::new(Profile::Today, &["orders", "users"]);
        change(&mut settings);
        Ok(Self { antfly: StandIn::start(settings)?, variables: Vec::new(), code: 0, pod: None })
    }

    fn reading_back(self, storage: &S3Server) -> Self {
        let variables = vec![
            ("AWS_ENDPOINT_URL", storage.endpoint()),
            ("AWS_REGION", storage.region().to_owned()),
            ("AWS_ACCESS_KEY_ID", storage.access_key().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", storage.secret_key().to_owned()),
        ];
        Self { variables, ..self }
    }

    fn ends_with(self, code: i32) -> Self {
        Self { code, ..self }
    }

    /// Runs the program once.
    fn run(&self, executable: &Path) -> Result<Run> {
        let directory = tempfile::tempdir().context("make a directory for the termination message")?;
        let message = directory.path().join("termination-log");
        let pod = self.pod.clone().unwrap_or_else(|| pod_uid(PODS.fetch_add(1, Ordering::Relaxed)));
        let mut variables = self.variables.clone();
        variables.extend([(JOB_NAME_VARIABLE, JOB.to_owned()), (JOB_UID_VARIABLE, JOB_UID.to_owned())]);
        variables.push((POD_UID_VARIABLE, pod));
        let arguments = [
            "backup".to_owned(),
            format!("--server={}", self.antfly.url()),
            format!("--location={LOCATION}"),
            "--connection=backups".to_owned(),
            format!("--termination-message={}", message.display()),
        ];
        let run = measured::run(executable, &arguments, &variables)?;
        let written = || std::fs::read_to_string(&message).unwrap_or_default();
        ensure!(run.code == Some(self.code), "a run ended with {:?}: {}", run.code, written());
        Ok(run)
    }
}

fn pod_uid(number: usize) -> String {
    format!("{number:08x}-aaaa-bbbb-cccc-000000000000")
}

/// Runs the program `count` times, `at_a_time` runs concurrently.
fn many(what: &'static str, executable: &Path, count: usize, at_a_time: usize, setting: &Setting) -> Result<Case> {
    progress(&format!("{what}: {count} runs"));
    let begun = Instant::now();
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        while next.fetch_add(1, Ordering::Relaxed) < count {
            runs.push(setting.run(executable).with_context(|| what.to_owned())?);
        }
        Ok(runs)
    };
    let runs = thread::scope(|scope| -> Result<Vec<Run>> {
        let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(work)).collect();
        let mut runs = Vec::new();
        for worker in workers {
            runs.extend(worker.join().map_err(|_| anyhow::anyhow!("a thread has panicked"))??);
        }
        Ok(runs)
    })?;
    Ok(Case { what, at_a_time, took: begun.elapsed(), runs })
}

/// The content of large metadata.
#[derive(Clone, Copy)]
enum Form {
    /// One unknown field.
    Padded,
    /// As many shards as fit.
    Shards,
}

/// Returns a setting in which Antfly answers that it made a backup, whose metadata was then made large.
fn large_metadata(storage: &S3Server, form: Form) -> Result<Setting> {
    let names: Vec<String> = (0..LARGE_TABLES).map(|index| format!("table-{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // It keeps its backups in memory, so that it does not overwrite those in the storage.
    let antfly = StandIn::start(Settings::new(Profile::Today, &names))?;
    let writer = StandIn::start(Settings { s3: Some(destination(storage)), ..Settings::new(Profile::Today, &[]) })?;
    let put = |name: &str, content: Vec<u8>| writer.put_object(LOCATION, name, content);
    let pod = pod_uid(PODS.fetch_add(1, Ordering::Relaxed));
    let id = backup_id(JOB, JOB_UID, &pod);
    let of_table = |name: &str| format!("{name}-{id}");
    let tables: Vec<_> = names.iter().map(|name| json!({"name": name, "table_backup_id": of_table(name)})).collect();
    let metadata = json!({"format_version": 1, "backup_id": id, "tables": tables});
    put(&format!("{id}-cluster-metadata.json"), metadata.to_string().into_bytes())?;
    for name in names {
        let path = |index: usize| format!("shard-{index}");
        let shards: Vec<_> = match form {
            Form::Padded => vec![json!({"snapshot_path": path(0)})],
            Form::Shards => {
                let one = json!({"snapshot_path": path(100_000)}).to_string().len() + 1;
                (0..LARGE_METADATA / one).map(|index| json!({"snapshot_path": path(index)})).collect()
            }
        };
        let padding = if matches!(form, Form::Padded) { ".".repeat(LARGE_METADATA) } else { String::new() };
        let metadata = json!({"format_version": 1, "table_name": name, "shards": shards, "padding": padding});
        put(&format!("{}-metadata.json", of_table(name)), metadata.to_string().into_bytes())?;
        put(&format!("{}/store.bin", path(0)), vec![0; 4096])?;
    }
    Ok(Setting { antfly, variables: Vec::new(), code: 0, pod: Some(pod) }.reading_back(storage))
}
