// Plain data of any shape, put together where libvirt is called and turned into JavaScript on its thread.
#pragma once
#include <libvirt/libvirt.h>
#include <napi.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace virt {

using Buffer = std::vector<unsigned char>;

// File descriptors that nobody took are closed: an answer may come when its call was given up.
class Descriptors {
 public:
  Descriptors() = default;
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  ~Descriptors() {
    for (const int descriptor : held_) ::close(descriptor);
  }
  void add(int descriptor) { held_.push_back(descriptor); }
  std::vector<int> take() { return std::exchange(held_, {}); }

 private:
  std::vector<int> held_;
};
// Of which there is one.
struct Descriptor : Descriptors {};

struct Data;
using DataList = std::vector<Data>;
// In the order in which they are to be shown.
using DataObject = std::vector<std::pair<std::string, Data>>;

struct Data {
  std::variant<std::nullptr_t, bool, double, int64_t, uint64_t, std::string, DataList, DataObject> value;

  Data() = default;
  Data(bool flag) : value(flag) {}
  Data(const char* text) {
    if (text) value = std::string(text);
  }
  Data(DataList list) : value(std::move(list)) {}
  Data(DataObject object) : value(std::move(object)) {}
  // 64 bits are bigint, as everywhere; `long` counts what fits a number.
  Data(int n) : value(static_cast<double>(n)) {}
  Data(unsigned n) : value(static_cast<double>(n)) {}
  Data(long long n) : value(static_cast<int64_t>(n)) {}
  Data(unsigned long long n) : value(static_cast<uint64_t>(n)) {}

  Napi::Value toJs(Napi::Env env) const;
};

// What libvirt's own words say, by name.
Data dataOf(const virTypedParameter* list, int count);
// The numbers of the CPUs whose bits are set.
Data cpusOf(const unsigned char* map, int bytes);

}  // namespace virt
