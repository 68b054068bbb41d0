//! Makes the types, the validation and the reference page of the API from `schema/antflybackup.yaml`.

#[path = "build/mod.rs"]
mod generator;

use std::{env, error::Error, fs, path::PathBuf};

const SCHEMA: &str = "schema/antflybackup.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SCHEMA}");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=build.rs");

    let crd = fs::read_to_string(SCHEMA).map_err(|error| format!("{SCHEMA}: {error}"))?;
    let directory = PathBuf::from(env::var("OUT_DIR")?).join("generated");
    fs::create_dir_all(&directory)?;
    match generator::generate(&crd) {
        Ok(files) => {
            for file in files {
                fs::write(directory.join(file.name), file.contents)?;
            }
            Ok(())
        }
        Err(problems) => {
            for line in problems.lines() {
                println!("cargo::error={SCHEMA}: {line}");
            }
            Err(format!("{SCHEMA} cannot be made into Rust").into())
        }
    }
}
