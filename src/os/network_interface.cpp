#include "os/network_interface.hpp"

#include <array>
#include <charconv>

#include <net/if.h>

namespace wyndrvr::os {

Result<std::uint32_t> interface_index(std::string_view name_or_number) {
  const std::string name(name_or_number);
  // The kernel would cut a longer one, and might find another.
  if (name.size() < IFNAMSIZ) {
    if (const unsigned index = if_nametoindex(name.c_str()); index != 0) return index;
  }
  std::uint32_t number = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && interface_name(number)) return number;
  return fail("this host has no network interface '{}' (`ip link` lists them)", name);
}

Result<std::string> interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(index, name.data()) == nullptr) {
    return fail("this host has no network interface {} (`ip link` lists them)", index);
  }
  return std::string(name.data());
}

}  // namespace wyndrvr::os
