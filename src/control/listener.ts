/**
 * The metrics over HTTP, for a Prometheus on this machine.
 *
 * Promises: listens on a loopback address only; answers GET and HEAD of `/metrics`, reads no body, keeps no
 * connection, and drops each after 5 s, however busy it looks, so that clients that dawdle keep nobody else out; a port that is taken stops nothing but this.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { reasonOf } from '../base/errors.ts';
import type { Listening } from './listening.ts';

/** Of the text exposition format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const MOST_CONNECTIONS = 16;
const PATIENCE_MS = 5000;

/**
 * @param text the metrics as they are when it is called
 * @param patienceMs how long a connection may last
 */
export function listen(
  { host, port }: Listening,
  text: () => string,
  warn: (text: string) => void,
  patienceMs: number = PATIENCE_MS,
): Server {
  const server = createServer({ keepAlive: false }, (request, response) =>
    answer(request, response, text),
  );
  server.maxConnections = MOST_CONNECTIONS;
  // Node's own limits for a request are looked at every 30 s only, and those of a socket begin anew with each byte.
  server.on('connection', socket => {
    const late = setTimeout(() => socket.destroy(), patienceMs);
    socket.once('close', () => clearTimeout(late));
  });
  server.on('error', error => {
    warn(`the metrics cannot be served on ${host} port ${port}: ${reasonOf(error)}`);
  });
  return server.listen(port, host);
}

function answer(request: IncomingMessage, response: ServerResponse, text: () => string): void {
  const { method, url } = request;
  response.setHeader('Connection', 'close');
  if (url !== '/metrics') response.writeHead(404).end('the metrics are at /metrics\n');
  else if (method !== 'GET' && method !== 'HEAD')
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
  else {
    response.setHeader('Content-Type', CONTENT_TYPE);
    response.end(method === 'HEAD' ? undefined : text());
  }
}

export function closeListener(server: Server): Promise<void> {
  return new Promise(resolve => {
    // Also when it never listened.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
