//! Writes the results to docs/performance.md.

use super::{
    attack::Attack, controller::Started, machine::Machine, measure::Size, operator::Memory, options::Options, plot,
    progress, requests::Requests,
};
use anyhow::{Context, Result};
use std::{fmt::Write, fs, time::Duration};

/// The text before the figures.
const INTRODUCTION: &str = include_str!("performance/introduction.md");

/// The text after the figures.
const ADVICE: &str = include_str!("performance/advice.md");

/// All results.
#[derive(Debug, Default)]
pub struct Findings {
    /// The machine and the time.
    pub machine: Machine,
    /// The results by size.
    pub sizes: Vec<Size>,
    /// The CronJob controller's rate.
    pub controller: Option<Started>,
    /// The effect of a hostile tenant.
    pub attack: Option<Attack>,
}

impl Findings {
    /// Writes the document, and the plot if there are several sizes. Leaves out what was not measured.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write(&self, options: &Options) -> Result<()> {
        let path = options.output.join("performance.md");
        fs::write(&path, self.document()?).with_context(|| format!("write {}", path.display()))?;
        if self.sizes.len() > 1 {
            plot::draw(&self.sizes, &options.output.join("performance.svg"))?;
        }
        progress(&format!("wrote {}", path.display()));
        Ok(())
    }

    fn document(&self) -> Result<String> {
        let mut out = INTRODUCTION.to_owned();
        self.machine(&mut out)?;
        if !self.sizes.is_empty() {
            self.times(&mut out)?;
            self.memory(&mut out)?;
            self.requests(&mut out)?;
            self.shards(&mut out)?;
        }
        if let Some(attack) = &self.attack {
            hostile(&mut out, attack)?;
        }
        if let Some(started) = &self.controller {
            writeln!(out, "\n## The CronJob controller\n")?;
            writeln!(
                out,
                "{} CronJobs due in the same minute, kube-controller-manager with its default limits: {:.1} Jobs a second; the \
                last one was there {} s after its scheduled time.",
                started.jobs,
                started.per_second,
                started.last_after.as_secs()
            )?;
        }
        Ok(out + "\n" + ADVICE)
    }

    fn machine(&self, out: &mut String) -> Result<()> {
        let Machine { processor, processors, memory, kernel, load, date, revision } = &self.machine;
        writeln!(out, "\n## Where and when\n")?;
        writeln!(out, "{date}, revision {revision}, `cargo bench --bench scale`.\n")?;
        writeln!(
            out,
            "- {processors} processors ({processor}), {memory} GiB, Linux {kernel}; load average at the start {load}"
        )?;
        writeln!(out, "- {}, on the same machine", versions()?)?;
        writeln!(out, "- the operator as it is in the image: release profile, linked statically with musl")?;
        Ok(())
    }

    fn times(&self, out: &mut String) -> Result<()> {
        writeln!(out, "\n## Time\n")?;
        out.push_str("![Time and memory over the number of AntflyBackups](performance.svg)\n\n");
        self.table(out, "AntflyBackups", |size| size.backups.to_string())?;
        self.row(out, "bare client: list, and two writes for each, from connecting on", |size| {
            format!("{} ({} at a time)", seconds(size.limit()), size.concurrency)
        })?;
        self.row(out, "its runs", |size| list(&size.limits))?;
        self.row(out, "cold start: from the start of the process to all Active", |size| seconds(size.cold_start()))?;
        self.row(out, "the cold starts, between those runs", |size| list(&size.cold_starts))?;
        self.row(out, "**ratio** (target: at most 1.3)", |size| {
            format!("**{:.2}**", size.cold_start().as_secs_f64() / size.limit().as_secs_f64())
        })?;
        self.row(out, "processor time of the operator in a cold start", |size| {
            milliseconds(size.cold_start_processor)
        })?;
        self.row(out, "an operator that finds four unrecorded Jobs a backup: to its last write", |size| {
            seconds(size.catch_up)
        })?;
        self.row(out, "restart with nothing to do: to ready", |size| seconds(size.restart))?;
        self.row(out, "a new address of the AntflyCluster that all use: to the last CronJob", |size| {
            seconds(size.mass_edit)
        })?;
        self.row(out, "runs that start in a second, all due in the same minute", |size| {
            format!("{:.0} ({} runs)", size.runs.rate, size.runs.until_recorded.count())
        })?;
        self.row(out, "meanwhile, from a Job's end to its record: p50 (target: 100 ms)", |size| {
            milliseconds(size.runs.until_recorded.percentile(50))
        })?;
        self.row(out, "p99 (target: 1 s)", |size| milliseconds(size.runs.until_recorded.percentile(99)))?;
        self.row(out, "processor time of a minute at rest", |size| milliseconds(size.rest_processor))?;
        self.row(out, "load average before", |size| size.load.clone())
    }

    fn memory(&self, out: &mut String) -> Result<()> {
        writeln!(out, "\n## Memory (RSS)\n")?;
        self.table(out, "AntflyBackups", |size| size.backups.to_string())?;
        self.row(out, "after a cold start, no Jobs: peak / settled", |size| both(size.cold_start_memory))?;
        self.row(out, "four Jobs each, after a restart: peak / settled", |size| both(size.rest_memory))?;
        self.row(out, "the same after the API server was killed and all was listed anew", |size| {
            both(size.relist_memory)
        })?;
        self.row(out, "after a mass edit and the runs", |size| both(size.end_memory))?;
        writeln!(out, "\nMiB. Targets, settled: at most 60 at 1,000 and 250 at 10,000 AntflyBackups.")?;
        Ok(())
    }

    fn requests(&self, out: &mut String) -> Result<()> {
        writeln!(out, "\n## Requests, by the API server's own count\n")?;
        self.table(out, "AntflyBackups", |size| size.backups.to_string())?;
        self.row(out, "cold start: writes a backup, Events aside (target: 2)", |size| {
            format!("{:.3}", size.cold_start_requests.writes() as f64 / size.backups as f64)
        })?;
        self.row(out, "cold start: Events", |size| size.cold_start_requests.events().to_string())?;
        self.row(out, "four unrecorded Jobs each: writes a backup", |size| {
            format!("{:.3}", size.catch_up_requests.writes() as f64 / size.backups as f64)
        })?;
        self.row(out, "four unrecorded Jobs each: Events until the last write", |size| {
            size.catch_up_requests.events().to_string()
        })?;
        self.row(out, "restart and a minute at rest: writes, Events (target: 0)", |size| {
            format!("{}, {}", size.rest_requests.writes(), size.rest_requests.events())
        })?;
        self.row(out, "mass edit: writes a backup", |size| {
            format!("{:.3}", size.mass_edit_requests.writes() as f64 / size.backups as f64)
        })?;
        self.row(out, "mass edit: Events", |size| size.mass_edit_requests.events().to_string())?;
        self.row(out, "runs: writes of the status a run", |size| {
            format!("{:.3}", size.runs_requests.status_writes() as f64 / size.runs.until_recorded.count() as f64)
        })?;
        self.row(out, "runs: Events", |size| size.runs_requests.events().to_string())?;
        let Some(largest) = self.sizes.last() else { return Ok(()) };
        writeln!(out, "\nBy resource and verb, {} AntflyBackups:\n", largest.backups)?;
        let cases: [(&str, &Requests); 4] = [
            ("cold start", &largest.cold_start_requests),
            ("four unrecorded Jobs each", &largest.catch_up_requests),
            ("restart and rest", &largest.rest_requests),
            ("mass edit", &largest.mass_edit_requests),
        ];
        for (what, requests) in cases {
            let list: Vec<_> = requests.iter().map(|(what, verb, count)| format!("{verb} {what} {count}")).collect();
            writeln!(out, "- {what}: {}", list.join(", "))?;
        }
        Ok(())
    }

    fn shards(&self, out: &mut String) -> Result<()> {
        for size in &self.sizes {
            let Some((took, memories)) = &size.shards else { continue };
            if out.lines().all(|line| line != "## Two operators") {
                writeln!(out, "\n## Two operators\n")?;
                writeln!(out, "Each for half of the 50 namespaces (`--namespace`), started at the same time.\n")?;
                writeln!(out, "| AntflyBackups | cold start of one | of two | memory of each, peak / settled |")?;
                writeln!(out, "|---:|---:|---:|---:|")?;
            }
            let [first, second] = memories.map(both);
            let (one, two) = (seconds(size.cold_start()), seconds(*took));
            writeln!(out, "| {} | {one} | {two} | {first}; {second} |", size.backups)?;
        }
        Ok(())
    }

    fn table(&self, out: &mut String, head: &str, cell: impl Fn(&Size) -> String) -> Result<()> {
        self.row(out, head, cell)?;
        writeln!(out, "|---|{}", "---:|".repeat(self.sizes.len()))?;
        Ok(())
    }

    fn row(&self, out: &mut String, head: &str, cell: impl Fn(&Size) -> String) -> Result<()> {
        let cells: Vec<_> = self.sizes.iter().map(cell).collect();
        writeln!(out, "| {head} | {} |", cells.join(" | "))?;
        Ok(())
    }
}

fn hostile(out: &mut String, attack: &Attack) -> Result<()> {
    writeln!(out, "\n## A hostile tenant\n")?;
    writeln!(
        out,
        "Meanwhile other tenants, who have 100 AntflyBackups, change a schedule now and then. The attacker writes as fast as the \
        API server lets him; in the last two cases he has {} AntflyBackups.\n",
        attack.attackers
    )?;
    writeln!(
        out,
        "| the attacker | his writes / s | others' change to CronJob: p50 | p99 (bound: 5 s) | longest | operator's writes / s | Events / s | log, KB / s | memory: peak / settled |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for case in &attack.cases {
        let [p50, p99, longest] = [50, 99, 100].map(|percent| milliseconds(case.delays.percentile(percent)));
        writeln!(
            out,
            "| {} | {:.0} | {p50} | {p99} | {longest} | {:.1} | {:.1} | {:.1} | {} |",
            case.what,
            case.rate,
            case.writes,
            case.events,
            case.logged / 1000.0,
            both(case.memory)
        )?;
    }
    Ok(())
}

fn versions() -> Result<String> {
    let module = local_cluster::KUBERNETES;
    let (kubernetes, etcd) = (module.required("k8s.io/kubernetes")?, module.required("go.etcd.io/etcd/server/v3")?);
    Ok(format!("kube-apiserver and kube-controller-manager {kubernetes}, etcd {etcd}"))
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

fn list(durations: &[Duration]) -> String {
    durations.iter().copied().map(seconds).collect::<Vec<_>>().join(", ")
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1000.0)
}

fn both(memory: Memory) -> String {
    format!("{:.0} / {:.0}", memory.peak, memory.now)
}
