//! Generates the Rust side of the API from `schema/antflybackup.yaml`: see `crates/api-generator`.

use std::{env, error::Error, fs, path::PathBuf};

const SCHEMA: &str = "schema/antflybackup.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SCHEMA}");
    let schema = fs::read_to_string(SCHEMA).map_err(|error| format!("{SCHEMA}: {error}"))?;
    let files = api_generator::generate(&schema).map_err(|problems| {
        problems.to_string().lines().for_each(|line| println!("cargo::error={SCHEMA}: {line}"));
        format!("no Rust can be generated from {SCHEMA}")
    })?;
    let directory = PathBuf::from(env::var("OUT_DIR")?).join("generated");
    fs::create_dir_all(&directory)?;
    for file in files {
        fs::write(directory.join(file.name), file.contents)?;
    }
    Ok(())
}
