//! What tests, benches and fuzz targets use of this crate. It is not an API. All else is private, so that the compiler finds
//! unused code.

pub mod api {
    //! The resource, its schema, and its validation.

    pub use crate::api::{
        AntflyBackup, AntflyBackupSpec, AntflyBackupStatus, AppliedTemplate, BackupPhase, BackupRecord, BackupStatus,
        CRD, SecondWriter,
        duration::{parse as parse_duration, seconds_rounded_up},
        quantity, reason,
        schedule::{Schedule, ScheduleError},
        validation::{
            FieldPath, UnknownFields, Violation, apply_defaults, decode, decode_pod, validate, validate_status,
        },
    };
}

pub mod backup {
    //! The program of a backup's Pod.

    pub use crate::backup::{
        BackupResult, EXIT_AGAIN, EXIT_FOR_GOOD, EXIT_STOPPED, FailedTable, JOB_NAME_VARIABLE, JOB_UID_VARIABLE,
        POD_UID_VARIABLE, ResultStatus,
        advice::Asked,
        answer::{Answer, Came, Reply},
        arguments::JobRequest,
        backup_id, backup_id_prefix,
        credentials::Login,
        decide::{Decision, Ending, Request, Verdict},
        listing::Page,
        mask::Mask,
        read_back::Destination,
        reason,
        result::LONGEST_MESSAGE,
        wanted::{Wanted, read_tables},
    };
}

pub mod cluster {
    //! The cache of watched objects.

    pub use crate::cluster::{
        access::CrossNamespaceClusters,
        cache::{BackupChange, ClusterCache, Facts, ObjectKey, Refusal, Scope, key_of},
        lookup::{ClusterLookup, Replaced, Withheld},
        run::Run,
        stored::{StatusStanding, StoredBackup},
        views::{
            Cluster, ControllerRef, CronJobView, JobOutcome, JobView, Origin, Others, PodTemplate, digest_of_live,
            digest_of_manifest,
        },
    };
}

pub mod desired {
    //! The decision of a reconcile.

    pub use crate::desired::{
        action::{Action, Apply},
        decide::{Decision, OperatorSettings, decide},
        manifest::{apply_body, cron_job},
        outcome::{Answer, Done, Failure, FailureKind, Outcome},
        plan::{CannotPlan, DEFAULT_IMAGE, FileLocations, JobImage, Plan, plan},
        pod::{PodField, PodPolicy},
    };
}

pub mod manifests {
    //! Files with manifests.

    pub use crate::manifests::{Lines, Manifest, SyntaxError, read};
}

pub mod names {
    //! Names of the objects that the operator creates.

    pub use crate::names::{BACKUP_LABEL, CLUSTER_UID_ANNOTATION, FIELD_MANAGER, cron_job_name};
}

pub mod preflight {
    //! What is asked of a cluster.

    pub use crate::operator::OLDEST_MINOR;
}

pub mod status {
    //! The status and the events.

    pub use crate::status::{
        announcements::{Announcement, Publish, refused},
        records::{are_of_one_run, identity, unconfirmed},
        settle::{AFTER_CHANGE, Settlement, StatusUpdate, settle},
    };
}
