//! Memory: how near the limit, what the cache holds, whether it grows, what bounds the pools, how to see who holds it.

use exposition::promises::MEMORY_MAX_BYTES;

use super::probe::Look;
use super::{Check, mib, percent, say};

const HELD: &str = "cidadao_ai_process_memory_bytes";
const LIMIT: &str = "cidadao_ai_process_memory_max_bytes";
/// Of the limit: from here on dear requests are refused; from here on it is worth a look.
const NEAR: f64 = 0.9;
const WORTH_A_LOOK: f64 = 0.75;
/// Growth while it was looked at that is worth a longer look, in bytes.
const GROWTH: f64 = 67_108_864.0;

fn not_told(metric: &str) -> Check {
    Check::not_measured(metric, say("este sistema não o conta", "this system does not tell it"))
}

pub(super) fn limit(look: &Look) -> Check {
    let (Some(held), Some(limit)) = (look.after.sum(HELD, &[]), look.after.sum(LIMIT, &[])) else {
        return not_told(HELD);
    };
    let shed = look.after.sum("cidadao_ai_requests_shed_total", &[]).unwrap_or_default();
    let share = held / limit.max(1.0);
    let figure = format!("{} de/of {} ({}), recusadas / refused {shed:.0}", mib(held), mib(limit), percent(share));
    let less = say(
        "mais memória (limits.memory_mib, ou o limite do contêiner), ou menos analysis.memory_mib e cache.l1_mib",
        "more memory (limits.memory_mib, or the container's limit), or less analysis.memory_mib and cache.l1_mib",
    );
    if share >= NEAR || look.grown("cidadao_ai_requests_shed_total", &[]) > 0.0 {
        let found = say("a memória acaba: perguntas caras são recusadas", "memory runs out: dear requests are refused");
        return Check::problem(figure, found, less);
    }
    if share >= WORTH_A_LOOK || held > MEMORY_MAX_BYTES || shed > 0.0 {
        let found = say(
            "a memória está perto do limite, acima de 2 GB, ou já acabou uma vez",
            "memory is near its limit, above 2 GB, or ran out before",
        );
        return Check::note(figure, found, less);
    }
    Check::ok(figure, say("há memória de sobra", "there is memory to spare"))
}

pub(super) fn cache_sizes(look: &Look) -> Check {
    let of = |metric| look.after.sum(metric, &[("cache", "responses"), ("tier", "l1")]);
    let (Some(bytes), Some(entries)) = (of("cidadao_ai_cache_bytes"), of("cidadao_ai_cache_entries")) else {
        return not_told("cidadao_ai_cache_bytes");
    };
    let figure = format!("{} em/in {entries:.0}", mib(bytes));
    if look.after.sum(LIMIT, &[]).is_some_and(|limit| bytes > limit / 2.0) {
        return Check::problem(
            figure,
            say("o cache toma mais da metade da memória", "the cache takes more than half of the memory"),
            say("diminua cache.l1_mib", "lower cache.l1_mib"),
        );
    }
    Check::ok(figure, say("o cache cabe na memória", "the cache fits into memory"))
}

pub(super) fn leaks(look: &Look) -> Check {
    let (Some(before), Some(after)) = (look.before.sum(HELD, &[]), look.after.sum(HELD, &[])) else {
        return not_told(HELD);
    };
    let figure = format!("{:+.1} MiB em/in {:.0} s", (after - before) / 1_048_576.0, look.seconds);
    if after - before > GROWTH {
        return Check::note(
            figure,
            say("a memória cresce", "memory grows"),
            say(
                "siga cidadao_ai_process_memory_bytes por horas ao lado das perguntas; se cresce sem elas, tire um perfil",
                "follow cidadao_ai_process_memory_bytes for hours beside the requests; if it grows without them, take a profile",
            ),
        );
    }
    let found = say(
        "não cresce a olhos vistos; um vazamento lento só se vê em horas de cidadao_ai_process_memory_bytes",
        "it does not grow before our eyes; a slow leak shows only over hours of cidadao_ai_process_memory_bytes",
    );
    Check::ok(figure, found)
}

pub(super) fn pool_limits(look: &Look) -> Check {
    let instances = |state| look.after.sum("cidadao_ai_agent_pool_instances", &[("state", state)]);
    let (Some(max), Some(in_use), Some(idle)) = (instances("max"), instances("in_use"), instances("idle")) else {
        return not_told("cidadao_ai_agent_pool_instances");
    };
    let sick = instances("quarantined").unwrap_or_default();
    let of = |state| look.after.sum("cidadao_ai_database_connections", &[("state", state)]);
    let connections = match (of("idle"), of("lent")) {
        (Some(idle), Some(lent)) => format!("; conexões / connections {:.0}", idle + lent),
        _ => String::new(),
    };
    let figure = format!(
        "agentes / agents {:.0} de/of {max:.0}, quarentena / quarantined {sick:.0}{connections}",
        in_use + idle
    );
    if sick > 0.0 {
        return Check::problem(
            figure,
            say("agentes falham no exame", "agents fail their probes"),
            say(
                "veja se o banco responde e se a pasta do lago está lá",
                "see whether the database answers and the lake's folder is there",
            ),
        );
    }
    Check::ok(figure, say("os conjuntos estão dentro dos limites", "the pools are within their bounds"))
}

pub(super) fn profile(look: &Look) -> Check {
    let paths = look.openapi.as_ref().and_then(|document| document["paths"].as_object());
    let found = paths.and_then(|paths| paths.keys().find(|path| path.contains("profile")));
    match found {
        Some(path) => {
            Check::ok(path.clone(), say("quem administra pode tirar um perfil ali", "admins can take a profile there"))
        }
        None => Check::not_measured(
            "/openapi.json",
            say(
                "este sistema não oferece perfis; no lugar: `perf record -p PID`",
                "this system offers no profiles; instead: `perf record -p PID`",
            ),
        ),
    }
}
