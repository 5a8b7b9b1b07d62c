#include "wire/session_fields.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kTypeWidth = 1;
constexpr std::size_t kFieldLengthWidth = 1;
// Types from here on that are not known may be passed over.
constexpr std::uint64_t kFirstOptionalType = 128;

enum class FieldType : std::uint8_t {
  kDirections = 1,
  kDuration = 2,
  kRate = 3,
  kPayload = 4,
  kStreams = 5,
  kReliable = 6,
  kOctets = 7,
  kSinglePort = 8,
  kDataTags = 9,
  kFragment = 10,
  kTrafficClass = 11,
};

struct FieldForm {
  FieldType type;
  std::size_t width;
  std::uint64_t least;
  std::uint64_t most;
};

constexpr std::uint64_t kMaxRateBps = std::uint64_t{1} << 53U;
static_assert(static_cast<double>(kMaxRateBps) == SessionFields::kMaxRate.bps);

// In the order on the wire.
constexpr std::array kForms = {
    FieldForm{FieldType::kDirections, 1, 0, 3},
    FieldForm{FieldType::kDuration, 4, 1, UINT32_MAX},
    FieldForm{FieldType::kRate, 8, 0, kMaxRateBps},
    FieldForm{FieldType::kPayload, 2, SessionFields::kMinPayload.value,
              SessionFields::kMaxPayload.value},
    FieldForm{FieldType::kStreams, 1, 1, SessionFields::kMaxStreams},
    FieldForm{FieldType::kReliable, 1, 0, 1},
    FieldForm{FieldType::kOctets, 8, SessionFields::kMinOctets.value, UINT64_MAX},
    FieldForm{FieldType::kSinglePort, 1, 0, 1},
    FieldForm{FieldType::kDataTags, 1, 0, 1},
    FieldForm{FieldType::kFragment, 1, 0, 1},
    FieldForm{FieldType::kTrafficClass, 1, 0, UINT8_MAX},
};

constexpr std::size_t size_of_all() {
  std::size_t size = 0;
  for (const FieldForm& form : kForms) size += kTypeWidth + kFieldLengthWidth + form.width;
  return size;
}
static_assert(size_of_all() == kMaxSessionFieldsSize);

const FieldForm* find_form(std::uint64_t type) {
  const auto form = std::ranges::find_if(kForms, [type](const FieldForm& known) {
    return static_cast<std::uint64_t>(known.type) == type;
  });
  return form == kForms.end() ? nullptr : &*form;
}

bool in_range(const FieldForm& form, std::uint64_t value) {
  return form.least <= value && value <= form.most;
}

// Whole ms. A negative one becomes a number beyond every range.
std::optional<std::uint64_t> count_of(const std::optional<Duration>& duration) {
  if (!duration) return std::nullopt;
  return static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(*duration).count());
}

std::optional<std::uint64_t> count_of(const std::optional<ByteCount>& octets) {
  return octets.transform([](ByteCount count) { return count.value; });
}

std::optional<std::uint64_t> count_of(const std::optional<WantedRate>& rate) {
  if (!rate) return std::nullopt;
  if (!rate->fixed) return 0;
  // Less than 1 would read as no bound at all.
  WYNDRVR_CHECK(rate->fixed->bps >= 1 && *rate->fixed <= SessionFields::kMaxRate);
  return static_cast<std::uint64_t>(rate->fixed->bps);
}

WantedRate rate_of_count(std::uint64_t bps) {
  if (bps == 0) return {};
  return {.fixed = BitRate{static_cast<double>(bps)}};
}

std::optional<std::uint64_t> count_of(const std::optional<bool>& flag) {
  return flag.transform([](bool set) { return std::uint64_t{set}; });
}

// `value` is within the type's range.
void set_field(SessionFields& fields, FieldType type, std::uint64_t value) {
  switch (type) {
    case FieldType::kDirections:
      fields.directions = static_cast<Directions>(value);
      return;
    case FieldType::kDuration:
      fields.duration = 1ms * static_cast<std::int64_t>(value);  // at most 32 bits on the wire
      return;
    case FieldType::kRate:
      fields.rate = rate_of_count(value);
      return;
    case FieldType::kPayload:
      fields.payload = ByteCount{value};
      return;
    case FieldType::kStreams:
      fields.streams = static_cast<std::uint8_t>(value);
      return;
    case FieldType::kReliable:
      fields.reliable = value == 1;
      return;
    case FieldType::kOctets:
      fields.octets = ByteCount{value};
      return;
    case FieldType::kSinglePort:
      fields.single_port = value == 1;
      return;
    case FieldType::kDataTags:
      fields.data_tags = value == 1;
      return;
    case FieldType::kFragment:
      fields.fragment = value == 1;
      return;
    case FieldType::kTrafficClass:
      fields.traffic_class = static_cast<std::uint8_t>(value);
      return;
  }
}

std::optional<std::uint64_t> find_value(const SessionFields& fields, FieldType type) {
  switch (type) {
    case FieldType::kDirections:
      return fields.directions.transform(
          [](Directions way) { return static_cast<std::uint64_t>(way); });
    case FieldType::kDuration:
      return count_of(fields.duration);
    case FieldType::kRate:
      return count_of(fields.rate);
    case FieldType::kPayload:
      return count_of(fields.payload);
    case FieldType::kStreams:
      return fields.streams;
    case FieldType::kReliable:
      return count_of(fields.reliable);
    case FieldType::kOctets:
      return count_of(fields.octets);
    case FieldType::kSinglePort:
      return count_of(fields.single_port);
    case FieldType::kDataTags:
      return count_of(fields.data_tags);
    case FieldType::kFragment:
      return count_of(fields.fragment);
    case FieldType::kTrafficClass:
      return fields.traffic_class;
  }
  return std::nullopt;
}

// Whether a field of this type and value is valid; it is then in `fields`, or is to be ignored.
bool take_field(SessionFields& fields, std::uint64_t type, ByteView value) {
  const FieldForm* form = find_form(type);
  if (form == nullptr) return type >= kFirstOptionalType;
  if (value.size() != form->width) return false;
  const std::uint64_t number = base::load_big_endian(value.data(), value.size());
  if (!in_range(*form, number)) return false;
  set_field(fields, form->type, number);
  return true;
}

}  // namespace

std::expected<SessionFields, DropReason> parse_session_fields(ByteView octets) {
  constexpr std::unexpected kBad(DropReason::kBadBody);
  SessionFields fields;
  base::ByteReader reader(octets);
  std::uint64_t last_type = 0;  // no field has type 0
  for (std::size_t count = 0; !reader.rest().empty(); ++count) {
    const auto type = reader.take(kTypeWidth);
    const auto length = reader.take(kFieldLengthWidth);
    if (count == kMaxSessionFields || !type || !length || *type <= last_type) return kBad;
    const auto value = reader.take_bytes(*length);
    if (!value || !take_field(fields, *type, *value)) return kBad;
    last_type = *type;
  }
  return fields;
}

std::size_t write_session_fields(MutableByteView out, const SessionFields& fields) {
  base::ByteWriter writer(out);
  for (const FieldForm& form : kForms) {
    const auto value = find_value(fields, form.type);
    if (!value) continue;
    WYNDRVR_CHECK(in_range(form, *value));
    writer.put(static_cast<std::uint64_t>(form.type), kTypeWidth);
    writer.put(form.width, kFieldLengthWidth);
    writer.put(*value, form.width);
  }
  return writer.size();
}

}  // namespace wyndrvr::wire
