// libvirt's errors in the words of the facade.
import { expect, test } from '@jest/globals';
import { translate } from '../../lib/disk-snapshot/facade';
import { ErrorDomain, ErrorNumber } from '../../lib/libvirt';
import { libvirtSays } from './scripted-agent';

const { RPC, QEMU, STORAGE } = ErrorDomain;
const { INTERNAL_ERROR, SYSTEM_ERROR, INVALID_CONN, NO_DOMAIN, OPERATION_DENIED, OPERATION_INVALID } = ErrorNumber;

test.each([
  // What libvirt's client says when its socket ends, depending on what it was doing just then.
  ['Cannot recv data: Connection reset by peer', SYSTEM_ERROR, RPC, 'CONNECTION_LOST', 'unknown'],
  ['Cannot write data: Broken pipe', SYSTEM_ERROR, RPC, 'CONNECTION_LOST', 'unknown'],
  ['End of file while reading data: Input/output error', SYSTEM_ERROR, RPC, 'CONNECTION_LOST', 'unknown'],
  ['internal error: client socket is closed', INTERNAL_ERROR, RPC, 'CONNECTION_LOST', 'unknown'],
  ['the connection is closed', INVALID_CONN, ErrorDomain.NONE, 'CONNECTION_LOST', 'unknown'],
  ['Domain not found', NO_DOMAIN, QEMU, 'NOT_FOUND', 'unchanged'],
  [
    'operation virDomainSuspend forbidden for read only access',
    OPERATION_DENIED,
    QEMU,
    'PERMISSION_DENIED',
    'unchanged',
  ],
  ['cannot write to x: No space left on device', SYSTEM_ERROR, STORAGE, 'NO_SPACE', 'unchanged'],
  ['cannot open x: Permission denied', SYSTEM_ERROR, STORAGE, 'PERMISSION_DENIED', 'unchanged'],
  ['cannot open x: Input/output error', SYSTEM_ERROR, STORAGE, 'OPERATION_FAILED', 'unchanged'],
  ['domain is not running', OPERATION_INVALID, QEMU, 'OPERATION_FAILED', 'unchanged'],
])('%s', (message, number, domain, code, outcome) => {
  const said = libvirtSays(number, message, domain);
  const error = translate(said, { guest: 'web1', disk: 'vda' });
  expect(error).toMatchObject({ code, outcome, guest: 'web1', disk: 'vda', cause: said });
  expect((error as Error).message).toContain(`web1: vda: ${message}`);
});

test('a job of the domain that does not end: what it may be, and where to read on', () => {
  const said = libvirtSays(ErrorNumber.OPERATION_TIMEOUT, 'cannot acquire state change lock', QEMU);
  const message = expect.stringMatching(/try again.*domstate --reason.*docs\/recovery\.md/);
  expect(translate(said, { guest: 'web1' })).toMatchObject({ code: 'OPERATION_FAILED', message });
});

test('what is not of libvirt is passed through', () => {
  const error = new RangeError('x');
  expect(translate(error)).toBe(error);
});
