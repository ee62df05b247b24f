// The page, its events, and the actions behind its buttons.
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import statics from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Quiesce } from 'libvirt-disksnapshot';
import { type Actions, NotFound } from './actions.ts';
import { type Board, guestKey } from './board.ts';
import type { Config } from './config.ts';
import { feed } from './feed.ts';
import type { Metrics } from './metrics.ts';
import { GuestBusy } from './operations.ts';
import { secure } from './security.ts';
import { HostDown } from './supervisor.ts';
import { Tickets } from './tickets.ts';
import type { GuestView } from './views.ts';

const GUEST = '/api/hosts/:host/guests/:id';
type OfGuest = { Params: { host: string; id: string } };
type OfSnapshot = { Params: OfGuest['Params'] & { name: string } };
type OfDisk = { Params: OfSnapshot['Params'] & { disk: string } };

interface Parts {
  config: Pick<Config, 'token' | 'names'>;
  board: Board;
  actions: Actions;
  metrics: Metrics;
  /** Ends the streams of events. */
  signal: AbortSignal;
}

export async function serve({ config, board, actions, metrics, signal }: Parts): Promise<FastifyInstance> {
  const server = fastify({ forceCloseConnections: true });
  secure(server, config);
  server.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    reply.code(statusOf(error)).send({ message: error.message });
  });
  await server.register(statics, { root: join(import.meta.dirname, '..', 'public') });

  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  server.get('/api/events', (_request, reply) => {
    reply.header('cache-control', 'no-store').type('text/event-stream');
    return reply.send(Readable.from(feed(board, signal)));
  });

  // The hook has looked at the token: the page learns that it is right.
  server.post('/api/token', (_request, reply) => reply.code(204).send());

  const guestOf = ({ host, id }: OfGuest['Params']): GuestView => {
    const guest = board.guests.get(guestKey({ host, id }));
    if (!guest) throw new NotFound('no such guest');
    return guest;
  };
  server.post<OfGuest & { Body: { quiesce: Quiesce } }>(
    `${GUEST}/snapshots`,
    bodyOf({ quiesce: { enum: ['required', 'preferred', 'never'] } }),
    async ({ params, body }, reply) => accepted(reply, actions.snapshot(guestOf(params), body.quiesce)),
  );
  server.delete<OfSnapshot>(`${GUEST}/snapshots/:name`, async ({ params }, reply) =>
    accepted(reply, actions.delete(guestOf(params), params.name)),
  );
  server.post<OfSnapshot & { Body: { force: boolean } }>(
    `${GUEST}/snapshots/:name/revert`,
    bodyOf({ force: { type: 'boolean' } }),
    async ({ params, body }, reply) => accepted(reply, actions.revert(guestOf(params), params.name, body.force)),
  );
  server.put<OfGuest & { Body: { enabled: boolean } }>(
    `${GUEST}/nightly`,
    bodyOf({ enabled: { type: 'boolean' } }),
    async ({ params, body }, reply) => {
      await actions.setNightly(guestOf(params), body.enabled);
      return reply.code(204).send();
    },
  );
  server.delete<{ Params: { id: string } }>('/api/operations/:id', async ({ params }, reply) => {
    if (!actions.cancel(params.id)) throw new NotFound('that operation has ended');
    return reply.code(204).send();
  });

  const tickets = new Tickets<OfDisk['Params']>();
  server.post<OfDisk>(`${GUEST}/snapshots/:name/disks/:disk/download`, async ({ params }) => {
    guestOf(params);
    return { path: `/download/${tickets.issue(params)}` };
  });
  server.get<{ Params: { ticket: string } }>('/download/:ticket', (request, reply) => {
    const wanted = tickets.redeem(request.params.ticket);
    if (!wanted) throw new NotFound('this download was used or is too old: ask for it again');
    const guest = guestOf(wanted);
    const { end } = actions.download(guest, wanted.name, wanted.disk, async (content, bytes) => {
      reply.type('application/octet-stream').header('content-length', bytes);
      reply.header('content-disposition', attachment(`${guest.name}-${wanted.name}-${wanted.disk}.raw`));
      reply.send(Readable.from(content, { objectMode: false }));
      await finished(reply.raw);
    });
    // What failed before the first byte is told; afterwards all that is left is to break the connection off.
    void end.then(({ state, message }) => {
      if (!reply.sent) reply.code(502).send({ message: message ?? state });
      else if (state !== 'done') reply.raw.destroy();
    });
    return reply;
  });
  return server;
}

/** A guest's name may be anything; a file's must not. */
function attachment(name: string): string {
  return `attachment; filename="${name.replace(/[^\w.-]+/g, '_')}"`;
}

function accepted(reply: FastifyReply, { id }: { id: string }): FastifyReply {
  return reply.code(202).send({ operation: id });
}

function bodyOf(properties: Record<string, object>): { schema: object } {
  const required = Object.keys(properties);
  return { schema: { body: { type: 'object', properties, required, additionalProperties: false } } };
}

function statusOf(error: Error & { statusCode?: number }): number {
  if (error instanceof NotFound) return 404;
  if (error instanceof GuestBusy) return 409;
  return error instanceof HostDown ? 503 : (error.statusCode ?? 500);
}
