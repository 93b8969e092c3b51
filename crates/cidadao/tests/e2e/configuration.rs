//! Settings with their places: what `config show` and `config check` say, what stops a start and where, what is risky, what stays secret,
//! and what a running server takes at SIGHUP.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::{self, Purchase};
use testkit::socket::Socket;
use testkit::{House, Program, Server};

/// A secret that must be told nowhere.
const SECRET: &str = "S3gredo";

fn setting<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let all = shown["settings"].as_array().unwrap();
    all.iter().find(|setting| setting["name"] == name).unwrap_or_else(|| panic!("{name} is not shown"))
}

fn check(house: &House, text: &str) -> testkit::Run {
    Program::new().args(["config", "check"]).arg(house.file("c.toml", text)).run()
}

#[test]
fn each_setting_is_shown_with_where_it_comes_from() {
    let house = House::new();
    let file = house.file("c.toml", "# ours\n[store]\nreaders = 2\n\n[cache]\nl1_ttl_s = 7\nl1_mib = 64\n");
    let secret = house.file("secret", format!("redis://ana:{SECRET}@127.0.0.1:6379\n"));
    let run = house
        .program()
        .env("CIDADAO_CONFIG", &file)
        .env("AGENT_POOL_SIZE", "4")
        .env("CIDADAO_CACHE_L1_TTL_S", "9")
        .env("REDIS_URL_FILE", &secret)
        .args(["config", "show", "--json"])
        .run()
        .ends_with(0);
    let (shown, at) = (run.json(), format!("{}:3", file.display()));
    for (name, value, from, at) in [
        ("store.readers", json!(2), "file", at.as_str()),
        ("cache.l1_ttl_s", json!(9), "environment", "CIDADAO_CACHE_L1_TTL_S"),
        ("agents.max_size", json!(4), "environment", "AGENT_POOL_SIZE"),
        ("http.listen", json!("127.0.0.1:8080"), "default", "default"),
        ("data_dir", json!(house.data()), "option", "--data-dir"),
    ] {
        let setting = setting(&shown, name);
        assert_eq!((&setting["value"], &setting["from"], &setting["at"]), (&value, &json!(from), &json!(at)), "{name}");
    }
    assert_eq!(setting(&shown, "cache.l1_ttl_s")["default"], 300);
    let redis = setting(&shown, "redis.url");
    assert_eq!((&redis["from"], &redis["value"]), (&json!("secret_file"), &json!("redis://127.0.0.1:6379")));
    assert!(redis["at"].as_str().unwrap().contains("REDIS_URL_FILE"), "{redis}");
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{}{}", run.stdout, run.stderr);
    let told = house.program().env("CIDADAO_CONFIG", &file).args(["config", "show"]).run().ends_with(0).stdout;
    assert!(told.contains("store.readers") && told.contains("c.toml:3") && told.contains("padrão"), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_is_allowed() {
    let house = House::new();
    for (text, said) in [
        ("[http]\n\ncolour = 1\n", &["c.toml:3", "http.colour", "[http] has", "listen"][..]),
        ("[colours]\nred = 1\n", &["c.toml:1", "colours", "there are", "http"]),
        ("[http]\nrequest_timeout_s = 900\n", &["c.toml:2", "http.request_timeout_s = 900", "between 1 and 300"]),
        ("[http]\nrequest_timeout_s = \"soon\"\n", &["c.toml:2", "a whole number", "1 to 300"]),
        ("[cache]\n\nstrategy = \"none\"\n", &["c.toml:3", "cache.strategy", "`multi_tier`, `memory`, `off`"]),
        ("http = 1\n", &["c.toml:1", "[http]"]),
        ("[http]\nlisten = \"here\"\n", &["c.toml:2", "http.listen", "127.0.0.1:8080"]),
        ("[work]\nlisten = \"here\"\n", &["c.toml:2", "work.listen", "127.0.0.1:8080"]),
        ("[log]\n\nfilter = \"info,store=loud\"\n", &["c.toml:3", "log.filter"]),
        (
            "[http]\ntls_certificate = \"/nowhere/c.pem\"\ntls_key = \"/nowhere/k.pem\"\n",
            &["c.toml:2", "http.tls_certificate", "/nowhere/c.pem"],
        ),
        ("[http\n", &["c.toml:1"]),
        ("[log]\nfilter = \"inof\"\n", &["c.toml:2", "inof", "debug"]),
        (
            "\n[[llm.providers]]\ndialect = \"openai\"\nbase_url = \"x\"\nmodel = \"m\"\n",
            &["c.toml", "http:// or https://"],
        ),
    ] {
        let run = check(&house, text).ends_with(2);
        for word in said {
            assert!(run.stderr.contains(word), "{text:?} → {word}: {}", run.stderr);
        }
    }
    for (name, value, said) in [
        ("CIDADAO_STORE_READERS", "99", "between 1 and 64"),
        ("DB_POOL_SIZE", "many", "2 to 1000"),
        ("HTTP2_ENABLED", "perhaps", "true or false"),
        ("COMPRESSION_LEVEL", "12", "between 0 and 11"),
        ("JSON_ENCODER", "xml", "`serde`"),
        ("CACHE_STRATEGY", "all", "`multi_tier`"),
        ("CIDADAO_CACHE_NOPE", "1", "[cache] has"),
        ("CIDADAO_CACHE_L1_MIB_FILE", "/x", "database.url"),
        ("DATABASE_URL_FILE", "/nowhere/secret", "/nowhere/secret"),
        ("CIDADAO_LOG_FILTER", "info,store=loud", "log.filter"),
    ] {
        let run = house.program().env(name, value).args(["config", "show"]).run().ends_with(2);
        assert!(run.stderr.contains(name) && run.stderr.contains(said), "{name}={value}: {}", run.stderr);
    }
    let run = check(&house, "[store]\nreaders = 2\n").ends_with(0);
    assert!(run.stdout.contains("store.readers = 2") && run.stdout.contains("c.toml:2"), "{}", run.stdout);
}

#[test]
fn a_secret_is_read_from_its_file_and_told_nowhere() {
    let house = House::new();
    let url = format!("postgres://ana:{SECRET}@127.0.0.1:1/base");
    let file = house.file("url", &url);
    for name in ["DATABASE_URL_FILE", "CIDADAO_DATABASE_URL_FILE"] {
        let run = house.program().env(name, &file).arg("sources").run().ends_with(1);
        assert!(run.stderr.contains("127.0.0.1:1/base") && !run.stderr.contains(SECRET), "{}", run.stderr);
    }
    let both =
        house.program().env("DATABASE_URL", &url).env("DATABASE_URL_FILE", &file).arg("sources").run().ends_with(2);
    assert!(both.stderr.contains("one or the other") && !both.stderr.contains(SECRET), "{}", both.stderr);
    for text in [
        format!("[database]\nurl = \"{url}\" and more\n"),
        format!("[database]\nurl = [\"{url}\"]\n"),
        format!("[database]\nurl = \"http://ana:{SECRET}@127.0.0.1\"\n"),
        format!("[database]\nurl = \"postgres://ana:{SECRET}@127.0.0.1:port/base\"\n"),
        format!("[redis]\nurl = \"redis://ana:{SECRET}@127.0.0.1:port\"\n"),
        format!("[pncp]\nservice = \"ftp://ana:{SECRET}@127.0.0.1\"\n"),
        format!("[database]\nurl = \"host=db user=ana password={SECRET}\"\n"),
        format!("[database]\nurl = \"postgres:ana:{SECRET}@127.0.0.1\"\n"),
        format!("[database]\nreplica_urls = \"postgres://ana:a,{SECRET}@127.0.0.1/base\"\nurl = \"postgres://x/y\"\n"),
        format!("[redis]\nurl = \"default:{SECRET}@redis:6379\"\n"),
        format!("[redis]\nurl = [\"default:{SECRET}@redis:6379\"]\n"),
        format!("[telemetry]\nendpoint = \"http://ana:{SECRET}@127.0.0.1:4318/v1/traces\"\n"),
        format!("[telemetry]\nendpoint = \"127.0.0.1:4318/v1/traces?api_key={SECRET}\"\n"),
    ] {
        let run = check(&house, &text).ends_with(2);
        assert!(run.stderr.contains("c.toml:2") && !run.stderr.contains(SECRET), "{text}: {}", run.stderr);
    }
    for (text, told) in [
        (format!("[database]\nurl = \"postgres://ana:a,{SECRET}@127.0.0.1/base\"\n"), "postgres://127.0.0.1/base"),
        (
            format!("[telemetry]\nendpoint = \"http://127.0.0.1:4318/v1/traces?api_key={SECRET}\"\n"),
            "http://127.0.0.1:4318/v1/traces",
        ),
    ] {
        let run = check(&house, &text).ends_with(0);
        assert!(run.stdout.contains(told) && !run.stdout.contains(SECRET), "{text}: {}", run.stdout);
        let file = house.file("c.toml", &text);
        let run = house.program().env("CIDADAO_CONFIG", file).args(["config", "show", "--json"]).run().ends_with(0);
        assert!(run.stdout.contains(told), "{}", run.stdout);
        assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{}{}", run.stdout, run.stderr);
    }
    let providers = format!("[{{base_url = \"http://127.0.0.1/v1?key={SECRET}\"");
    let run = house.program().env("CIDADAO_LLM_PROVIDERS", providers).args(["config", "show"]).run().ends_with(2);
    assert!(run.stderr.contains("CIDADAO_LLM_PROVIDERS") && !run.stderr.contains(SECRET), "{}", run.stderr);
}

#[test]
fn what_the_machine_gave_is_shown_beside_the_zero_that_asked_for_it() {
    let house = House::new();
    let show = |variables: &[(&str, &str)]| {
        let program = variables.iter().fold(house.program(), |program, (name, value)| program.env(name, value));
        program.args(["config", "show", "--json"]).run().ends_with(0).json()
    };
    let shown = show(&[("CIDADAO_LIMITS_MEMORY_MIB", "1024"), ("CIDADAO_WORK_WORKERS", "3")]);
    for (name, value, in_force) in [
        ("limits.memory_mib", 1_024, 1_024),
        ("analysis.memory_mib", 0, 128),
        ("analysis.memory_max_mib", 0, 512),
        ("cache.l1_mib", 0, 32),
        ("work.workers", 3, 3),
        ("store.readers", 4, 4),
    ] {
        let setting = setting(&shown, name);
        assert_eq!((&setting["value"], &setting["in_force"]), (&json!(value), &json!(in_force)), "{name}");
    }
    let told = house.program().env("CIDADAO_LIMITS_MEMORY_MIB", "1024").args(["config", "show"]).run().ends_with(0);
    assert!(told.stdout.contains("0 → 128"), "{}", told.stdout);
}

#[test]
fn a_start_that_cannot_be_says_where_its_setting_stands() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (text, roles, said) in [
        (format!("[http]\n\nlisten = \"{address}\"\n"), "all", "c.toml:3: http.listen"),
        (format!("[work]\nlisten = \"{address}\"\n"), "worker", "c.toml:2: work.listen"),
        (
            "[http]\ntls_key = \"/nowhere/k.pem\"\ntls_certificate = \"/nowhere/c.pem\"\n".to_owned(),
            "all",
            "c.toml:3: http.tls_certificate",
        ),
    ] {
        let program = house.program().env("CIDADAO_CONFIG", house.file("c.toml", &text));
        let run = program.args(["serve", "--roles", roles]).run().ends_with(2);
        assert!(run.stderr.contains(said), "{text}: {}", run.stderr);
    }
}

#[test]
fn what_is_risky_is_named_at_start_by_check_and_by_the_doctor() {
    let house = House::new();
    for (text, said) in [
        ("[http]\nlisten = \"0.0.0.0:80\"\n[limits]\nanonymous = \"unlimited\"\n", "without end"),
        ("[http]\nlisten = \"0.0.0.0:80\"\n", "in the clear"),
        ("[limits]\ntrusted_proxies = \"127.0.0.1\"\n", "operator"),
        ("[limits]\ntrusted_proxies = \"0.0.0.0/0\"\n", "most of the world"),
        ("[cache]\nstrategy = \"off\"\n", "asks the database"),
        ("[http]\ncompression_level = 0\n", "as long as it is"),
        ("[database]\nurl = \"postgres://127.0.0.1/x\"\npool_size = 200\n", "max_connections"),
        ("[limits]\nmemory_mib = 1048576\n", "killed before it sheds"),
        ("[limits]\nmemory_mib = 500\n[analysis]\nmemory_mib = 768\n", "makes it shed"),
        ("[analysis]\nmemory_mib = 1048576\nmemory_max_mib = 1048576\n", "analysis.memory_mib"),
        ("[analysis]\nthreads = 256\n", "processors"),
        ("[http]\ncors_origins = [\"http://exemplo.org\"]\n", "http://exemplo.org"),
    ] {
        let run = check(&house, text).ends_with(0);
        assert!(run.stdout.contains("atenção") && run.stdout.contains(said), "{text}: {}", run.stdout);
    }
    assert!(!check(&house, "").ends_with(0).stdout.contains("atenção"), "the defaults are not risky");
    let behind =
        check(&house, "[http]\nlisten = \"0.0.0.0:80\"\n[limits]\ntrusted_proxies = \"10.0.0.0/8\"\n").ends_with(0);
    assert!(!behind.stdout.contains("in the clear"), "a proxy may speak TLS: {}", behind.stdout);
    let server = Server::start(house.program().env("CACHE_STRATEGY", "off"));
    assert!(server.log().contains("risky setting: cache.strategy"), "{}", server.log());
    let run = house.program().env("CACHE_STRATEGY", "off").arg("doctor").run().ends_with(0);
    assert!(run.stdout.contains("asks the database"), "{}", run.stdout);
}

/// A server by a file that is changed while it runs.
struct Changing {
    house: House,
    server: Server,
}

impl Changing {
    fn start(text: &str, variables: &[(&str, &str)]) -> Self {
        let house = House::new();
        let _ = house.ingested(&[&house.file("c.csv", files::purchases(&[Purchase::new(1, "1,0000")]))], 0);
        let program = house.program().env("CIDADAO_CONFIG", house.file("c.toml", text));
        let server = Server::start(variables.iter().fold(program, |program, (name, value)| program.env(name, value)));
        Self { house, server }
    }

    /// Writes the file anew, sends SIGHUP and waits for these words in the log.
    fn change(&self, text: &str, said: &str) {
        let before = self.server.log().len();
        self.house.file("c.toml", text);
        self.server.signal("HUP");
        let started = Instant::now();
        while !self.server.log()[before..].contains(said) {
            assert!(started.elapsed() < Duration::from_secs(20), "{said}: {}", self.server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

const READ: &str = "settings were read anew";

#[test]
fn limits_origins_addresses_and_times_change_while_it_runs() {
    let proxied = "[limits]\ntrusted_proxies = \"127.0.0.1\"\n";
    let server = Changing::start(proxied, &[("CIDADAO_LIMITS_ANONYMOUS", "anonymous")]);
    let ask = |headers: &[(&str, &str)]| server.server.get_with("/api/v1/contracts?limit=1", headers);
    let from = |address: &str| ask(&[("x-forwarded-for", address)]).status;
    assert_eq!((from("198.51.100.7"), from("203.0.113.9")), (200, 200));
    server.change(&format!("{proxied}deny = \"198.51.100.0/24\"\n"), READ);
    assert_eq!((from("198.51.100.7"), from("203.0.113.9")), (403, 200), "limits.deny");
    server.change(&format!("{proxied}allow = \"198.51.100.0/24\"\n"), READ);
    assert_eq!((from("198.51.100.7"), from("203.0.113.9")), (200, 403), "limits.allow");

    let origin = [("origin", "https://exemplo.org")];
    server.change("", READ);
    assert_eq!(ask(&origin).header("access-control-allow-origin"), "");
    let socket = || Socket::ask(&server.server, &origin).head[9..12].to_owned();
    assert_eq!(socket(), "403");
    let plain = ask(&[]);
    assert!(
        !plain.header("vary").contains("origin") && plain.header("cache-control").contains("s-maxage=5"),
        "{plain:?}"
    );
    server.change("[http]\ncors_origins = [\"https://exemplo.org\"]\n[cache]\nedge_s = 60\n", READ);
    assert_eq!(ask(&origin).header("access-control-allow-origin"), "https://exemplo.org");
    assert_eq!(socket(), "101");
    let plain = ask(&[]);
    assert!(
        plain.header("vary").contains("origin") && plain.header("cache-control").contains("s-maxage=60"),
        "{plain:?}"
    );

    // What was used up stays used up; the bound is another one. Each question is another one, for a hit costs nothing.
    let policy = |value: u32| {
        let answer = server.server.get(&format!("/api/v1/contracts?limit=2&value_min={value}"));
        answer.header("ratelimit-policy").to_owned()
    };
    assert!(policy(1).contains("\"minute\";q=60"), "{}", policy(2));
    server.change("[limits]\ntier_anonymous = \"5/s burst 9, 77/min\"\n", READ);
    assert!(policy(3).contains("\"minute\";q=77"), "{}", policy(4));
    let mut system = Socket::open(&server.server);
    system.follow("system", None);
    server.change("[limits]\nmemory_mib = 4\n", READ);
    let shed = server.server.get("/api/v1/contracts?limit=2&value_min=5");
    assert_eq!((shed.status, shed.json()["type"].as_str().unwrap().contains("overloaded")), (503, true));
    let told = system.messages(|message| message["data"]["refused"] == "all");
    assert_eq!(told[1]["data"]["refused"], "nothing", "how it stood: {told:?}");
    server.change("[cache]\nl1_ttl_s = 1\nstale_s = 0\n[limits]\nmemory_mib = 0\n", READ);
    let _ = system.messages(|message| message["data"]["refused"] == "nothing");
    let path = "/api/v1/contracts?limit=2&value_min=6";
    let (first, hit) = (server.server.get(path), server.server.get(path));
    assert!(hit.header("cache-status").contains("hit"), "{} {}", first.status, hit.header("cache-status"));
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(!server.server.get(path).header("cache-status").contains("l1"), "a second is over");
}

#[test]
fn the_log_s_filter_changes_and_what_takes_a_restart_is_named() {
    let server = Changing::start("[log]\nfilter = \"info\"\n", &[]);
    let _ = server.server.get("/api/v1/flags");
    assert!(!server.server.log().contains("answered"), "{}", server.server.log());
    server.change("[log]\nfilter = \"debug\"\n[store]\nreaders = 9\n", "setting store.readers = 9");
    assert!(server.server.log().contains("takes a restart"), "{}", server.server.log());
    let _ = server.server.get("/api/v1/contracts?limit=3");
    let started = Instant::now();
    while !server.server.log().contains("answered") {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", server.server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_wrong_file_at_sighup_changes_nothing_and_says_why() {
    let right = "[http]\ncors_origins = [\"https://exemplo.org\"]\n";
    let server = Changing::start(right, &[]);
    let origin = || {
        let answer = server.server.get_with("/api/v1/contracts?limit=1", &[("origin", "https://exemplo.org")]);
        answer.header("access-control-allow-origin").to_owned()
    };
    for (wrong, said) in [
        ("[http]\ncors_origins = [\"https://outro.org\"]\nqueue_max = 0\n", "c.toml:3: http.queue_max = 0"),
        ("[http]\ncolour = 1\n", "c.toml:2: unknown setting `http.colour`"),
        ("[log]\nfilter = \"info,store=loud\"\n", "c.toml:2: log.filter"),
        ("[work]\nlisten = \"here\"\n", "c.toml:2: work.listen"),
        (
            "[http]\ntls_certificate = \"/nowhere/c.pem\"\ntls_key = \"/nowhere/k.pem\"\n",
            "c.toml:2: http.tls_certificate",
        ),
        ("[http\n", "c.toml:1"),
    ] {
        server.change(wrong, said);
        assert!(server.server.log().contains("the settings stay as they were"), "{}", server.server.log());
        assert_eq!(origin(), "https://exemplo.org", "{wrong}");
    }
    server.change("", READ);
    assert_eq!(origin(), "", "a right one is taken again");
}

#[test]
fn a_worker_reads_its_settings_anew_too() {
    let house = House::new();
    let file = house.file("c.toml", "[work]\nattempts_max = 5\n");
    let mut worker = house.program().env("CIDADAO_CONFIG", &file).args(["serve", "--roles", "worker"]).into_command();
    let mut child = worker.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap())).map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Trabalhando")));
    house.file("c.toml", "[work]\nattempts_max = 7\n");
    let signal = |name: &str| {
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    };
    signal("HUP");
    assert!(lines.any(|line| line.contains("work.attempts_max = 7") && line.contains("from now on")));
    signal("TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
