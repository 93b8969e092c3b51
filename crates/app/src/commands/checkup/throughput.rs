//! Throughput: whether it answers at all, whether agents are free, what bounds connections, HTTP/2, batches, errors.

use super::probe::Look;
use super::{Check, REQUESTS_MIN, percent, say};

/// The share of answers that may be the server's own failures.
const ERRORS_MAX: f64 = 0.01;
/// The share of all connections that there may be, from which on it is trouble.
const CONNECTIONS_SHARE_MAX: f64 = 0.9;

/// What is said where nothing answers, or something else does: the first check of the list, failed.
pub(super) fn unreachable(because: &crate::Error) -> Check {
    let found = say("não responde, ou não é este programa", "it does not answer, or is not this program");
    let advice = say(
        "confira o endereço, se o programa está de pé e o que há no caminho",
        "see the address, whether the program runs, and what is on the way",
    );
    Check { id: "ready", about: "reach", ..Check::problem(because.to_string(), found, advice) }
}

pub(super) fn ready(look: &Look) -> Check {
    match &look.unready {
        None => Check::ok("/health/ready 200", say("pronto para responder", "ready to answer")),
        Some(because) => Check::problem(
            because.clone(),
            say(
                "não está pronto: o banco ou a pasta do lago não responde",
                "not ready: the database or the lake's folder does not answer",
            ),
            say(
                "veja o servidor do banco e o disco; `cidadao doctor` na própria máquina diz mais",
                "see the database's server and the disk; `cidadao doctor` on the machine itself says more",
            ),
        ),
    }
}

pub(super) fn agent_pool(look: &Look) -> Check {
    let Some(pools) = look.pools.as_ref().and_then(|pools| pools["data"].as_array()) else {
        return Check::not_measured(
            "/api/v1/agents/pool",
            say("os agentes não responderam", "the agents did not answer"),
        );
    };
    let of = |pool: &serde_json::Value, key: &str| pool[key].as_u64().unwrap_or_default();
    let is_full = |pool: &&serde_json::Value| of(pool, "max_size") > 0 && of(pool, "in_use") >= of(pool, "max_size");
    let full: Vec<_> = pools.iter().filter(is_full).collect();
    let waiting: u64 = pools.iter().map(|pool| of(pool, "waiting")).sum();
    let (events, of_missed) = ("cidadao_ai_agent_pool_events_total", [("what", "missed")]);
    let missed = look.after.sum(events, &of_missed).unwrap_or_default();
    let named = |pool: &&serde_json::Value| {
        let agent = pool["agent"].as_str().unwrap_or("?");
        format!("{agent} {}/{}", of(pool, "in_use"), of(pool, "max_size"))
    };
    let names = if full.is_empty() { "—".to_owned() } else { full.iter().map(named).collect::<Vec<_>>().join(", ") };
    let figure = format!("cheios / full: {names}; esperam / waiting {waiting}; devolvidas / put back {missed:.0}");
    let more = say(
        "aumente AGENT_POOL_SIZE (agents.max_size) e work.workers, ou some processos (`serve --roles worker`)",
        "raise AGENT_POOL_SIZE (agents.max_size) and work.workers, or add processes (`serve --roles worker`)",
    );
    if waiting > 0 || look.grown(events, &of_missed) > 0.0 {
        return Check::problem(figure, say("tarefas esperam por um agente", "tasks wait for an agent"), more);
    }
    if missed > 0.0 {
        let found = say("tarefas esperaram por um agente, mas não agora", "tasks waited for an agent, but not now");
        return Check::note(figure, found, more);
    }
    if !full.is_empty() {
        return Check::note(
            figure,
            say("todos os agentes de um tipo trabalham", "every agent of a kind is at work"),
            say("nada enquanto ninguém espera", "nothing while nobody waits"),
        );
    }
    Check::ok(figure, say("há agentes livres", "there are free agents"))
}

pub(super) fn connection_limits(look: &Look) -> Check {
    let sum = |name| look.after.sum(name, &[]);
    let refused = sum("cidadao_ai_questions_refused_total");
    let limited = sum("cidadao_ai_rate_limited_total").unwrap_or_default();
    let (Some(in_flight), Some(refused)) = (sum("cidadao_ai_requests_in_flight"), refused) else {
        let found = say("este sistema não o conta", "this system does not tell it");
        return Check::not_measured("cidadao_ai_requests_in_flight", found);
    };
    let connections = sum("cidadao_ai_connections_open").zip(sum("cidadao_ai_connections_max"));
    let open = connections.map_or(String::new(), |(n, max)| format!(", abertas / open {n:.0} de/of {max:.0}"));
    let figure =
        format!("em curso / in flight {in_flight:.0}{open}, recusadas / refused {refused:.0}, 429: {limited:.0}");
    if connections.is_some_and(|(n, max)| n > max * CONNECTIONS_SHARE_MAX) {
        return Check::problem(
            figure,
            say("quase todas as conexões estão tomadas", "nearly all connections are taken"),
            say(
                "veja se os clientes deixam as suas abertas (http.head_timeout_s), ou some processos",
                "see whether clients leave theirs open (http.head_timeout_s), or add processes",
            ),
        );
    }
    let more = say(
        "aumente http.queue_max e store.readers ou DB_POOL_SIZE, ou some processos",
        "raise http.queue_max and store.readers or DB_POOL_SIZE, or add processes",
    );
    if look.grown("cidadao_ai_questions_refused_total", &[]) > 0.0 {
        let found = say("perguntas são recusadas porque muitas esperam", "questions are refused because too many wait");
        return Check::problem(figure, found, more);
    }
    if refused > 0.0 {
        let found = say(
            "perguntas foram recusadas porque muitas esperavam, mas não agora",
            "questions were refused because too many waited, but not now",
        );
        return Check::note(figure, found, more);
    }
    if limited > 0.0 {
        return Check::note(
            figure,
            say("quem pediu demais recebeu 429", "who asked for too much got 429"),
            say(
                "é o que se quer, salvo atrás de um intermediário que não está em limits.trusted_proxies: então todos contam como um só",
                "as it should be, unless behind a proxy that is not in limits.trusted_proxies: then all count as one",
            ),
        );
    }
    Check::ok(figure, say("ninguém foi recusado", "nobody was refused"))
}

pub(super) fn http2(look: &Look) -> Check {
    match look.http2 {
        None => Check::not_measured("HTTP/2", say("não deu para perguntar", "it could not be asked")),
        Some(true) => Check::ok("HTTP/2", say("fala HTTP/2", "HTTP/2 is spoken")),
        Some(false) => Check::problem(
            "HTTP/1.1",
            say(
                "não fala HTTP/2: cada pergunta simultânea custa uma conexão",
                "HTTP/2 is not spoken: each question at once costs a connection",
            ),
            say(
                "HTTP2_ENABLED=true (http.http2), e também no intermediário",
                "HTTP2_ENABLED=true (http.http2), and in the proxy too",
            ),
        ),
    }
}

pub(super) fn batch(look: &Look) -> Check {
    let operations = |how| look.after.sum("cidadao_ai_batch_operations_total", &[("how", how)]);
    let asked = operations("asked").unwrap_or_default();
    let offers = look.openapi.as_ref().is_some_and(|document| document["paths"]["/api/v1/batch"].is_object());
    if !offers {
        return Check::not_measured(
            "/api/v1/batch",
            say("este sistema não oferece lotes", "this system offers no batches"),
        );
    }
    let shared = operations("shared").unwrap_or_default();
    let figure = format!("operações / operations {asked:.0}, das quais divididas / of which shared {shared:.0}");
    Check::ok(
        figure,
        say(
            "lotes são aceitos; quem pede muitas coisas pequenas deve usá-los",
            "batches are taken; who asks for many small things should use them",
        ),
    )
}

pub(super) fn errors(look: &Look) -> Check {
    let metric = "cidadao_ai_request_duration_seconds_count";
    let mut all = 0.0;
    let mut failed = 0.0;
    for sample in look.after.of(metric, &[]) {
        all += sample.value;
        if sample.label("status").starts_with('5') {
            failed += sample.value;
        }
    }
    if all == 0.0 {
        return Check::not_measured(metric, say("nada foi respondido ainda", "nothing was answered yet"));
    }
    let figure = format!("{} ({failed:.0} de/of {all:.0})", percent(failed / all));
    if failed / all > ERRORS_MAX && all >= REQUESTS_MIN {
        return Check::problem(
            figure,
            say(
                "mais de 1 % das respostas são falhas do servidor",
                "more than 1 % of answers are the server's failures",
            ),
            say(
                "veja por rota em /metrics (status 5xx) e no log",
                "see by route in /metrics (status 5xx) and in the log",
            ),
        );
    }
    Check::ok(figure, say("quase nenhuma falha do servidor", "hardly any failure of the server"))
}
