//! Language models, where one is configured: clients, a fallback chain, a budget, and the checks that keep them honest.
