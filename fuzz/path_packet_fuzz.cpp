// Any datagram on the three ports parses, prefix and body, to what writes back to the same octets,
// or is dropped.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.hpp"
#include "wire/path_data.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/path_packet.hpp"
#include "wire/receiver_report.hpp"
#include "wire/test_command.hpp"

using namespace wyndrvr;

namespace {

using Buffer = std::array<std::byte, wire::kMaxPacketSize>;

// `value` is what was parsed from `body`, or why it was dropped.
template <class Parsed, class Write>
void check_reads_back(ByteView body, const Parsed& value, Write write) {
  if (!value) {
    WYNDRVR_CHECK(value.error() == wire::DropReason::kBadBody);
    return;
  }
  Buffer again{};
  const std::size_t size = write(MutableByteView(again), *value);
  WYNDRVR_CHECK(std::ranges::equal(ByteView(again).first(size), body));
}

void check_report(ByteView body) {
  std::array<wire::ClosedRange, wire::kMaxReportRanges> storage{};
  const auto report = wire::parse_receiver_report(body, storage);
  check_reads_back(body, report, wire::write_receiver_report);
  if (!report) return;
  WYNDRVR_CHECK(report->valid_for <= wire::kMaxGrantValidity);
  for (std::size_t i = 0; i < report->ranges.size(); ++i) {
    WYNDRVR_CHECK(report->ranges[i].begin <= report->ranges[i].end);
    WYNDRVR_CHECK(i == 0 || report->ranges[i - 1].end < report->ranges[i].begin);
  }
}

void check_data(ByteView body) {
  std::array<std::byte, wire::kPathDataPrefixSize> again{};
  wire::set_data_time(again.data(), wire::data_time_ns(body));
  WYNDRVR_CHECK(std::ranges::equal(ByteView(again).subspan(wire::kPathPrefixSize),
                                   body.first(wire::kDataTimeSize)));
}

void check_body(wire::PathType type, ByteView body) {
  switch (type) {
    case wire::PathType::kHeartbeat0:
      return check_reads_back(body, wire::parse_path_heartbeat0(body), wire::write_path_heartbeat0);
    case wire::PathType::kHeartbeat1:
      return check_reads_back(body, wire::parse_path_heartbeat1(body), wire::write_path_heartbeat1);
    case wire::PathType::kHeartbeat2:
      return check_reads_back(body, wire::parse_path_heartbeat2(body), wire::write_path_heartbeat2);
    case wire::PathType::kReport:
      return check_report(body);
    case wire::PathType::kControl:
      return check_reads_back(body, wire::parse_test_command(body), wire::write_test_command);
    case wire::PathType::kResult:
      return check_reads_back(body, wire::parse_result_message(body), wire::write_result_message);
    case wire::PathType::kData:
      return check_data(body);
  }
  WYNDRVR_CHECK(false);  // a type that there is not
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram = std::as_bytes(std::span(data, size));
  const auto packet = wire::parse_path_packet(datagram);
  if (!packet) return 0;
  WYNDRVR_CHECK(packet->body.size() + wire::kPathPrefixSize == size);
  WYNDRVR_CHECK(!wire::parse_packet(datagram));
  std::array<std::byte, wire::kPathPrefixSize> again{};
  wire::write_path_prefix(again.data(), packet->header, packet->nonce);
  WYNDRVR_CHECK(std::ranges::equal(again, datagram.first(wire::kPathPrefixSize)));
  check_body(packet->header.type, packet->body);
  return 0;
}
