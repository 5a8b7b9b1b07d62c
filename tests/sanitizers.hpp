// Which sanitizer this test program is built with; GCC and clang tell it in different ways.
#pragma once

#if defined(__has_feature)
#define WYNDRVR_TEST_FEATURE(name) __has_feature(name)
#else
#define WYNDRVR_TEST_FEATURE(name) 0
#endif

namespace wyndrvr::testing {

#if defined(__SANITIZE_ADDRESS__) || WYNDRVR_TEST_FEATURE(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// A macro as well: it has an operator new of its own, which must not be defined again.
#if defined(__SANITIZE_THREAD__) || WYNDRVR_TEST_FEATURE(thread_sanitizer)
#define WYNDRVR_THREAD_SANITIZER 1
#else
#define WYNDRVR_THREAD_SANITIZER 0
#endif
inline constexpr bool kThreadSanitizer = WYNDRVR_THREAD_SANITIZER == 1;

}  // namespace wyndrvr::testing

#undef WYNDRVR_TEST_FEATURE
