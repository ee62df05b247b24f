// virStream, and what streams are for.
#include "adapters.h"
#include "bound.h"
#include "tables.h"

namespace virt {

namespace {

constinit const Line lines[] = {
    FN(virStreamNew, NonBlocking),
    FN(virStreamSend, Count, Bytes, Outgoing),
    FN(virStreamSendHole, Outgoing),
    FN(virStreamRecv, Count, Bytes, Incoming),
    FN(virStreamRecvFlags, Count, Bytes, Incoming),
    FN(virStreamRecvHole, Incoming, OfHole),
    FN(virStreamFinish, Outgoing, Last),
    FN(virStreamAbort, Last),

    FN_BY(virStorageVolDownload, storageVolDownload, At<1, 2, 3>),
    FN(virStorageVolUpload),
    FN(virDomainScreenshot),
    FN(virDomainOpenConsole, Null<1>),
    FN(virDomainOpenChannel, Null<1>),
};

}  // namespace

const Table streamTable = lines;

}  // namespace virt
