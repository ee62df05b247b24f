// Who may do what. Anybody who reaches the port may look; whoever knows the token may act. The token travels in a header of
// its own, which no other site can make a browser send: there is no cookie to ride on.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const HEADERS = {
  // What libvirt calls a guest can never become a script.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function secure(server: FastifyInstance, { token, names }: { token: string; names: readonly string[] }): void {
  const isToken = equals(token);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    // A name of an attacker's that points here would make our page his (DNS rebinding).
    if (!isOurName(request.hostname, names)) return reply.code(421).send({ message: 'unknown host name: see "names"' });
    if (request.headers['sec-fetch-site'] === 'cross-site' && request.headers['sec-fetch-mode'] !== 'navigate') {
      return reply.code(403).send({ message: 'not from another site' });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isToken(bearer(request))) {
      return reply.code(401).header('www-authenticate', 'Bearer').send({ message: 'this needs the token' });
    }
    return undefined;
  });
}

function isOurName(hostname: string, names: readonly string[]): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return bare === 'localhost' || isIP(bare) !== 0 || names.includes(bare);
}

function bearer({ headers }: FastifyRequest): string {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** How long it takes tells nothing about how much is right. */
function equals(secret: string): (given: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const wanted = digest(secret);
  return (given) => timingSafeEqual(digest(given), wanted);
}
