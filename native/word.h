// One C argument or result where its type is not known: between the slot that writes it, and the one line of
// code for a C signature that hands all of them to libvirt.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace virt {

class Word {
 public:
  Word() = default;
  template <class T>
  explicit Word(T value) {
    static_assert(sizeof(T) <= sizeof(bits_) && std::is_trivially_copyable_v<T>);
    std::memcpy(&bits_, &value, sizeof(value));
  }

  // A reference was written as a pointer.
  template <class T>
  T as() const {
    if constexpr (std::is_reference_v<T>) {
      return *as<std::remove_reference_t<T>*>();
    } else {
      T value;
      std::memcpy(&value, &bits_, sizeof(value));
      return value;
    }
  }

 private:
  uint64_t bits_ = 0;
};

}  // namespace virt
