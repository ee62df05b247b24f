// virNetwork and virNetworkPort.
#include "adapters.h"
#include "bound.h"
#include "newer.h"
#include "tables.h"

namespace virt {

namespace {

constexpr ParamField portParameters[] = {
    {VIR_NETWORK_PORT_BANDWIDTH_IN_AVERAGE, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_IN_PEAK, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_IN_BURST, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_IN_FLOOR, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_OUT_AVERAGE, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_OUT_PEAK, VIR_TYPED_PARAM_UINT},
    {VIR_NETWORK_PORT_BANDWIDTH_OUT_BURST, VIR_TYPED_PARAM_UINT},
};

constinit const Line lines[] = {
    FN(virNetworkGetName, Sync),
    FN(virNetworkGetUUID, Sync),
    FN(virNetworkGetUUIDString, Sync),
    FN(virNetworkGetXMLDesc),
    FN(virNetworkGetBridgeName),
    FN(virNetworkGetAutostart),
    FN(virNetworkSetAutostart),
    FN(virNetworkIsActive, Bool),
    FN(virNetworkIsPersistent, Bool),
    FN(virNetworkCreate),
    FN(virNetworkDestroy),
    FN(virNetworkUndefine),
    FN(virNetworkGetMetadata, Null<2>),
    FN(virNetworkSetMetadata, Null<2, 3, 4>),
    FN(virNetworkUpdate),
    FN_BY(virNetworkGetDHCPLeases, networkGetDHCPLeases, At<1>, Null<1>),
    FN(virNetworkListAllPorts),
    FN(virNetworkPortLookupByUUID),
    FN(virNetworkPortLookupByUUIDString),
    FN(virNetworkPortCreateXML),

    FN(virNetworkPortGetUUID, Sync),
    FN(virNetworkPortGetUUIDString, Sync),
    FN(virNetworkPortGetXMLDesc),
    FN(virNetworkPortGetParameters),
    FN(virNetworkPortSetParameters, Schema<portParameters>),
    FN(virNetworkPortDelete),
};

}  // namespace

const Table networkTable = lines;

}  // namespace virt
