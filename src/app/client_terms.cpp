#include "app/client_terms.hpp"

#include <fmt/format.h>

#include "app/option_role.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::app {
namespace {

constexpr unsigned kEct0 = 2;  // RFC 3168 section 5: the sender's transport knows ECN

bool has_key(const Settings& settings) {
  return !settings.string(Key::kKeyFile).empty();
}

bool is_option(const Settings& settings, Key key) {
  return settings.origin(key).kind == Origin::Kind::kOption;
}

std::uint32_t whole(const Settings& settings, Key key) {
  return static_cast<std::uint32_t>(settings.integer(key));
}

// UDP payload of a datagram in dialect 1.
std::uint32_t payload_of(const Settings& settings) {
  if (payload_key(settings) != Key::kBwPacketLength) return whole(settings, Key::kPayload);
  return static_cast<std::uint32_t>(wire::data_packet_size(settings.integer(Key::kBwPacketLength)));
}

// Of a test in one direction, upwards.
std::string beyond_upload(const Settings& settings) {
  const std::uint64_t streams = settings.integer(Key::kStreams);
  if (streams > 1) return fmt::format("more than one stream (--streams {})", streams);
  if (settings.is_chosen(Key::kReliable) && !settings.boolean(Key::kReliable)) {
    return "a test that sends nothing again (--reliable off)";
  }
  if (settings.octets(Key::kBytes)) return "a test that ends after so many octets (--bytes)";
  if (payload_of(settings) > wire::kMaxPacketSize) {
    return fmt::format("datagrams of more than {} octets (--payload)", wire::kMaxPacketSize);
  }
  return {};
}

}  // namespace

Result<void> check_dialect_keys(const Settings& settings, Role role) {
  if (has_key(settings)) {
    if (settings.dialect(Key::kDialect) != engine::DialectChoice::kOriginal) return {};
    return fail("{} does not go with {}: 0.14 has no keys", settings.describe(Key::kKeyFile),
                settings.describe(Key::kDialect));
  }
  for (const Key key : {Key::kDataTags, Key::kRequireKey}) {
    const bool used = role == Role::kBoth || has_use_for(role, role_of(spec_of(key)));
    if (used && settings.boolean(key)) {
      return fail("{} needs a key: name the file that holds it with key_file",
                  settings.describe(key));
    }
  }
  return {};
}

engine::TestTerms test_terms(const Settings& settings, wire::Directions directions) {
  // Without a test there is nothing to send by further sockets.
  const std::uint64_t streams =
      directions == wire::Directions::kLatencyOnly ? 1 : settings.integer(Key::kStreams);
  return {
      .directions = directions,
      .duration = settings.duration(Key::kDuration),
      .rate = settings.rate(Key::kRate),
      .adaptive = !settings.rate(Key::kRate),
      .payload_bytes = payload_of(settings),
      .streams = static_cast<std::uint8_t>(streams),
      .reliable = settings.boolean(Key::kReliable),
      .octets = settings.octets(Key::kBytes),
      .single_port = settings.boolean(Key::kSinglePort),
      .data_tags = settings.boolean(Key::kDataTags),
      .fragment = settings.boolean(Key::kFragment),
      .traffic_class = traffic_class(settings),
  };
}

std::uint8_t traffic_class(const Settings& settings) {
  const auto code_point = static_cast<unsigned>(settings.integer(Key::kDscp));
  const unsigned ecn = settings.boolean(Key::kEcn) ? kEct0 : 0;
  return static_cast<std::uint8_t>(code_point << 2U | ecn);
}

std::string beyond_original(const Settings& settings, wire::Directions directions) {
  if (directions == wire::Directions::kDownload) return "a download test (--bwdown)";
  if (directions == wire::Directions::kBoth) return "a test in both directions (--bwboth)";
  if (has_key(settings)) return "authentication (--key-file)";
  if (settings.boolean(Key::kSinglePort)) return "one port in place of three (--single-port)";
  return directions == wire::Directions::kUpload ? beyond_upload(settings) : std::string();
}

engine::UploadRequest upload_request(const Settings& settings) {
  engine::UploadRequest request{
      .duration = settings.duration(Key::kDuration),
      .payload_bytes = whole(settings, Key::kBwPacketLength),
      .rate = settings.rate(Key::kRate),
  };
  if (payload_key(settings) == Key::kPayload) {
    const auto around = static_cast<std::uint32_t>(wire::data_packet_size(0));
    request.payload_bytes = whole(settings, Key::kPayload) - around;
  }
  return request;
}

// The command line goes before the file; in the same place `payload` is the more exact wish.
std::optional<Key> payload_key(const Settings& settings) {
  const bool by_option =
      is_option(settings, Key::kBwPacketLength) && !is_option(settings, Key::kPayload);
  if (!by_option && settings.is_chosen(Key::kPayload)) return Key::kPayload;
  if (settings.is_chosen(Key::kBwPacketLength)) return Key::kBwPacketLength;
  return std::nullopt;
}

}  // namespace wyndrvr::app
