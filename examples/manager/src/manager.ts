// All parts put together, and taken apart in order.
import { Actions } from './actions.ts';
import { Board } from './board.ts';
import type { Config } from './config.ts';
import { Metrics } from './metrics.ts';
import { Nightly } from './nightly.ts';
import { Operations } from './operations.ts';
import { serve } from './server.ts';
import { Supervisor } from './supervisor.ts';

export interface Manager {
  /** Of the page. */
  url: string;
  /** Cancels what is under way, waits until it is undone or finished, and closes all connections. */
  stop(): Promise<void>;
}

export async function startManager(config: Config, log: (message: string) => void = () => {}): Promise<Manager> {
  const stopping = new AbortController();
  const board = new Board();
  const metrics = new Metrics(board);
  const operations = new Operations(board, metrics.onFailure);
  const supervisors = new Map(config.hosts.map((host) => [host.name, new Supervisor(host, board, log)]));
  const actions = new Actions(supervisors, operations, metrics.onSnapshot);
  const server = await serve({ config, board, actions, metrics, signal: stopping.signal });
  const url = await server.listen(config.listen);
  const { schedule, keep } = config.nightly;
  const nightly = new Nightly(board, { schedule, log, run: (guest) => actions.nightly(guest, keep) });
  const running = [...supervisors.values()].map((supervisor) => supervisor.run(stopping.signal));
  return {
    url,
    async stop() {
      nightly[Symbol.dispose]();
      await operations.stop();
      stopping.abort();
      await Promise.all([server.close(), ...running]);
    },
  };
}
