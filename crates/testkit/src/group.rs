//! A control group of the system, as containers have one: programs in it get so much memory and so many processors.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

const GROUPS: &str = "/sys/fs/cgroup";
/// Microseconds in which a quota is given anew.
const PERIOD_US: u64 = 100_000;

/// A group with bounds; it goes away with the test, when nothing runs in it any more.
pub struct Group {
    memory_mib: u64,
    processors: u64,
    folders: Vec<PathBuf>,
}

impl Group {
    /// Makes one. Who is not root, or may not write to the groups, has systemd make it when a program is started.
    #[must_use]
    pub fn of(memory_mib: u64, processors: u64) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("cidadao-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (bytes, quota, period) =
            ((memory_mib << 20).to_string(), (processors * PERIOD_US).to_string(), PERIOD_US.to_string());
        let version_1 = [
            (format!("memory/{name}"), vec![("memory.limit_in_bytes", bytes.clone())]),
            (format!("cpu/{name}"), vec![("cpu.cfs_period_us", period.clone()), ("cpu.cfs_quota_us", quota.clone())]),
        ];
        let version_2 = [(name, vec![("memory.max", bytes), ("cpu.max", format!("{quota} {period}"))])];
        let folders = made(&version_2).or_else(|| made(&version_1)).unwrap_or_default();
        Self { memory_mib, processors, folders }
    }

    /// A command that runs another one in the group.
    #[must_use]
    pub fn around(&self, command: &Command) -> Command {
        let mut around;
        if self.folders.is_empty() {
            around = Command::new("systemd-run");
            around.args(["--user", "--scope", "--quiet", "--collect"]);
            around.arg(format!("--property=MemoryMax={}M", self.memory_mib));
            around.arg(format!("--property=CPUQuota={}%", self.processors * 100)).arg("--").arg(command.get_program());
        } else {
            let joins: String =
                self.folders.iter().map(|f| format!("echo $$ > {}/cgroup.procs && ", f.display())).collect();
            around = Command::new("sh");
            around.arg("-c").arg(format!("{joins}exec \"$0\" \"$@\"")).arg(command.get_program());
        }
        around.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => around.env(name, value),
                None => around.env_remove(name),
            };
        }
        around
    }
}

/// Makes folders with these files filled; all of them or none.
fn made(groups: &[(String, Vec<(&str, String)>)]) -> Option<Vec<PathBuf>> {
    let folders: Vec<PathBuf> = groups.iter().map(|(name, _)| Path::new(GROUPS).join(name)).collect();
    let all = groups.iter().zip(&folders).all(|((_, bounds), folder)| {
        std::fs::create_dir(folder).is_ok()
            && bounds.iter().all(|(file, text)| {
                // A plain folder would take any file; a group has them already.
                folder.join(file).is_file() && std::fs::write(folder.join(file), text).is_ok()
            })
    });
    if !all {
        remove(&folders);
    }
    all.then_some(folders)
}

fn remove(folders: &[PathBuf]) {
    for folder in folders {
        let _ = std::fs::remove_dir(folder);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        remove(&self.folders);
    }
}
