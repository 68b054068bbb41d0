//! A cluster of Antfly with its backup, and all that a whole backup needs.

use crate::{
    command::{Ended, run_on},
    storage::{destination, storage},
    support::{Nightly, control_plane, eventually, operator},
};
use antfly_backup_operator::testing::backup::backup_id_prefix;
use antfly_stand_in::{Profile, Settings, StandIn};
use anyhow::{Context as _, ensure};
use cluster_model::job;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{ResourceExt, api::ListParams};
use local_cluster::{
    ControlPlane, ManagedProcess, S3Server, client_for,
    node::{Node, Program, Settings as NodeSettings},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{runtime::Runtime, sync::OnceCell};

/// Image of the operator and of the Pods that it makes.
const IMAGE: &str = "example.com/operator:v1";
/// Image whose arguments are a shell script.
pub const SHELL: &str = "example.com/shell:1";
/// Name of the Secret with the keys of the storage.
pub const SECRET: &str = "storage-keys";
/// Tables of the cluster unless a test sets others.
pub const TABLES: [&str; 2] = ["orders", "users"];
/// Longer than any test waits for an answer.
pub const NEVER: Duration = Duration::from_secs(3600);

/// What all tests share.
pub struct Stage {
    /// The API server with its controllers.
    pub control_plane: ControlPlane,
    /// Runs the Pods.
    pub node: Node,
    _operator: ManagedProcess,
}

/// The stage, which the first test starts.
pub async fn stage() -> &'static Stage {
    // each test has a runtime of its own, and the node has to outlive them
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    static SHARED: OnceCell<Stage> = OnceCell::const_new();
    SHARED
        .get_or_init(async || {
            let control_plane = control_plane().await;
            let settings = NodeSettings {
                back_off: Duration::from_secs(2),
                ..NodeSettings::new(control_plane.directory().join("pods"))
            };
            settings.images.set(IMAGE, operator_program());
            settings.images.set(SHELL, Program::shell());
            let kubeconfig = control_plane.kubeconfig().to_owned();
            let node = RUNTIME.spawn(async move { Node::start(client_for(&kubeconfig).await?, settings).await });
            let node = node.await.unwrap().unwrap();
            let operator = operator(&control_plane, "operator", &[]);
            Stage { control_plane, node, _operator: operator }
        })
        .await
}

/// The program that stands for the operator's image.
pub fn operator_program() -> Program {
    Program::new(Path::new(env!("CARGO_BIN_EXE_antfly-backup-operator")), "/antfly-backup-operator")
}

/// The settings of a [`Whole`].
pub struct Blueprint {
    namespace: String,
    /// The mode of the cluster; none for the default.
    pub mode: Option<&'static str>,
    /// Settings of the stand-in for Antfly.
    pub antfly: Settings,
    /// Where backups go.
    pub location: String,
    /// Fields of the AntflyBackup's spec, beside its destination.
    pub spec: Value,
    /// Whether the Secret is there from the beginning.
    pub has_secret: bool,
    /// Name of the ConfigMap with certificates of authorities, if the AntflyBackup names one.
    pub ca_bundle: Option<&'static str>,
    storage: Arc<S3Server>,
}

impl Blueprint {
    /// A cluster of those servers in a namespace of its own, where its metadata port serves the API.
    pub fn new(profile: Profile, namespace: &str) -> Self {
        let storage = storage();
        let mut antfly = Settings::new(profile, &TABLES);
        antfly.s3 = Some(destination(&storage));
        Self {
            namespace: namespace.to_owned(),
            // with any other mode, those of June serve the API at their data nodes alone
            mode: (profile == Profile::June).then_some("Standalone"),
            antfly,
            location: format!("s3://bucket/{namespace}"),
            spec: json!({}),
            has_secret: true,
            ca_bundle: None,
            storage,
        }
    }

    /// Makes all of it.
    pub async fn build(self) -> Whole {
        let stage = stage().await;
        let Self { namespace, mode, antfly, location, mut spec, has_secret, ca_bundle, storage } = self;
        let needs_connection = antfly.profile == Profile::Today;
        let antfly = StandIn::start(antfly).unwrap();
        let services = stage.node.services();
        let metadata = antfly.metadata_address().unwrap_or(antfly.address());
        for (service, address) in [("metadata", metadata), ("data", antfly.address()), ("standalone", antfly.address())]
        {
            services.set(&format!("main-{service}.{namespace}"), address);
        }
        let mut destination = json!({"location": location, "credentialsSecret": {"name": SECRET}});
        if needs_connection {
            destination["connection"] = json!("backups");
        }
        if let Some(name) = ca_bundle {
            destination["caBundle"] = json!({"configMapKeyRef": {"name": name, "key": "ca.crt"}});
        }
        spec["destination"] = destination;
        let cluster = mode.map_or(json!({}), |mode| json!({"mode": mode}));
        let client = stage.control_plane.client().await.unwrap();
        let nightly = Nightly::create_of(client, &namespace, cluster, spec).await;
        let whole = Whole { nightly, antfly, storage, namespace, location };
        if has_secret {
            whole.apply_secret(&[]).await;
        }
        whole
    }
}

/// A cluster with its backup.
pub struct Whole {
    /// The AntflyBackup.
    pub nightly: Nightly,
    /// The cluster's servers.
    pub antfly: StandIn,
    /// Name of the namespace.
    pub namespace: String,
    /// Where backups go.
    pub location: String,
    storage: Arc<S3Server>,
}

impl Whole {
    /// Writes the Secret with the keys of the storage, and the changes to it; an empty value leaves a key out.
    pub async fn apply_secret(&self, changes: &[(&str, &str)]) {
        let endpoint = self.storage.endpoint();
        let mut keys = json!({
            "AWS_ACCESS_KEY_ID": self.storage.access_key(), "AWS_SECRET_ACCESS_KEY": self.storage.secret_key(),
            "AWS_REGION": self.storage.region(), "AWS_ENDPOINT_URL": endpoint,
        });
        for &(key, value) in changes {
            keys[key] = json!(value);
        }
        keys.as_object_mut().unwrap().retain(|_, value| *value != "");
        self.nightly.apply("v1", "Secret", SECRET, json!({"stringData": keys})).await;
    }

    /// Runs a Job by hand until its record has that status; returns the record.
    pub async fn run(&self, job: &str, status: &str) -> Value {
        self.nightly.start(job).await;
        self.until(job, status).await
    }

    /// Waits until the record of a Job has that status.
    pub async fn until(&self, job: &str, status: &str) -> Value {
        self.nightly.until_record(job, status, |record| record["status"] == status).await
    }

    /// Waits until Antfly has been asked for that many backups.
    pub async fn until_asked(&self, times: usize) {
        eventually(&format!("{} to be asked {times} times", self.namespace), async || {
            let asked = self.asked();
            ensure!(asked >= times, "it was asked {asked} times");
            Ok(())
        })
        .await;
    }

    /// How often Antfly has been asked for a backup.
    pub fn asked(&self) -> usize {
        self.antfly.requests().iter().filter(|request| request.path == "/db/v1/backup").count()
    }

    /// The Pods of a Job.
    pub async fn pods(&self, job: &str) -> Vec<Pod> {
        let of_job = ListParams::default().labels(&job::pods_of(job));
        self.nightly.all::<Pod>().list(&of_job).await.unwrap().items
    }

    /// Returns what the program printed in a Pod.
    pub fn log(&self, pod: &Pod, stage: &Stage) -> String {
        stage.node.log(&self.namespace, &pod.name_any(), "backup").unwrap()
    }

    /// Runs `restore-manifest` on the AntflyBackup as it is now.
    pub async fn restore(&self, arguments: &[&str]) -> Ended {
        let backup = self.nightly.backups().get("nightly").await.unwrap();
        let backup = serde_json::to_string(&backup).unwrap();
        run_on(&[&["restore-manifest", "-f", "-"], arguments].concat(), &backup)
    }

    /// The manifest that `restore-manifest` prints for that id, without a note.
    pub async fn restore_manifest(&self, arguments: &[&str]) -> Value {
        let ended = self.restore(arguments).await;
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{}", ended.output);
        serde_saphyr::from_str(&ended.output).unwrap()
    }

    /// Waits until a Job has failed; returns the reason.
    pub async fn until_job_failed(&self, job: &str) -> String {
        eventually(&format!("Job {job} to fail"), async || {
            let conditions = self.nightly.all::<Job>().get(job).await?.status.and_then(|status| status.conditions);
            let failed = conditions.into_iter().flatten().find(|it| it.type_ == "Failed" && it.status == "True");
            failed.and_then(|condition| condition.reason).context("it has not")
        })
        .await
    }

    /// Asserts that a record is of a verified backup of all tables, and that the storage and `restore-manifest` have it.
    pub async fn assert_whole(&self, record: &Value) {
        let id = record["backupId"].as_str().unwrap();
        assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)), "{record}");
        assert_eq!((record.get("reason"), record.get("error")), (None, None), "{record}");
        assert_eq!((&record["tables"], &record["tableCount"]), (&json!(TABLES), &json!(2)), "{record}");
        assert_eq!((&record["sizeBytes"], record.get("readBackError")), (&json!(2 * 4096), None), "{record}");
        assert!(record["readBackTime"].is_string(), "{record}");
        let cluster = json!({"namespace": self.namespace, "name": "main", "uid": self.nightly.cluster_uid().await});
        assert_eq!(record["clusterRef"], cluster, "{record}");
        self.assert_id(record);
        self.assert_stored(id, &TABLES);
        let restore = self.restore_manifest(&["--id", id]).await;
        let source = &restore["spec"]["source"];
        assert_eq!((&source["backupId"], &source["location"]), (&json!(id), &json!(self.location)), "{restore}");
        assert_eq!(restore["spec"]["tables"], json!(TABLES), "{restore}");
    }

    /// Asserts that the id of a record is that of one attempt of its Job: `JOB-JJJJJJJJ-PPPPPPPP`.
    pub fn assert_id(&self, record: &Value) {
        let text = |field: &str| record[field].as_str().unwrap().to_owned();
        let (id, prefix) = (text("backupId"), backup_id_prefix(&text("jobName"), &text("jobUID")));
        let of_pod = id.strip_prefix(&prefix).unwrap_or_else(|| panic!("{id} does not begin with {prefix}"));
        assert!(of_pod.len() == 8 && of_pod.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert_eq!(record["backupIdKnown"], json!(true), "{record}");
    }

    /// Asserts that the storage has metadata and payload of those tables under an id.
    pub fn assert_stored(&self, id: &str, tables: &[&str]) {
        let object = |name: &str| {
            let object = self.antfly.object(&self.location, name).unwrap();
            object.unwrap_or_else(|| panic!("{name} is not at {}", self.location))
        };
        let json_of = |name: &str| serde_json::from_slice::<Value>(&object(name)).unwrap();
        let metadata = json_of(&format!("{id}-cluster-metadata.json"));
        assert_eq!(metadata["backup_id"], json!(id));
        let mut stored: Vec<_> =
            metadata["tables"].as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
        stored.sort_unstable();
        assert_eq!(stored, tables);
        for table in metadata["tables"].as_array().unwrap() {
            let metadata = json_of(&format!("{}-metadata.json", table["table_backup_id"].as_str().unwrap()));
            for shard in metadata["shards"].as_array().unwrap() {
                let payload = object(&format!("{}/store.bin", shard["snapshot_path"].as_str().unwrap()));
                assert_eq!(payload.len(), 4096);
            }
        }
    }
}
