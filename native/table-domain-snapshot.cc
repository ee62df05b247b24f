// virDomainSnapshot.
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virDomainSnapshotGetName, Sync),     FN(virDomainSnapshotGetXMLDesc, Prompt),
    FN(virDomainSnapshotGetParent),         FN(virDomainSnapshotNumChildren, Count),
    FN(virDomainSnapshotListAllChildren),   FN(virDomainSnapshotIsCurrent, Bool),
    FN(virDomainSnapshotHasMetadata, Bool), FN(virDomainSnapshotDelete),
    FN(virDomainSnapshotListChildrenNames),
};

}  // namespace

const Table domainSnapshotTable = lines;

}  // namespace virt
