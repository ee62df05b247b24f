// The tables: one for each class of libvirt's objects, or a few small ones together.
#pragma once
#include "line.h"

namespace virt {

extern const Table connectionTable;
extern const Table domainTable;
extern const Table domainSnapshotTable;
extern const Table domainCheckpointTable;
extern const Table storageTable;
extern const Table networkTable;
extern const Table interfaceTable;
extern const Table nodeDeviceTable;
extern const Table nwfilterTable;
extern const Table secretTable;
extern const Table streamTable;

inline const Table* const tables[] = {&connectionTable,       &domainTable,     &domainSnapshotTable,
                                      &domainCheckpointTable, &storageTable,    &networkTable,
                                      &interfaceTable,        &nodeDeviceTable, &nwfilterTable,
                                      &secretTable,           &streamTable};

}  // namespace virt
