#include "returned.h"

#include <cstring>

#include "convert.h"

namespace virt::result {

namespace {

bool isNegative(Word word) { return word.as<int>() < 0; }
bool isMinusOne(Word word) { return word.as<int>() == -1; }
bool isZero(Word word) { return word.as<int>() == 0; }
bool isNull(Word word) { return !word.as<char*>(); }
bool never(Word) { return false; }

void keepNothing(Returned&, const std::shared_ptr<Session>&) {}
void keepText(Returned& returned, const std::shared_ptr<Session>&) {
  returned.text.reset(returned.word.as<char*>());
}
void keepCopy(Returned& returned, const std::shared_ptr<Session>&) {
  returned.text.reset(::strdup(returned.word.as<const char*>()));
}

Napi::Value giveNothing(Returned&, Napi::Env env) { return env.Undefined(); }
template <class N>
Napi::Value giveNumber(Returned& returned, Napi::Env env) {
  return numberToJs(env, returned.word.as<N>());
}
Napi::Value giveTruth(Returned& returned, Napi::Env env) {
  return Napi::Boolean::New(env, returned.word.as<int>() > 0);
}
Napi::Value giveText(Returned& returned, Napi::Env env) { return textToJs(env, returned.text.get()); }

template <class N>
constexpr Result positive{"value", [](Word word) { return word.as<N>() == 0; }, never, keepNothing,
                          giveNumber<N>};

}  // namespace

const Result status{"nothing", isNegative, never, keepNothing, giveNothing};
const Result count{"value", isNegative, never, keepNothing, giveNumber<int>};
const Result truth{"value", isNegative, never, keepNothing, giveTruth};
const Result orNull{"nothing", isNegative, isZero, keepNothing, giveNothing};
const Result statusOfBytes{"nothing", isMinusOne, never, keepNothing, giveNothing};
const Result countOfBytes{"value", isMinusOne, never, keepNothing, giveNumber<int>};
const Result id{"value", never, isMinusOne, keepNothing, giveNumber<unsigned>};
const Result notZero = positive<unsigned long>;
const Result notZeroWide = positive<unsigned long long>;
const Result text{"value", isNull, never, keepText, giveText};
const Result borrowedText{"value", isNull, never, keepCopy, giveText};

// One without metadata the host knows by no name: it stays what its maker's connection gave, which it keeps
// open, and has nothing but its name.
bool bringHomeSnapshot(Word& word, virDomainPtr receiver) {
  const auto foreign = word.as<virDomainSnapshotPtr>();
  const auto own = VIR(virDomainSnapshotLookupByName)(receiver, VIR(virDomainSnapshotGetName)(foreign), 0);
  if (!own) return false;
  VIR(virDomainSnapshotFree)(foreign);
  word = Word(own);
  return true;
}

}  // namespace virt::result
