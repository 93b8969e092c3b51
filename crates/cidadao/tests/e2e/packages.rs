//! What is handed to people who run the program: the Debian package, the container's file system, and the files of `deploy/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::{House, RedisServer, Run, Server};

use super::investigations::{DAY, ask, ended};
use super::short_sample;

fn script(name: &str) -> Command {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    Command::new(top.join("scripts").join(name))
}

#[track_caller]
fn well(mut command: Command) -> Run {
    Run::from(command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"))).ends_with(0)
}

/// Without what cargo and a linker's wrapper tell the loader.
fn by_itself(command: &mut Command) -> &mut Command {
    command.env_remove("LD_LIBRARY_PATH").env_remove("LD_PRELOAD")
}

/// The folder of builds, and the profile, of the program under test.
fn profile() -> (PathBuf, String) {
    let folder = testkit::program::binary().canonicalize().unwrap().parent().unwrap().to_owned();
    (folder.parent().unwrap().to_owned(), folder.file_name().unwrap().to_str().unwrap().to_owned())
}

#[test]
fn the_debian_package_brings_a_program_that_finds_its_library_and_all_that_belongs_to_it() {
    let house = House::new();
    let (package, root) = (house.root().join("cidadao.deb"), house.root().join("root"));
    let (target, profile) = profile();
    let mut make = script("deb.sh");
    make.arg(profile).arg(&package).env("CARGO_TARGET_DIR", target);
    let _ = well(make);
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(&package).arg(&root);
    let _ = well(unpack);
    let has = |path: &str| root.join(path).symlink_metadata().is_ok();
    for path in [
        "usr/lib/systemd/system/cidadao.service",
        "usr/share/man/man1/cidadao.1.gz",
        "usr/share/man/man1/cidadao-serve.1.gz",
        "usr/share/bash-completion/completions/cidadao",
        "usr/share/zsh/vendor-completions/_cidadao",
        "usr/share/fish/vendor_completions.d/cidadao.fish",
        "usr/share/doc/cidadao/default.toml",
        "usr/share/doc/cidadao/copyright",
        "etc/cidadao/environment",
    ] {
        assert!(has(path), "{path} is not in the package");
    }
    let mut told = Command::new("dpkg-deb");
    told.arg("-I").arg(&package).args(["control", "conffiles", "postinst"]);
    let told = well(told).stdout;
    for word in ["Package: cidadao", "/etc/cidadao/cidadao.toml", "/etc/cidadao/environment", "useradd --system"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    // Where the loader found the library says whether it was the package's own.
    let installed = root.join("usr/bin/cidadao");
    let mut found = Command::new("ldd");
    by_itself(&mut found).arg(installed.canonicalize().unwrap());
    let library = root.join("usr/lib/cidadao/libduckdb.so").canonicalize().unwrap();
    let found = well(found).stdout;
    assert!(found.contains(&library.display().to_string()), "{found}");
    let sample = short_sample(&house, 200, 41);
    let run = |args: &[&str]| {
        let mut command = Command::new(&installed);
        by_itself(&mut command)
            .arg("--config")
            .arg(root.join("etc/cidadao/cidadao.toml"))
            .arg("--data-dir")
            .arg(house.data())
            .args(args);
        command
    };
    let _ = Run::from(run(&["ingest", sample.to_str().unwrap()]).output().unwrap()).ends_with(3);
    let mut serve = run(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env("CIDADAO_LIMITS_ANONYMOUS", "unlimited");
    let server = Server::of(serve);
    assert!(!server.json("findings")["data"].as_array().unwrap().is_empty());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_containers_file_system_holds_all_that_the_program_needs_and_no_shell() {
    let house = House::new();
    let root = house.root().join("rootfs");
    let (target, profile) = profile();
    let mut make = script("rootfs.sh");
    make.arg(target.join(profile).join("cidadao"));
    make.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../native/lib/libduckdb.so")).arg(&root);
    let _ = well(make);
    let sample = short_sample(&house, 200, 41);
    std::fs::rename(sample, root.join("sample")).unwrap();
    assert!(!root.join("bin/sh").exists() && !root.join("usr/bin/sh").exists());
    let names = std::fs::read_dir(root.join("usr/bin")).unwrap().count();
    assert_eq!(names, 1, "there is one program");
    // As its own user, who may write the data folder and nothing else; who is not root is one in a namespace.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let within = |data: &str, args: &[&str]| {
        let mut command = Command::new(if is_root { "chroot" } else { "unshare" });
        command.args(if is_root { &["--userspec=10001:10001"][..] } else { &["--map-root-user", "chroot"] });
        command.arg(&root).arg("/usr/bin/cidadao").args(["--data-dir", data]).args(args);
        // Nothing of the tests' environment is there; `chroot` itself is found.
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    };
    let ingested =
        Run::from(within("/var/lib/cidadao", &["ingest", "/sample", "--json"]).output().unwrap()).ends_with(3);
    assert!(ingested.json()["totals"]["kept"].as_u64().unwrap() > 200);
    let mut serve = within("/var/lib/cidadao", &["serve", "--listen", "127.0.0.1:0"]);
    serve.env("CIDADAO_LIMITS_ANONYMOUS", "unlimited");
    let server = Server::of(serve);
    assert!(!server.json("findings")["data"].as_array().unwrap().is_empty());
    let page = server.get("/");
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"));
    assert_eq!(server.stop(), Some(0));
    if is_root {
        let refused = within("/elsewhere", &["ingest", "/sample"]).output().unwrap();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && told.contains("/elsewhere: "), "it may write beside its folder: {told}");
    }
}

#[test]
fn files_for_kubernetes_compose_and_systemd_are_well_formed_and_name_what_there_is() {
    let (house, redis) = (House::new(), RedisServer::start());
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let server = Server::start(house.program().env("REDIS_URL", redis.url()));
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR01", "BR05"], "as_of": DAY}));
    assert_eq!(ended(&server, &id)["status"], "completed");
    let metrics = house.file("metrics.txt", server.get("/metrics").body);
    let mut check = script("deploy_check.sh");
    check.arg(testkit::program::binary()).arg(metrics);
    let told = well(check).stdout;
    for said in ["small: 7 objects", "production: 17 objects", "checkov kubernetes: "] {
        assert!(told.contains(said), "{said}: {told}");
    }
}
