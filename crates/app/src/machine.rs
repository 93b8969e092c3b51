//! What the machine, or the container around the program, has.

/// Bytes of memory of the machine, or of the container when it has fewer.
#[must_use]
pub fn memory_bytes() -> Option<u64> {
    let machine = kib_after("/proc/meminfo", "MemTotal:")?;
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Some(container.map_or(machine, |bytes: u64| bytes.min(machine)))
}

/// Bytes that this process holds and that the system cannot take back: pages of the database's file, which it can, are left out.
#[must_use]
pub fn held_bytes() -> Option<u64> {
    kib_after("/proc/self/status", "RssAnon:")
}

fn kib_after(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}
