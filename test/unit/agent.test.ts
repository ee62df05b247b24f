// One command to the agent: how it is sent, and what its failures and its answers are taken for.
import { describe, expect, test } from '@jest/globals';
import { type AgentError, type AgentFailure, askAgent, isOff } from '../../lib/disk-snapshot/freeze/agent';
import { DomainState, ErrorDomain, ErrorNumber } from '../../lib/libvirt';
import { agentSays, libvirtSays, ScriptedGuest } from './scripted-agent';

const failing = (error: unknown) =>
  new ScriptedGuest().next('guest-fsfreeze-status', () => {
    throw error;
  });
const answering = (command: string, answer: unknown) => new ScriptedGuest().next(command, () => answer);
const askStatus = (guest: ScriptedGuest) => askAgent(guest.domain, 'guest-fsfreeze-status', { limitMs: 1000 });

describe('what is sent', () => {
  test('the command and its arguments, as JSON', async () => {
    const guest = new ScriptedGuest();
    const args = { mountpoints: ['/', '/srv/a "quoted" name'] };
    expect(await askAgent(guest.domain, 'guest-fsfreeze-freeze-list', { limitMs: 1, arguments: args })).toBe(2);
    expect(JSON.parse(guest.sent[0]?.text ?? '')).toEqual({ execute: 'guest-fsfreeze-freeze-list', arguments: args });
  });

  test.each([
    [1, 1],
    [1000, 1],
    [1001, 2],
    [10_000, 10],
  ])('a limit of %i ms is %i s of libvirt: never its default, which is for ever', async (limitMs, seconds) => {
    const guest = new ScriptedGuest();
    await askAgent(guest.domain, 'guest-fsfreeze-status', { limitMs });
    expect(guest.sent[0]?.seconds).toBe(seconds);
  });

  test('what ends our waiting goes to the mirror, and nothing else does', async () => {
    const guest = new ScriptedGuest();
    await askAgent(guest.domain, 'guest-fsfreeze-thaw', { limitMs: 1000, timeoutMs: 700, urgent: true });
    expect(guest.sent[0]?.options).toEqual({ timeoutMs: 700, urgent: true });
  });
});

describe('what failed', () => {
  const disabled = "unable to execute QEMU agent command 'x': The command x has been disabled for this instance";
  test.each<[AgentFailure, unknown]>([
    ['no-channel', libvirtSays(ErrorNumber.ARGUMENT_UNSUPPORTED)],
    ['unresponsive', libvirtSays(ErrorNumber.AGENT_UNRESPONSIVE)],
    ['not-running', libvirtSays(ErrorNumber.OPERATION_INVALID)],
    ['gone', libvirtSays(ErrorNumber.NO_DOMAIN)],
    ['busy', libvirtSays(ErrorNumber.OPERATION_TIMEOUT)],
    ['denied', libvirtSays(ErrorNumber.OPERATION_DENIED)],
    ['denied', libvirtSays(ErrorNumber.ACCESS_DENIED)],
    ['unsupported', libvirtSays(ErrorNumber.NO_SUPPORT)],
    ['disabled', agentSays(disabled)],
    ['disabled', agentSays("unable to execute QEMU agent command 'x': The command x has not been found")],
    ['refused', agentSays("unable to execute QEMU agent command 'x': agent command failed: hook failed with status 1")],
    ['lost', libvirtSays(ErrorNumber.INTERNAL_ERROR, 'client socket is closed', ErrorDomain.RPC)],
    ['lost', libvirtSays(ErrorNumber.SYSTEM_ERROR, 'Cannot recv data', ErrorDomain.RPC)],
    ['lost', libvirtSays(ErrorNumber.INVALID_CONN, 'the connection is closed', ErrorDomain.NONE)],
    ['late', new DOMException('The operation was aborted due to timeout', 'TimeoutError')],
    ['failed', libvirtSays(ErrorNumber.OPERATION_FAILED)],
  ])('%s: %s', async (failure, error) => {
    await expect(askStatus(failing(error))).rejects.toMatchObject({ name: 'AgentError', failure, cause: error });
  });

  test('only after some of them is it known that nothing will come of the command', async () => {
    const ask = (error: unknown) => askStatus(failing(error)).catch((e: AgentError) => e.neverRan);
    expect(await ask(libvirtSays(ErrorNumber.OPERATION_TIMEOUT))).toBe(true);
    expect(await ask(libvirtSays(ErrorNumber.OPERATION_INVALID))).toBe(true);
    expect(await ask(agentSays(disabled))).toBe(true);
    expect(await ask(libvirtSays(ErrorNumber.AGENT_UNRESPONSIVE))).toBe(false);
    expect(await ask(agentSays('hook failed'))).toBe(false);
    expect(await ask(libvirtSays(ErrorNumber.RPC))).toBe(false);
  });

  test('an abort is no failure of the agent: it rejects with its reason', async () => {
    const reason = new Error('changed my mind');
    const guest = answering('guest-fsfreeze-status', new Promise(() => undefined));
    const abort = new AbortController();
    const asked = askAgent(guest.domain, 'guest-fsfreeze-status', { limitMs: 1000, signal: abort.signal });
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test('a deadline of the caller is his, though it is a TimeoutError too', async () => {
    const signal = AbortSignal.abort(new DOMException('deadline', 'TimeoutError'));
    const asked = askAgent(new ScriptedGuest().domain, 'guest-fsfreeze-status', { limitMs: 1000, signal });
    await expect(asked).rejects.toBe(signal.reason);
  });
});

describe('what the guest answers is not trusted', () => {
  const place = { bus: 0, target: 0, unit: 0, 'pci-controller': { domain: 0, bus: 0, slot: 4, function: 0 } };
  const mount = { name: 'vda1', mountpoint: '/', type: 'ext4', disk: [place] };

  test.each([
    ['guest-fsfreeze-status', 'melting'],
    ['guest-fsfreeze-status', null],
    ['guest-fsfreeze-thaw', -1],
    ['guest-fsfreeze-thaw', '2'],
    ['guest-fsfreeze-freeze-list', 1.5],
    ['guest-info', {}],
    ['guest-info', { supported_commands: [7] }],
    ['guest-get-fsinfo', {}],
    ['guest-get-fsinfo', [null]],
    ['guest-get-fsinfo', [{ ...mount, mountpoint: 7 }]],
    ['guest-get-fsinfo', [{ ...mount, disk: null }]],
    ['guest-get-fsinfo', [{ ...mount, disk: [{ ...place, unit: 'x' }] }]],
    ['guest-get-fsinfo', [{ ...mount, disk: [{ ...place, 'pci-controller': undefined }] }]],
  ] as const)('%s: %j is garbled', async (command, answer) => {
    const asked = askAgent(answering(command, answer).domain, command, { limitMs: 1000 });
    await expect(asked).rejects.toMatchObject({ failure: 'garbled', command });
  });

  test('no JSON at all is garbled', async () => {
    const guest = new ScriptedGuest();
    guest.qemuAgentCommand = async () => '<html>';
    await expect(askStatus(guest)).rejects.toMatchObject({ failure: 'garbled' });
  });

  test('file systems, with what the guest knows of their disks', async () => {
    const answer = [mount, { name: 'loop0', mountpoint: '/mnt', type: 'ext4', disk: [] }];
    const asked = askAgent(answering('guest-get-fsinfo', answer).domain, 'guest-get-fsinfo', { limitMs: 1000 });
    const pci = { domain: 0, bus: 0, slot: 4, function: 0 };
    expect(await asked).toEqual([
      { name: 'vda1', mountpoint: '/', type: 'ext4', disks: [{ pci, bus: 0, target: 0, unit: 0 }] },
      { name: 'loop0', mountpoint: '/mnt', type: 'ext4', disks: [] },
    ]);
  });

  test('commands count only where they are enabled', async () => {
    const supported_commands = [
      { name: 'guest-ping', enabled: true },
      { name: 'guest-exec', enabled: false },
    ];
    const asked = askAgent(answering('guest-info', { supported_commands }).domain, 'guest-info', { limitMs: 1000 });
    expect(await asked).toEqual(new Set(['guest-ping']));
  });
});

describe('whether a guest is off', () => {
  test.each([
    [DomainState.SHUTOFF, true],
    [DomainState.CRASHED, true],
    [DomainState.RUNNING, false],
    [DomainState.PAUSED, false],
    [DomainState.PMSUSPENDED, false],
  ])('state %i: %s', async (state, off) => {
    const guest = new ScriptedGuest();
    guest.state = state;
    expect(await isOff(guest.domain)).toBe(off);
  });

  test('a domain that is gone is off; one that cannot be asked is not known to be', async () => {
    const guest = new ScriptedGuest();
    guest.getState = () => Promise.reject(libvirtSays(ErrorNumber.NO_DOMAIN));
    expect(await isOff(guest.domain)).toBe(true);
    guest.getState = () => Promise.reject(libvirtSays(ErrorNumber.RPC));
    await expect(isOff(guest.domain)).rejects.toMatchObject({ code: ErrorNumber.RPC });
  });
});
