// virDomain.
#include <libvirt/libvirt-qemu.h>

#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constexpr ParamField blockCopy[] = {
    {VIR_DOMAIN_BLOCK_COPY_BANDWIDTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_COPY_GRANULARITY, VIR_TYPED_PARAM_UINT},
    {VIR_DOMAIN_BLOCK_COPY_BUF_SIZE, VIR_TYPED_PARAM_ULLONG},
};

constexpr ParamField blockIoTune[] = {
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_BYTES_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_READ_IOPS_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_WRITE_IOPS_SEC_MAX_LENGTH, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_SIZE_IOPS_SEC, VIR_TYPED_PARAM_ULLONG},
    {VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, VIR_TYPED_PARAM_STRING},
};

}  // namespace

const Table& domainTable() {
  static const auto* const table = new Table{
      FN(virDomainGetName, Sync),
      FN(virDomainGetUUID, Sync),
      FN(virDomainGetUUIDString, Sync),
      FN(virDomainGetID, Id, Sync),

      FN(virDomainCreate),
      FN(virDomainCreateWithFlags),
      FN(virDomainDestroy, Urgent),
      FN(virDomainDestroyFlags, Urgent),
      FN(virDomainShutdown),
      FN(virDomainShutdownFlags),
      FN(virDomainReboot),
      FN(virDomainReset),
      FN(virDomainSuspend),
      FN(virDomainResume),
      FN(virDomainUndefine),
      FN(virDomainUndefineFlags),
      FN(virDomainSave),
      FN(virDomainSaveFlags, Null<2>),
      FN(virDomainManagedSave),
      FN(virDomainHasManagedSaveImage, Bool),
      FN(virDomainManagedSaveRemove),
      FN(virDomainGetAutostart),
      FN(virDomainSetAutostart),

      FN(virDomainGetState, Outs<"state", "reason">),
      FN(virDomainGetInfo),
      FN(virDomainGetXMLDesc),
      FN(virDomainIsActive, Bool),
      FN(virDomainIsPersistent, Bool),
      FN(virDomainIsUpdated, Bool),
      FN(virDomainGetMetadata, Null<2>),
      FN(virDomainSetMetadata, Null<2, 3, 4>),
      FN(virDomainGetControlInfo),
      FN(virDomainGetJobInfo),
      FN(virDomainGetJobStats, Outs<"type", "params">),
      FN(virDomainAbortJob, Urgent),

      FN(virDomainAttachDevice),
      FN(virDomainAttachDeviceFlags),
      FN(virDomainDetachDevice),
      FN(virDomainDetachDeviceFlags),
      FN(virDomainUpdateDeviceFlags),
      FN(virDomainGetBlockInfo),
      FN(virDomainGetDiskErrors),
      FN(virDomainGetBlockIoTune, Null<1>),
      FN(virDomainSetBlockIoTune, Schema<blockIoTune>),

      FN(virDomainBlockCommit, Null<2, 3>),
      FN(virDomainBlockPull),
      FN(virDomainBlockRebase, Null<2>),
      FN(virDomainBlockCopy, Schema<blockCopy>, Null<3>),
      FN(virDomainBlockJobAbort, Urgent),
      FN(virDomainGetBlockJobInfo, OrNull),
      FN(virDomainBlockJobSetSpeed),
      FN(virDomainBlockResize),

      FN(virDomainGetFSInfo, Agent),
      FN(virDomainFSFreeze, Count, Agent, Null<1>),
      FN(virDomainFSThaw, Count, Agent, Urgent, Null<1>),
      FN(virDomainFSTrim, Agent, Null<1>),
      FN(virDomainAgentSetResponseTimeout),
      FN(virDomainGetTime, Agent, Outs<"seconds", "nseconds">),
      FN(virDomainSetTime, Agent),
      FN(virDomainGetGuestInfo, Agent, Null<1>),
      FN(virDomainQemuAgentCommand, Agent),
      FN(virDomainQemuMonitorCommand),

      FN(virDomainSnapshotCreateXML),
      FN(virDomainSnapshotLookupByName),
      FN(virDomainSnapshotCurrent),
      FN(virDomainHasCurrentSnapshot, Bool),
      FN(virDomainSnapshotNum, Count),
      FN(virDomainListAllSnapshots),
      FN(virDomainRevertToSnapshot, On<virDomain>),
      FN(virDomainBackupBegin, Null<2>),
      FN(virDomainBackupGetXMLDesc),
  };
  return *table;
}

}  // namespace virt
