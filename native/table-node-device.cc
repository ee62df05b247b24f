// virNodeDevice: a device of the host.
#include "bound.h"

namespace virt {

const Table& nodeDeviceTable() {
  static const auto* const table = new Table{
      FN(virNodeDeviceGetName, Sync),
      FN(virNodeDeviceGetParent),
      FN(virNodeDeviceGetXMLDesc),
      FN(virNodeDeviceNumOfCaps, Count),
      FN(virNodeDeviceListCaps),
      FN(virNodeDeviceIsActive, Bool),
      FN(virNodeDeviceIsPersistent, Bool),
      FN(virNodeDeviceGetAutostart),
      FN(virNodeDeviceSetAutostart),
      FN(virNodeDeviceCreate),
      FN(virNodeDeviceDestroy),
      FN(virNodeDeviceUndefine),
      FN(virNodeDeviceDettach),
      FN(virNodeDeviceDetachFlags, Null<1>),
      FN(virNodeDeviceReAttach),
      FN(virNodeDeviceReset),
  };
  return *table;
}

}  // namespace virt
