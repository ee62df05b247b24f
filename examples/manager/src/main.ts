// node dist/main.js [config.json]
import { argv } from 'node:process';
import { readConfig } from './config.ts';
import { startManager } from './manager.ts';

/** A host that hangs must not keep us from ending. */
const STOP_MS = 30_000;

const log = (message: string) => console.log(`${new Date().toISOString()} ${message}`);

try {
  const config = await readConfig(argv[2] ?? 'config.json');
  const manager = await startManager(config, log);
  log(`listening: ${manager.url}/#${config.token}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log(`${signal}: stopping`);
      setTimeout(() => giveUp(), STOP_MS).unref();
      void manager.stop();
    });
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function giveUp(): never {
  log('something still hangs: guests that are frozen are thawed by the guard, the rest is recovered at the next start');
  process.exit(1);
}
