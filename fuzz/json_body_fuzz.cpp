// Every JSON body that parses writes back to one that parses to the same value.
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "wire/control.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/json_reader.hpp"
#include "wire/test_result.hpp"

using namespace wyndrvr;

namespace {

// Writes into exactly `capacity` octets of heap, so that one too many is seen, and returns a copy
// of just what was written, so that reading one too many is seen as well.
template <class Write>
std::vector<std::byte> written(std::size_t capacity, Write write) {
  std::vector<std::byte> out(capacity);
  const std::size_t size = write(MutableByteView(out));
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

void check_heartbeats(ByteView body) {
  if (const auto heartbeat = wire::parse_heartbeat0(body)) {
    (void)heartbeat->timestamp.to_micros();
    const auto again = written(wire::kMaxHeartbeatBodySize, [&](MutableByteView out) {
      return wire::write_heartbeat0(out, *heartbeat);
    });
    WYNDRVR_CHECK(wire::parse_heartbeat0(again) == *heartbeat);
  }
  if (const auto reply = wire::parse_heartbeat_reply(body)) {
    const auto again = written(wire::kMaxHeartbeatBodySize, [&](MutableByteView out) {
      return wire::write_heartbeat_reply(out, *reply);
    });
    WYNDRVR_CHECK(wire::parse_heartbeat_reply(again) == *reply);
  }
}

void check_control(ByteView body) {
  const auto control = wire::parse_control(body);
  if (!control) return;
  const auto again = written(wire::kMaxControlBodySize, [&](MutableByteView out) {
    return std::visit([out](const auto& value) { return wire::write_control(out, value); },
                      *control);
  });
  WYNDRVR_CHECK(wire::parse_control(again) == *control);
}

void check_test_result(ByteView body) {
  const auto result = wire::parse_test_result(body);
  if (!result) return;
  const auto again = written(wire::kMaxTestResultBodySize, [&](MutableByteView out) {
    return std::visit([out](const auto& value) { return wire::write_test_result(out, value); },
                      *result);
  });
  WYNDRVR_CHECK(wire::parse_test_result(again) == *result);
}

void check_members(ByteView body) {
  const auto object = wire::FlatObject::parse(body);
  if (!object) return;
  auto members = object->members();
  while (const auto member = members.next()) {
    WYNDRVR_CHECK(object->find(member->key).has_value());
    (void)member->value.as_double();
    (void)member->value.as_uint64();
    (void)member->value.as_string_view();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > wire::kMaxBodySize) return 0;
  const ByteView body = std::as_bytes(std::span(data, size));
  check_members(body);
  check_heartbeats(body);
  check_control(body);
  check_test_result(body);
  return 0;
}
