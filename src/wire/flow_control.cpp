#include "wire/flow_control.hpp"

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kBoundSize = kFlowControlRangeSize / 2;

bool ascending_and_disjoint(std::span<const ClosedRange> ranges) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].begin > ranges[i].end) return false;
    if (i > 0 && ranges[i].begin <= ranges[i - 1].end) return false;
  }
  return true;
}

}  // namespace

std::expected<std::span<const ClosedRange>, DropReason> parse_flow_control(
    ByteView body, std::span<ClosedRange, kMaxRanges> out) {
  base::ByteReader reader(body);
  const auto count = reader.take(kFlowControlCountSize);
  if (!count || *count > kMaxRanges || body.size() != flow_control_size(*count)) {
    return std::unexpected(DropReason::kBadBody);
  }
  const std::span<ClosedRange> ranges = out.first(*count);
  for (ClosedRange& range : ranges) {
    const auto begin = reader.take(kBoundSize);
    const auto end = reader.take(kBoundSize);
    if (!begin || !end) return std::unexpected(DropReason::kBadBody);
    range = {.begin = *begin, .end = *end};
  }
  if (!ascending_and_disjoint(ranges)) return std::unexpected(DropReason::kBadBody);
  return ranges;
}

std::size_t write_flow_control(MutableByteView out, std::span<const ClosedRange> ranges) {
  WYNDRVR_CHECK(ranges.size() <= kMaxRanges);
  WYNDRVR_CHECK(ascending_and_disjoint(ranges));
  base::ByteWriter writer(out);
  writer.put(ranges.size(), kFlowControlCountSize);
  for (const ClosedRange& range : ranges) {
    writer.put(range.begin, kBoundSize);
    writer.put(range.end, kBoundSize);
  }
  return writer.size();
}

}  // namespace wyndrvr::wire
