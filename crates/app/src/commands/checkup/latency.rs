//! High latency: what answers take, what is kept of them, how the database does, what goes over the wire.

use exposition::promises::{self, HIT_RATIO_MIN, P95_MAX_S, P99_MAX_S, QUERY_P90_MAX_S};

use super::probe::Look;
use super::{Check, REQUESTS_MIN, ms, percent, say};

pub(super) fn response_times(look: &Look) -> Check {
    let slow = say(
        "olhe os itens seguintes: acertos do cache, consultas lentas, conexões do banco, compressão",
        "see the next items: cache hits, slow queries, the database's connections, compression",
    );
    let mut took = match &look.fresh {
        Ok(took) => took.clone(),
        // Nothing in ten seconds is slow; a refusal says nothing of time.
        Err(because) if !because.contains("answered") => {
            let found = say("uma pergunta não foi respondida em 10 s", "a question was not answered within 10 s");
            return Check::problem(because.clone(), found, slow);
        }
        Err(because) => {
            return Check::not_measured(
                because,
                say("perguntas cronometradas não foram respondidas", "timed questions were not answered"),
            );
        }
    };
    took.sort_by(f64::total_cmp);
    let middle = took[took.len() / 2];
    let again = look.again.iter().copied().fold(f64::INFINITY, f64::min);
    let (p95, p99) = match promises::requests(&look.after).filter(|all| all.count() >= REQUESTS_MIN) {
        Some(all) => (all.quantile(0.95), all.quantile(0.99)),
        None => (None, None),
    };
    let told = |p: Option<f64>| p.map_or("?".to_owned(), ms);
    let figure = format!("agora {} (repetida {}), P95 {}, P99 {}", ms(middle), ms(again), told(p95), told(p99));
    if middle > P95_MAX_S || p95.is_some_and(|p| p > P95_MAX_S) || p99.is_some_and(|p| p > P99_MAX_S) {
        let found = say(
            "respostas demoram mais que 200 ms (P95) ou 500 ms (P99)",
            "answers take more than 200 ms (P95) or 500 ms (P99)",
        );
        return Check::problem(figure, found, slow);
    }
    Check::ok(figure, say("respostas no prazo", "answers come in time"))
}

pub(super) fn hit_rate(look: &Look) -> Check {
    let ratio = look.after.sum("cidadao_ai_cache_hit_ratio", &[("cache", "responses")]);
    let Some(ratio) = ratio else {
        return Check::problem(
            "cidadao_ai_cache_hit_ratio: —",
            say(
                "o cache está desligado: cada pergunta vai ao banco",
                "the cache is off: every question goes to the database",
            ),
            say("CACHE_STRATEGY=multi_tier (cache.strategy)", "CACHE_STRATEGY=multi_tier (cache.strategy)"),
        );
    };
    let asked = look.after.sum("cidadao_ai_cache_requests_total", &[("cache", "responses")]).unwrap_or_default();
    let figure = format!("{} de/of {asked:.0}", percent(ratio));
    if look.fresh.is_ok() && !look.again.is_empty() && !look.cache_status.contains("hit") {
        return Check::problem(
            format!("Cache-Status: {}", look.cache_status),
            say(
                "a mesma pergunta, repetida, não veio do cache",
                "the same question, asked again, did not come from the cache",
            ),
            say(
                "aumente cache.l1_entries e cache.l1_mib; veja no log se respostas não são guardadas",
                "raise cache.l1_entries and cache.l1_mib; see in the log whether answers are not kept",
            ),
        );
    }
    if asked < REQUESTS_MIN {
        let found = say(
            "guarda respostas; ainda há poucas perguntas para dizer quanto acerta",
            "answers are kept; too few questions yet to say how often that helps",
        );
        return Check::not_measured(&figure, found);
    }
    if ratio < HIT_RATIO_MIN {
        return Check::problem(
            figure,
            say("o cache acerta menos de 90 %", "the cache answers less than 90 %"),
            say(
                "aumente cache.l1_entries e cache.l1_mib; ingira em menos vezes (cada ingestão esvazia o que mudou)",
                "raise cache.l1_entries and cache.l1_mib; ingest in fewer runs (each empties what it changed)",
            ),
        );
    }
    Check::ok(figure, say("o cache responde quase tudo", "the cache answers nearly everything"))
}

pub(super) fn slow_queries(look: &Look) -> Check {
    let metric = "cidadao_ai_db_query_duration_seconds";
    let Some(queries) = promises::statements(&look.after).filter(|queries| queries.count() > 0.0) else {
        return Check::not_measured(
            metric,
            say("este sistema não conta a duração das consultas", "this system does not tell what queries take"),
        );
    };
    // What was asked just now counts first: a database that became slow is slow, whatever it was before.
    let now = promises::statements(&look.before).map(|before| queries.since(&before));
    let (since_start, now) = (queries.quantile(0.9).unwrap_or_default(), now.and_then(|now| now.quantile(0.9)));
    let figure =
        format!("P90 {} ({:.0}); agora / now {}", ms(since_start), queries.count(), now.map_or("?".to_owned(), ms));
    if since_start > QUERY_P90_MAX_S || now.is_some_and(|now| now > QUERY_P90_MAX_S) {
        return Check::problem(
            figure,
            say("consultas ao banco demoram mais que 100 ms (P90)", "queries take more than 100 ms (P90)"),
            say(
                "procure `slow query` no log (database.slow_query_ms); veja o servidor do banco e a rede até ele; menos filtros por pergunta",
                "look for `slow query` in the log (database.slow_query_ms); look at the database's server and the way to it; fewer filters at once",
            ),
        );
    }
    Check::ok(figure, say("consultas rápidas", "queries are quick"))
}

pub(super) fn database_pool(look: &Look) -> Check {
    let gate = |name| look.after.sum(name, &[("gate", "database")]);
    let (waiting, refused) = (gate("cidadao_ai_questions_waiting"), gate("cidadao_ai_questions_refused_total"));
    let for_connection = look.after.sum("cidadao_ai_database_connections", &[("state", "waited_for")]);
    let refused_now = look.grown("cidadao_ai_questions_refused_total", &[("gate", "database")]);
    if look.after.sum("cidadao_ai_database_readable", &[]) == Some(0.0) {
        return Check::problem(
            "cidadao_ai_database_readable 0",
            say("o banco não responde", "the database does not answer"),
            say(
                "veja o servidor do banco; nada precisa ser reiniciado depois",
                "see the database's server; nothing has to be restarted afterwards",
            ),
        );
    }
    let told = |n: Option<f64>| n.map_or("?".to_owned(), |n| format!("{n:.0}"));
    let figure = format!(
        "esperam / waiting {}, recusadas / refused {}, por conexão / for a connection {}",
        told(waiting),
        told(refused),
        told(for_connection)
    );
    let more = say(
        "aumente store.readers (arquivo) ou DB_POOL_SIZE (servidor; cuidado com max_connections)",
        "raise store.readers (file) or DB_POOL_SIZE (server; mind max_connections)",
    );
    if waiting.unwrap_or_default() > 0.0 || for_connection.unwrap_or_default() > 0.0 || refused_now > 0.0 {
        let found = say(
            "perguntas esperam pelo banco, ou são recusadas por isso",
            "questions wait for the database, or are refused for it",
        );
        return Check::problem(figure, found, more);
    }
    if refused.unwrap_or_default() > 0.0 {
        let found = say(
            "perguntas foram recusadas pelo banco, mas não agora",
            "questions were refused for the database, but not now",
        );
        return Check::note(figure, found, more);
    }
    Check::ok(figure, say("ninguém espera pelo banco", "nobody waits for the database"))
}

pub(super) fn compression(look: &Look) -> Check {
    match look.compressed {
        None => Check::not_measured(
            "/openapi.json",
            say("não veio uma resposta longa para olhar", "no long answer came to be looked at"),
        ),
        Some(true) => {
            Check::ok("Content-Encoding: gzip", say("respostas longas vêm comprimidas", "long answers come compressed"))
        }
        Some(false) => Check::problem(
            "Content-Encoding: —",
            say("respostas longas não vêm comprimidas", "long answers come uncompressed"),
            say(
                "COMPRESSION_LEVEL de 1 a 11 (http.compression_level); ou um intermediário as descomprime",
                "COMPRESSION_LEVEL from 1 to 11 (http.compression_level); or a proxy unpacks them",
            ),
        ),
    }
}
