// The events of guests, by the names of `virsh event --list`. The fields' keys are the C callbacks' own
// parameters.
#include "event.h"

namespace virt {

const std::vector<EventLine>& eventTable() {
  static const auto* const table = new std::vector<EventLine>{
      EVENT("lifecycle", VIR_DOMAIN_EVENT_ID_LIFECYCLE, virConnectDomainEventCallback, "event", "detail"),
      EVENT("reboot", VIR_DOMAIN_EVENT_ID_REBOOT, virConnectDomainEventGenericCallback),
      EVENT("rtc-change", VIR_DOMAIN_EVENT_ID_RTC_CHANGE, virConnectDomainEventRTCChangeCallback,
            "utcoffset"),
      EVENT("watchdog", VIR_DOMAIN_EVENT_ID_WATCHDOG, virConnectDomainEventWatchdogCallback, "action"),
      EVENT("io-error", VIR_DOMAIN_EVENT_ID_IO_ERROR, virConnectDomainEventIOErrorCallback, "srcPath",
            "devAlias", "action"),
      EVENT("io-error-reason", VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
            virConnectDomainEventIOErrorReasonCallback, "srcPath", "devAlias", "action", "reason"),
      EVENT("control-error", VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, virConnectDomainEventGenericCallback),
      EVENT("block-job", VIR_DOMAIN_EVENT_ID_BLOCK_JOB, virConnectDomainEventBlockJobCallback, "disk", "type",
            "status"),
      EVENT("disk-change", VIR_DOMAIN_EVENT_ID_DISK_CHANGE, virConnectDomainEventDiskChangeCallback,
            "oldSrcPath", "newSrcPath", "devAlias", "reason"),
      EVENT("tray-change", VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, virConnectDomainEventTrayChangeCallback,
            "devAlias", "reason"),
      EVENT("pm-wakeup", VIR_DOMAIN_EVENT_ID_PMWAKEUP, virConnectDomainEventPMWakeupCallback, "reason"),
      EVENT("pm-suspend", VIR_DOMAIN_EVENT_ID_PMSUSPEND, virConnectDomainEventPMSuspendCallback, "reason"),
      EVENT("pm-suspend-disk", VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, virConnectDomainEventPMSuspendDiskCallback,
            "reason"),
      EVENT("balloon-change", VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, virConnectDomainEventBalloonChangeCallback,
            "actual"),
      EVENT("device-added", VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, virConnectDomainEventDeviceAddedCallback,
            "devAlias"),
      EVENT("device-removed", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, virConnectDomainEventDeviceRemovedCallback,
            "devAlias"),
      EVENT("device-removal-failed", VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
            virConnectDomainEventDeviceRemovalFailedCallback, "devAlias"),
      EVENT("block-job-2", VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, virConnectDomainEventBlockJobCallback, "disk",
            "type", "status"),
      EVENT("agent-lifecycle", VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
            virConnectDomainEventAgentLifecycleCallback, "state", "reason"),
      EVENT("migration-iteration", VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
            virConnectDomainEventMigrationIterationCallback, "iteration"),
      EVENT("job-completed", VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, virConnectDomainEventJobCompletedCallback,
            "params"),
      EVENT("tunable", VIR_DOMAIN_EVENT_ID_TUNABLE, virConnectDomainEventTunableCallback, "params"),
      EVENT("metadata-change", VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
            virConnectDomainEventMetadataChangeCallback, "type", "nsuri"),
      EVENT("block-threshold", VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
            virConnectDomainEventBlockThresholdCallback, "dev", "path", "threshold", "excess"),
      EVENT("memory-failure", VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, virConnectDomainEventMemoryFailureCallback,
            "recipient", "action", "flags"),
      EVENT("memory-device-size-change", VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
            virConnectDomainEventMemoryDeviceSizeChangeCallback, "alias", "size"),
      EVENT("qemu-monitor-event", -1, virConnectDomainQemuMonitorEventCallback, "event", "seconds", "micros",
            "details"),
  };
  return *table;
}

}  // namespace virt
