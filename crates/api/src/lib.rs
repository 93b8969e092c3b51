//! The HTTP doors: REST, health, metrics, documentation and the web page.
