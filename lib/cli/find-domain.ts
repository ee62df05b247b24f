// The domain that a user means.
import { type Connection, type Domain, ErrorNumber, LibvirtError } from '../index';
import { EXIT } from './exit-codes';
import { CliError } from './failure';

const ID = /^[1-9][0-9]*$/;
const LARGEST_ID = 2 ** 31 - 1;
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** In virsh's order: by the id of a running domain, by UUID, by name. */
export async function findDomain(connection: Connection, named: string, signal: AbortSignal): Promise<Domain> {
  const call = { signal };
  const isId = ID.test(named) && Number(named) <= LARGEST_ID;
  const found =
    (isId ? await orNull(connection.domainLookupByID(Number(named), call)) : null) ??
    (UUID.test(named) ? await orNull(connection.domainLookupByUUIDString(named, call)) : null) ??
    (await orNull(connection.domainLookupByName(named, call)));
  if (found) return found;
  const message = `there is no guest with the name, UUID or id ${named}; virsh list --all names them`;
  throw new CliError('NOT_FOUND', EXIT.NOT_FOUND, message);
}

async function orNull(lookup: Promise<Domain>): Promise<Domain | null> {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof LibvirtError && error.code === ErrorNumber.NO_DOMAIN) return null;
    throw error;
  }
}
