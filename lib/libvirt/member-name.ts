// How a C function is called in JavaScript: one rule, and no table of exceptions.

/** What a C name begins with where the receiver's class says it already. */
const PREFIX: Readonly<Record<string, string>> = { Connection: 'Connect' };

/**
 * The C name without `vir` and without its receiver's own prefix, its first word in lower case. A leading run of
 * capitals, less the last one when a lower-case letter follows, is one word: `virDomainGetXMLDesc` is `getXMLDesc`,
 * `virDomainFSFreeze` is `fsFreeze`, `virNWFilterDefineXML` of a connection is `nwFilterDefineXML`.
 */
export function memberName(cName: string, receiver: string): string {
  const bare = cName.replace(/^vir/, '');
  const prefix = PREFIX[receiver] ?? receiver;
  const name = bare.startsWith(prefix) ? bare.slice(prefix.length) : bare;
  return name.replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, (word) => word.toLowerCase());
}
