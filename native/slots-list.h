// Slots of lists that libvirt fills: it allocates them, or says first how long they are.
#pragma once
#include <cstdlib>
#include <memory>
#include <tuple>
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
  auto pass() { return std::tuple<T***>(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) {
    for (int i = 0; i < count; ++i) objects.push_back(adopt(list[i], session));
    ::free(list);
  }
  Napi::Value give(Napi::Env env) {
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
  auto pass() { return std::tuple<S***>(&list); }
  void returned(int count, const std::shared_ptr<Session>& session) {
    for (int i = 0; i < count; ++i) {
      auto& item = items.emplace_back();
      item.record.reset(list[i]);
      Record<S>::keep(*list[i], session, item.kept);
    }
    ::free(list);
  }
  Napi::Value give(Napi::Env env) {
    auto js = Napi::Array::New(env, items.size());
    for (uint32_t i = 0; i < items.size(); ++i) js[i] = Record<S>::toJs(env, *items[i].record, items[i].kept);
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
  FilledListOut() = default;
  FilledListOut(const FilledListOut&) = delete;
  FilledListOut& operator=(const FilledListOut&) = delete;
  ~FilledListOut() {
    for (auto& s : list) Filled<S>::clear(s);
  }
  auto pass() {
    return std::tuple<S*, Count>(list.empty() ? nullptr : list.data(), static_cast<Count>(list.size()));
  }
  bool grow(int probed) {
    if (std::exchange(isProbed, true)) return false;
    list.resize(static_cast<size_t>(probed));
    return !list.empty();
  }
  void returned(int count, const std::shared_ptr<Session>&) { found = list.empty() ? 0 : count; }
  Napi::Value give(Napi::Env env) {
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
  auto pass() { return std::tuple<virTypedParameterPtr*, int*>(&params.list, &params.count); }
  Napi::Value give(Napi::Env env) { return paramsToJs(env, params.list, params.count); }
};

// virTypedParameterPtr, int *: asked for their number, then filled; or, where libvirt wants room at once,
// filled.
template <bool isAsked>
struct ParamsFilled : Out {
  static constexpr size_t takes = 2;
  static constexpr bool isProbe = isAsked;
  static constexpr const char* result = "object";
  std::vector<virTypedParameter> list = std::vector<virTypedParameter>(isAsked ? 0 : 64);
  bool isProbed = false;
  int count = static_cast<int>(list.size());
  ParamsFilled() = default;
  ParamsFilled(const ParamsFilled&) = delete;
  ParamsFilled& operator=(const ParamsFilled&) = delete;
  ~ParamsFilled() {
    if (!list.empty()) VIR(virTypedParamsClear)(list.data(), static_cast<int>(list.size()));
  }
  auto pass() { return std::tuple<virTypedParameterPtr, int*>(list.empty() ? nullptr : list.data(), &count); }
  bool grow(int) {
    if (std::exchange(isProbed, true)) return false;
    list.resize(static_cast<size_t>(count));
    return !list.empty();
  }
  Napi::Value give(Napi::Env env) { return paramsToJs(env, list.data(), list.empty() ? 0 : count); }
};

}  // namespace virt
