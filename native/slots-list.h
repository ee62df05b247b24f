// Slots of lists that libvirt fills: it allocates them, or says first how long they are.
#pragma once
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "handle.h"
#include "params.h"
#include "records.h"
#include "slot.h"

namespace virt {

template <class T>
struct HandleListOut : Out {  // T ***
  static constexpr bool isList = true;
  static constexpr const char* result = KindOf<T>::kind.listName;
  T** list = nullptr;
  std::vector<std::shared_ptr<Object>> objects;
  void pass(Word* words) override { *words = Word(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) override {
    for (int i = 0; i < count; ++i) objects.push_back(adopt(list[i], session));
    ::free(list);
  }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::Array::New(env, objects.size());
    for (uint32_t i = 0; i < objects.size(); ++i) js[i] = Handle::toJs(env, std::move(objects[i]));
    return js;
  }
};

template <class S>
struct RecordListOut : Out {  // S ***
  static constexpr bool isList = true;
  static constexpr const char* result = Record<S>::name;
  struct Free {
    void operator()(S* record) const { Record<S>::free(record); }
  };
  struct Item {
    std::unique_ptr<S, Free> record;
    std::shared_ptr<Object> kept;
  };
  S** list = nullptr;
  std::vector<Item> items;
  void pass(Word* words) override { *words = Word(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) override {
    for (int i = 0; i < count; ++i) {
      auto& item = items.emplace_back();
      item.record.reset(list[i]);
      Record<S>::keep(*list[i], session, item.kept);
    }
    ::free(list);
  }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::Array::New(env, items.size());
    ParamNames names(env);
    for (uint32_t i = 0; i < items.size(); ++i)
      js[i] = Record<S>::toJs(env, *items[i].record, items[i].kept, names);
    return js;
  }
};

template <class S, class Count>
struct FilledListOut : Out {  // S *, room
  static constexpr size_t takes = 2;
  static constexpr bool isList = true, isProbe = true;
  static constexpr const char* result = "object[]";
  std::vector<S> list;
  bool isProbed = false;
  int found = 0;
  ~FilledListOut() {
    for (auto& s : list) Filled<S>::clear(s);
  }
  void pass(Word* words) override {
    words[0] = Word(list.empty() ? nullptr : list.data());
    words[1] = Word(static_cast<Count>(list.size()));
  }
  bool grow(int probed) override {
    if (std::exchange(isProbed, true)) return false;
    list.resize(static_cast<size_t>(probed));
    return !list.empty();
  }
  void returned(int count, const std::shared_ptr<Session>&) override { found = list.empty() ? 0 : count; }
  Napi::Value give(Napi::Env env) override {
    auto js = Napi::Array::New(env, static_cast<size_t>(found));
    for (int i = 0; i < found; ++i)
      js[static_cast<uint32_t>(i)] = Filled<S>::toJs(env, list[static_cast<size_t>(i)]);
    return js;
  }
};

struct ParamsOut : Out {  // virTypedParameterPtr *, int *: libvirt allocates
  static constexpr size_t takes = 2;
  static constexpr const char* result = "object";
  ParamList params;
  void pass(Word* words) override {
    words[0] = Word(&params.list);
    words[1] = Word(&params.count);
  }
  Napi::Value give(Napi::Env env) override { return paramsToJs(env, params.list, params.count); }
};

// virTypedParameterPtr, int *: asked for their number, then filled; or, where libvirt wants room at once,
// filled. A daemon refuses to be asked for more than its protocol carries.
template <bool isAsked>
struct ParamsFilled : Out {
  static constexpr size_t takes = 2;
  static constexpr bool isProbe = isAsked;
  static constexpr const char* result = "object";
  std::vector<virTypedParameter> list = std::vector<virTypedParameter>(isAsked ? 0 : 16);
  bool isProbed = false;
  int count = static_cast<int>(list.size());
  ~ParamsFilled() {
    if (!list.empty()) VIR(virTypedParamsClear)(list.data(), static_cast<int>(list.size()));
  }
  void pass(Word* words) override {
    words[0] = Word(list.empty() ? nullptr : list.data());
    words[1] = Word(&count);
  }
  bool grow(int) override {
    if (std::exchange(isProbed, true)) return false;
    list.resize(static_cast<size_t>(count));
    return !list.empty();
  }
  Napi::Value give(Napi::Env env) override { return paramsToJs(env, list.data(), list.empty() ? 0 : count); }
};

}  // namespace virt
