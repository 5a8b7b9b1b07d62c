// What a word means that is no option here, but one of iperf3's or ping's, or a slip of the pen.
#pragma once

#include <string>
#include <string_view>

namespace wyndrvr::app {

// To put behind "unknown option -b": what to write in its place, with a blank before it; the short
// options that there are where nothing is known of this one; empty where nothing helps.
[[nodiscard]] std::string meant_by(std::string_view unknown);

}  // namespace wyndrvr::app
