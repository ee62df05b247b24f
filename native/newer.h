// Functions and callbacks of libvirt that older headers lack. Only their types are used: the functions
// themselves are looked up at run time, so a binary compiled with old headers serves a new libvirt. What a
// newer libvirt adds to this is in scripts/libvirt-api/newer.xml.
#pragma once
#include <libvirt/libvirt.h>

extern "C" {

#if !LIBVIR_CHECK_VERSION(9, 7, 0)
char* virNetworkGetMetadata(virNetworkPtr network, int type, const char* uri, unsigned flags);
int virNetworkSetMetadata(virNetworkPtr network, int type, const char* metadata, const char* key,
                          const char* uri, unsigned flags);
#endif

#if !LIBVIR_CHECK_VERSION(9, 8, 0)
constexpr int VIR_NETWORK_EVENT_ID_METADATA_CHANGE = 1;
using virConnectNetworkEventMetadataChangeCallback = void (*)(virConnectPtr, virNetworkPtr, int type,
                                                              const char* nsuri, void* opaque);
#endif

#if !LIBVIR_CHECK_VERSION(10, 1, 0)
int virNodeDeviceUpdate(virNodeDevicePtr device, const char* xml, unsigned flags);
#endif

#if !LIBVIR_CHECK_VERSION(10, 2, 0)
int virDomainGraphicsReload(virDomainPtr domain, unsigned type, unsigned flags);
#endif

#if !LIBVIR_CHECK_VERSION(11, 2, 0)
int virDomainGetAutostartOnce(virDomainPtr domain, int* autostart);
int virDomainSetAutostartOnce(virDomainPtr domain, int autostart);
int virDomainSetThrottleGroup(virDomainPtr domain, const char* group, virTypedParameterPtr params, int count,
                              unsigned flags);
int virDomainDelThrottleGroup(virDomainPtr domain, const char* group, unsigned flags);
constexpr int VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE = 27;
using virConnectDomainEventNICMACChangeCallback = void (*)(virConnectPtr, virDomainPtr, const char* alias,
                                                           const char* oldMAC, const char* newMAC,
                                                           void* opaque);
#endif
}
