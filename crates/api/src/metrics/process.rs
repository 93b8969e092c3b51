//! The process: memory, threads, processor, files, disk, and the runtime that answers requests.

use app::machine::{held_bytes, resident_bytes};
use app::queries::Figures;
use prometheus::{Counter, Gauge, IntGauge, IntGaugeVec, Opts};

use super::{Named, bytes, whole};

/// Ticks of a second in which Linux tells processor time to programs, on every machine.
const TICKS_PER_S: f64 = 100.0;

pub(super) struct ProcessMetrics {
    held: IntGauge,
    resident: IntGauge,
    memory_max: IntGauge,
    threads: IntGauge,
    files: IntGauge,
    files_max: IntGauge,
    cpu: Counter,
    disk: IntGaugeVec,
    disk_free: IntGauge,
    disk_size: IntGauge,
    runtime_workers: IntGauge,
    runtime_tasks: IntGauge,
    runtime_queue: IntGauge,
}

impl ProcessMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        let started = Gauge::new("cidadao_ai_start_time_seconds", "When the program started, Unix time.")?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        started.set(now.as_secs_f64());
        registry.add(&started)?;
        let build = IntGauge::with_opts(
            Opts::new("cidadao_ai_build_info", "The program's version; always 1.").const_label("version", app::VERSION),
        )?;
        build.set(1);
        registry.add(&build)?;
        let cpu = Counter::new("cidadao_ai_process_cpu_seconds_total", "Processor time that the process took.")?;
        registry.add(&cpu)?;
        Ok(Self {
            held: registry.gauge(
                "cidadao_ai_process_memory_bytes",
                "Memory that the process holds and the system cannot take back: pages of files left out.",
            )?,
            resident: registry
                .gauge("cidadao_ai_process_resident_memory_bytes", "Memory of the process, pages of files included.")?,
            memory_max: registry.gauge(
                "cidadao_ai_process_memory_max_bytes",
                "Memory above which requests are shed (limits.memory_mib, or nine tenths of what there is).",
            )?,
            threads: registry.gauge("cidadao_ai_process_threads", "Threads of the process.")?,
            files: registry.gauge("cidadao_ai_process_open_fds", "Open files and connections of the process.")?,
            files_max: registry.gauge("cidadao_ai_process_max_fds", "Files and connections that it may have open.")?,
            cpu,
            disk: registry.gauges(
                "cidadao_ai_disk_bytes",
                "Bytes in the data folder: the database's file and log, the cache, what analysis spilled.",
                &["what"],
            )?,
            disk_free: registry
                .gauge("cidadao_ai_disk_free_bytes", "Bytes that are free where the data folder lies.")?,
            disk_size: registry.gauge("cidadao_ai_disk_size_bytes", "Bytes that there are where it lies.")?,
            runtime_workers: registry
                .gauge("cidadao_ai_runtime_workers", "Threads that answer requests without blocking.")?,
            runtime_tasks: registry.gauge("cidadao_ai_runtime_tasks", "Tasks of the runtime that are alive.")?,
            runtime_queue: registry
                .gauge("cidadao_ai_runtime_queue", "Tasks that are ready and wait in the runtime's common queue.")?,
        })
    }

    pub(super) fn hold(&self, figures: &Figures, memory_max: u64) {
        self.held.set(bytes(held_bytes().unwrap_or_default()));
        self.resident.set(bytes(resident_bytes().unwrap_or_default()));
        self.threads.set(whole(std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)));
        self.memory_max.set(bytes(memory_max));
        self.files.set(whole(std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)));
        self.files_max.set(bytes(files_max().unwrap_or_default()));
        self.cpu.inc_by((cpu_s().unwrap_or_default() - self.cpu.get()).max(0.0));
        for (what, n) in &figures.disk {
            self.disk.with_label_values(&[*what]).set(bytes(*n));
        }
        if let Some((free, size)) = figures.disk_free {
            self.disk_free.set(bytes(free));
            self.disk_size.set(bytes(size));
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let of = runtime.metrics();
            self.runtime_workers.set(whole(of.num_workers()));
            self.runtime_tasks.set(whole(of.num_alive_tasks()));
            self.runtime_queue.set(whole(of.global_queue_depth()));
        }
    }
}

/// Processor seconds of this process, of its own and of the system for it.
#[allow(clippy::cast_precision_loss, reason = "a sum of seconds")]
fn cpu_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold spaces.
    let (_, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) as f64 / TICKS_PER_S)
}

fn files_max() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}
