// Writes lib/libvirt/generated/ from libvirt's description of its own API, the installed one's and what newer ones have:
//   constants.ts   one frozen object per C enum
//   parameters.ts  the C parameters' names of each function, for error messages
// node scripts/generate-constants.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { description } from './libvirt-api.mjs';

/** What every member of an enum begins with in C and loses in JavaScript. A new enum must be entered here by hand. */
const PREFIX = {
  virBlkioParameterType: 'VIR_DOMAIN_BLKIO_PARAM_',
  virCPUCompareResult: 'VIR_CPU_COMPARE_',
  virConnectBaselineCPUFlags: 'VIR_CONNECT_BASELINE_CPU_',
  virConnectCloseReason: 'VIR_CONNECT_CLOSE_REASON_',
  virConnectCompareCPUFlags: 'VIR_CONNECT_COMPARE_CPU_',
  virConnectCredentialType: 'VIR_CRED_',
  virConnectDomainEventAgentLifecycleReason: 'VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_',
  virConnectDomainEventAgentLifecycleState: 'VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_',
  virConnectDomainEventBlockJobStatus: 'VIR_DOMAIN_BLOCK_JOB_',
  virConnectDomainEventDiskChangeReason: 'VIR_DOMAIN_EVENT_DISK_',
  virConnectDomainQemuMonitorEventRegisterFlags: 'VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_',
  virConnectFlags: 'VIR_CONNECT_',
  virConnectGetAllDomainStatsFlags: 'VIR_CONNECT_GET_ALL_DOMAINS_STATS_',
  virConnectGetDomainCapabilitiesFlags: 'VIR_CONNECT_GET_DOMAIN_CAPABILITIES_',
  virConnectListAllDomainsFlags: 'VIR_CONNECT_LIST_DOMAINS_',
  virConnectListAllInterfacesFlags: 'VIR_CONNECT_LIST_INTERFACES_',
  virConnectListAllNetworksFlags: 'VIR_CONNECT_LIST_NETWORKS_',
  virConnectListAllNodeDeviceFlags: 'VIR_CONNECT_LIST_NODE_DEVICES_',
  virConnectListAllSecretsFlags: 'VIR_CONNECT_LIST_SECRETS_',
  virConnectListAllStoragePoolsFlags: 'VIR_CONNECT_LIST_STORAGE_POOLS_',
  virDomainAbortJobFlagsValues: 'VIR_DOMAIN_ABORT_JOB_',
  virDomainAgentResponseTimeoutValues: 'VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_',
  virDomainAuthorizedSSHKeysSetFlags: 'VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_',
  virDomainBackupBeginFlags: 'VIR_DOMAIN_BACKUP_BEGIN_',
  virDomainBlockCommitFlags: 'VIR_DOMAIN_BLOCK_COMMIT_',
  virDomainBlockCopyFlags: 'VIR_DOMAIN_BLOCK_COPY_',
  virDomainBlockJobAbortFlags: 'VIR_DOMAIN_BLOCK_JOB_ABORT_',
  virDomainBlockJobInfoFlags: 'VIR_DOMAIN_BLOCK_JOB_INFO_',
  virDomainBlockJobSetSpeedFlags: 'VIR_DOMAIN_BLOCK_JOB_SPEED_',
  virDomainBlockJobType: 'VIR_DOMAIN_BLOCK_JOB_TYPE_',
  virDomainBlockPullFlags: 'VIR_DOMAIN_BLOCK_PULL_',
  virDomainBlockRebaseFlags: 'VIR_DOMAIN_BLOCK_REBASE_',
  virDomainBlockResizeFlags: 'VIR_DOMAIN_BLOCK_RESIZE_',
  virDomainBlockedReason: 'VIR_DOMAIN_BLOCKED_',
  virDomainChannelFlags: 'VIR_DOMAIN_CHANNEL_',
  virDomainCheckpointCreateFlags: 'VIR_DOMAIN_CHECKPOINT_CREATE_',
  virDomainCheckpointDeleteFlags: 'VIR_DOMAIN_CHECKPOINT_DELETE_',
  virDomainCheckpointListFlags: 'VIR_DOMAIN_CHECKPOINT_LIST_',
  virDomainCheckpointXMLFlags: 'VIR_DOMAIN_CHECKPOINT_XML_',
  virDomainConsoleFlags: 'VIR_DOMAIN_CONSOLE_',
  virDomainControlErrorReason: 'VIR_DOMAIN_CONTROL_ERROR_REASON_',
  virDomainControlState: 'VIR_DOMAIN_CONTROL_',
  virDomainCoreDumpFlags: 'VIR_DUMP_',
  virDomainCoreDumpFormat: 'VIR_DOMAIN_CORE_DUMP_FORMAT_',
  virDomainCrashedReason: 'VIR_DOMAIN_CRASHED_',
  virDomainCreateFlags: 'VIR_DOMAIN_',
  virDomainDefineFlags: 'VIR_DOMAIN_DEFINE_',
  virDomainDestroyFlagsValues: 'VIR_DOMAIN_DESTROY_',
  virDomainDeviceModifyFlags: 'VIR_DOMAIN_DEVICE_MODIFY_',
  virDomainDirtyRateCalcFlags: 'VIR_DOMAIN_DIRTYRATE_MODE_',
  virDomainDirtyRateStatus: 'VIR_DOMAIN_DIRTYRATE_',
  virDomainDiskErrorCode: 'VIR_DOMAIN_DISK_ERROR_',
  virDomainEventCrashedDetailType: 'VIR_DOMAIN_EVENT_CRASHED_',
  virDomainEventDefinedDetailType: 'VIR_DOMAIN_EVENT_DEFINED_',
  virDomainEventGraphicsAddressType: 'VIR_DOMAIN_EVENT_GRAPHICS_ADDRESS_',
  virDomainEventGraphicsPhase: 'VIR_DOMAIN_EVENT_GRAPHICS_',
  virDomainEventID: 'VIR_DOMAIN_EVENT_ID_',
  virDomainEventIOErrorAction: 'VIR_DOMAIN_EVENT_IO_ERROR_',
  virDomainEventPMSuspendedDetailType: 'VIR_DOMAIN_EVENT_PMSUSPENDED_',
  virDomainEventResumedDetailType: 'VIR_DOMAIN_EVENT_RESUMED_',
  virDomainEventShutdownDetailType: 'VIR_DOMAIN_EVENT_SHUTDOWN_',
  virDomainEventStartedDetailType: 'VIR_DOMAIN_EVENT_STARTED_',
  virDomainEventStoppedDetailType: 'VIR_DOMAIN_EVENT_STOPPED_',
  virDomainEventSuspendedDetailType: 'VIR_DOMAIN_EVENT_SUSPENDED_',
  virDomainEventTrayChangeReason: 'VIR_DOMAIN_EVENT_TRAY_CHANGE_',
  virDomainEventType: 'VIR_DOMAIN_EVENT_',
  virDomainEventUndefinedDetailType: 'VIR_DOMAIN_EVENT_UNDEFINED_',
  virDomainEventWatchdogAction: 'VIR_DOMAIN_EVENT_WATCHDOG_',
  virDomainFDAssociateFlags: 'VIR_DOMAIN_FD_ASSOCIATE_',
  virDomainGetHostnameFlags: 'VIR_DOMAIN_GET_HOSTNAME_',
  virDomainGetJobStatsFlags: 'VIR_DOMAIN_JOB_STATS_',
  virDomainGraphicsReloadType: 'VIR_DOMAIN_GRAPHICS_RELOAD_TYPE_',
  virDomainGuestInfoTypes: 'VIR_DOMAIN_GUEST_INFO_',
  virDomainInterfaceAddressesSource: 'VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_',
  virDomainJobOperation: 'VIR_DOMAIN_JOB_OPERATION_',
  virDomainJobType: 'VIR_DOMAIN_JOB_',
  virDomainLifecycle: 'VIR_DOMAIN_LIFECYCLE_',
  virDomainLifecycleAction: 'VIR_DOMAIN_LIFECYCLE_ACTION_',
  virDomainMemoryFailureActionType: 'VIR_DOMAIN_EVENT_MEMORY_FAILURE_ACTION_',
  virDomainMemoryFailureFlags: 'VIR_DOMAIN_MEMORY_FAILURE_',
  virDomainMemoryFailureRecipientType: 'VIR_DOMAIN_EVENT_MEMORY_FAILURE_RECIPIENT_',
  virDomainMemoryFlags: 'VIR_MEMORY_',
  virDomainMemoryModFlags: 'VIR_DOMAIN_MEM_',
  virDomainMemoryStatTags: 'VIR_DOMAIN_MEMORY_STAT_',
  virDomainMessageType: 'VIR_DOMAIN_MESSAGE_',
  virDomainMetadataType: 'VIR_DOMAIN_METADATA_',
  virDomainMigrateFlags: 'VIR_MIGRATE_',
  virDomainMigrateMaxSpeedFlags: 'VIR_DOMAIN_MIGRATE_MAX_SPEED_',
  virDomainModificationImpact: 'VIR_DOMAIN_AFFECT_',
  virDomainNostateReason: 'VIR_DOMAIN_NOSTATE_',
  virDomainNumatuneMemMode: 'VIR_DOMAIN_NUMATUNE_MEM_',
  virDomainOpenGraphicsFlags: 'VIR_DOMAIN_OPEN_GRAPHICS_',
  virDomainPMSuspendedDiskReason: 'VIR_DOMAIN_PMSUSPENDED_DISK_',
  virDomainPMSuspendedReason: 'VIR_DOMAIN_PMSUSPENDED_',
  virDomainPausedReason: 'VIR_DOMAIN_PAUSED_',
  virDomainProcessSignal: 'VIR_DOMAIN_PROCESS_SIGNAL_',
  virDomainQemuAgentCommandTimeoutValues: 'VIR_DOMAIN_QEMU_AGENT_COMMAND_',
  virDomainQemuMonitorCommandFlags: 'VIR_DOMAIN_QEMU_MONITOR_COMMAND_',
  virDomainRebootFlagValues: 'VIR_DOMAIN_REBOOT_',
  virDomainRunningReason: 'VIR_DOMAIN_RUNNING_',
  virDomainSaveImageXMLFlags: 'VIR_DOMAIN_SAVE_IMAGE_XML_',
  virDomainSaveRestoreFlags: 'VIR_DOMAIN_SAVE_',
  virDomainSetTimeFlags: 'VIR_DOMAIN_TIME_',
  virDomainSetUserPasswordFlags: 'VIR_DOMAIN_PASSWORD_',
  virDomainShutdownFlagValues: 'VIR_DOMAIN_SHUTDOWN_',
  virDomainShutdownReason: 'VIR_DOMAIN_SHUTDOWN_',
  virDomainShutoffReason: 'VIR_DOMAIN_SHUTOFF_',
  virDomainSnapshotCreateFlags: 'VIR_DOMAIN_SNAPSHOT_CREATE_',
  virDomainSnapshotDeleteFlags: 'VIR_DOMAIN_SNAPSHOT_DELETE_',
  virDomainSnapshotListFlags: 'VIR_DOMAIN_SNAPSHOT_LIST_',
  virDomainSnapshotRevertFlags: 'VIR_DOMAIN_SNAPSHOT_REVERT_',
  virDomainSnapshotXMLFlags: 'VIR_DOMAIN_SNAPSHOT_XML_',
  virDomainState: 'VIR_DOMAIN_',
  virDomainStatsTypes: 'VIR_DOMAIN_STATS_',
  virDomainUndefineFlagsValues: 'VIR_DOMAIN_UNDEFINE_',
  virDomainVcpuFlags: 'VIR_DOMAIN_VCPU_',
  virDomainXMLFlags: 'VIR_DOMAIN_XML_',
  virErrorDomain: 'VIR_FROM_',
  virErrorLevel: 'VIR_ERR_',
  virErrorNumber: 'VIR_ERR_',
  virEventHandleType: 'VIR_EVENT_HANDLE_',
  virIPAddrType: 'VIR_IP_ADDR_TYPE_',
  virInterfaceDefineFlags: 'VIR_INTERFACE_DEFINE_',
  virInterfaceXMLFlags: 'VIR_INTERFACE_XML_',
  virKeycodeSet: 'VIR_KEYCODE_SET_',
  virMemoryParameterType: 'VIR_DOMAIN_MEMORY_PARAM_',
  virNWFilterBindingCreateFlags: 'VIR_NWFILTER_BINDING_CREATE_',
  virNWFilterDefineFlags: 'VIR_NWFILTER_DEFINE_',
  virNetworkCreateFlags: 'VIR_NETWORK_CREATE_',
  virNetworkDefineFlags: 'VIR_NETWORK_DEFINE_',
  virNetworkEventID: 'VIR_NETWORK_EVENT_ID_',
  virNetworkEventLifecycleType: 'VIR_NETWORK_EVENT_',
  virNetworkMetadataType: 'VIR_NETWORK_METADATA_',
  virNetworkPortCreateFlags: 'VIR_NETWORK_PORT_CREATE_',
  virNetworkUpdateCommand: 'VIR_NETWORK_UPDATE_COMMAND_',
  virNetworkUpdateFlags: 'VIR_NETWORK_UPDATE_AFFECT_',
  virNetworkUpdateSection: 'VIR_NETWORK_SECTION_',
  virNetworkXMLFlags: 'VIR_NETWORK_XML_',
  virNodeAllocPagesFlags: 'VIR_NODE_ALLOC_PAGES_',
  virNodeDeviceCreateXMLFlags: 'VIR_NODE_DEVICE_CREATE_XML_',
  virNodeDeviceDefineXMLFlags: 'VIR_NODE_DEVICE_DEFINE_XML_',
  virNodeDeviceEventID: 'VIR_NODE_DEVICE_EVENT_ID_',
  virNodeDeviceEventLifecycleType: 'VIR_NODE_DEVICE_EVENT_',
  virNodeDeviceUpdateFlags: 'VIR_NODE_DEVICE_UPDATE_',
  virNodeDeviceXMLFlags: 'VIR_NODE_DEVICE_XML_',
  virNodeGetCPUStatsAllCPUs: 'VIR_NODE_CPU_STATS_',
  virNodeGetMemoryStatsAllCells: 'VIR_NODE_MEMORY_STATS_',
  virNodeSuspendTarget: 'VIR_NODE_SUSPEND_TARGET_',
  virSchedParameterType: 'VIR_DOMAIN_SCHED_FIELD_',
  virSecretDefineFlags: 'VIR_SECRET_DEFINE_',
  virSecretEventID: 'VIR_SECRET_EVENT_ID_',
  virSecretEventLifecycleType: 'VIR_SECRET_EVENT_',
  virSecretUsageType: 'VIR_SECRET_USAGE_TYPE_',
  virStoragePoolBuildFlags: 'VIR_STORAGE_POOL_BUILD_',
  virStoragePoolCreateFlags: 'VIR_STORAGE_POOL_CREATE_',
  virStoragePoolDefineFlags: 'VIR_STORAGE_POOL_DEFINE_',
  virStoragePoolDeleteFlags: 'VIR_STORAGE_POOL_DELETE_',
  virStoragePoolEventID: 'VIR_STORAGE_POOL_EVENT_ID_',
  virStoragePoolEventLifecycleType: 'VIR_STORAGE_POOL_EVENT_',
  virStoragePoolState: 'VIR_STORAGE_POOL_',
  virStorageVolCreateFlags: 'VIR_STORAGE_VOL_CREATE_',
  virStorageVolDeleteFlags: 'VIR_STORAGE_VOL_DELETE_',
  virStorageVolDownloadFlags: 'VIR_STORAGE_VOL_DOWNLOAD_',
  virStorageVolInfoFlags: 'VIR_STORAGE_VOL_',
  virStorageVolResizeFlags: 'VIR_STORAGE_VOL_RESIZE_',
  virStorageVolType: 'VIR_STORAGE_VOL_',
  virStorageVolUploadFlags: 'VIR_STORAGE_VOL_UPLOAD_',
  virStorageVolWipeAlgorithm: 'VIR_STORAGE_VOL_WIPE_ALG_',
  virStorageXMLFlags: 'VIR_STORAGE_XML_',
  virStreamEventType: 'VIR_STREAM_EVENT_',
  virStreamFlags: 'VIR_STREAM_',
  virStreamRecvFlagsValues: 'VIR_STREAM_RECV_',
  virTypedParameterFlags: 'VIR_TYPED_PARAM_',
  virTypedParameterType: 'VIR_TYPED_PARAM_',
  virVcpuHostCpuState: 'VIR_VCPU_INFO_CPU_',
  virVcpuState: 'VIR_VCPU_',
};

/** Enums that C took back; their values live on in another one. */
const LEFT_OUT = new Map([
  ['virBlkioParameterType', 'the old name of virTypedParameterType'],
  ['virMemoryParameterType', 'the old name of virTypedParameterType'],
  ['virSchedParameterType', 'the old name of virTypedParameterType'],
]);

/** Bit masks whose names do not end in Flags. */
const ALSO_FLAGS = new Set([
  'virDomainModificationImpact',
  'virDomainStatsTypes',
  'virDomainGuestInfoTypes',
  'virStreamEventType',
  'virEventHandleType',
]);

/** Counts of the members, which grow with every release: not values that anything has. */
const isSentinel = (name, stripped) =>
  stripped === 'LAST' || /^VIR_(ERR_DOMAIN|ERR_NUMBER|DOMAIN_EVENT_DISK_CHANGE)_LAST$/.test(name);

const attributesOf = (tag) =>
  Object.fromEntries([...tag.matchAll(/([\w]+)='([^']*)'/g)].map(([, key, text]) => [key, text]));

const api = description();

function readEnums() {
  const entries = [...api.matchAll(/<enum name=[^>]*>/g)].map(([tag]) => attributesOf(tag));
  const raw = new Map(entries.map((entry) => [entry.name, entry.value]));
  const numberOf = (text) =>
    /^-?\d+$/.test(text) ? Number(text) : numberOf(raw.get(text) ?? fail(`no value for ${text}`));
  const enums = new Map();
  for (const { name, value, type, version } of entries) {
    if (LEFT_OUT.has(type)) continue;
    const prefix = PREFIX[type] ?? fail(`${type} is new: add the prefix of ${name} to the table`);
    const key = name.startsWith(prefix) ? name.slice(prefix.length) : name.slice('VIR_'.length);
    if (isSentinel(name, key)) continue;
    if (!enums.has(type)) enums.set(type, []);
    enums.get(type).push({ key, name, value: numberOf(value), version });
  }
  for (const members of enums.values()) members.sort((a, b) => a.value - b.value || (a.key < b.key ? -1 : 1));
  return new Map([...enums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function constantsSource() {
  const parts = [...readEnums()].map(([type, members]) => {
    const name = type.slice('vir'.length);
    const isFlags = /Flags?(Values?)?$/.test(type) || ALSO_FLAGS.has(type);
    const lines = members.map((m) => `  /** \`${m.name}\`, since ${m.version} */\n  ${m.key}: ${m.value},`);
    const object = `{\n${lines.join('\n')}\n}`;
    return isFlags
      ? `/** \`${type}\`: bits */\nexport const ${name} = flags('${name}', ${object});\n`
      : `/** \`${type}\` */\nexport const ${name} = values(${object});\n` +
          `/** The known values of {@link ${name}}, and whatever a newer libvirt adds. */\nexport type ${name} = Value<typeof ${name}>;\n`;
  });
  return `// Generated by scripts/generate-constants.mjs from libvirt-api.xml. Do not edit.
import { flags, type Value, values } from '../enum';

${parts.join('\n')}`;
}

function parametersSource() {
  const rows = [...api.matchAll(/<function name='([^']+)'[\s\S]*?<\/function>/g)].map(([body, name]) => {
    const names = [...body.matchAll(/<arg name='([^']+)'/g)].map(([, parameter]) => parameter);
    return [name, names.join(' ')];
  });
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return `// Generated by scripts/generate-constants.mjs from libvirt-api.xml. Do not edit.
/** The names of each C function's parameters, in order. */
export const parameters: Readonly<Record<string, string>> = {
${rows.map(([name, names]) => `  ${name}: '${names}',`).join('\n')}
};
`;
}

function fail(message) {
  throw new Error(message);
}

const folder = new URL('../lib/libvirt/generated/', import.meta.url);
for (const [file, source] of Object.entries({
  'constants.ts': constantsSource(),
  'parameters.ts': parametersSource(),
})) {
  const path = new URL(file, folder);
  if (!process.argv.includes('--check')) writeFileSync(path, source);
  else if (readFileSync(path, 'utf8') !== source)
    fail(`${path.pathname} is out of date: run node scripts/generate-constants.mjs`);
}
