// Each member is called with success by some test, or stands below, with the reason why it is not.
import { expect, test } from '@jest/globals';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';
import { calledMembers } from './called-members';

const NEWER = (version: string) => `libvirt ${version} and later; this machine has an older one`;
const MEDIATED = 'a mediated device: a graphics card or a channel subsystem that makes them';
const PCI = "a PCI device that is no part of what the tests' own machine lives on";
const SEV = "AMD's SEV";

const NOT_HERE: Readonly<Record<string, string>> = {
  'Connection.domainQemuAttach': 'no driver has it any more',
  'Connection.domainXMLFromNative': 'no driver that is installed has it any more',
  'Connection.nodeDeviceDefineXML': MEDIATED,
  'Connection.nodeDeviceLookupSCSIHostByWWN': 'a Fibre Channel adapter',
  'Connection.nodeGetSEVInfo': SEV,
  'Connection.nodeSuspendForDuration': 'it would put the machine that tests to sleep',
  'Domain.delThrottleGroup': NEWER('11.2'),
  'Domain.getAutostartOnce': NEWER('11.2'),
  'Domain.graphicsReload': NEWER('10.2'),
  'Domain.setAutostartOnce': NEWER('11.2'),
  'Domain.setLaunchSecurityState': SEV,
  'Domain.setThrottleGroup': NEWER('11.2'),
  'Network.getMetadata': NEWER('9.7'),
  'Network.setMetadata': NEWER('9.7'),
  'NodeDevice.create': MEDIATED,
  'NodeDevice.detachFlags': PCI,
  'NodeDevice.dettach': PCI,
  'NodeDevice.reAttach': PCI,
  'NodeDevice.reset': PCI,
  'NodeDevice.setAutostart': MEDIATED,
  'NodeDevice.undefine': MEDIATED,
  'NodeDevice.update': MEDIATED,
};

test('every member', () => {
  const called = calledMembers(['test', 'examples']);
  const all = native.functions.map(({ name, receiver }) => `${receiver}.${memberName(name, receiver)}`);
  const never = all.filter((each) => !called.has(each));
  expect(never.sort()).toEqual(Object.keys(NOT_HERE).sort());
});
