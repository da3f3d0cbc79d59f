// A small HTTP server that stands in for an app: it keeps what it is sent, and answers as it is told.

import { createServer } from 'node:http';

import { eventually } from './claims.mjs';

/** The answer that says nothing. */
export const ok = () => ({ status: 200, type: 'text/plain', body: '' });

/** Serves while `during` runs. `answers` gives, by path, a function from request to answer. */
export async function withListener(answers, during) {
  const received = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method, url, headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
    received.push(request);
    const { status, type, body } = answers[url.slice(1)](request);
    outgoing.writeHead(status, { 'Content-Type': type }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const app = {
    url: (name) => `http://127.0.0.1:${server.address().port}/${name}`,
    /** The requests to that answer, once there are so many. */
    wait: (name, count = 1) =>
      eventually(() => {
        const found = received.filter((request) => request.path === `/${name}`);
        return found.length >= count && found;
      }, `request ${count} to /${name} comes`),
  };
  try {
    return await during(app);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
