#include "wire/test_command.hpp"

#include <type_traits>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kCommandWidth = 1;
constexpr std::size_t kDirectionWidth = 1;
constexpr std::size_t kDurationWidth = 4;
constexpr std::size_t kStopReasonWidth = 1;

// The command's octet is the index of its alternative, and one.
template <std::uint64_t kCommand>
using CommandOf = std::variant_alternative_t<kCommand - 1, TestCommand>;
constexpr std::uint64_t kStartCommand = 1;
constexpr std::uint64_t kReadyCommand = 2;
constexpr std::uint64_t kStopCommand = 3;
constexpr std::uint64_t kStoppedCommand = 4;
static_assert(std::is_same_v<CommandOf<kStartCommand>, StartTest>);
static_assert(std::is_same_v<CommandOf<kReadyCommand>, TestReady>);
static_assert(std::is_same_v<CommandOf<kStopCommand>, StopTest>);
static_assert(std::is_same_v<CommandOf<kStoppedCommand>, TestStopped>);

using ParsedCommand = std::expected<TestCommand, DropReason>;

ParsedCommand parse_start(TestNumber test, base::ByteReader reader) {
  constexpr std::unexpected kBad(DropReason::kBadBody);
  const auto direction = reader.take(kDirectionWidth);
  const auto milliseconds = reader.take(kDurationWidth);
  if (!direction || !milliseconds || *milliseconds == 0 || !reader.rest().empty()) return kBad;
  const auto known = static_cast<TestDirection>(*direction);
  if (known != TestDirection::kUpload && known != TestDirection::kDownload) return kBad;
  return StartTest{
      .test = test, .direction = known, .duration = 1ms * static_cast<std::int64_t>(*milliseconds)};
}

ParsedCommand parse_stop(TestNumber test, base::ByteReader reader) {
  constexpr std::unexpected kBad(DropReason::kBadBody);
  const auto reason = reader.take(kStopReasonWidth);
  if (!reason || !reader.rest().empty()) return kBad;
  const auto known = static_cast<StopReason>(*reason);
  switch (known) {
    case StopReason::kWanted:
    case StopReason::kSustainedLoss:
    case StopReason::kNoData:
      return StopTest{.test = test, .reason = known};
  }
  return kBad;
}

void put_behind_number(base::ByteWriter& writer, const StartTest& start) {
  WYNDRVR_CHECK(start.duration >= StartTest::kMinDuration &&
                start.duration <= StartTest::kMaxDuration);
  writer.put(static_cast<std::uint64_t>(start.direction), kDirectionWidth);
  writer.put(static_cast<std::uint64_t>(start.duration / 1ms), kDurationWidth);
}

void put_behind_number(base::ByteWriter& writer, const StopTest& stop) {
  writer.put(static_cast<std::uint64_t>(stop.reason), kStopReasonWidth);
}

void put_behind_number(base::ByteWriter& /*writer*/, const TestReady& /*ready*/) {}
void put_behind_number(base::ByteWriter& /*writer*/, const TestStopped& /*stopped*/) {}

}  // namespace

ParsedCommand parse_test_command(ByteView body) {
  constexpr std::unexpected kBad(DropReason::kBadBody);
  base::ByteReader reader(body);
  const auto command = reader.take(kCommandWidth);
  const auto number = reader.take(kTestNumberSize);
  if (!command || !number) return kBad;
  const TestNumber test{static_cast<std::uint32_t>(*number)};
  if (*command == kStartCommand) return parse_start(test, reader);
  if (*command == kStopCommand) return parse_stop(test, reader);
  if (!reader.rest().empty()) return kBad;
  if (*command == kReadyCommand) return TestReady{test};
  if (*command == kStoppedCommand) return TestStopped{test};
  return kBad;
}

std::size_t write_test_command(MutableByteView out, const TestCommand& command) {
  base::ByteWriter writer(out);
  writer.put(command.index() + 1, kCommandWidth);
  std::visit(
      [&](const auto& any) {
        writer.put(any.test.value, kTestNumberSize);
        put_behind_number(writer, any);
      },
      command);
  return writer.size();
}

}  // namespace wyndrvr::wire
