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

#if defined(__SANITIZE_THREAD__) || WYNDRVR_TEST_FEATURE(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace wyndrvr::testing

#undef WYNDRVR_TEST_FEATURE
