//! What the API server estimates of the rules of a CustomResourceDefinition, by its own code.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::go::{Module, Program, plain_flags};

/// The Go module that pins the API server's code for definitions, of the version of the control plane.
const MODULE: Module = Module {
    name: "schema-cost",
    what: "cost of rules",
    files: &[
        ("go.mod", include_str!("../go-modules/schema-cost/go.mod")),
        ("go.sum", include_str!("../go-modules/schema-cost/go.sum")),
        ("main.go", include_str!("../go-modules/schema-cost/main.go")),
    ],
    versioned_by: "k8s.io/apiserver",
    flags: plain_flags,
    way_out: "",
};

/// The program, which is the module itself.
const PROGRAM: Program = Program { name: "schema-cost", package: "." };

/// Returns what the API server estimates of a definition with one version: one JSON object with the `total`, the `limit` of that, the
/// `ruleLimit`, and the `rules`, each with `path`, `rule` and `cost`. Builds the program at first, which takes minutes.
///
/// # Errors
/// When Go is missing, the build fails, or the definition has a rule that the API server would refuse.
pub fn schema_cost(definition: &str) -> Result<String> {
    let program = MODULE.ensure(&[PROGRAM])?.join(PROGRAM.name);
    let mut child = Command::new(&program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("run {}", program.display()))?;
    let mut input = child.stdin.take().context("standard input was asked to be a pipe")?;
    // It reads all of it before it writes.
    input.write_all(definition.as_bytes()).context("give it the definition")?;
    drop(input);
    let output = child.wait_with_output().with_context(|| format!("wait for {}", program.display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    String::from_utf8(output.stdout).context("its answer is text")
}
