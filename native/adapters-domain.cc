#include <libvirt/libvirt-qemu.h>

#include <memory>

#include "adapters.h"
#include "library.h"

namespace virt::adapter {

int domainMemoryStats(virDomainPtr domain, Data* stats, unsigned flags) {
  virDomainMemoryStatStruct found[VIR_DOMAIN_MEMORY_STAT_NR + 64];  // a newer libvirt knows more
  const int count = VIR(virDomainMemoryStats)(domain, found, std::size(found), flags);
  DataList list;
  for (int i = 0; i < count; ++i) list.emplace_back(DataObject{{"tag", found[i].tag}, {"val", found[i].val}});
  *stats = std::move(list);
  return count;
}

int domainBlockPeek(virDomainPtr domain, const char* disk, unsigned long long offset, size_t size,
                    Buffer* bytes, unsigned flags) {
  bytes->resize(size);
  return VIR(virDomainBlockPeek)(domain, disk, offset, size, bytes->data(), flags);
}

int domainMemoryPeek(virDomainPtr domain, unsigned long long start, size_t size, Buffer* bytes,
                     unsigned flags) {
  bytes->resize(size);
  return VIR(virDomainMemoryPeek)(domain, start, size, bytes->data(), flags);
}

int domainInterfaceAddresses(virDomainPtr domain, Data* interfaces, unsigned source, unsigned flags) {
  virDomainInterfacePtr* found = nullptr;
  const int count = VIR(virDomainInterfaceAddresses)(domain, &found, source, flags);
  DataList list;
  for (int i = 0; i < count; ++i) {
    DataList addresses;
    for (unsigned at = 0; at < found[i]->naddrs; ++at) {
      const auto& address = found[i]->addrs[at];
      addresses.emplace_back(
          DataObject{{"type", address.type}, {"addr", address.addr}, {"prefix", address.prefix}});
    }
    list.emplace_back(
        DataObject{{"name", found[i]->name}, {"hwaddr", found[i]->hwaddr}, {"addrs", std::move(addresses)}});
    VIR(virDomainInterfaceFree)(found[i]);
  }
  free(found);
  *interfaces = std::move(list);
  return count;
}

int domainGetSecurityLabelList(virDomainPtr domain, Data* labels) {
  virSecurityLabelPtr found = nullptr;
  const int count = VIR(virDomainGetSecurityLabelList)(domain, &found);
  DataList list;
  for (int i = 0; i < count; ++i)
    list.emplace_back(DataObject{{"label", found[i].label}, {"enforcing", found[i].enforcing}});
  free(found);
  *labels = std::move(list);
  return count;
}

int domainGetSchedulerType(virDomainPtr domain, Data* scheduler) {
  int params = 0;
  const std::unique_ptr<char, Free> type(VIR(virDomainGetSchedulerType)(domain, &params));
  if (!type) return -1;
  *scheduler = DataObject{{"type", type.get()}, {"nparams", params}};
  return 0;
}

int domainGetGuestVcpus(virDomainPtr domain, Data* vcpus, unsigned flags) {
  virTypedParameterPtr params = nullptr;
  unsigned count = 0;
  const int done = VIR(virDomainGetGuestVcpus)(domain, &params, &count, flags);
  if (done < 0) return done;
  *vcpus = dataOf(params, static_cast<int>(count));
  VIR(virTypedParamsFree)(params, static_cast<int>(count));
  return done;
}

int domainSendKey(virDomainPtr domain, unsigned codeset, unsigned holdtime, const Unsigneds& keycodes,
                  unsigned flags) {
  Unsigneds keys = keycodes;
  return VIR(virDomainSendKey)(domain, codeset, holdtime, keys.data(), static_cast<int>(keys.size()), flags);
}

// ---- file descriptors

int domainCreateWithFiles(virDomainPtr domain, const Ints& files, unsigned flags) {
  Ints own = files;
  return VIR(virDomainCreateWithFiles)(domain, static_cast<unsigned>(own.size()), own.data(), flags);
}

virDomainPtr domainCreateXMLWithFiles(virConnectPtr connection, const char* xml, const Ints& files,
                                      unsigned flags) {
  Ints own = files;
  return VIR(virDomainCreateXMLWithFiles)(connection, xml, static_cast<unsigned>(own.size()), own.data(),
                                          flags);
}

int domainFDAssociate(virDomainPtr domain, const char* name, const Ints& files, unsigned flags) {
  Ints own = files;
  return VIR(virDomainFDAssociate)(domain, name, static_cast<unsigned>(own.size()), own.data(), flags);
}

int domainQemuMonitorCommandWithFiles(virDomainPtr domain, const char* command, const Ints& files,
                                      char** result, Descriptors* outfiles, unsigned flags) {
  Ints own = files;
  unsigned count = 0;
  int* received = nullptr;
  const int done = VIR(virDomainQemuMonitorCommandWithFiles)(
      domain, command, static_cast<unsigned>(own.size()), own.data(), &count, &received, result, flags);
  for (unsigned i = 0; i < count; ++i) outfiles->add(received[i]);
  free(received);
  return done;
}

int domainOpenGraphicsFD(virDomainPtr domain, unsigned idx, Descriptor* opened, unsigned flags) {
  const int descriptor = VIR(virDomainOpenGraphicsFD)(domain, idx, flags);
  if (descriptor >= 0) opened->add(descriptor);
  return descriptor;
}

}  // namespace virt::adapter
