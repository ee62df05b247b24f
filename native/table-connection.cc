// virConnect, and the lookups that begin at it.
#include "bound.h"
#include "tables.h"

namespace virt {

const Table& connectionTable() {
  static const auto* const table = new Table{
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
      FN(virNodeGetInfo),

      FN(virConnectNumOfDomains, Count),
      FN(virConnectNumOfDefinedDomains, Count),
      FN(virConnectListAllDomains),
      FN(virDomainLookupByName),
      FN(virDomainLookupByUUID),
      FN(virDomainLookupByUUIDString),
      FN(virDomainLookupByID),
      FN(virDomainDefineXML),
      FN(virDomainDefineXMLFlags),
      FN(virDomainCreateXML),
      FN(virDomainRestore),
      FN(virConnectGetAllDomainStats, Null<1>),
      FN(virDomainListGetStats, On<virConnect>, Null<1>),

      FN(virConnectListAllStoragePools),
      FN(virStoragePoolLookupByName),
      FN(virStoragePoolLookupByUUIDString),
      FN(virStoragePoolLookupByTargetPath),
      FN(virStoragePoolCreateXML),
      FN(virStoragePoolDefineXML),
      FN(virStorageVolLookupByPath),
      FN(virStorageVolLookupByKey),
  };
  return *table;
}

}  // namespace virt
