// Functions of libvirt whose C signature leaves open what its pointers mean: arrays with a length elsewhere,
// maps of bits, two-step calls. Each has an adapter of the same name, less `vir`, with a signature that says
// it all; a table line names both: FN_BY(virNodeGetCPUMap, nodeGetCPUMap). An adapter runs where the function
// itself would run.
#pragma once
#include "data.h"
#include "stream.h"

namespace virt::adapter {

using Unsigneds = std::vector<unsigned>;
using Ints = std::vector<int>;

// ---- processors of a guest; CPUs are given by their numbers
int domainPinVcpu(virDomainPtr domain, unsigned vcpu, const Unsigneds& cpus);
int domainPinVcpuFlags(virDomainPtr domain, unsigned vcpu, const Unsigneds& cpus, unsigned flags);
int domainPinEmulator(virDomainPtr domain, const Unsigneds& cpus, unsigned flags);
int domainPinIOThread(virDomainPtr domain, unsigned iothread, const Unsigneds& cpus, unsigned flags);
int domainGetEmulatorPinInfo(virDomainPtr domain, Data* cpus, unsigned flags);
int domainGetVcpuPinInfo(virDomainPtr domain, Data* cpus, unsigned flags);
int domainGetVcpus(virDomainPtr domain, Data* vcpus);
int domainGetCPUStats(virDomainPtr domain, int firstCpu, unsigned cpus, Data* stats, unsigned flags);
int domainGetIOThreadInfo(virDomainPtr domain, Data* threads, unsigned flags);

// ---- what a guest has and does
int domainMemoryStats(virDomainPtr domain, Data* stats, unsigned flags);
int domainBlockPeek(virDomainPtr domain, const char* disk, unsigned long long offset, size_t size,
                    Buffer* bytes, unsigned flags);
int domainMemoryPeek(virDomainPtr domain, unsigned long long start, size_t size, Buffer* bytes,
                     unsigned flags);
int domainInterfaceAddresses(virDomainPtr domain, Data* interfaces, unsigned source, unsigned flags);
int domainGetSecurityLabelList(virDomainPtr domain, Data* labels);
int domainGetSchedulerType(virDomainPtr domain, Data* scheduler);
int domainGetGuestVcpus(virDomainPtr domain, Data* vcpus, unsigned flags);
int domainSendKey(virDomainPtr domain, unsigned codeset, unsigned holdtime, const Unsigneds& keycodes,
                  unsigned flags);

// ---- file descriptors of this process, handed over to libvirt's
int domainCreateWithFiles(virDomainPtr domain, const Ints& files, unsigned flags);
virDomainPtr domainCreateXMLWithFiles(virConnectPtr connection, const char* xml, const Ints& files,
                                      unsigned flags);
int domainFDAssociate(virDomainPtr domain, const char* name, const Ints& files, unsigned flags);
int domainQemuMonitorCommandWithFiles(virDomainPtr domain, const char* command, const Ints& files,
                                      char** result, Descriptors* outfiles, unsigned flags);
int domainOpenGraphicsFD(virDomainPtr domain, unsigned idx, Descriptor* opened, unsigned flags);

// ---- the host
int nodeGetCPUMap(virConnectPtr connection, Data* map, unsigned flags);
int nodeGetCPUStats(virConnectPtr connection, int cpu, Data* stats, unsigned flags);
int nodeGetMemoryStats(virConnectPtr connection, int cell, Data* stats, unsigned flags);
int nodeGetCellsFreeMemory(virConnectPtr connection, int firstCell, int cells, Data* bytes);
int nodeGetFreePages(virConnectPtr connection, const Unsigneds& pageSizes, int firstCell, unsigned cells,
                     Data* counts, unsigned flags);
int nodeAllocPages(virConnectPtr connection, const Unsigneds& pageSizes,
                   const std::vector<unsigned long long>& pageCounts, int firstCell, unsigned cells,
                   unsigned flags);

// ---- others
int networkGetDHCPLeases(virNetworkPtr network, const char* mac, Data* leases, unsigned flags);
int secretGetValue(virSecretPtr secret, Buffer* value, unsigned flags);
int storageVolDownload(virStorageVolPtr volume, StreamObject* stream, unsigned long long offset,
                       unsigned long long length, unsigned flags);
int secretSetValue(virSecretPtr secret, const Buffer& value, unsigned flags);

}  // namespace virt::adapter
