// Answers GraphQL questions by GitHub's own schema, from a tree that is sent along: node graphql.mjs PORT
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { buildSchema, graphql } from "graphql";

const path = new URL("node_modules/@octokit/graphql-schema/schema.graphql", import.meta.url);
const schema = buildSchema(readFileSync(path, "utf8"), { assumeValid: true });

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { query, variables, root } = JSON.parse(Buffer.concat(chunks).toString());
  const answer = await graphql({ schema, source: query, variableValues: variables, rootValue: root });
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answer));
}).listen(Number(process.argv[2]), "127.0.0.1");
