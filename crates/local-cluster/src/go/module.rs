//! Go modules that pin programs.

use anyhow::{Context, Result};

/// A Go module of ours that pins programs.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    /// Name of its directory in the cache.
    pub name: &'static str,
    /// What its programs are, in messages, such as `control plane`.
    pub what: &'static str,
    /// Its files, by their path in the module: `go.mod`, `go.sum`, and Go files. They are part of this program, so that it
    /// builds exactly what its cache key says.
    pub files: &'static [(&'static str, &'static str)],
    /// The required module whose version names the cache directory and goes to `flags`.
    pub versioned_by: &'static str,
    /// Flags of `go build` for that version, such as `v1.37.2`.
    pub flags: fn(version: &str) -> Vec<String>,
    /// What else a user may do when there is no Go that can build it, such as `, or set X to …`; may be empty.
    pub way_out: &'static str,
}

/// A program to build.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// File name of the binary.
    pub name: &'static str,
    /// Go's import path of its main package.
    pub package: &'static str,
}

/// Returns the flags of `go build` for a small program whose version is not stamped in; they are the same for every
/// version.
pub fn plain_flags(_version: &str) -> Vec<String> {
    ["-mod=readonly", "-trimpath", "-ldflags", "-s -w"].map(str::to_owned).to_vec()
}

impl Module {
    /// Returns the version that `go.mod` requires of `module`, such as `v1.37.2`.
    ///
    /// # Errors
    /// It requires no such module.
    pub fn required(&self, module: &str) -> Result<&'static str> {
        let go_mod = self.files.iter().find(|(path, _)| *path == "go.mod").map(|(_, text)| *text);
        go_mod
            .and_then(|go_mod| pinned(go_mod, module))
            .with_context(|| format!("the go.mod of {} has no line for {module}", self.name))
    }
}

/// Returns the version that `go_mod` requires of `module`, or of Go itself.
fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_read_from_go_mod() {
        let go_mod =
            "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.2.3\n)\nrequire a.b/c v0.1.0 // indirect\n";
        assert_eq!(pinned(go_mod, "k8s.io/kubernetes"), Some("v1.2.3"));
        assert_eq!(pinned(go_mod, "a.b/c"), Some("v0.1.0"));
        assert_eq!(pinned(go_mod, "go"), Some("1.26.0"));
        assert_eq!(pinned(go_mod, "absent"), None);
    }

    #[test]
    fn a_pin_that_is_missing_is_named() {
        const MODULE: Module = Module {
            name: "tools",
            what: "tools",
            files: &[("go.mod", "go 1.26.0\nrequire a.b/c v1.2.3\n")],
            versioned_by: "a.b/c",
            flags: |_| Vec::new(),
            way_out: "",
        };
        assert_eq!(MODULE.required("a.b/c").unwrap(), "v1.2.3");
        let error = MODULE.required("absent").unwrap_err().to_string();
        assert_eq!(error, "the go.mod of tools has no line for absent");
    }
}
