// The agent's channel of a running guest, plugged in anew: libvirt then hears at once, not a second later, that the agent is back.
import { randomBytes } from 'node:crypto';
import { type Domain, DomainModificationImpact } from '../libvirt';
import { child, childrenOf, element, formatXml, parseXml, type XmlElement } from '../xml/document';

/** libvirt wants `ua-` before each alias that is not its own. */
const ALIAS_PREFIX = 'ua-restored-agent-';

/**
 * To be called just before `loadvm`, while the guest is paused. That closes the guest's end of each channel and opens it again,
 * and of these two QEMU tells the second a second after the first: at most one such event per second and alias. Until then libvirt
 * refuses to talk to the agent. The guest's end of a new channel is closed, so there is only one event, and nothing was told of
 * its alias before.
 */
export async function renewAgentChannel(domain: Domain, timeoutMs: number): Promise<void> {
  const channel = agentChannel(parseXml(await domain.getXMLDesc({ timeoutMs })));
  if (channel === undefined) return;
  const options = { flags: DomainModificationImpact.LIVE, timeoutMs };
  await domain.detachDeviceFlags(formatXml(channel), options);
  const alias = element('alias', { name: `${ALIAS_PREFIX}${randomBytes(4).toString('hex')}` });
  channel.children = [...channel.children.filter((node) => !isNamed(node, 'alias')), alias];
  await domain.attachDeviceFlags(formatXml(channel), options);
}

/** The document of a domain as if its channel had never been plugged in anew. */
export function withoutRenewal(xml: string): string {
  const root = parseXml(xml);
  const channel = agentChannel(root);
  if (channel !== undefined) channel.children = channel.children.filter((node) => !isOurAlias(node));
  return formatXml(root);
}

function agentChannel(root: XmlElement): XmlElement | undefined {
  const devices = child(root, 'devices');
  const channels = devices === undefined ? [] : childrenOf(devices, 'channel');
  return channels.find((channel) => child(channel, 'target')?.attributes.name === 'org.qemu.guest_agent.0');
}

function isNamed(node: XmlElement | string, name: string): node is XmlElement {
  return typeof node !== 'string' && node.name === name;
}

function isOurAlias(node: XmlElement | string): boolean {
  return isNamed(node, 'alias') && node.attributes.name?.startsWith(ALIAS_PREFIX) === true;
}
