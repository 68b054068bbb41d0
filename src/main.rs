//! Operator for `AntflyBackup` resources; see `antfly_backup_operator::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    antfly_backup_operator::cli::main()
}
