//! A memory cgroup for one process, as the kubelet makes one for a container.

use anyhow::{Context as _, Result};
use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A memory cgroup; dropping it removes it, once its processes have ended.
pub struct MemoryCgroup {
    directory: PathBuf,
    peak: &'static str,
}

impl MemoryCgroup {
    /// Makes a cgroup with that limit in bytes, and no swap. Returns `None`, and says so, if none can be made here, as without root:
    /// with `REQUIRE_MEMORY_CGROUP=1` that is a failure.
    pub fn create(limit: u64) -> Option<Self> {
        match Self::try_create(limit) {
            Ok(cgroup) => Some(cgroup),
            Err(error) if env::var_os("REQUIRE_MEMORY_CGROUP").is_some_and(|value| value == "1") => {
                panic!("REQUIRE_MEMORY_CGROUP=1, and no memory cgroup can be made: {error:#}")
            }
            Err(error) => {
                let text = "set REQUIRE_MEMORY_CGROUP=1 to have this fail, and run it as root";
                // not captured by the test runner
                let _ =
                    writeln!(std::io::stderr().lock(), "SKIPPED: no memory cgroup can be made here: {error:#}; {text}");
                None
            }
        }
    }

    fn try_create(limit: u64) -> Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("antfly-test-{}-{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let root = Path::new("/sys/fs/cgroup");
        let is_v2 = root.join("cgroup.controllers").exists();
        let directory = if is_v2 { root.join(name) } else { root.join("memory").join(name) };
        if is_v2 {
            // it may be on already
            let _ = fs::write(root.join("cgroup.subtree_control"), "+memory");
        }
        fs::create_dir(&directory).with_context(|| format!("make {}", directory.display()))?;
        let cgroup = MemoryCgroup { directory, peak: if is_v2 { "memory.peak" } else { "memory.max_usage_in_bytes" } };
        let files = if is_v2 {
            [("memory.max", limit), ("memory.swap.max", 0)]
        } else {
            [("memory.limit_in_bytes", limit), ("memory.memsw.limit_in_bytes", limit)]
        };
        let [(memory, limit), (swap, most)] = files;
        let file = cgroup.directory.join(memory);
        fs::write(&file, limit.to_string()).with_context(|| format!("write {}", file.display()))?;
        let swap = cgroup.directory.join(swap);
        if swap.exists() {
            fs::write(&swap, most.to_string()).with_context(|| format!("write {}", swap.display()))?;
        }
        Ok(cgroup)
    }

    /// Returns a command of the shell that joins the cgroup and becomes the program and arguments that follow. `shell` is a
    /// command of `/bin/sh` without arguments.
    pub fn join(&self, mut shell: Command) -> Command {
        let processes = self.directory.join("cgroup.procs");
        shell.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(processes);
        shell
    }

    /// Returns the most bytes that its processes took at a time, as the kernel counts them.
    pub fn peak(&self) -> Result<u64> {
        let file = self.directory.join(self.peak);
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        text.trim().parse().with_context(|| format!("read {}", file.display()))
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}
