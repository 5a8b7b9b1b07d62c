#include "wire/data_body.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "wire/text_writer.hpp"

namespace wyndrvr::wire {
namespace {

// Repeated as often as needed; none of its characters needs an escape in JSON.
constexpr std::string_view kFilling =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::size_t write_data_body(MutableByteView out, std::size_t payload) {
  WYNDRVR_CHECK(payload <= kMaxPayload);
  TextWriter writer(out);
  writer.put(kDataBodyPrefix);
  for (std::size_t missing = payload; missing > 0;) {
    const std::string_view piece = kFilling.substr(0, std::min(missing, kFilling.size()));
    writer.put(piece);
    missing -= piece.size();
  }
  writer.put(kDataBodySuffix);
  return writer.size();
}

}  // namespace wyndrvr::wire
