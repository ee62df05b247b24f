// std::condition_variable, of a libstdc++ that is old enough: with GCC 12 its wait() needs GLIBCXX_3.4.30,
// which RHEL 9 lacks. The version before differs in nothing but what it lets through: exceptions, which there
// are none here.
#pragma once
#include <condition_variable>

#if defined(__GLIBCXX__) && defined(__GLIBC__)
__asm__(
    ".symver _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,"
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
#endif
