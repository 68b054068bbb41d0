//! The arguments of the program in a Pod template: written by the operator, and read again from a Job.

/// The operator's subcommand that the container runs.
const COMMAND: &str = "backup";

const SERVER_FLAG: &str = "--server=";
const LOCATION_FLAG: &str = "--location=";
const CONNECTION_FLAG: &str = "--connection=";
const TABLE_FLAG: &str = "--table=";
const SECRET_FLAG: &str = "--secret=";

/// The kubelet expands `$(VAR)` in arguments and takes `$$` for a `$`
/// (<https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>).
fn literal(argument: &str) -> String {
    argument.replace('$', "$$")
}

/// What a Job asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRequest {
    /// Where the backup goes.
    pub location: String,
    /// The connection with which Antfly writes there.
    pub connection: Option<String>,
    /// The tables; empty for all.
    pub tables: Vec<String>,
}

impl JobRequest {
    /// Returns the arguments of the container, subcommand included: all in words, so that `kubectl describe job` shows it.
    /// `servers` are the addresses at which Antfly may be, in order; `secret` is the name of the Secret with the credentials.
    pub fn arguments(&self, servers: &[String], secret: Option<&str>) -> Vec<String> {
        let flag = |flag: &str, value: &str| format!("{flag}{}", literal(value));
        let servers = servers.iter().map(|server| flag(SERVER_FLAG, server));
        let location = std::iter::once(flag(LOCATION_FLAG, &self.location));
        let connection = self.connection.iter().map(|connection| flag(CONNECTION_FLAG, connection));
        let tables = self.tables.iter().map(|table| flag(TABLE_FLAG, table));
        let secret = secret.map(|secret| flag(SECRET_FLAG, secret));
        let command = std::iter::once(COMMAND.to_owned());
        command.chain(servers).chain(location).chain(connection).chain(tables).chain(secret).collect()
    }

    /// Reads the arguments of a container; `None` for those that [`Self::arguments`] did not make.
    pub fn from_arguments(arguments: &[String]) -> Option<Self> {
        let (command, flags) = arguments.split_first()?;
        let values = |flag: &str| {
            let values = flags.iter().filter_map(move |argument| argument.strip_prefix(flag));
            values.map(|value| value.replace("$$", "$")).collect::<Vec<_>>()
        };
        if command != COMMAND || values(SERVER_FLAG).is_empty() {
            return None;
        }
        Some(JobRequest {
            location: values(LOCATION_FLAG).pop()?,
            connection: values(CONNECTION_FLAG).pop(),
            tables: values(TABLE_FLAG),
        })
    }
}
