// virDomainCheckpoint: what changed since then.
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virDomainCheckpointGetName, Sync), FN(virDomainCheckpointGetXMLDesc),
    FN(virDomainCheckpointGetParent),     FN(virDomainCheckpointListAllChildren),
    FN(virDomainCheckpointDelete),
};

}  // namespace

const Table domainCheckpointTable = lines;

}  // namespace virt
