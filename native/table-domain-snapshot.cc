// virDomainSnapshot.
#include "bound.h"
#include "tables.h"

namespace virt {

const Table& domainSnapshotTable() {
  static const auto* const table = new Table{
      FN(virDomainSnapshotGetName, Sync),     FN(virDomainSnapshotGetXMLDesc),
      FN(virDomainSnapshotGetParent),         FN(virDomainSnapshotNumChildren, Count),
      FN(virDomainSnapshotListAllChildren),   FN(virDomainSnapshotIsCurrent, Bool),
      FN(virDomainSnapshotHasMetadata, Bool), FN(virDomainSnapshotDelete),
      FN(virDomainSnapshotListChildrenNames),
  };
  return *table;
}

}  // namespace virt
