#include "wire/test_command.hpp"

#include <type_traits>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

// The command's octet is the index of its alternative, and one.
constexpr std::uint64_t kStartCommand = 1;
constexpr std::uint64_t kReadyCommand = 2;
constexpr std::uint64_t kStopCommand = 3;
constexpr std::uint64_t kStoppedCommand = 4;

std::expected<TestCommand, DropReason> parse_start(TestNumber test, ByteView body) {
  base::ByteReader reader(body);
  const auto direction = reader.take(1);
  if (!direction || reader.rest().size() > kMaxStartFieldsSize) {
    return std::unexpected(DropReason::kBadBody);
  }
  const auto known = static_cast<TestDirection>(*direction);
  if (known != TestDirection::kUpload && known != TestDirection::kDownload) {
    return std::unexpected(DropReason::kBadBody);
  }
  return StartTest{.test = test, .direction = known, .fields = reader.rest()};
}

}  // namespace

std::expected<TestCommand, DropReason> parse_test_command(ByteView body) {
  base::ByteReader reader(body);
  const auto command = reader.take(1);
  const auto number = reader.take(kTestNumberSize);
  if (!command || !number) return std::unexpected(DropReason::kBadBody);
  const TestNumber test{static_cast<std::uint32_t>(*number)};
  if (*command == kStartCommand) return parse_start(test, reader.rest());
  if (!reader.rest().empty()) return std::unexpected(DropReason::kBadBody);
  if (*command == kReadyCommand) return TestReady{test};
  if (*command == kStopCommand) return StopTest{test};
  if (*command == kStoppedCommand) return TestStopped{test};
  return std::unexpected(DropReason::kBadBody);
}

std::size_t write_test_command(MutableByteView out, const TestCommand& command) {
  base::ByteWriter writer(out);
  writer.put(command.index() + 1, 1);
  std::visit([&](const auto& any) { writer.put(any.test.value, kTestNumberSize); }, command);
  if (const auto* start = std::get_if<StartTest>(&command)) {
    WYNDRVR_CHECK(start->fields.size() <= kMaxStartFieldsSize);
    writer.put(static_cast<std::uint64_t>(start->direction), 1);
    writer.put_bytes(start->fields);
  }
  return writer.size();
}

static_assert(
    std::is_same_v<std::variant_alternative_t<kStartCommand - 1, TestCommand>, StartTest>);
static_assert(
    std::is_same_v<std::variant_alternative_t<kReadyCommand - 1, TestCommand>, TestReady>);
static_assert(std::is_same_v<std::variant_alternative_t<kStopCommand - 1, TestCommand>, StopTest>);
static_assert(
    std::is_same_v<std::variant_alternative_t<kStoppedCommand - 1, TestCommand>, TestStopped>);

}  // namespace wyndrvr::wire
