import { expect, test } from '@jest/globals';
import { leaveDeadman } from '../../lib/disk-snapshot/freeze/deadman';
import { agentSays, ScriptedGuest } from './scripted-agent';

const argumentsOf = (guest: ScriptedGuest, index: number) =>
  (JSON.parse(guest.sent[index]?.text ?? '{}') as { arguments: { path: string; arg: string[] } }).arguments;

test('names of mountpoints are arguments, never part of a command line', async () => {
  const guest = new ScriptedGuest().next('guest-exec', () => ({ pid: 7 }));
  const nasty = '/mnt/$(reboot)"; reboot; "';
  await leaveDeadman(guest.domain, [nasty], 10_000);
  const { path, arg } = argumentsOf(guest, 0);
  expect({ path, rest: arg.slice(2) }).toEqual({ path: 'sh', rest: ['sh', '15', nasty] });
  expect(arg[1]).not.toContain('reboot');
});

test('an agent that runs no programs: refused in words', async () => {
  const guest = new ScriptedGuest().next('guest-exec', () => {
    throw agentSays('The command guest-exec has been disabled for this instance');
  });
  await expect(leaveDeadman(guest.domain, ['/'], 10_000)).rejects.toMatchObject({
    code: 'GUARD_UNAVAILABLE',
    outcome: 'unchanged',
    message: expect.stringContaining('Allow guest-exec'),
  });
});

test('where only some could be left, they are taken back', async () => {
  const guest = new ScriptedGuest()
    .next('guest-exec', () => ({ pid: 7 }))
    .next('guest-exec', () => {
      throw agentSays('Failed to execute child process');
    })
    .next('guest-exec-status', () => ({ exited: false }))
    .next('guest-exec', () => ({ pid: 8 }))
    .next('guest-exec-status', () => ({ exited: true }))
    .next('guest-exec-status', () => ({ exited: true }));
  await expect(leaveDeadman(guest.domain, ['/', '/srv'], 10_000)).rejects.toMatchObject({ code: 'GUARD_UNAVAILABLE' });
  expect(argumentsOf(guest, 3).arg.at(-1)).toBe('7');
  expect(guest.asked.slice(2)).toEqual(['guest-exec-status', 'guest-exec', 'guest-exec-status', 'guest-exec-status']);
});
