// virNWFilter and virNWFilterBinding.
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virNWFilterGetName, Sync),
    FN(virNWFilterGetUUID, Sync),
    FN(virNWFilterGetUUIDString, Sync),
    FN(virNWFilterGetXMLDesc),
    FN(virNWFilterUndefine),

    FN(virNWFilterBindingGetPortDev, Sync),
    FN(virNWFilterBindingGetFilterName, Sync),
    FN(virNWFilterBindingGetXMLDesc),
    FN(virNWFilterBindingDelete),
};

}  // namespace

const Table nwfilterTable = lines;

}  // namespace virt
