//! What there is to work with: the processors and the memory of the machine, or of the container when that has less.
//!
//! A setting that is 0 takes its share of this. A container says its bounds in its control group, of version 2 or 1, and each group is
//! bounded by those around it too; the processors are counted by the standard library, which looks at the same place.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Settings;

const MIB: u64 = 1 << 20;
/// MiB of an analysis, and of one that did not get by with those, where there is room.
const ANALYSIS_MIB: (u64, u64) = (64, 768);
const ANALYSIS_MAX_MIB: u64 = 4_096;
/// MiB of answers in memory.
const ANSWERS_MIB: (u64, u64) = (8, 64);
/// Threads that work off tasks.
const WORKERS_MAX: u64 = 4;

/// What the process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Processors; a quota of time counts as whole ones, rounded down, and at least one.
    pub processors: u64,
    /// MiB of memory; none where the system does not tell.
    pub memory_mib: Option<u64>,
    /// Who bounds the memory: `machine`, `cgroup v2` or `cgroup v1`.
    pub bounded_by: &'static str,
}

impl Machine {
    /// Looks at the machine and at the control group of this process.
    #[must_use]
    pub fn look() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, |n| n.get() as u64);
        let (memory, bounded_by) = memory_below(Path::new("/"));
        Self { processors, memory_mib: memory.map(|bytes| bytes / MIB), bounded_by }
    }
}

/// Bytes of memory of the machine, or of the container when it has fewer.
#[must_use]
pub fn memory_bytes() -> Option<u64> {
    memory_below(Path::new("/")).0
}

/// Bytes that this process holds and that the system cannot take back: pages of the database's file, which it can, are left out.
#[must_use]
pub fn held_bytes() -> Option<u64> {
    status_bytes("RssAnon:")
}

/// Bytes of this process with pages of files.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    status_bytes("VmRSS:")
}

fn status_bytes(name: &str) -> Option<u64> {
    kib_after(&std::fs::read_to_string("/proc/self/status").ok()?, name).map(|kib| kib * 1_024)
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let memory = self.memory_mib.map_or("memory unknown".to_owned(), |mib| format!("{mib} MiB"));
        write!(f, "{} processor(s), {memory} ({})", self.processors, self.bounded_by)
    }
}

impl Settings {
    /// Gives every setting that is 0 its share of the machine, and keeps what came of it in `sized`.
    pub(crate) fn size_by(&mut self, machine: Machine) {
        let mut sized = Vec::new();
        let mut take = |name: &str, is_open: bool, share: u64| {
            if is_open {
                sized.push(format!("{name} = {share}"));
            }
            is_open
        };
        // Where nothing is known there is room.
        let held = match (self.limits.memory_mib, machine.memory_mib) {
            (0, there_is) => there_is.map(|mib| mib / 10 * 9),
            (mib, _) => Some(mib),
        };
        let share = |part: u64, (least, most): (u64, u64)| held.map_or(most, |mib| (mib / part).clamp(least, most));
        if let Some(mib) = held
            && take("limits.memory_mib", self.limits.memory_mib == 0, mib)
        {
            self.limits.memory_mib = mib;
        }
        let threads = machine.processors.min(256);
        if take("analysis.threads", self.analysis.threads == 0, threads) {
            self.analysis.threads = u32::try_from(threads).unwrap_or(1);
        }
        let workers = machine.processors.clamp(1, WORKERS_MAX);
        if take("work.workers", self.work.workers == 0, workers) {
            self.work.workers = workers;
        }
        // Two analyses for the doors and one for each worker may run at once.
        let mib = share(8, ANALYSIS_MIB);
        if take("analysis.memory_mib", self.analysis.memory_mib == 0, mib) {
            self.analysis.memory_mib = u32::try_from(mib).unwrap_or(u32::MAX);
        }
        let least = u64::from(self.analysis.memory_mib);
        let mib = share(2, (least, ANALYSIS_MAX_MIB.max(least)));
        if take("analysis.memory_max_mib", self.analysis.memory_max_mib == 0, mib) {
            self.analysis.memory_max_mib = u32::try_from(mib).unwrap_or(u32::MAX);
        }
        let mib = share(32, ANSWERS_MIB);
        if take("cache.l1_mib", self.cache.l1_mib == 0, mib) {
            self.cache.l1_mib = mib;
        }
        self.sized = Sized { machine: Some(machine), settings: sized };
    }
}

/// What was sized, and by what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sized {
    /// By what; none before it was looked at.
    pub machine: Option<Machine>,
    /// `name = value` of each setting that was 0.
    pub settings: Vec<String>,
}

impl Sized {
    /// What the machine gave to a setting, if it was sized.
    pub(crate) fn share(&self, setting: &str) -> Option<u64> {
        let value = |line: &String| line.strip_prefix(setting)?.strip_prefix(" = ")?.parse().ok();
        self.settings.iter().find_map(value)
    }
}

impl std::fmt::Display for Sized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(machine) = &self.machine {
            write!(f, "{machine}")?;
        }
        if self.settings.is_empty() { Ok(()) } else { write!(f, ": {}", self.settings.join(", ")) }
    }
}

/// Bytes of memory, and who bounds them, as told by the files below `root`.
fn memory_below(root: &Path) -> (Option<u64>, &'static str) {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let (groups, mounts, machine) = (read("proc/self/cgroup"), read("proc/self/mountinfo"), read("proc/meminfo"));
    let machine = kib_after(&machine, "MemTotal:").map(|kib| kib * 1_024);
    let bounds = [
        (lowest_bound(root, &groups, &mounts, "", "cgroup2", "memory.max"), "cgroup v2"),
        (lowest_bound(root, &groups, &mounts, "memory", "cgroup", "memory.limit_in_bytes"), "cgroup v1"),
    ];
    let lowest = bounds.into_iter().filter_map(|(bytes, who)| Some((bytes?, who))).min();
    match (lowest, machine) {
        (Some((bytes, who)), Some(there_is)) if bytes < there_is => (Some(bytes), who),
        (Some((bytes, who)), None) => (Some(bytes), who),
        (_, machine) => (machine, "machine"),
    }
}

fn kib_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The lowest number in `file` of this process's group and of those around it, as far as they can be seen.
fn lowest_bound(root: &Path, groups: &str, mounts: &str, controller: &str, kind: &str, file: &str) -> Option<u64> {
    let group = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        controllers.split(',').any(|one| one == controller).then_some(path)
    })?;
    let (seen_from, mounted_at) = mounts.lines().find_map(|line| {
        let (place, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        let is_it =
            system.next()? == kind && (controller.is_empty() || system.nth(1)?.split(',').any(|o| o == controller));
        let mut place = place.split(' ').skip(3);
        is_it.then_some((place.next()?, place.next()?))
    })?;
    // Within a container the group's path may be told as the machine sees it, while only what is below it is mounted.
    let below = Path::new(group).strip_prefix(seen_from).unwrap_or(Path::new(""));
    let top = root.join(mounted_at.trim_start_matches('/'));
    let bound = |folder: &Path| std::fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let below: PathBuf = below.components().filter(|c| matches!(c, std::path::Component::Normal(_))).collect();
    below.ancestors().filter_map(|folder| bound(&top.join(folder))).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine of 8 GiB with these files.
    fn machine(files: &[(&str, &str)]) -> (Option<u64>, &'static str) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files.iter().chain(&[("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n")]) {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (bytes, who) = memory_below(root.path());
        (bytes.map(|bytes| bytes / MIB), who)
    }

    const V2: (&str, &str) =
        ("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
    const V1: (&str, &str) =
        ("proc/self/mountinfo", "33 30 0:30 /docker/ab /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");

    #[test]
    fn a_group_of_version_2_and_those_around_it_bound_the_memory() {
        let group = ("proc/self/cgroup", "0::/pods/one\n");
        let own = ("sys/fs/cgroup/pods/one/memory.max", "2147483648\n");
        assert_eq!(machine(&[V2, group, own]), (Some(2_048), "cgroup v2"));
        let around = ("sys/fs/cgroup/pods/memory.max", "1073741824\n");
        assert_eq!(machine(&[V2, group, own, around]), (Some(1_024), "cgroup v2"));
        let open = ("sys/fs/cgroup/pods/one/memory.max", "max\n");
        assert_eq!(machine(&[V2, group, open]), (Some(8_192), "machine"));
        // As a container sees itself.
        let inside = ("sys/fs/cgroup/memory.max", "536870912\n");
        assert_eq!(machine(&[V2, ("proc/self/cgroup", "0::/\n"), inside]), (Some(512), "cgroup v2"));
    }

    #[test]
    fn a_group_of_version_1_is_found_by_its_controller() {
        let group = ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/ab\n0::/\n");
        let own = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
        assert_eq!(machine(&[V1, group, own]), (Some(1_024), "cgroup v1"));
        let open = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(machine(&[V1, group, open]), (Some(8_192), "machine"));
        assert_eq!(machine(&[]), (Some(8_192), "machine"));
    }

    #[test]
    fn shares_are_of_what_there_is_and_never_of_what_was_said() {
        let of = |mib, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let mut settings: Settings = toml::from_str(crate::settings::DEFAULT).unwrap();
            let said = Settings::load(None, variables).unwrap();
            settings.limits.memory_mib = if said.changed.is_empty() { 0 } else { said.limits.memory_mib };
            settings.size_by(Machine { processors: 3, memory_mib: Some(mib), bounded_by: "machine" });
            let analysis = &settings.analysis;
            assert_eq!((settings.work.workers, analysis.threads), (3, 3));
            (settings.limits.memory_mib, analysis.memory_mib, analysis.memory_max_mib, settings.cache.l1_mib)
        };
        assert_eq!(of(65_536, &[]), (58_977, 768, 4_096, 64));
        assert_eq!(of(2_048, &[]), (1_836, 229, 918, 57));
        assert_eq!(of(256, &[]), (225, 64, 112, 8));
        assert_eq!(of(65_536, &[("CIDADAO_LIMITS_MEMORY_MIB", "1024")]), (1_024, 128, 512, 32));
    }
}
