//! The causes that a result can name: [`BackupResult::reason`](super::BackupResult::reason).

/// Antfly said completed, but not for every wanted table.
pub const TABLES_MISSING: &str = "TablesMissing";
/// The answer speaks of another backup.
pub const WRONG_BACKUP_ID: &str = "WrongBackupId";
/// The answer has a status that this version does not know.
pub const UNKNOWN_STATUS: &str = "UnknownStatus";
/// The answer can't be read.
pub const UNREADABLE_ANSWER: &str = "UnreadableAnswer";
/// Antfly said completed, but named no table.
pub const NO_TABLES_IN_ANSWER: &str = "NoTablesInAnswer";
/// Some tables are backed up, others are not.
pub const PARTIAL_BACKUP: &str = "PartialBackup";
/// Antfly said that the backup failed.
pub const BACKUP_FAILED: &str = "BackupFailed";
/// Antfly answered with a server error.
pub const SERVER_ERROR: &str = "ServerError";
/// Antfly is busy, or not ready.
pub const SERVER_BUSY: &str = "ServerBusy";
/// The request was sent and its outcome is not known.
pub const OUTCOME_UNKNOWN: &str = "OutcomeUnknown";
/// Antfly refused the request as invalid.
pub const REQUEST_REFUSED: &str = "RequestRefused";
/// Antfly did not accept the login, or wants one.
pub const UNAUTHORIZED: &str = "Unauthorized";
/// Antfly accepted the login, which lacks a permission.
pub const FORBIDDEN: &str = "Forbidden";
/// No address serves Antfly's API.
pub const API_NOT_FOUND: &str = "ApiNotFound";
/// No address could be reached.
pub const CLUSTER_UNREACHABLE: &str = "ClusterUnreachable";
/// The cluster has no tables.
pub const NO_TABLES: &str = "NoTables";
/// The destination has the backup, but not all of it.
pub const PAYLOAD_MISSING: &str = "PayloadMissing";
/// The credentials can't be used.
pub const INVALID_CREDENTIALS: &str = "InvalidCredentials";
/// The program's arguments, or the environment that names the try, can't be used.
pub const INVALID_ARGUMENTS: &str = "InvalidArguments";
/// SIGTERM came before Antfly was asked.
pub const STOPPED: &str = "Stopped";
/// The try has not ended; if the container has, it was killed.
pub const INTERRUPTED: &str = "Interrupted";
/// Completed, but by way of a data node, whose snapshots can be empty.
pub const ASKED_BY_DATA_NODE: &str = "AskedByDataNode";
/// Completed, but which tables the cluster has is not known.
pub const TABLES_UNKNOWN: &str = "TablesUnknown";
