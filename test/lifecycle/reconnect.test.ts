// What the documentation says to do after a lost connection, as it stands there: the daemon is killed, and started again.
import type { ChildProcess } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { DomainEventType } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { circumstanceOf } from '../docs/circumstances';
import { Project } from '../docs/project';
import { samples } from '../docs/samples';

const GUEST = `<domain type='qemu'><name>guest</name><uuid>5d1f6f7e-3f0b-4a51-9d55-0f6e2f0f7a10</uuid><memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os></domain>`;

/** Resolves when the program has printed this line, after what it was seen to print before. */
function listener({ stdout }: ChildProcess): (line: string) => Promise<void> {
  let unread = '';
  let changed = () => {};
  stdout?.on('data', (chunk) => {
    unread += chunk;
    changed();
  });
  return async (line) => {
    while (!unread.includes(line)) await new Promise<void>((resolve) => (changed = resolve));
    unread = unread.slice(unread.indexOf(line) + line.length);
  };
}

test('the documented loop follows events again once the daemon is back', async () => {
  await using daemon = await PrivateLibvirtd.start();
  using project = new Project();
  const sample = samples.find((each) => circumstanceOf(each)?.runBy === 'test/lifecycle/reconnect.test.ts');
  if (!sample) throw new Error('the sample is missing');
  const define = async () => {
    await using conn = await daemon.connect();
    await conn.domainDefineXML(GUEST);
  };
  await define();
  const meanwhile = async (child: ChildProcess) => {
    const printed = listener(child);
    try {
      await printed('is there: guest\n');
      await define();
      await printed(`event: guest ${DomainEventType.DEFINED}\n`);
      await daemon.kill();
      await printed('disconnected: ');
      await daemon.restart();
      await printed('is there: guest\n');
      await define();
      await printed(`event: guest ${DomainEventType.DEFINED}\n`);
    } finally {
      child.kill();
    }
  };
  const ended = await project.run(sample, { 'qemu:///system': daemon.uri }, { meanwhile });
  expect(ended).toEqual({ code: null, errors: '', output: expect.any(String) });
}, 60_000);
