// Sends what stands in the form to /graphql and shows the answer; lists the types from the schema's own description.
"use strict";

const EXAMPLE = `# Dez órgãos, seus contratos mais novos, quem os vendeu e os achados mais graves.
query ($n: Int = 10) {
  buyers(first: $n) {
    nodes {
      name
      contracts(first: 3) {
        nodes {
          object
          valueFinal
          signedOn
          supplier {
            name
            findings(first: 2) {
              nodes { flag severity title { pt } }
            }
          }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

const TYPES = `{ __schema { types { kind name description
  fields { name description args { name description type { ...T } } type { ...T } } } } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const at = (id) => document.getElementById(id);

async function ask(query, variables) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (at("key").value.trim()) headers["x-api-key"] = at("key").value.trim();
  const began = performance.now();
  const response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const answer = await response.json();
  return { answer, status: response.status, took: performance.now() - began, cache: response.headers.get("cache-status") };
}

async function run(event) {
  event?.preventDefault();
  at("told").textContent = "…";
  try {
    const variables = JSON.parse(at("variables").value || "{}");
    const { answer, status, took, cache } = await ask(at("query").value, variables);
    at("answer").textContent = JSON.stringify(answer, null, 2);
    at("told").textContent = `${status} · ${took.toFixed(0)} ms · ${cache ?? ""}`;
  } catch (error) {
    at("answer").textContent = String(error);
    at("told").textContent = "";
  }
}

function written(type) {
  if (type.kind === "NON_NULL") return `${written(type.ofType)}!`;
  if (type.kind === "LIST") return `[${written(type.ofType)}]`;
  return type.name;
}

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function shown(type) {
  const list = element("dl");
  for (const field of type.fields) {
    const args = field.args.map((arg) => `${arg.name}: ${written(arg.type)}`).join(", ");
    list.append(element("dt", `${field.name}${args && `(${args})`}: ${written(field.type)}`));
    if (field.description) list.append(element("dd", field.description));
  }
  const parts = [element("summary", type.name)];
  if (type.description) parts.push(element("p", type.description));
  return element("details", "", ...parts, list);
}

async function types() {
  const { answer } = await ask(TYPES, {});
  const all = answer.data.__schema.types.filter((type) => type.fields && !type.name.startsWith("__"));
  const rank = (type) => (type.name === "Query" ? 0 : type.name === "Mutation" ? 1 : 2);
  all.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  at("types").append(...all.map(shown));
}

at("query").value = EXAMPLE;
at("ask").addEventListener("submit", run);
at("ask").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
});
types().catch(() => {});
