// Whether a hypervisor is on this machine: its files and processes are then ours to see.

/** Its URI names no host, and no transport that leads to another one. */
export function isLocalUri(uri: string): boolean {
  const parts = /^([a-z0-9]+)(?:\+([a-z0-9]+))?:\/\/([^/?]*)/i.exec(uri);
  return parts !== null && parts[3] === '' && (parts[2] === undefined || parts[2] === 'unix');
}
