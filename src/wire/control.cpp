#include "wire/control.hpp"

#include <string_view>

#include "wire/json_reader.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

constexpr CountField<Progress> kProgressCounts[] = {
    {"elapsed_ns", &Progress::elapsed_ns},     {"bytes", &Progress::bytes},
    {"packets", &Progress::packets},           {"unique", &Progress::unique},
    {"duplicate", &Progress::duplicate},       {"reordered", &Progress::reordered},
    {"highest", &Progress::highest},           {"written_off", &Progress::written_off},
    {"socket_drops", &Progress::socket_drops},
};

std::optional<double> find_duration(const FlatObject& object) {
  const auto seconds = object.find_double("duration");
  if (!seconds || !(*seconds > 0 && *seconds <= kMaxTestSeconds)) return std::nullopt;
  return seconds;
}

std::optional<ControlBody> read_request(const FlatObject& object) {
  const auto channel = find_channel(object);
  const auto duration = find_duration(object);
  if (!channel || !duration) return std::nullopt;
  Bwup request{.channel = *channel, .duration_s = *duration, .progress_ms = std::nullopt};
  if (const auto progress = object.find("progress")) {
    const auto interval = progress->as_uint64();
    if (!interval || *interval == 0 || *interval > kMaxProgressMs) return std::nullopt;
    request.progress_ms = static_cast<std::uint32_t>(*interval);
  }
  return request;
}

std::optional<ControlBody> read_acknowledgement(const FlatObject& object) {
  const auto channel = find_channel(object);
  const auto duration = find_duration(object);
  const auto uid = find_id(object, "uid");
  if (!channel || !duration || !uid) return std::nullopt;
  return BwupAck{.channel = *channel, .duration_s = *duration, .uid = *uid};
}

std::optional<ControlBody> read_upload_command(const FlatObject& object) {
  const auto ack = object.find("ack");
  if (!ack) return read_request(object);
  const auto flag = ack->as_uint64();
  if (flag == 0) return read_acknowledgement(object);
  return flag == 1 ? read_request(object) : std::nullopt;
}

std::optional<ControlBody> read_progress(const FlatObject& object) {
  const auto channel = find_channel(object);
  auto progress = find_counts(object, kProgressCounts);
  if (!channel || !progress) return std::nullopt;
  progress->channel = *channel;
  if (const auto granted = object.find("granted")) {
    const auto octets = granted->as_uint64();
    if (!octets) return std::nullopt;
    progress->granted = ByteCount{*octets};
  }
  return *progress;
}

std::optional<ControlBody> read_command(const FlatObject& object) {
  const auto command = object.find_string("cmd");
  if (command == "BWUP") return read_upload_command(object);
  if (command == "PROGRESS") return read_progress(object);
  return std::nullopt;
}

}  // namespace

std::expected<ControlBody, DropReason> parse_control(ByteView body) {
  const auto control = FlatObject::parse(body).and_then(read_command);
  if (!control) return std::unexpected(DropReason::kBadBody);
  return *control;
}

std::size_t write_control(MutableByteView out, const Bwup& request) {
  TextWriter writer(out);
  writer.put("{\"cmd\":\"BWUP\",\"channel\":").put(request.channel.value);
  writer.put(",\"duration\":").put_number(request.duration_s);
  if (request.progress_ms) writer.put(",\"progress\":").put(*request.progress_ms);
  writer.put("}");
  return writer.size();
}

std::size_t write_control(MutableByteView out, const BwupAck& acknowledgement) {
  TextWriter writer(out);
  writer.put("{\"cmd\":\"BWUP\",\"ack\":0,\"channel\":").put(acknowledgement.channel.value);
  writer.put(",\"duration\":").put_number(acknowledgement.duration_s);
  writer.put(",\"uid\":\"").put(acknowledgement.uid.view()).put("\"}");
  return writer.size();
}

std::size_t write_control(MutableByteView out, const Progress& progress) {
  TextWriter writer(out);
  writer.put("{\"cmd\":\"PROGRESS\",\"channel\":").put(progress.channel.value);
  put_counts(writer, kProgressCounts, progress);
  if (progress.granted) writer.put(",\"granted\":").put(progress.granted->value);
  writer.put("}");
  return writer.size();
}

}  // namespace wyndrvr::wire
