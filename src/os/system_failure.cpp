#include "os/system_failure.hpp"

#include <system_error>

#include "os/limit_advice.hpp"

namespace wyndrvr::os {

std::string error_text(int error) {
  return std::system_category().message(error);
}

std::unexpected<Error> system_failure(std::string_view purpose, std::string_view call, int error) {
  return fail("{}: {}: {}{}", purpose, call, error_text(error), limit_advice(error));
}

}  // namespace wyndrvr::os
