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
    cost("POST", "/api/v1/investigations", 10),
    cost("POST", "/api/v1/admin/ingests", 5),
    cost("POST", BATCH, 0),
    cost("GET", "/openapi.json", 0),
    cost("GET", "/docs/docs.js", 0),
    cost("GET", "/docs/docs.css", 0),
    cost("GET", "/robots.txt", 0),
];

/// The route that is charged what its operations cost.
const BATCH: &str = "/api/v1/batch";

/// What a request costs: of `method`, at the route of this template, or at `path` where no route is.
pub fn cost_of(method: &Method, route: Option<&str>, path: &str, query: Option<&str>) -> u32 {
    let Some(route) = route else {
        // Files of the page never change and lie in memory.
        return if path.starts_with("/assets/") { 0 } else { ONE };
    };
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let seeks = query.is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some("q")));
    let matches = |row: &&Cost| {
        let is_route = match row.route.strip_suffix("?q") {
            Some(bare) => seeks && bare == route,
            None => row.route == route,
        };
        is_route && row.method == method
    };
    COSTS.iter().find(matches).map_or(ONE, |row| row.cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_shows_this_table() {
        let shown: String = COSTS
            .iter()
            .map(|row| {
                let cost = if row.route == BATCH { "its operations'".to_owned() } else { row.cost.to_string() };
                let route = row.route.strip_prefix("/api/v1/").unwrap_or(row.route);
                format!("| `{} {route}` | {cost} |\n", row.method)
            })
            .collect();
        assert!(include_str!("../../../../docs/api.md").contains(&shown), "docs/api.md should show:\n{shown}");
    }

    #[test]
    fn words_that_are_sought_cost_more_than_a_list() {
        let list = Some("/api/v1/contracts");
        assert_eq!(cost_of(&Method::GET, list, "", None), 1);
        assert_eq!(cost_of(&Method::GET, list, "", Some("limit=5&q=limpeza")), 2);
        assert_eq!(cost_of(&Method::HEAD, list, "", Some("q=limpeza")), 2);
        assert_eq!(cost_of(&Method::GET, list, "", Some("sort=q")), 1);
        assert_eq!(cost_of(&Method::POST, Some("/api/v1/investigations"), "", None), 10);
        assert_eq!(cost_of(&Method::GET, Some("/api/v1/investigations"), "", None), 1);
        assert_eq!(cost_of(&Method::GET, None, "/assets/index.js", None), 0);
        assert_eq!(cost_of(&Method::GET, None, "/api/v1/none", None), 1);
    }
}
