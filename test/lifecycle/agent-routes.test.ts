// Where a call waits for the guest's agent only as its flags say, it goes over a connection of its own exactly then.
import { readdirSync, readlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type Domain,
  DomainCreateFlags,
  DomainGetHostnameFlags,
  DomainInterfaceAddressesSource,
  DomainRebootFlagValues,
  DomainShutdownFlagValues,
  DomainVcpuFlags,
  NodeSuspendTarget,
} from '../../lib/libvirt';
import { guestXml, host } from './bare-host';

const made = host();
const CHANNEL =
  "<channel type='unix'><source mode='bind'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
const name = 'routed';
beforeAll(async () => {
  // Nobody listens at its agent's channel: whatever asks the agent is refused at once.
  await made.conn.domainCreateXML(guestXml(name, CHANNEL), DomainCreateFlags.START_PAUSED);
});

const sockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // the folder's own
    }
  }).length;

/** How many connections more there are after one call. Each time by a connection that has none of its own for agents yet. */
async function connectionsOf(call: (domain: Domain) => Promise<unknown>): Promise<number> {
  await using conn = await made.daemon.connect();
  const domain = await conn.domainLookupByName(name);
  const before = sockets();
  await call(domain).catch(() => {});
  return sockets() - before;
}

const { AGENT, LEASE, ARP } = DomainInterfaceAddressesSource;
const { ACPI_POWER_BTN, GUEST_AGENT } = DomainShutdownFlagValues;
const timeoutMs = 20_000;
describe('over a connection of its own', () => {
  test.each<[string, (domain: Domain) => Promise<unknown>]>([
    ['interfaceAddresses of the agent', (domain) => domain.interfaceAddresses(AGENT)],
    ['getHostname of the agent', (domain) => domain.getHostname(DomainGetHostnameFlags.AGENT)],
    ['getHostname as the driver likes', (domain) => domain.getHostname()],
    ['getVcpusFlags of the guest', (domain) => domain.getVcpusFlags(DomainVcpuFlags.GUEST)],
    ['setVcpusFlags of the guest', (domain) => domain.setVcpusFlags(1, { flags: [DomainVcpuFlags.GUEST], timeoutMs })],
    ['shutdownFlags by the agent', (domain) => domain.shutdownFlags(GUEST_AGENT)],
    ['shutdownFlags by the agent or the button', (domain) => domain.shutdownFlags([GUEST_AGENT, ACPI_POWER_BTN])],
    ['shutdown as the driver likes', (domain) => domain.shutdown()],
    ['reboot by the agent', (domain) => domain.reboot(DomainRebootFlagValues.GUEST_AGENT)],
    ['reboot as the driver likes', (domain) => domain.reboot()],
    ['pmSuspendForDuration', (domain) => domain.pmSuspendForDuration(NodeSuspendTarget.MEM, 0)],
  ])('%s', async (_what, call) => {
    expect(await connectionsOf(call)).toBe(1);
  });
});

describe('over the connection itself', () => {
  test.each<[string, (domain: Domain) => Promise<unknown>]>([
    ['interfaceAddresses of leases', (domain) => domain.interfaceAddresses(LEASE)],
    ['interfaceAddresses of ARP', (domain) => domain.interfaceAddresses(ARP)],
    ['getHostname of leases', (domain) => domain.getHostname(DomainGetHostnameFlags.LEASE)],
    ['getVcpusFlags', (domain) => domain.getVcpusFlags()],
    [
      'getVcpusFlags of the definition',
      (domain) => domain.getVcpusFlags([DomainVcpuFlags.LIVE, DomainVcpuFlags.MAXIMUM]),
    ],
    ['setVcpusFlags', (domain) => domain.setVcpusFlags(1)],
    ['shutdownFlags by the button', (domain) => domain.shutdownFlags(ACPI_POWER_BTN)],
    ['reboot by the button', (domain) => domain.reboot(DomainRebootFlagValues.ACPI_POWER_BTN)],
  ])('%s', async (_what, call) => {
    expect(await connectionsOf(call)).toBe(0);
  });
});
