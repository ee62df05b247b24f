// virSecret.
#include "adapters.h"
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virSecretGetUUID, Sync),
    FN(virSecretGetUUIDString, Sync),
    FN(virSecretGetUsageType, Count, Sync),
    FN(virSecretGetUsageID, Sync),
    FN(virSecretGetXMLDesc),
    FN_BY(virSecretGetValue, secretGetValue, At<>),
    FN_BY(virSecretSetValue, secretSetValue, At<1>),
    FN(virSecretUndefine),
};

}  // namespace

const Table secretTable = lines;

}  // namespace virt
