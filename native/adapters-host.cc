// The host, its networks, its volumes and its secrets.
#include <memory>

#include "adapters.h"
#include "library.h"

namespace virt::adapter {

int nodeGetCPUMap(virConnectPtr connection, Data* map, unsigned flags) {
  unsigned char* bits = nullptr;
  unsigned online = 0;
  const int present = VIR(virNodeGetCPUMap)(connection, &bits, &online, flags);
  if (present >= 0)
    *map = DataObject{{"present", present}, {"online", online}, {"cpumap", cpusOf(bits, (present + 7) / 8)}};
  free(bits);
  return present;
}

namespace {

// Asked for their number first, then filled.
template <class Stat, class Get>
int nodeStats(Get get, virConnectPtr connection, int of, Data* stats, unsigned flags) {
  int count = 0;
  int done = get(connection, of, nullptr, &count, flags);
  if (done < 0) return done;
  std::vector<Stat> found(static_cast<size_t>(count));
  if (count > 0) done = get(connection, of, found.data(), &count, flags);
  if (done < 0) return done;
  DataObject object;
  for (int i = 0; i < count; ++i)
    object.emplace_back(found[static_cast<size_t>(i)].field, found[static_cast<size_t>(i)].value);
  *stats = std::move(object);
  return done;
}

}  // namespace

int nodeGetCPUStats(virConnectPtr connection, int cpu, Data* stats, unsigned flags) {
  return nodeStats<virNodeCPUStats>(VIR(virNodeGetCPUStats), connection, cpu, stats, flags);
}

int nodeGetMemoryStats(virConnectPtr connection, int cell, Data* stats, unsigned flags) {
  return nodeStats<virNodeMemoryStats>(VIR(virNodeGetMemoryStats), connection, cell, stats, flags);
}

namespace {

// Of libvirt's protocol; more is refused by it.
constexpr int kMostCells = 1024;

Data bigInts(const std::vector<unsigned long long>& numbers, int count) {
  DataList list;
  for (int i = 0; i < count; ++i) list.emplace_back(numbers[static_cast<size_t>(i)]);
  return list;
}

}  // namespace

int nodeGetCellsFreeMemory(virConnectPtr connection, int firstCell, int cells, Data* bytes) {
  std::vector<unsigned long long> free(static_cast<size_t>(std::clamp(cells, 0, kMostCells)));
  const int found =
      VIR(virNodeGetCellsFreeMemory)(connection, free.data(), firstCell, static_cast<int>(free.size()));
  *bytes = bigInts(free, found);
  return found;
}

int nodeGetFreePages(virConnectPtr connection, const Unsigneds& pageSizes, int firstCell, unsigned cells,
                     Data* counts, unsigned flags) {
  Unsigneds sizes = pageSizes;
  cells = std::min(cells, unsigned{kMostCells});
  std::vector<unsigned long long> found(sizes.size() * cells);
  const int count = VIR(virNodeGetFreePages)(connection, static_cast<unsigned>(sizes.size()), sizes.data(),
                                             firstCell, cells, found.data(), flags);
  *counts = bigInts(found, count);
  return count;
}

int nodeAllocPages(virConnectPtr connection, const Unsigneds& pageSizes,
                   const std::vector<unsigned long long>& pageCounts, int firstCell, unsigned cells,
                   unsigned flags) {
  Unsigneds sizes = pageSizes;
  std::vector<unsigned long long> counts = pageCounts;  // as many: SameLength
  return VIR(virNodeAllocPages)(connection, static_cast<unsigned>(sizes.size()), sizes.data(), counts.data(),
                                firstCell, cells, flags);
}

int networkGetDHCPLeases(virNetworkPtr network, const char* mac, Data* leases, unsigned flags) {
  virNetworkDHCPLeasePtr* found = nullptr;
  const int count = VIR(virNetworkGetDHCPLeases)(network, mac, &found, flags);
  DataList list;
  for (int i = 0; i < count; ++i) {
    const auto& lease = *found[i];
    list.emplace_back(DataObject{{"iface", lease.iface},
                                 {"expirytime", lease.expirytime},
                                 {"type", lease.type},
                                 {"mac", lease.mac},
                                 {"iaid", lease.iaid},
                                 {"ipaddr", lease.ipaddr},
                                 {"prefix", lease.prefix},
                                 {"hostname", lease.hostname},
                                 {"clientid", lease.clientid}});
    VIR(virNetworkDHCPLeaseFree)(found[i]);
  }
  free(found);
  *leases = std::move(list);
  return count;
}

int secretGetValue(virSecretPtr secret, Buffer* value, unsigned flags) {
  size_t size = 0;
  unsigned char* found = VIR(virSecretGetValue)(secret, &size, flags);
  if (!found) return -1;
  value->assign(found, found + size);
  explicit_bzero(found, size);
  free(found);
  return 0;
}

int storageVolDownload(virStorageVolPtr volume, StreamObject* stream, unsigned long long offset,
                       unsigned long long length, unsigned flags) {
  return stream->download(volume, offset, length, flags);
}

int secretSetValue(virSecretPtr secret, const Buffer& value, unsigned flags) {
  return VIR(virSecretSetValue)(secret, value.data(), value.size(), flags);
}

}  // namespace virt::adapter
