// virConnect, and the lookups that begin at it.
#include <libvirt/libvirt-qemu.h>

#include "adapters.h"
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constexpr ParamField nodeMemory[] = {
    {VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, VIR_TYPED_PARAM_UINT},
    {VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, VIR_TYPED_PARAM_UINT},
    {VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, VIR_TYPED_PARAM_UINT},
};

constexpr ParamField identity[] = {
    {VIR_CONNECT_IDENTITY_USER_NAME, VIR_TYPED_PARAM_STRING},
    {VIR_CONNECT_IDENTITY_UNIX_USER_ID, VIR_TYPED_PARAM_ULLONG},
    {VIR_CONNECT_IDENTITY_GROUP_NAME, VIR_TYPED_PARAM_STRING},
    {VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, VIR_TYPED_PARAM_ULLONG},
    {VIR_CONNECT_IDENTITY_PROCESS_ID, VIR_TYPED_PARAM_LLONG},
    {VIR_CONNECT_IDENTITY_PROCESS_TIME, VIR_TYPED_PARAM_ULLONG},
    {VIR_CONNECT_IDENTITY_SASL_USER_NAME, VIR_TYPED_PARAM_STRING},
    {VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME, VIR_TYPED_PARAM_STRING},
    {VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, VIR_TYPED_PARAM_STRING},
};

constexpr ParamField restore[] = {
    {VIR_DOMAIN_SAVE_PARAM_FILE, VIR_TYPED_PARAM_STRING},
    {VIR_DOMAIN_SAVE_PARAM_DXML, VIR_TYPED_PARAM_STRING},
    // libvirt 10.6 and later
    {"parallel.channels", VIR_TYPED_PARAM_INT},
};

constinit const Line lines[] = {
    FN(virConnectGetType),
    FN(virConnectGetURI),
    FN(virConnectGetHostname),
    FN(virConnectGetVersion),
    FN(virConnectGetLibVersion),
    FN(virConnectGetCapabilities),
    FN(virConnectGetDomainCapabilities, Null<1, 2, 3, 4>),
    FN(virConnectIsAlive, Bool),
    FN(virConnectIsEncrypted, Bool),
    FN(virConnectIsSecure, Bool),
    FN(virConnectGetMaxVcpus, Count, Null<1>),
    FN(virConnectGetSysinfo),
    FN(virConnectGetCPUModelNames),
    FN(virConnectCompareCPU, Count),
    FN(virConnectCompareHypervisorCPU, Count, Null<1, 2, 3, 4>),
    FN(virConnectBaselineCPU),
    FN(virConnectBaselineHypervisorCPU, Null<1, 2, 3, 4>),
    FN(virConnectDomainXMLFromNative),
    FN(virConnectDomainXMLToNative),
    FN(virConnectSetIdentity, Schema<identity>, Pins),
    FN(virNodeGetInfo),
    FN_BY(virNodeGetCPUMap, nodeGetCPUMap, At<>),
    FN_BY(virNodeGetCPUStats, nodeGetCPUStats, At<1>),
    FN_BY(virNodeGetMemoryStats, nodeGetMemoryStats, At<1>),
    FN_BY(virNodeGetCellsFreeMemory, nodeGetCellsFreeMemory, At<2, 3>),
    FN(virNodeGetFreeMemory, NotZero),
    FN_BY(virNodeGetFreePages, nodeGetFreePages, At<2, 3, 4>),
    FN_BY(virNodeAllocPages, nodeAllocPages, Count, At<2, 3, 4, 5>, SameLength<2, 3>),
    FN(virNodeGetMemoryParameters),
    FN(virNodeSetMemoryParameters, Schema<nodeMemory>),
    FN(virNodeGetSecurityModel),
    FN(virNodeGetSEVInfo),
    FN(virNodeSuspendForDuration),

    FN(virConnectNumOfDomains, Count),
    FN(virConnectNumOfDefinedDomains, Count),
    FN(virConnectListDomains),
    FN(virConnectListDefinedDomains),
    FN(virConnectListAllDomains, Prompt),
    FN(virDomainLookupByName, Prompt),
    FN(virDomainLookupByUUID, Prompt),
    FN(virDomainLookupByUUIDString, Prompt),
    FN(virDomainLookupByID, Prompt),
    FN(virDomainDefineXML),
    FN(virDomainDefineXMLFlags),
    FN(virDomainCreateXML),
    FN(virDomainCreateLinux),
    FN_BY(virDomainCreateXMLWithFiles, domainCreateXMLWithFiles, At<1, 3>),
    FN(virDomainQemuAttach),
    FN(virDomainRestore),
    FN(virDomainRestoreFlags, Null<2>),
    FN(virDomainRestoreParams, Schema<restore>),
    FN(virDomainSaveImageGetXMLDesc),
    FN(virDomainSaveImageDefineXML),
    FN(virConnectGetAllDomainStats, Null<1>, Bits<1>),
    FN(virDomainListGetStats, On<virConnect>, Null<1>, Bits<1>),

    FN(virConnectListAllStoragePools),
    FN(virConnectNumOfStoragePools, Count),
    FN(virConnectNumOfDefinedStoragePools, Count),
    FN(virConnectListStoragePools),
    FN(virConnectListDefinedStoragePools),
    FN(virConnectFindStoragePoolSources, Null<2>),
    FN(virConnectGetStoragePoolCapabilities),
    FN(virStoragePoolLookupByUUID),
    FN(virStoragePoolLookupByName),
    FN(virStoragePoolLookupByUUIDString),
    FN(virStoragePoolLookupByTargetPath),
    FN(virStoragePoolCreateXML),
    FN(virStoragePoolDefineXML),
    FN(virStorageVolLookupByPath),
    FN(virStorageVolLookupByKey),

    FN(virConnectListAllNetworks),
    FN(virConnectNumOfNetworks, Count),
    FN(virConnectNumOfDefinedNetworks, Count),
    FN(virConnectListNetworks),
    FN(virConnectListDefinedNetworks),
    FN(virNetworkLookupByName),
    FN(virNetworkLookupByUUID),
    FN(virNetworkLookupByUUIDString),
    FN(virNetworkDefineXML),
    FN(virNetworkDefineXMLFlags),
    FN(virNetworkCreateXML),
    FN(virNetworkCreateXMLFlags),

    FN(virConnectListAllInterfaces),
    FN(virConnectNumOfInterfaces, Count),
    FN(virConnectNumOfDefinedInterfaces, Count),
    FN(virConnectListInterfaces),
    FN(virConnectListDefinedInterfaces),
    FN(virInterfaceLookupByName),
    FN(virInterfaceLookupByMACString),
    FN(virInterfaceDefineXML),
    FN(virInterfaceChangeBegin),
    FN(virInterfaceChangeCommit),
    FN(virInterfaceChangeRollback),

    FN(virConnectListAllNodeDevices),
    FN(virNodeNumOfDevices, Count, Null<1>),
    FN(virNodeListDevices, Null<1>),
    FN(virNodeDeviceLookupByName),
    FN(virNodeDeviceLookupSCSIHostByWWN),
    FN(virNodeDeviceCreateXML),
    FN(virNodeDeviceDefineXML),

    FN(virConnectListAllNWFilters),
    FN(virConnectNumOfNWFilters, Count),
    FN(virConnectListNWFilters),
    FN(virNWFilterLookupByName),
    FN(virNWFilterLookupByUUID),
    FN(virNWFilterLookupByUUIDString),
    FN(virNWFilterDefineXML),
    FN(virNWFilterDefineXMLFlags),
    FN(virConnectListAllNWFilterBindings),
    FN(virNWFilterBindingLookupByPortDev),
    FN(virNWFilterBindingCreateXML),

    FN(virConnectListAllSecrets),
    FN(virConnectNumOfSecrets, Count),
    FN(virConnectListSecrets),
    FN(virSecretLookupByUUID),
    FN(virSecretLookupByUUIDString),
    FN(virSecretLookupByUsage),
    FN(virSecretDefineXML),
};

}  // namespace

const Table connectionTable = lines;

}  // namespace virt
