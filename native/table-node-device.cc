// virNodeDevice: a device of the host.
#include "bound.h"
#include "newer.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
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
    FN(virNodeDeviceUpdate),
};

}  // namespace

const Table nodeDeviceTable = lines;

}  // namespace virt
