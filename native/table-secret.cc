// virSecret.
#include "adapters.h"
#include "bound.h"

namespace virt {

const Table& secretTable() {
  static const auto* const table = new Table{
      FN(virSecretGetUUID, Sync),
      FN(virSecretGetUUIDString, Sync),
      FN(virSecretGetUsageType, Count, Sync),
      FN(virSecretGetUsageID, Sync),
      FN(virSecretGetXMLDesc),
      FN_BY(virSecretGetValue, secretGetValue, At<>),
      FN_BY(virSecretSetValue, secretSetValue, At<1>),
      FN(virSecretUndefine),
  };
  return *table;
}

}  // namespace virt
