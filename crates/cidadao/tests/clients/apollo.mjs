// Apollo's client: a cached and normalized query, pages, persisted queries, a mutation, a subscription. node apollo.mjs ADDRESS
import assert from "node:assert/strict";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql, split } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { getMainDefinition, relayStylePagination } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { createHash } from "node:crypto";
import WebSocket from "ws";

const address = process.argv[2];
const sent = [];
const http = new HttpLink({
  uri: `${address}/graphql`,
  fetch: (url, options) => {
    sent.push({ method: options.method, url: String(url), body: options.body });
    return fetch(url, options);
  },
});
const persisted = new PersistedQueryLink({ sha256: (text) => createHash("sha256").update(text).digest("hex"), useGETForHashedQueries: true });
const ws = createClient({ url: `${address.replace("http", "ws")}/graphql/ws`, webSocketImpl: WebSocket, retryAttempts: 0 });
const isFollowed = ({ query }) => getMainDefinition(query).operation === "subscription";
const client = new ApolloClient({
  link: split(isFollowed, new GraphQLWsLink(ws), persisted.concat(http)),
  cache: new InMemoryCache({ typePolicies: { Query: { fields: { contracts: relayStylePagination() } } } }),
});

// Pages, put together by Apollo's own policy for Relay's connections.
const PAGES = gql`query ($after: String) { contracts(first: 5, after: $after) { edges { cursor node { id object supplier { id name } } } pageInfo { endCursor hasNextPage startCursor hasPreviousPage } } }`;
const seen = client.watchQuery({ query: PAGES });
const first = await new Promise((resolve, reject) => {
  seen.subscribe({ next: ({ data, loading }) => loading || resolve(data.contracts), error: reject });
});
assert.equal(first.edges.length, 5);
await seen.fetchMore({ variables: { after: first.pageInfo.endCursor } });
const ids = client.readQuery({ query: PAGES }).contracts.edges.map((edge) => edge.node.id);
assert.equal(new Set(ids).size, 10);

// The hash alone by GET, then once with the query, then by GET.
assert.equal(sent[0].method, "GET");
assert.ok(!sent[0].url.includes("query="), sent[0].url);
assert.ok(sent[1].body?.includes("sha256Hash") || sent[1].url.includes("query="));
assert.equal(sent.length, 3, "the second page is asked for by the hash at once");

// What was read is not asked for again.
const known = client.readFragment({ id: `Contract:${ids[0]}`, fragment: gql`fragment F on Contract { object }` });
assert.ok(known.object.length > 0);

// An error has its place and REST's type.
const refused = await client.query({ query: gql`{ contract(id: "x") { id } stats { contracts } }`, errorPolicy: "all" });
assert.ok(CombinedGraphQLErrors.is(refused.error));
assert.equal(refused.error.errors[0].extensions.type, "/problems/not-found");
assert.ok(refused.data.stats.contracts > 0);

const ask = await client.mutate({ mutation: gql`mutation { requestInvestigation(scope: {}, flags: ["BR05"], who: "Ana") { id status } }` });
const { id } = ask.data.requestInvestigation;
const told = [];
await new Promise((resolve, reject) => {
  const query = gql`subscription ($id: String!) { investigation(id: $id) { seq type investigation { id status } } }`;
  client.subscribe({ query, variables: { id } }).subscribe({ next: ({ data }) => told.push(data.investigation), error: reject, complete: resolve });
});
assert.equal(told.at(-1).type, "completed", JSON.stringify(told));
assert.equal(told.at(-1).investigation.id, id);
assert.ok(told.length > 3);
assert.deepEqual(told.map((event) => event.seq), told.map((_, at) => at + 1));
await ws.dispose();
console.log(JSON.stringify({ contracts: ids.length, events: told.length }));
process.exit(0);
