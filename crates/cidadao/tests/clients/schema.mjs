// The standard introspection query, and whether what it says is the schema in our own file: node schema.mjs ADDRESS SDL_FILE
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema, validateSchema } from "graphql";

const [address, file] = process.argv.slice(2);
const query = getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true, specifiedByUrl: true, oneOf: true });
const answer = await fetch(`${address}/graphql`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ query, operationName: "IntrospectionQuery" }),
});
const { data, errors } = await answer.json();
assert.equal(errors, undefined, JSON.stringify(errors));
const told = buildClientSchema(data);
assert.deepEqual(validateSchema(told), []);
const printed = (schema) => printSchema(lexicographicSortSchema(schema));
assert.equal(printed(told), printed(buildSchema(readFileSync(file, "utf8"))));
console.log(Object.keys(told.getTypeMap()).length);
