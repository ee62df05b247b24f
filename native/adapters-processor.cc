// Processors of a guest. libvirt wants maps of bits with room for every CPU of the host; here CPUs are
// numbers.
#include <algorithm>
#include <memory>

#include "adapters.h"
#include "library.h"

namespace virt::adapter {

namespace {

// 4,096 CPUs of the host and 4,096 of the guest are within the limits of libvirt's protocol, and enough for
// every machine that there is.
constexpr int kMapBytes = 512;
constexpr int kMostVcpus = 4096;

struct CpuMap {
  Buffer bits = Buffer(kMapBytes);
  bool fits = true;
  explicit CpuMap(const Unsigneds& cpus) {
    for (const unsigned cpu : cpus) {
      if ((fits = cpu / 8 < bits.size()))
        bits[cpu / 8] |= static_cast<unsigned char>(1 << (cpu % 8));
      else
        break;
    }
    // libvirt takes a map's length for a claim about the host: no longer than the highest CPU asks for.
    while (bits.size() > 1 && bits.back() == 0) bits.pop_back();
  }
  unsigned char* data() { return bits.data(); }
  int size() const { return static_cast<int>(bits.size()); }
};

// One map for each CPU that the guest may have, with a bit for each of the host's. Where a driver does not
// tell their numbers: for as many as there can be.
struct CpuMaps {
  const int count, bytesOfEach;
  Buffer bits;
  CpuMaps(virDomainPtr domain, unsigned flags)
      : count(countOf(domain, flags)),
        bytesOfEach(bytesFor(VIR(virDomainGetConnect)(domain))),
        bits(static_cast<size_t>(count) * static_cast<size_t>(bytesOfEach)) {}
  Data cpusAt(int vcpu) const {
    return cpusOf(&bits[static_cast<size_t>(vcpu) * static_cast<size_t>(bytesOfEach)], bytesOfEach);
  }

 private:
  static int countOf(virDomainPtr domain, unsigned flags) {
    const int most = VIR(virDomainGetVcpusFlags)(domain, flags | VIR_DOMAIN_VCPU_MAXIMUM);
    return most > 0 ? std::min(most, kMostVcpus) : kMostVcpus;
  }
  static int bytesFor(virConnectPtr connection) {
    const int cpus = VIR(virNodeGetCPUMap)(connection, nullptr, nullptr, 0);
    return cpus > 0 ? std::min((cpus + 7) / 8, kMapBytes) : kMapBytes;
  }
};

}  // namespace

int domainPinVcpu(virDomainPtr domain, unsigned vcpu, const Unsigneds& cpus) {
  CpuMap map(cpus);
  return VIR(virDomainPinVcpu)(domain, vcpu, map.data(), map.size());
}

int domainPinVcpuFlags(virDomainPtr domain, unsigned vcpu, const Unsigneds& cpus, unsigned flags) {
  CpuMap map(cpus);
  return VIR(virDomainPinVcpuFlags)(domain, vcpu, map.data(), map.size(), flags);
}

int domainPinEmulator(virDomainPtr domain, const Unsigneds& cpus, unsigned flags) {
  CpuMap map(cpus);
  return VIR(virDomainPinEmulator)(domain, map.data(), map.size(), flags);
}

int domainPinIOThread(virDomainPtr domain, unsigned iothread, const Unsigneds& cpus, unsigned flags) {
  CpuMap map(cpus);
  return VIR(virDomainPinIOThread)(domain, iothread, map.data(), map.size(), flags);
}

int domainGetEmulatorPinInfo(virDomainPtr domain, Data* cpus, unsigned flags) {
  Buffer map(kMapBytes);
  const int found = VIR(virDomainGetEmulatorPinInfo)(domain, map.data(), kMapBytes, flags);
  *cpus = cpusOf(map.data(), kMapBytes);
  return found;
}

int domainGetVcpuPinInfo(virDomainPtr domain, Data* cpus, unsigned flags) {
  CpuMaps maps(domain, flags);
  const int vcpus =
      VIR(virDomainGetVcpuPinInfo)(domain, maps.count, maps.bits.data(), maps.bytesOfEach, flags);
  DataList list;
  for (int i = 0; i < vcpus; ++i) list.push_back(maps.cpusAt(i));
  *cpus = std::move(list);
  return vcpus;
}

int domainGetVcpus(virDomainPtr domain, Data* vcpus) {
  CpuMaps maps(domain, VIR_DOMAIN_AFFECT_LIVE);
  std::vector<virVcpuInfo> infos(static_cast<size_t>(maps.count));
  const int found =
      VIR(virDomainGetVcpus)(domain, infos.data(), maps.count, maps.bits.data(), maps.bytesOfEach);
  DataList list;
  for (int i = 0; i < found; ++i) {
    const auto& info = infos[static_cast<size_t>(i)];
    list.emplace_back(DataObject{{"number", info.number},
                                 {"state", info.state},
                                 {"cpuTime", info.cpuTime},
                                 {"cpu", info.cpu},
                                 {"cpumap", maps.cpusAt(i)}});
  }
  *vcpus = std::move(list);
  return found;
}

// Asked three times: how many parameters, how many CPUs, and then for all of them. libvirt gives at most 128
// CPUs at a time, and what it leaves out it leaves empty.
int domainGetCPUStats(virDomainPtr domain, int firstCpu, unsigned cpus, Data* stats, unsigned flags) {
  const auto ask = VIR(virDomainGetCPUStats);
  const bool isTotal = firstCpu == -1;
  const int each = ask(domain, nullptr, 0, firstCpu, 1, flags);
  if (each < 0) return each;
  if (!isTotal && cpus == 0) {
    const int all = ask(domain, nullptr, 0, 0, 0, flags);
    if (all < 0) return all;
    cpus = all > firstCpu ? static_cast<unsigned>(all - firstCpu) : 0;
  }
  if (isTotal) cpus = 1;
  DataList list;
  constexpr unsigned kAtOnce = 128;
  for (unsigned done = 0; done < cpus; done += kAtOnce) {
    const unsigned now = std::min(kAtOnce, cpus - done);
    std::vector<virTypedParameter> params(size_t{now} * static_cast<unsigned>(each));
    const int first = isTotal ? -1 : firstCpu + static_cast<int>(done);
    const int filled = ask(domain, params.data(), static_cast<unsigned>(each), first, now, flags);
    if (filled < 0) return filled;
    for (unsigned cpu = 0; cpu < now; ++cpu) {
      auto* own = &params[size_t{cpu} * static_cast<unsigned>(each)];
      if (own->type != 0) list.push_back(dataOf(own, filled));
    }
    VIR(virTypedParamsClear)(params.data(), static_cast<int>(params.size()));
  }
  *stats = std::move(list);
  return 0;
}

int domainGetIOThreadInfo(virDomainPtr domain, Data* threads, unsigned flags) {
  virDomainIOThreadInfoPtr* infos = nullptr;
  const int found = VIR(virDomainGetIOThreadInfo)(domain, &infos, flags);
  DataList list;
  for (int i = 0; i < found; ++i) {
    list.emplace_back(DataObject{{"iothread_id", infos[i]->iothread_id},
                                 {"cpumap", cpusOf(infos[i]->cpumap, infos[i]->cpumaplen)}});
    VIR(virDomainIOThreadInfoFree)(infos[i]);
  }
  free(infos);
  *threads = std::move(list);
  return found;
}

}  // namespace virt::adapter
