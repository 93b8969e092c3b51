//! What a request costs: one table, which docs/api.md shows (a test compares them).

use axum::http::Method;

/// The cost of whatever the table does not name.
const ONE: u32 = 1;

/// A row of the table.
struct Cost {
    method: &'static str,
    /// The route; with `?q` only where words are sought.
    route: &'static str,
    cost: u32,
}

const fn cost(method: &'static str, route: &'static str, cost: u32) -> Cost {
    Cost { method, route, cost }
}

/// What costs more than one, or nothing. A batch is charged what its operations cost, by itself.
const COSTS: &[Cost] = &[
    cost("GET", "/api/v1/contracts?q", 2),
    cost("GET", "/api/v1/suppliers?q", 2),
    cost("GET", "/api/v1/buyers?q", 2),
    cost("GET", "/api/v1/flags/{code}/preview", 3),
    cost("GET", "/api/v1/flags/{code}/findings", 5),
    cost("GET", "/api/v1/findings/{id}/evidence", 5),
    cost("GET", "/api/v1/investigations/{id}/report", 5),
    cost("GET", "/api/v1/investigations/{id}/lai", 5),
    cost("GET", "/api/v1/suppliers/{id}/dossier", 5),
    cost("GET", "/api/v1/buyers/{id}/dossier", 5),
    cost("POST", "/api/v1/investigations", 10),
    cost("POST", "/api/v1/ask", 3),
    cost("POST", "/api/v1/admin/ingests", 5),
    cost("POST", BATCH, 0),
    cost("GET", GRAPHQL, 0),
    cost("POST", GRAPHQL, 0),
    cost("GET", "/graphql/explorer.js", 0),
    cost("GET", "/graphql/explorer.css", 0),
    cost("GET", "/openapi.json", 0),
    cost("GET", "/docs/docs.js", 0),
    cost("GET", "/docs/docs.css", 0),
    cost("GET", "/robots.txt", 0),
];

/// The route that is charged what its operations cost.
const BATCH: &str = "/api/v1/batch";

/// The route that charges by itself, by what a query would cost.
const GRAPHQL: &str = "/graphql";

/// What a request costs.
pub fn cost_of(method: &Method, path: &str, query: Option<&str>) -> u32 {
    if path.starts_with("/assets/") {
        // Files of the page never change and lie in memory.
        return 0;
    }
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let seeks = query.is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some("q")));
    let is_of = |row: &&Cost| {
        let route = row.route.strip_suffix("?q");
        row.method == method && is_at(route.unwrap_or(row.route), path) && (route.is_none() || seeks)
    };
    COSTS.iter().find(is_of).map_or(ONE, |row| row.cost)
}

/// Whether a path is one of a route.
fn is_at(route: &str, path: &str) -> bool {
    let (mut parts, mut steps) = (route.split('/'), path.split('/'));
    loop {
        match (parts.next(), steps.next()) {
            (None, None) => return true,
            (Some(part), Some(step)) if part == step || part.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_shows_this_table() {
        let shown: String = COSTS
            .iter()
            .map(|row| {
                let cost = match row.route {
                    BATCH => "its operations'".to_owned(),
                    GRAPHQL => "1 + points / 100".to_owned(),
                    _ => row.cost.to_string(),
                };
                let route = row.route.strip_prefix("/api/v1/").unwrap_or(row.route);
                format!("| `{} {route}` | {cost} |\n", row.method)
            })
            .collect();
        assert!(include_str!("../../../../docs/api.md").contains(&shown), "docs/api.md should show:\n{shown}");
    }

    #[test]
    fn words_that_are_sought_cost_more_than_a_list() {
        let get = |path: &str, query| cost_of(&Method::GET, path, query);
        let list = "/api/v1/contracts";
        assert_eq!(get(list, None), 1);
        assert_eq!(get(list, Some("limit=5&q=limpeza")), 2);
        assert_eq!(cost_of(&Method::HEAD, list, Some("q=limpeza")), 2);
        assert_eq!(get(list, Some("sort=q")), 1);
        assert_eq!(get("/api/v1/flags/BR05/preview", None), 3);
        assert_eq!(get("/api/v1/flags/BR05/other", None), 1);
        assert_eq!(get("/api/v1/flags/BR05/preview/more", None), 1);
        assert_eq!(cost_of(&Method::POST, "/api/v1/investigations", None), 10);
        assert_eq!(get("/api/v1/investigations", None), 1);
        assert_eq!((get("/assets/index.js", None), get("/api/v1/none", None)), (0, 1));
    }
}
