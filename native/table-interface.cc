// virInterface: an interface of the host.
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virInterfaceGetName, Sync), FN(virInterfaceGetMACString, Sync),
    FN(virInterfaceGetXMLDesc),    FN(virInterfaceIsActive, Bool),
    FN(virInterfaceCreate),        FN(virInterfaceDestroy),
    FN(virInterfaceUndefine),
};

}  // namespace

const Table interfaceTable = lines;

}  // namespace virt
