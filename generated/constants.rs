// This is a generated file: constants of the API. Do not edit it; change `schema/antflybackup.yaml`
// and run `cargo xtask generate`.

use super::types::*;

/// The API group.
pub const GROUP: &str = "antfly.io";

/// The version in the group.
pub const VERSION: &str = "v1";

/// `apiVersion` of the resources: group and version.
pub const API_VERSION: &str = "antfly.io/v1";

/// `kind` of the resources.
pub const KIND: &str = "AntflyBackup";

/// The resource in paths and permissions.
pub const PLURAL: &str = "antflybackups";

/// What kubectl takes in place of the plural.
pub const SHORT_NAMES: &[&str] = &["afb"];

/// The resource with its group, which is also the name of the CustomResourceDefinition.
pub const RESOURCE: &str = "antflybackups.antfly.io";

/// The subresource `status`.
pub const STATUS_RESOURCE: &str = "antflybackups/status";

/// Bounds and defaults of [`AntflyBackup`].
impl AntflyBackup {
    /// `default` of `status`.
    pub const STATUS_DEFAULT: &str = "{\"observedGeneration\":-1}";
}

/// Bounds and defaults of [`AntflyBackupSpec`].
impl AntflyBackupSpec {
    /// `minLength` of `schedule`.
    pub const SCHEDULE_MIN_LENGTH: usize = 1;
    /// `maxLength` of `schedule`.
    pub const SCHEDULE_MAX_LENGTH: usize = 400;
    /// `maxItems` of `tables`.
    pub const TABLES_MAX_ITEMS: usize = 256;
    /// `minLength` of `tables[]`.
    pub const TABLES_ITEM_MIN_LENGTH: usize = 1;
    /// `maxLength` of `tables[]`.
    pub const TABLES_ITEM_MAX_LENGTH: usize = 255;
    /// `default` of `suspend`.
    pub const SUSPEND_DEFAULT: bool = false;
    /// `maxLength` of `backupTimeout`.
    pub const BACKUP_TIMEOUT_MAX_LENGTH: usize = 64;
    /// `default` of `backupTimeout`.
    pub const BACKUP_TIMEOUT_DEFAULT: &str = "1h";
    /// `maxLength` of `startingDeadline`.
    pub const STARTING_DEADLINE_MAX_LENGTH: usize = 64;
    /// `minimum` of `retries`.
    pub const RETRIES_MINIMUM: i32 = 0;
    /// `maximum` of `retries`.
    pub const RETRIES_MAXIMUM: i32 = 10;
    /// `minimum` of `successfulJobsHistoryLimit`.
    pub const SUCCESSFUL_JOBS_HISTORY_LIMIT_MINIMUM: i32 = 0;
    /// `maximum` of `successfulJobsHistoryLimit`.
    pub const SUCCESSFUL_JOBS_HISTORY_LIMIT_MAXIMUM: i32 = 2147483647;
    /// `default` of `successfulJobsHistoryLimit`.
    pub const SUCCESSFUL_JOBS_HISTORY_LIMIT_DEFAULT: i32 = 3;
    /// `minimum` of `failedJobsHistoryLimit`.
    pub const FAILED_JOBS_HISTORY_LIMIT_MINIMUM: i32 = 0;
    /// `maximum` of `failedJobsHistoryLimit`.
    pub const FAILED_JOBS_HISTORY_LIMIT_MAXIMUM: i32 = 2147483647;
    /// `default` of `failedJobsHistoryLimit`.
    pub const FAILED_JOBS_HISTORY_LIMIT_DEFAULT: i32 = 1;
}

/// Bounds and defaults of [`ClusterReference`].
impl ClusterReference {
    /// `minLength` of `name`.
    pub const NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `name`.
    pub const NAME_MAX_LENGTH: usize = 63;
    /// `maxLength` of `namespace`.
    pub const NAMESPACE_MAX_LENGTH: usize = 63;
}

/// Bounds and defaults of [`BackupDestination`].
impl BackupDestination {
    /// `minLength` of `location`.
    pub const LOCATION_MIN_LENGTH: usize = 1;
    /// `maxLength` of `location`.
    pub const LOCATION_MAX_LENGTH: usize = 1024;
    /// `minLength` of `connection`.
    pub const CONNECTION_MIN_LENGTH: usize = 1;
    /// `maxLength` of `connection`.
    pub const CONNECTION_MAX_LENGTH: usize = 256;
}

/// Bounds and defaults of [`SecretReference`].
impl SecretReference {
    /// `minLength` of `name`.
    pub const NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `name`.
    pub const NAME_MAX_LENGTH: usize = 253;
}

/// Bounds and defaults of [`ConfigMapKeyReference`].
impl ConfigMapKeyReference {
    /// `minLength` of `name`.
    pub const NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `name`.
    pub const NAME_MAX_LENGTH: usize = 253;
    /// `minLength` of `key`.
    pub const KEY_MIN_LENGTH: usize = 1;
    /// `maxLength` of `key`.
    pub const KEY_MAX_LENGTH: usize = 253;
}

/// Bounds and defaults of [`PodSettings`].
impl PodSettings {
    /// `maxProperties` of `labels`.
    pub const LABELS_MAX_PROPERTIES: usize = 32;
    /// `maxLength` of `labels{}`.
    pub const LABELS_VALUE_MAX_LENGTH: usize = 63;
    /// `maxProperties` of `annotations`.
    pub const ANNOTATIONS_MAX_PROPERTIES: usize = 32;
    /// `maxLength` of `annotations{}`.
    pub const ANNOTATIONS_VALUE_MAX_LENGTH: usize = 4096;
    /// `maxProperties` of `resources.limits`.
    pub const RESOURCES_LIMITS_MAX_PROPERTIES: usize = 8;
    /// `maxLength` of `resources.limits{}`.
    pub const RESOURCES_LIMITS_VALUE_MAX_LENGTH: usize = 32;
    /// `maxProperties` of `resources.requests`.
    pub const RESOURCES_REQUESTS_MAX_PROPERTIES: usize = 8;
    /// `maxLength` of `resources.requests{}`.
    pub const RESOURCES_REQUESTS_VALUE_MAX_LENGTH: usize = 32;
    /// `maxProperties` of `nodeSelector`.
    pub const NODE_SELECTOR_MAX_PROPERTIES: usize = 16;
    /// `maxLength` of `nodeSelector{}`.
    pub const NODE_SELECTOR_VALUE_MAX_LENGTH: usize = 63;
    /// `maxItems` of `tolerations`.
    pub const TOLERATIONS_MAX_ITEMS: usize = 16;
    /// `maxLength` of `tolerations[].effect`.
    pub const TOLERATIONS_ITEM_EFFECT_MAX_LENGTH: usize = 32;
    /// `maxLength` of `tolerations[].key`.
    pub const TOLERATIONS_ITEM_KEY_MAX_LENGTH: usize = 317;
    /// `maxLength` of `tolerations[].operator`.
    pub const TOLERATIONS_ITEM_OPERATOR_MAX_LENGTH: usize = 16;
    /// `maxLength` of `tolerations[].value`.
    pub const TOLERATIONS_ITEM_VALUE_MAX_LENGTH: usize = 63;
    /// `minLength` of `priorityClassName`.
    pub const PRIORITY_CLASS_NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `priorityClassName`.
    pub const PRIORITY_CLASS_NAME_MAX_LENGTH: usize = 253;
    /// `minLength` of `serviceAccountName`.
    pub const SERVICE_ACCOUNT_NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `serviceAccountName`.
    pub const SERVICE_ACCOUNT_NAME_MAX_LENGTH: usize = 253;
    /// `maxItems` of `imagePullSecrets`.
    pub const IMAGE_PULL_SECRETS_MAX_ITEMS: usize = 16;
    /// `minLength` of `imagePullSecrets[].name`.
    pub const IMAGE_PULL_SECRETS_ITEM_NAME_MIN_LENGTH: usize = 1;
    /// `maxLength` of `imagePullSecrets[].name`.
    pub const IMAGE_PULL_SECRETS_ITEM_NAME_MAX_LENGTH: usize = 253;
    /// `maxLength` of `securityContext.appArmorProfile.localhostProfile`.
    pub const SECURITY_CONTEXT_APP_ARMOR_PROFILE_LOCALHOST_PROFILE_MAX_LENGTH: usize = 253;
    /// `maxLength` of `securityContext.appArmorProfile.type`.
    pub const SECURITY_CONTEXT_APP_ARMOR_PROFILE_TYPE_MAX_LENGTH: usize = 32;
    /// `maxLength` of `securityContext.fsGroupChangePolicy`.
    pub const SECURITY_CONTEXT_FS_GROUP_CHANGE_POLICY_MAX_LENGTH: usize = 32;
    /// `maxLength` of `securityContext.seLinuxChangePolicy`.
    pub const SECURITY_CONTEXT_SE_LINUX_CHANGE_POLICY_MAX_LENGTH: usize = 32;
    /// `maxLength` of `securityContext.seLinuxOptions.level`.
    pub const SECURITY_CONTEXT_SE_LINUX_OPTIONS_LEVEL_MAX_LENGTH: usize = 253;
    /// `maxLength` of `securityContext.seLinuxOptions.type`.
    pub const SECURITY_CONTEXT_SE_LINUX_OPTIONS_TYPE_MAX_LENGTH: usize = 64;
    /// `maxLength` of `securityContext.seccompProfile.localhostProfile`.
    pub const SECURITY_CONTEXT_SECCOMP_PROFILE_LOCALHOST_PROFILE_MAX_LENGTH: usize = 253;
    /// `maxLength` of `securityContext.seccompProfile.type`.
    pub const SECURITY_CONTEXT_SECCOMP_PROFILE_TYPE_MAX_LENGTH: usize = 32;
    /// `maxItems` of `securityContext.supplementalGroups`.
    pub const SECURITY_CONTEXT_SUPPLEMENTAL_GROUPS_MAX_ITEMS: usize = 32;
    /// `minimum` of `securityContext.supplementalGroups[]`.
    pub const SECURITY_CONTEXT_SUPPLEMENTAL_GROUPS_ITEM_MINIMUM: i64 = 1;
    /// `maximum` of `securityContext.supplementalGroups[]`.
    pub const SECURITY_CONTEXT_SUPPLEMENTAL_GROUPS_ITEM_MAXIMUM: i64 = 2147483647;
    /// `maxLength` of `securityContext.supplementalGroupsPolicy`.
    pub const SECURITY_CONTEXT_SUPPLEMENTAL_GROUPS_POLICY_MAX_LENGTH: usize = 32;
    /// `maxItems` of `securityContext.sysctls`.
    pub const SECURITY_CONTEXT_SYSCTLS_MAX_ITEMS: usize = 16;
    /// `maxLength` of `securityContext.sysctls[].name`.
    pub const SECURITY_CONTEXT_SYSCTLS_ITEM_NAME_MAX_LENGTH: usize = 253;
    /// `maxLength` of `securityContext.sysctls[].value`.
    pub const SECURITY_CONTEXT_SYSCTLS_ITEM_VALUE_MAX_LENGTH: usize = 64;
}

/// Bounds and defaults of [`AntflyBackupStatus`].
impl AntflyBackupStatus {
    /// `minimum` of `observedGeneration`.
    pub const OBSERVED_GENERATION_MINIMUM: i64 = -1;
    /// `maxItems` of `recentBackups`.
    pub const RECENT_BACKUPS_MAX_ITEMS: usize = 50;
    /// `maxItems` of `conditions`.
    pub const CONDITIONS_MAX_ITEMS: usize = 16;
    /// `maxLength` of `conditions[].type`.
    pub const CONDITIONS_ITEM_TYPE_MAX_LENGTH: usize = 316;
    /// `minimum` of `conditions[].observedGeneration`.
    pub const CONDITIONS_ITEM_OBSERVED_GENERATION_MINIMUM: i64 = 0;
    /// `minLength` of `conditions[].reason`.
    pub const CONDITIONS_ITEM_REASON_MIN_LENGTH: usize = 1;
    /// `maxLength` of `conditions[].reason`.
    pub const CONDITIONS_ITEM_REASON_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `conditions[].message`.
    pub const CONDITIONS_ITEM_MESSAGE_MAX_LENGTH: usize = 32768;
    /// `minimum` of `skippedCount`.
    pub const SKIPPED_COUNT_MINIMUM: i32 = 0;
    /// `maximum` of `skippedCount`.
    pub const SKIPPED_COUNT_MAXIMUM: i32 = 2147483647;
    /// `maxLength` of `startError`.
    pub const START_ERROR_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `observedSchedule`.
    pub const OBSERVED_SCHEDULE_MAX_LENGTH: usize = 400;
    /// `maxLength` of `cronJobName`.
    pub const CRON_JOB_NAME_MAX_LENGTH: usize = 253;
    /// `maxItems` of `appliedTemplates`.
    pub const APPLIED_TEMPLATES_MAX_ITEMS: usize = 16;
    /// `maxItems` of `otherWriters`.
    pub const OTHER_WRITERS_MAX_ITEMS: usize = 8;
}

/// Bounds and defaults of [`BackupRecord`].
impl BackupRecord {
    /// `maxLength` of `backupId`.
    pub const BACKUP_ID_MAX_LENGTH: usize = 253;
    /// `maxItems` of `otherBackupIds`.
    pub const OTHER_BACKUP_IDS_MAX_ITEMS: usize = 11;
    /// `maxLength` of `otherBackupIds[]`.
    pub const OTHER_BACKUP_IDS_ITEM_MAX_LENGTH: usize = 253;
    /// `maxLength` of `reason`.
    pub const REASON_MAX_LENGTH: usize = 128;
    /// `maxLength` of `location`.
    pub const LOCATION_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `connection`.
    pub const CONNECTION_MAX_LENGTH: usize = 256;
    /// `maxLength` of `jobName`.
    pub const JOB_NAME_MAX_LENGTH: usize = 253;
    /// `maxLength` of `jobUID`.
    pub const JOB_UID_MAX_LENGTH: usize = 63;
    /// `minimum` of `attempts`.
    pub const ATTEMPTS_MINIMUM: i32 = 0;
    /// `maximum` of `attempts`.
    pub const ATTEMPTS_MAXIMUM: i32 = 2147483647;
    /// `minimum` of `disruptions`.
    pub const DISRUPTIONS_MINIMUM: i32 = 0;
    /// `maximum` of `disruptions`.
    pub const DISRUPTIONS_MAXIMUM: i32 = 2147483647;
    /// `maxItems` of `tables`.
    pub const TABLES_MAX_ITEMS: usize = 1024;
    /// `maxLength` of `tables[]`.
    pub const TABLES_ITEM_MAX_LENGTH: usize = 255;
    /// `minimum` of `tableCount`.
    pub const TABLE_COUNT_MINIMUM: i32 = 0;
    /// `maximum` of `tableCount`.
    pub const TABLE_COUNT_MAXIMUM: i32 = 2147483647;
    /// `minimum` of `tablesOmitted`.
    pub const TABLES_OMITTED_MINIMUM: i32 = 0;
    /// `maximum` of `tablesOmitted`.
    pub const TABLES_OMITTED_MAXIMUM: i32 = 2147483647;
    /// `minimum` of `sizeBytes`.
    pub const SIZE_BYTES_MINIMUM: i64 = 0;
    /// `maxLength` of `readBackError`.
    pub const READ_BACK_ERROR_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `error`.
    pub const ERROR_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `firstError`.
    pub const FIRST_ERROR_MAX_LENGTH: usize = 1024;
    /// `maxLength` of `reasonBefore`.
    pub const REASON_BEFORE_MAX_LENGTH: usize = 128;
    /// `maxLength` of `errorBefore`.
    pub const ERROR_BEFORE_MAX_LENGTH: usize = 1024;
}

/// Bounds and defaults of [`RecordedCluster`].
impl RecordedCluster {
    /// `maxLength` of `namespace`.
    pub const NAMESPACE_MAX_LENGTH: usize = 63;
    /// `maxLength` of `name`.
    pub const NAME_MAX_LENGTH: usize = 253;
    /// `maxLength` of `uid`.
    pub const UID_MAX_LENGTH: usize = 63;
}

/// Bounds and defaults of [`Omitted`].
impl Omitted {
    /// `maxLength` of `refusal`.
    pub const REFUSAL_MAX_LENGTH: usize = 1024;
}

/// Bounds and defaults of [`PinnedCluster`].
impl PinnedCluster {
    /// `maxLength` of `namespace`.
    pub const NAMESPACE_MAX_LENGTH: usize = 63;
    /// `maxLength` of `name`.
    pub const NAME_MAX_LENGTH: usize = 253;
    /// `maxLength` of `uid`.
    pub const UID_MAX_LENGTH: usize = 63;
}

/// Bounds and defaults of [`AppliedCronJob`].
impl AppliedCronJob {
    /// `maxLength` of `uid`.
    pub const UID_MAX_LENGTH: usize = 63;
    /// `maxLength` of `requested`.
    pub const REQUESTED_MAX_LENGTH: usize = 64;
    /// `maxLength` of `answered`.
    pub const ANSWERED_MAX_LENGTH: usize = 64;
    /// `maxItems` of `changedFields`.
    pub const CHANGED_FIELDS_MAX_ITEMS: usize = 16;
    /// `maxLength` of `changedFields[]`.
    pub const CHANGED_FIELDS_ITEM_MAX_LENGTH: usize = 253;
}

/// Bounds and defaults of [`SecondWriter`].
impl SecondWriter {
    /// `maxItems` of `managers`.
    pub const MANAGERS_MAX_ITEMS: usize = 4;
    /// `maxLength` of `managers[]`.
    pub const MANAGERS_ITEM_MAX_LENGTH: usize = 128;
    /// `maxLength` of `cronJob`.
    pub const CRON_JOB_MAX_LENGTH: usize = 253;
}

/// Bounds and defaults of [`AppliedTemplate`].
impl AppliedTemplate {
    /// `maxLength` of `requested`.
    pub const REQUESTED_MAX_LENGTH: usize = 64;
    /// `maxLength` of `answered`.
    pub const ANSWERED_MAX_LENGTH: usize = 64;
    /// `maxItems` of `parts`.
    pub const PARTS_MAX_ITEMS: usize = 16;
}

/// Bounds and defaults of [`TemplatePart`].
impl TemplatePart {
    /// `maxLength` of `path`.
    pub const PATH_MAX_LENGTH: usize = 64;
    /// `maxLength` of `digest`.
    pub const DIGEST_MAX_LENGTH: usize = 64;
}

/// Bounds and defaults of [`OtherWriter`].
impl OtherWriter {
    /// `maxLength` of `manager`.
    pub const MANAGER_MAX_LENGTH: usize = 128;
    /// `maxItems` of `fields`.
    pub const FIELDS_MAX_ITEMS: usize = 8;
    /// `maxLength` of `fields[]`.
    pub const FIELDS_ITEM_MAX_LENGTH: usize = 253;
}
