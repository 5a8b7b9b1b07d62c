#include "app/argument_list.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "app/other_habits.hpp"
#include "app/parse_number.hpp"
#include "app/printable.hpp"
#include "app/quantity.hpp"
#include "app/setting_value.hpp"

namespace wyndrvr::app {
namespace {

bool is_number(std::string_view word) {
  // "inf" and "nan" are numbers to the parser, but words to a person.
  const bool has_digit = std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
  return has_digit && parse_number<double>(word).has_value();
}

// Whether `word` can be the value of an option that may go without one.
bool fits(const OptionSpec& option, std::string_view word) {
  if (word.empty()) return false;
  if (!option.key) return word == "-" || !word.starts_with('-');
  const KeySpec& spec = spec_of(*option.key);
  // A number out of range is a wrong value, not a target.
  if (spec.kind == ValueKind::kInteger && is_number(word)) return true;
  return parse_value(spec, word).has_value();
}

// Whether an empty value means something, such as no CPU list.
bool may_be_empty(const OptionSpec& option) {
  return option.key && spec_of(*option.key).default_text.empty();
}

// Whether `text` is a value of the option with its unit: `10M`, `5s`.
bool fits_with_unit(const OptionSpec& option, std::string_view text) {
  if (option.key) return parse_value(spec_of(*option.key), text).has_value();
  return length_of(option.unit) && parse_duration(text, *length_of(option.unit)).has_value();
}

// `10 M` for 10M, `5 s` for 5s: what the two words most likely are together, else empty.
std::string joined_unit(const GivenOption& given, std::string_view next) {
  constexpr std::size_t kLongestUnit = 6;  // "Mbit/s"
  if (next.empty() || next.size() > kLongestUnit || !is_number(given.value)) return {};
  const bool letters = std::ranges::all_of(
      next, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/'; });
  if (!letters) return {};
  if (std::string joined = given.value + std::string(next); fits_with_unit(*given.option, joined)) {
    return joined;
  }
  const std::string_view rest = next.substr(1);
  const bool of_bits = rest.starts_with("bit") || rest.starts_with("bps");
  std::string joined = given.value + next.front();
  return of_bits && fits_with_unit(*given.option, joined) ? joined : std::string();
}

class Splitter {
 public:
  explicit Splitter(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<ArgumentList> run() {
    while (at_ < arguments_.size()) {
      const std::string& word = arguments_[at_++];
      if (auto taken = take(word); !taken) return std::unexpected(taken.error());
    }
    return std::move(list_);
  }

 private:
  Result<void> take(const std::string& word) {
    if (list_.options_ended || word == "-" || !word.starts_with('-')) return take_target(word);
    if (word == "--") {
      list_.options_ended = true;
      return {};
    }
    return word.starts_with("--") ? take_long(word) : take_short(word);
  }

  Result<void> take_target(const std::string& word) {
    // Only a unit that follows its number at once is one: `--rate 10 M`.
    if (!list_.options_ended && last_option_at_ + 1 == at_ && !list_.options.empty()) {
      const GivenOption& last = list_.options.back();
      if (const std::string joined = joined_unit(last, word); !joined.empty()) {
        return fail(
            "'{}' is a word of its own: say {} {} (a server of that name goes before the options)",
            printable(word), last.written, printable(joined));
      }
    }
    if (!list_.targets.empty()) return one_too_many(word);
    list_.targets.push_back(word);
    return {};
  }

  [[nodiscard]] std::unexpected<Error> one_too_many(const std::string& word) const {
    const bool meant_as_option =
        list_.options_ended && (word.starts_with('-') || list_.targets.front().starts_with('-'));
    return fail("'{}' is one word too many: there is one target only{}", printable(word),
                meant_as_option ? ", and after -- every word is one: options go before it" : "");
  }

  Result<void> take_long(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const OptionSpec* const option = find_option(name);
    if (option == nullptr) return fail("unknown option {}{}", printable(name), meant_by(name));
    if (equals != std::string::npos) return take_joined(*option, word.substr(equals + 1));
    switch (option->argument) {
      case Argument::kNone:
        push(*option, name, {}, false);
        return {};
      case Argument::kRequired:
        return take_required(*option, name);
      case Argument::kOptional:
        take_optional(*option);
        return {};
    }
    return {};
  }

  // `-4J`, `-t10`, `-t 10`.
  Result<void> take_short(const std::string& word) {
    const std::string with_two = "-" + word.substr(0, word.find('='));
    if (word.size() > 2 && find_option(with_two) != nullptr) {
      return fail("unknown option {} (did you mean {}?)", printable(word), with_two);
    }
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name = {'-', word[i]};
      const OptionSpec* const option = find_option(word[i]);
      if (option == nullptr) return fail("unknown option {}{}", printable(name), meant_by(name));
      if (option->argument != Argument::kRequired) {
        push(*option, name, option->bare, false);
        continue;
      }
      std::string rest = word.substr(i + 1);
      if (rest.empty()) return take_required(*option, name);
      if (rest.starts_with('=')) rest.erase(0, 1);
      if (rest.empty()) return fail("{} needs a value behind the =", name);
      push(*option, name, std::move(rest), false);
      return {};
    }
    return {};
  }

  Result<void> take_joined(const OptionSpec& option, std::string value) {
    if (option.argument == Argument::kNone) return fail("{} takes no value", option.name);
    if (value.empty() && !may_be_empty(option)) {
      return fail("{} needs a value behind the =", option.name);
    }
    push(option, option.name, std::move(value), false);
    return {};
  }

  Result<void> take_required(const OptionSpec& option, const std::string& written) {
    const std::string* const next = peek();
    const bool is_option = next != nullptr && next->starts_with("--");
    const bool is_missing = next != nullptr && next->empty() && !may_be_empty(option);
    if (next == nullptr || is_missing || is_option) {
      const bool by_letter = written != option.name;
      return fail("{0} needs a value: {0} {1}", written,
                  by_letter && !option.letter_placeholder.empty() ? option.letter_placeholder
                                                                  : option.placeholder);
    }
    ++at_;
    push(option, written, *next, true);
    return {};
  }

  void take_optional(const OptionSpec& option) {
    const std::string* const next = peek();
    const bool taken = next != nullptr && fits(option, *next);
    if (taken) ++at_;
    push(option, option.name, taken ? *next : option.bare, taken);
  }

  void push(const OptionSpec& option, std::string written, std::string value, bool own_word) {
    list_.options.push_back({&option, std::move(value), std::move(written), own_word});
    last_option_at_ = at_;
  }

  [[nodiscard]] const std::string* peek() const {
    return at_ < arguments_.size() ? &arguments_[at_] : nullptr;
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;              // the next word
  std::size_t last_option_at_ = 0;  // the word behind the last option and its value
  ArgumentList list_;
};

}  // namespace

const GivenOption* ArgumentList::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(options.rbegin(), options.rend(),
                           [&](const GivenOption& given) { return given.option->name == name; });
  return found == options.rend() ? nullptr : &*found;
}

Result<ArgumentList> split_arguments(const std::vector<std::string>& arguments) {
  return Splitter(arguments).run();
}

}  // namespace wyndrvr::app
