#include "app/argument_list.hpp"

#include <algorithm>
#include <cstddef>

#include "app/option_table.hpp"
#include "app/parse_number.hpp"
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
  if (spec.kind == ValueKind::kInteger) return is_number(word);
  return parse_value(spec, word).has_value();
}

// Whether an empty value means something, such as no CPU list.
bool may_be_empty(const OptionSpec& option) {
  return option.key && spec_of(*option.key).default_text.empty();
}

// Walks through the words once; each option takes its value along.
class Joiner {
 public:
  explicit Joiner(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Result<ArgumentList> run() {
    while (at_ < arguments_.size()) {
      const std::string& word = arguments_[at_++];
      if (word == "--") {
        at_ -= 1;
        while (at_ < arguments_.size()) list_.words.push_back(arguments_[at_++]);
      } else if (auto joined = take(word); !joined) {
        return std::unexpected(joined.error());
      }
    }
    return std::move(list_);
  }

 private:
  Result<void> take(const std::string& word) {
    const std::size_t equals = word.find('=');
    const OptionSpec* const option = find_option(std::string_view(word).substr(0, equals));
    if (option == nullptr) {
      list_.words.push_back(word);
      return {};
    }
    if (option->name == "--json") list_.json_took_word = false;
    if (equals != std::string::npos) return take_joined(*option, word.substr(equals + 1));
    switch (option->argument) {
      case Argument::kNone:
        list_.words.push_back(word);
        return {};
      case Argument::kRequired:
        return take_required(*option);
      case Argument::kOptional:
        take_optional(*option);
        return {};
    }
    return {};
  }

  Result<void> take_joined(const OptionSpec& option, const std::string& value) {
    if (option.argument == Argument::kNone) return fail("{} takes no value", option.name);
    if (value.empty() && !may_be_empty(option)) {
      return fail("{} needs a value behind the =", option.name);
    }
    push(option, value);
    return {};
  }

  // CLI11 takes an empty value as a word of its own only.
  void push(const OptionSpec& option, const std::string& value) {
    if (!value.empty()) {
      list_.words.push_back(option.name + "=" + value);
      return;
    }
    list_.words.push_back(option.name);
    list_.words.push_back(value);
  }

  Result<void> take_required(const OptionSpec& option) {
    const std::string* const next = peek();
    const bool is_option = next != nullptr && next->starts_with("--");
    const bool is_missing = next != nullptr && next->empty() && !may_be_empty(option);
    if (next == nullptr || is_missing || is_option) {
      return fail("{0} needs a value: {0} {1}", option.name, option.placeholder);
    }
    push(option, *next);
    ++at_;
    return {};
  }

  void take_optional(const OptionSpec& option) {
    const std::string* const next = peek();
    const bool taken = next != nullptr && fits(option, *next);
    list_.words.push_back(option.name + "=" + (taken ? *next : option.bare));
    if (!taken) return;
    ++at_;
    if (option.name == "--json") list_.json_took_word = true;
  }

  [[nodiscard]] const std::string* peek() const {
    return at_ < arguments_.size() ? &arguments_[at_] : nullptr;
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  ArgumentList list_;
};

}  // namespace

Result<ArgumentList> join_values(const std::vector<std::string>& arguments) {
  return Joiner(arguments).run();
}

}  // namespace wyndrvr::app
