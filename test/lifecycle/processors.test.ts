// What is asked about a guest's processors is as large as the guest and its host are, and not as large as there could be.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { proxyTo } from './proxy';

let daemon: PrivateLibvirtd;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
});
afterAll(() => daemon?.close());

test('the pins of 24 CPUs come as bytes, not as kilobytes', async () => {
  await using proxy = await proxyTo(daemon.socket);
  await using conn = await connect(`test+unix:///default?socket=${proxy.socket}`, { keepAlive: false });
  const domain = await conn.domainCreateXML(
    "<domain type='test'><name>many</name><memory>8192</memory><vcpu>24</vcpu><os><type>hvm</type></os></domain>",
  );
  const { present } = await conn.nodeGetCPUMap();
  await domain.pinVcpu(23, [present - 1]);

  const bytesOf = async <T>(ask: () => Promise<T>): Promise<[T, number]> => {
    const before = proxy.received;
    const answer = await ask();
    return [answer, proxy.received - before];
  };
  const [pins, ofPins] = await bytesOf(() => domain.getVcpuPinInfo());
  expect(pins).toHaveLength(24);
  expect(pins[23]).toEqual([present - 1]);
  expect(pins[0]).toEqual(Array.from({ length: present }, (_, cpu) => cpu));
  const [vcpus, ofVcpus] = await bytesOf(() => domain.getVcpus());
  expect(vcpus).toHaveLength(24);
  expect(vcpus[23]).toMatchObject({ number: 23, cpumap: [present - 1] });
  // 24 maps with room for 4,096 CPUs are 12 KiB.
  expect(ofPins).toBeLessThan(500);
  expect(ofVcpus).toBeLessThan(1500);
});
