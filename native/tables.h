// The tables: one for each class of libvirt's objects, or a few small ones together.
#pragma once
#include "line.h"

namespace virt {

const Table& connectionTable();
const Table& domainTable();
const Table& domainSnapshotTable();
const Table& domainCheckpointTable();
const Table& storageTable();
const Table& networkTable();
const Table& interfaceTable();
const Table& nodeDeviceTable();
const Table& nwfilterTable();
const Table& secretTable();
const Table& streamTable();

constexpr const Table& (*tables[])() = {
    connectionTable, domainTable,     domainSnapshotTable, domainCheckpointTable, storageTable, networkTable,
    interfaceTable,  nodeDeviceTable, nwfilterTable,       secretTable,           streamTable};

}  // namespace virt
