// virDomainCheckpoint: what changed since then.
#include "bound.h"

namespace virt {

const Table& domainCheckpointTable() {
  static const auto* const table = new Table{
      FN(virDomainCheckpointGetName, Sync), FN(virDomainCheckpointGetXMLDesc),
      FN(virDomainCheckpointGetParent),     FN(virDomainCheckpointListAllChildren),
      FN(virDomainCheckpointDelete),
  };
  return *table;
}

}  // namespace virt
