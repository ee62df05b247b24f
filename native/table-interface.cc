// virInterface: an interface of the host.
#include "bound.h"

namespace virt {

const Table& interfaceTable() {
  static const auto* const table = new Table{
      FN(virInterfaceGetName, Sync), FN(virInterfaceGetMACString, Sync),
      FN(virInterfaceGetXMLDesc),    FN(virInterfaceIsActive, Bool),
      FN(virInterfaceCreate),        FN(virInterfaceDestroy),
      FN(virInterfaceUndefine),
  };
  return *table;
}

}  // namespace virt
