// virNWFilter and virNWFilterBinding.
#include "bound.h"

namespace virt {

const Table& nwfilterTable() {
  static const auto* const table = new Table{
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
  return *table;
}

}  // namespace virt
