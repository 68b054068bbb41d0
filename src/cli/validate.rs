//! `validate`: prints what the API server would refuse, without a cluster.

use super::{
    files::{Document, read, skip},
    output::print,
};
use crate::api::{
    KIND,
    schedule::Schedule,
    time_zone::time_zone,
    validation::{UnknownFields, validate as violations},
};
use clap::Args;
use std::process::ExitCode;

/// Options of `validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateOptions {
    /// File with AntflyBackups, as YAML or JSON, with one or more documents; - for standard input; repeatable
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<String>,
}

/// Prints each violation to standard output as `FILE: FIELD: MESSAGE`. Returns exit code 1 if there is one.
pub fn validate(options: &ValidateOptions) -> anyhow::Result<ExitCode> {
    let (mut valid, mut refused) = (0, 0);
    for file in &options.files {
        let documents = match read(file) {
            Ok(documents) => documents,
            Err(error) => {
                print(&format!("{error:#}\n"))?;
                refused += 1;
                continue;
            }
        };
        for document in documents {
            if document.value["kind"] != KIND {
                skip(&document, "an AntflyBackup");
                continue;
            }
            let found = violations(&document.value, UnknownFields::Refuse);
            for violation in &found {
                print(&format!("{file}: {violation}\n"))?;
            }
            if found.is_empty() {
                valid += 1;
                warn_of_what_the_operator_refuses(&document);
            } else {
                refused += 1;
            }
        }
    }
    eprintln!("{valid} valid, {refused} refused");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Warns of a schedule that never fires, and of an unknown time zone. The API server accepts them, but the operator reports
/// InvalidSchedule or InvalidTimeZone.
fn warn_of_what_the_operator_refuses(document: &Document) {
    let schedule = document.value["spec"]["schedule"].as_str().unwrap_or_default();
    if Schedule::parse(schedule).is_ok_and(|schedule| !schedule.fires()) {
        eprintln!("{}: spec.schedule: warning: {schedule:?} never fires: no year has that date", document.file);
    }
    if let Some(Err(unknown)) = document.value["spec"]["timeZone"].as_str().map(time_zone) {
        eprintln!("{}: spec.timeZone: warning: {unknown}", document.file);
    }
}
