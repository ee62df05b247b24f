// Who uses a logical volume, and whether it may be written to beneath them.
import { type ImageUser, imageUsers, usersAmong } from '../images/users';
import type { MethodContext } from '../types';
import { devicePath, mapperPath } from './logical-volumes';
import { refusal } from './refusal';

type Context = MethodContext<{ device?: string }>;

const name = ({ guest, disk }: ImageUser) => `${guest} (${disk})`;

/** Under either of its names. */
export async function usersOfVolume(
  c: Context,
  path: string,
  isMeant: (user: ImageUser) => boolean = () => true,
): Promise<ImageUser[]> {
  return usersAmong(await imageUsers(c.domain.connection, c), [path, mapperPath(path)], isMeant);
}

/** What lies in a volume may be brought back only while nobody runs on it, and nobody else builds on what lies in it now. */
export async function refuseInUse(c: Context, origin: string): Promise<void> {
  const running = await usersOfVolume(c, origin, ({ as }) => as === 'live');
  if (running.length > 0) {
    const why = `${origin} is in use by ${running.map(name).join(', ')}. Shut it down first`;
    throw refusal(c, 'GUEST_ACTIVE', why);
  }
  await refuseNeeded(c, origin);
}

/** The same of a guest that may still run itself: it is stopped before its disk is brought back. */
export async function refuseNeeded(c: Context, origin: string): Promise<void> {
  if (c.data.device === undefined && (await devicePath(c.domain.connection, c.disk, c)) !== origin) {
    throw refusal(c, 'IN_USE', `it uses ${c.disk.sourcePath} now, not ${origin}. Delete the newer snapshots first`);
  }
  const uuid = c.domain.getUUIDString();
  const others = await usersOfVolume(
    c,
    origin,
    (user) => user.uuid !== uuid || user.disk !== c.disk.target || user.as === 'snapshot',
  );
  if (others.length > 0)
    throw refusal(c, 'IN_USE', `${origin} is needed by ${others.map(name).join(', ')} as it is now`);
}
