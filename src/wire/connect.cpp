#include "wire/connect.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/check.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::string_view kRefused = "REFUSED";
constexpr std::string_view kEnded = "ENDED ";
constexpr std::array kKnownReasons = {RefusalReason::kNoFreePorts, RefusalReason::kAddressLimit,
                                      RefusalReason::kServerFull, RefusalReason::kNetworkLimit,
                                      RefusalReason::kNoWorker};

std::string_view without_surrounding_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Digits only, without a leading zero.
std::optional<std::uint32_t> parse_decimal(std::string_view digits) {
  std::uint32_t number = 0;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<Port> to_port(std::uint32_t number) {
  if (number == 0 || number > UINT16_MAX) return std::nullopt;
  return Port{static_cast<std::uint16_t>(number)};
}

bool distinct(const Assignment& assignment) {
  return assignment.control != assignment.upload && assignment.upload != assignment.download &&
         assignment.download != assignment.control;
}

// Exactly four numbers with commas between them.
std::optional<std::array<std::uint32_t, 4>> parse_four_numbers(std::string_view text) {
  std::array<std::uint32_t, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t comma = text.find(',');
    const bool last = i + 1 == numbers.size();
    if (last != (comma == std::string_view::npos)) return std::nullopt;
    const auto number = parse_decimal(text.substr(0, comma));
    if (!number) return std::nullopt;
    numbers[i] = *number;
    if (!last) text.remove_prefix(comma + 1);
  }
  return numbers;
}

std::optional<ConnectAnswer> parse_assignment(std::string_view text) {
  const auto numbers = parse_four_numbers(text);
  if (!numbers) return std::nullopt;
  const auto control = to_port((*numbers)[0]);
  const auto upload = to_port((*numbers)[1]);
  const auto download = to_port((*numbers)[2]);
  const std::uint32_t key = (*numbers)[3];
  if (!control || !upload || !download || key > Assignment::kMaxKey) return std::nullopt;
  const Assignment assignment{
      .control = *control, .upload = *upload, .download = *download, .key = key};
  if (!distinct(assignment)) return std::nullopt;
  return assignment;
}

// `rest` is what follows "ENDED ".
std::optional<ConnectAnswer> parse_ended(std::string_view rest) {
  const std::size_t blank = rest.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto key = parse_decimal(rest.substr(0, blank));
  const auto cause = SmallText<Ended::kMaxCause>::from(rest.substr(blank + 1));
  if (!key || *key > Assignment::kMaxKey || !cause) return std::nullopt;
  return Ended{.key = *key, .cause = *cause};
}

// `rest` is what follows "REFUSED".
std::optional<ConnectAnswer> parse_refusal(std::string_view rest) {
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  for (const RefusalReason reason : kKnownReasons) {
    if (!rest.empty() && rest.substr(1) == text(reason)) return Refusal{reason};
  }
  return Refusal{RefusalReason::kOther};
}

}  // namespace

std::string_view text(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kNoFreePorts:
      return "no free ports";
    case RefusalReason::kAddressLimit:
      return "address limit";
    case RefusalReason::kServerFull:
      return "server full";
    case RefusalReason::kNetworkLimit:
      return "network limit";
    case RefusalReason::kNoWorker:
      return "cannot start workers";
    case RefusalReason::kOther:
      break;
  }
  return {};
}

std::size_t refusal_size(RefusalReason reason) {
  return kRefused.size() + (reason == RefusalReason::kOther ? 0 : 1 + text(reason).size());
}

bool is_connect(ByteView datagram) {
  return as_text(datagram) == kConnect;
}

Ended make_ended(std::uint32_t key, std::string_view cause) {
  WYNDRVR_CHECK(key <= Assignment::kMaxKey);
  std::array<char, Ended::kMaxCause> told{};
  const std::size_t size = std::min(cause.size(), told.size());
  std::ranges::transform(cause.substr(0, size), told.begin(), [](char character) {
    const bool plain = SmallText<1>::from({&character, 1}).has_value();
    return plain ? character : '?';
  });
  const auto text = SmallText<Ended::kMaxCause>::from({told.data(), size});
  WYNDRVR_CHECK(text.has_value());
  return {.key = key, .cause = *text};
}

std::expected<ConnectAnswer, DropReason> parse_connect_answer(ByteView datagram) {
  const std::string_view whole = as_text(datagram);
  const bool ended = whole.starts_with(kEnded);
  const std::size_t limit = ended ? kMaxConnectAnswerSize : kMaxUnprovenAnswerSize;
  if (whole.size() > limit) return std::unexpected(DropReason::kTooLong);
  std::optional<ConnectAnswer> parsed;
  const std::string_view answer = without_surrounding_blanks(whole);
  if (ended) {
    parsed = parse_ended(whole.substr(kEnded.size()));
  } else if (answer.starts_with(kRefused)) {
    parsed = parse_refusal(answer.substr(kRefused.size()));
  } else {
    parsed = parse_assignment(answer);
  }
  if (!parsed) return std::unexpected(DropReason::kBadBody);
  return *parsed;
}

std::size_t write_connect_answer(MutableByteView out, const Assignment& assignment) {
  WYNDRVR_CHECK(assignment.key <= Assignment::kMaxKey);
  WYNDRVR_CHECK(distinct(assignment));
  WYNDRVR_CHECK(assignment.control != Port{} && assignment.upload != Port{});
  WYNDRVR_CHECK(assignment.download != Port{});
  TextWriter writer(out);
  writer.put(assignment.control.value).put(",").put(assignment.upload.value);
  writer.put(",").put(assignment.download.value).put(",").put(assignment.key);
  return writer.size();
}

std::size_t write_connect_answer(MutableByteView out, const Refusal& refusal) {
  TextWriter writer(out);
  writer.put(kRefused);
  if (refusal.reason != RefusalReason::kOther) writer.put(" ").put(text(refusal.reason));
  return writer.size();
}

std::size_t write_connect_answer(MutableByteView out, const Ended& ended) {
  WYNDRVR_CHECK(ended.key <= Assignment::kMaxKey);
  TextWriter writer(out);
  writer.put(kEnded).put(ended.key).put(" ").put(ended.cause.view());
  return writer.size();
}

}  // namespace wyndrvr::wire
