#include "wire/test_result.hpp"

#include <algorithm>
#include <string_view>

#include "wire/json_reader.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

constexpr CountField<TestResult> kResultCounts[] = {
    {"bytes_received", &TestResult::bytes_received},
    {"retransmit_count", &TestResult::retransmit_count},
    {"packet_count", &TestResult::packet_count},
};

constexpr CountField<ReceiverDetail> kDetailCounts[] = {
    {"unique", &ReceiverDetail::unique},
    {"duplicate", &ReceiverDetail::duplicate},
    {"reordered", &ReceiverDetail::reordered},
    {"highest", &ReceiverDetail::highest},
    {"unique_bytes", &ReceiverDetail::unique_bytes},
    {"written_off", &ReceiverDetail::written_off},
    {"first_to_last_ns", &ReceiverDetail::first_to_last_ns},
    {"socket_drops", &ReceiverDetail::socket_drops},
};

std::optional<double> find_not_negative(const FlatObject& object, std::string_view key) {
  const auto number = object.find_double(key);
  if (!number || *number < 0) return std::nullopt;
  return number;
}

bool has_any_detail(const FlatObject& object) {
  return std::ranges::any_of(kDetailCounts, [&object](const CountField<ReceiverDetail>& field) {
    return object.find(field.key).has_value();
  });
}

std::optional<TestResultBody> read_result(const FlatObject& object) {
  auto result = find_counts(object, kResultCounts);
  const auto guid = find_id(object, "guid");
  const auto channel = find_channel(object);
  const auto bandwidth = find_not_negative(object, "bandwidth_bps");
  const auto duration = find_not_negative(object, "duration");
  const auto uid = find_id(object, "uid");
  if (!result || !guid || !channel || !bandwidth || !duration || !uid) return std::nullopt;
  result->guid = *guid;
  result->channel = *channel;
  result->bandwidth_bps = *bandwidth;
  result->duration_s = *duration;
  result->uid = *uid;
  if (has_any_detail(object)) {
    result->detail = find_counts(object, kDetailCounts);
    if (!result->detail) return std::nullopt;
  }
  return *result;
}

std::optional<TestResultBody> read_acknowledgement(const FlatObject& object) {
  const auto guid = find_id(object, "guid");
  if (!guid) return std::nullopt;
  return TestResultAck{.guid = *guid};
}

std::optional<TestResultBody> read_body(const FlatObject& object) {
  if (object.find_string("cmd") != "TEST_RESULT") return std::nullopt;
  const auto ack = object.find_uint64("ack");
  if (ack == 0) return read_acknowledgement(object);
  return ack == 1 ? read_result(object) : std::nullopt;
}

}  // namespace

std::expected<TestResultBody, DropReason> parse_test_result(ByteView body) {
  const auto result = FlatObject::parse(body).and_then(read_body);
  if (!result) return std::unexpected(DropReason::kBadBody);
  return *result;
}

std::size_t write_test_result(MutableByteView out, const TestResult& result) {
  TextWriter writer(out);
  writer.put("{\"cmd\":\"TEST_RESULT\",\"ack\":1,\"guid\":\"").put(result.guid.view());
  writer.put("\",\"channel\":").put(result.channel.value);
  writer.put(",\"bytes_received\":").put(result.bytes_received);
  writer.put(",\"bandwidth_bps\":").put_float(result.bandwidth_bps);
  writer.put(",\"retransmit_count\":").put(result.retransmit_count);
  writer.put(",\"packet_count\":").put(result.packet_count);
  writer.put(",\"duration\":").put_float(result.duration_s);
  writer.put(",\"uid\":\"").put(result.uid.view()).put("\"");
  if (result.detail) put_counts(writer, kDetailCounts, *result.detail);
  writer.put("}");
  return writer.size();
}

std::size_t write_test_result(MutableByteView out, const TestResultAck& acknowledgement) {
  TextWriter writer(out);
  writer.put("{\"cmd\":\"TEST_RESULT\",\"ack\":0,\"guid\":\"").put(acknowledgement.guid.view());
  writer.put("\"}");
  return writer.size();
}

}  // namespace wyndrvr::wire
