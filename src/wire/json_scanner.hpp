// Steps through JSON text token by token (RFC 8259), for json_reader alone.
//
// Every `take_` function advances past what it took, or fails; after a failure the position means
// nothing and the document is to be refused. Allocates nothing; recursion is bounded by
// kMaxJsonDepth.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "wire/json_reader.hpp"

namespace wyndrvr::wire {

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  void skip_blanks();
  [[nodiscard]] bool take(char wanted);
  // The number's text.
  [[nodiscard]] std::optional<std::string_view> take_number();
  // A string's text between its quotes.
  [[nodiscard]] std::optional<std::string_view> take_string();
  // `depth` counts the arrays and objects that are open around the value.
  [[nodiscard]] std::optional<JsonValue> take_value(std::size_t depth);
  // A key, a colon and a value, with the blanks around them.
  [[nodiscard]] std::optional<JsonMember> take_member(std::size_t depth);
  // What follows the opening brace or bracket, up to and including the closing one.
  [[nodiscard]] bool take_rest_of_object(std::size_t depth);
  [[nodiscard]] bool take_rest_of_array(std::size_t depth);

 private:
  [[nodiscard]] bool take_word(std::string_view word);
  [[nodiscard]] bool take_digits();
  [[nodiscard]] bool take_escape();
  [[nodiscard]] std::optional<unsigned> take_four_hex_digits();
  [[nodiscard]] bool take_multibyte_character();
  [[nodiscard]] bool take_composite(std::size_t depth);

  std::string_view rest_;
};

}  // namespace wyndrvr::wire
