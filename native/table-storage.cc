// virStoragePool and virStorageVol.
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virStoragePoolGetName, Sync),
    FN(virStoragePoolGetUUID, Sync),
    FN(virStoragePoolGetUUIDString, Sync),
    FN(virStoragePoolGetXMLDesc),
    FN(virStoragePoolGetInfo),
    FN(virStoragePoolIsActive, Bool),
    FN(virStoragePoolIsPersistent, Bool),
    FN(virStoragePoolCreate),
    FN(virStoragePoolRefresh),
    FN(virStoragePoolDestroy),
    FN(virStoragePoolUndefine),
    FN(virStoragePoolNumOfVolumes, Count),
    FN(virStoragePoolBuild),
    FN(virStoragePoolDelete),
    FN(virStoragePoolGetAutostart),
    FN(virStoragePoolSetAutostart),
    FN(virStoragePoolListAllVolumes),
    FN(virStoragePoolListVolumes),
    FN(virStorageVolLookupByName),
    FN(virStorageVolCreateXML),
    FN(virStorageVolCreateXMLFrom),

    FN(virStorageVolGetName, Sync),
    FN(virStorageVolGetKey, Sync),
    FN(virStorageVolGetPath),
    FN(virStorageVolGetXMLDesc),
    FN(virStorageVolGetInfo),
    FN(virStorageVolGetInfoFlags),
    FN(virStorageVolDelete),
    FN(virStorageVolResize),
    FN(virStorageVolWipe),
    FN(virStorageVolWipePattern),
    FN(virStoragePoolLookupByVolume),
};

}  // namespace

const Table storageTable = lines;

}  // namespace virt
