// Slots of lists of names and numbers.
#pragma once
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "convert.h"
#include "slot.h"

namespace virt {

inline Napi::Value textsToJs(Napi::Env env, const std::vector<std::string>& texts) {
  auto js = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) js[i] = Napi::String::New(env, texts[i]);
  return js;
}

struct TextListOut : Out {  // char ***: libvirt allocates
  static constexpr bool isList = true;
  static constexpr const char* result = "value[]";
  char** raw = nullptr;
  std::vector<std::string> texts;
  void pass(Word* words) override { *words = Word(&raw); }
  void returned(int count, const std::shared_ptr<Session>&) override {
    for (int i = 0; i < count; ++i) {
      texts.emplace_back(raw[i]);
      ::free(raw[i]);
    }
    ::free(raw);
  }
  Napi::Value give(Napi::Env env) override { return textsToJs(env, texts); }
};

// Lists into our own array, of libvirt's early days: filled again with more room until one place stays free,
// since more may have come after they were counted.
template <class Item>
struct GrownList : Out {
  static constexpr size_t takes = 2;
  static constexpr bool isList = true, isProbe = true;
  static constexpr const char* result = "value[]";
  std::vector<Item> list = std::vector<Item>(64);
  void pass(Word* words) override {
    words[0] = Word(list.data());
    words[1] = Word(static_cast<int>(list.size()));
  }
  bool isFull(int count) const { return static_cast<size_t>(count) == list.size(); }
};

struct NamesFilled : GrownList<char*> {  // char **names, int
  std::vector<std::string> texts;
  ~NamesFilled() { clear(); }
  bool grow(int count) override {
    if (!isFull(count)) return false;
    clear();
    list.resize(list.size() * 2);
    return true;
  }
  void returned(int count, const std::shared_ptr<Session>&) override {
    texts.assign(list.begin(), list.begin() + count);
  }
  Napi::Value give(Napi::Env env) override { return textsToJs(env, texts); }

 private:
  void clear() {
    for (auto*& name : list) ::free(std::exchange(name, nullptr));
  }
};

struct IdsFilled : GrownList<int> {  // int *ids, int
  int found = 0;
  bool grow(int count) override {
    if (!isFull(count)) return false;
    list.resize(list.size() * 2);
    return true;
  }
  void returned(int count, const std::shared_ptr<Session>&) override { found = count; }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::Array::New(env, static_cast<size_t>(found));
    for (int i = 0; i < found; ++i)
      js[static_cast<uint32_t>(i)] = numberToJs(env, list[static_cast<size_t>(i)]);
    return js;
  }
};

}  // namespace virt
