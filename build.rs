//! Generates the Rust side of the API from `schema/antflybackup.yaml`: see `crates/api-generator`.

use std::{env, error::Error, fs, path::PathBuf};

const SCHEMA: &str = "schema/antflybackup.yaml";

/// What the schema takes of Kubernetes' OpenAPI, and that.
const SHAPES: &str = "schema/kubernetes/shapes.yaml";
const OPENAPI: &str = "schema/kubernetes/openapi.json";

fn main() -> Result<(), Box<dyn Error>> {
    let [schema, shapes, openapi] = [read(SCHEMA)?, read(SHAPES)?, read(OPENAPI)?];
    let shaped = api_generator::with_kubernetes_shapes(&schema, &shapes, &openapi)
        .map_err(|problems| format!("{SHAPES}: {problems}"))?;
    if shaped != schema {
        println!(
            "cargo::error={SCHEMA}: the shapes of Kubernetes are not those of {SHAPES}; run `cargo xtask generate`"
        );
        return Err(format!("{SCHEMA} is out of date").into());
    }
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

fn read(file: &str) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={file}");
    Ok(fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?)
}
