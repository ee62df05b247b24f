// The tables: one for each class of libvirt's objects, or a few small ones together.
#pragma once
#include "line.h"

namespace virt {

const Table& connectionTable();
const Table& domainTable();
const Table& domainSnapshotTable();
const Table& storageTable();
const Table& streamTable();

constexpr const Table& (*tables[])() = {connectionTable, domainTable, domainSnapshotTable, storageTable,
                                        streamTable};

}  // namespace virt
